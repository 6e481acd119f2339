//! The pipeline and bind group that a device needs to run a task, created once.

use std::collections::HashMap;

use charcell_shaders::{Binding, Kernel, Step, Tiles};
use wgpu::{
    BindGroup, BindGroupEntry, BindGroupLayoutEntry, BindingResource, BindingType, Buffer,
    BufferBinding, BufferBindingType, ComputePass, ComputePipeline, ShaderModule,
    ShaderRuntimeChecks, ShaderStages,
};

use super::buffers::{BufferName, STEP_STRIDE};
use super::context::Context;
use super::task::Task;

/// Creates pipelines, and caches the shader modules that they share.
pub(super) struct Pipelines<'a> {
    device: &'a wgpu::Device,
    buffers: &'a HashMap<BufferName, Buffer>,
    tiles: Tiles,
    modules: HashMap<&'static str, ShaderModule>,
}

/// A task that is ready to dispatch.
#[derive(Debug)]
pub(super) struct Prepared {
    pipeline: ComputePipeline,
    bind_group: BindGroup,
    reads_step: bool,
    workgroups: [u32; 3],
}

impl Prepared {
    /// Dispatches the task at `step`.
    pub(super) fn dispatch(&self, pass: &mut ComputePass<'_>, step: usize) {
        let offset = [step as u32 * STEP_STRIDE as u32];
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, if self.reads_step { &offset } else { &[] });
        let [x, y, z] = self.workgroups;
        pass.dispatch_workgroups(x, y, z);
    }
}

impl<'a> Pipelines<'a> {
    pub(super) fn new(
        context: &'a Context,
        buffers: &'a HashMap<BufferName, Buffer>,
        tiles: Tiles,
    ) -> Self {
        Self { device: &context.device, buffers, tiles, modules: HashMap::new() }
    }

    pub(super) fn prepare(&mut self, task: &Task) -> Prepared {
        let Task { kernel, constants, buffers, .. } = task;
        let label = Some(kernel.name);
        let entries: Vec<BindGroupLayoutEntry> =
            (0..).zip(kernel.bindings).map(|(number, &kind)| layout_entry(number, kind)).collect();
        let layout = self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label,
            entries: &entries,
        });
        let pipeline_layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let (device, tiles) = (self.device, self.tiles);
        let module =
            self.modules.entry(kernel.name).or_insert_with(|| module(device, kernel, tiles));
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&pipeline_layout),
            module,
            entry_point: Some(kernel.name),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                // Every kernel writes its workgroup memory before reading it.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        let bound = kernel.bindings.iter().zip(buffers);
        let entries: Vec<BindGroupEntry<'_>> = (0..)
            .zip(bound)
            .map(|(binding, (&kind, name))| BindGroupEntry {
                binding,
                resource: resource(kind, &self.buffers[name]),
            })
            .collect();
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label,
            layout: &layout,
            entries: &entries,
        });
        Prepared {
            pipeline,
            bind_group,
            reads_step: kernel.bindings.contains(&Binding::Step),
            workgroups: task.workgroups.map(|count| count as u32),
        }
    }
}

fn module(device: &wgpu::Device, kernel: &Kernel, tiles: Tiles) -> ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(kernel.name),
        source: wgpu::ShaderSource::Wgsl(kernel.source(&tiles).into()),
    };
    let checks =
        ShaderRuntimeChecks { force_loop_bounding: false, ..ShaderRuntimeChecks::checked() };
    #[expect(
        unsafe_code,
        reason = "the counters that bound loops keep drivers from unrolling them"
    )]
    // SAFETY: no loop of the kernels is infinite: each counts up to a bound that it doesn't change.
    // All other checks stay enabled.
    unsafe {
        device.create_shader_module_trusted(descriptor, checks)
    }
}

fn layout_entry(binding: u32, kind: Binding) -> BindGroupLayoutEntry {
    let ty = match kind {
        Binding::Step | Binding::Uniform => BufferBindingType::Uniform,
        Binding::Read => BufferBindingType::Storage { read_only: true },
        Binding::ReadWrite => BufferBindingType::Storage { read_only: false },
    };
    BindGroupLayoutEntry {
        binding,
        visibility: ShaderStages::COMPUTE,
        ty: BindingType::Buffer {
            ty,
            has_dynamic_offset: kind == Binding::Step,
            min_binding_size: None,
        },
        count: None,
    }
}

fn resource(kind: Binding, buffer: &Buffer) -> BindingResource<'_> {
    match kind {
        // One step of many; the dispatch's dynamic offset selects it.
        Binding::Step => BindingResource::Buffer(BufferBinding {
            buffer,
            offset: 0,
            size: wgpu::BufferSize::new((size_of::<Step>() as u64).next_multiple_of(16)),
        }),
        _ => buffer.as_entire_binding(),
    }
}
