//! What the kernels need from a device, and whether a model fits it.

use wgpu::Limits;

use super::buffers::{BufferName, Shapes};
use super::plan::Plan;
use crate::error::DeviceError;

/// Why the kernels can't run within `limits`, if they can't. They need WebGPU's default limits, as
/// a test checks, so a device has to offer those.
pub(super) fn too_small(limits: &Limits) -> Option<String> {
    let needed = Limits::default();
    type Limit = fn(&Limits) -> u32;
    let compared: [(&str, Limit); 5] = [
        ("max_compute_invocations_per_workgroup", |l| l.max_compute_invocations_per_workgroup),
        ("max_compute_workgroup_storage_size", |l| l.max_compute_workgroup_storage_size),
        ("max_compute_workgroup_size_x", |l| l.max_compute_workgroup_size_x),
        ("max_compute_workgroups_per_dimension", |l| l.max_compute_workgroups_per_dimension),
        ("max_storage_buffers_per_shader_stage", |l| l.max_storage_buffers_per_shader_stage),
    ];
    let too_small = compared.into_iter().find(|(_, limit)| limit(limits) < limit(&needed));
    too_small.map(|(name, limit)| {
        format!("its {name} is {}, but {} is needed", limit(limits), limit(&needed))
    })
}

/// Checks that every buffer and every dispatch of a plan is within `limits`.
///
/// # Errors
/// [`DeviceError::GpuLimit`] names the limit, and the batch size that would fit.
pub(super) fn check(plan: &Plan, limits: &Limits) -> Result<(), DeviceError> {
    let Some((what, limit, allowed)) = excess(plan, limits) else { return Ok(()) };
    let shapes = plan.shapes();
    let fits = |batch_size: usize| {
        let smaller = Plan::new(Shapes { batch_size, ..shapes }, plan.tiles());
        excess(&smaller, limits).is_none()
    };
    let fitting_batch_size = Some(largest(shapes.batch_size, fits)).filter(|&rows| rows > 0);
    Err(DeviceError::GpuLimit { what, limit, allowed, fitting_batch_size })
}

/// The first buffer or kernel of a plan that is too large, with its size, and the limit's name and
/// value.
fn excess(plan: &Plan, limits: &Limits) -> Option<(String, &'static str, u64)> {
    let shapes = plan.shapes();
    let buffer_limits = [
        ("max_buffer_size", limits.max_buffer_size),
        ("max_storage_buffer_binding_size", limits.max_storage_buffer_binding_size),
        // The kernels count elements of four bytes in 32 bits.
        ("32-bit index range", u64::from(u32::MAX)),
    ];
    for name in BufferName::all(shapes) {
        let bytes = name.bytes(shapes);
        for (limit, allowed) in buffer_limits {
            if bytes > allowed {
                return Some((format!("the buffer {name} of {bytes} bytes"), limit, allowed));
            }
        }
    }
    let largest = u64::from(limits.max_compute_workgroups_per_dimension);
    for task in plan.tasks() {
        let count = task.workgroups.into_iter().max().unwrap_or_default();
        if count > largest {
            let what = format!("the kernel {} with {count} workgroups", task.kernel.name);
            return Some((what, "max_compute_workgroups_per_dimension", largest));
        }
    }
    None
}

/// The largest count up to `most` that `fits`, given that every smaller count fits too; 0 if none
/// does.
fn largest(most: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if fits(middle) { low = middle } else { high = middle - 1 }
    }
    low
}
