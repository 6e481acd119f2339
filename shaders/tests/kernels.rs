//! Checks all kernels without a GPU: they are valid, translate to every platform's language, keep
//! WebGPU's default limits, and match what the host assumes about them.

use std::mem::offset_of;

use charcell_shaders::{
    ADAM, ALL, BETA_1, BETA_2, Binding, Dropout, EPSILON, GradientTile, Kernel, ProductTile,
    Report, SQUARE_SUM_COUNT, Step, Tiles, Update,
};
use infer_core::layout::{GATES, Gate};
use naga::back::pipeline_constants::process_overrides;
use naga::proc::{BoundsCheckPolicies, Layouter};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ShaderStage, StorageAccess, TypeInner};

/// WebGPU's default limits.
const MAX_INVOCATIONS: u32 = 256;
const MAX_WORKGROUP_BYTES: u32 = 16 * 1024;
const MAX_STORAGE_BUFFERS: usize = 8;

/// The tiles in use, and some with sizes that no multiple fits.
fn all_tiles() -> [Tiles; 3] {
    let odd = Tiles {
        forward: ProductTile { lanes: 3, slices: 5, groups: 3, vectors: 1 },
        backward: ProductTile { lanes: 5, slices: 3, groups: 1, vectors: 3 },
        project: ProductTile { lanes: 7, slices: 1, groups: 2, vectors: 3 },
        gradient: GradientTile { lanes: 7, slices: 2, rows: 1, columns: 3 },
        element_lanes: 13,
    };
    [Tiles::GPU, Tiles::SOFTWARE, odd]
}

/// A kernel as parsed by naga, with all overrides at their defaults.
fn parse(kernel: &Kernel, tiles: &Tiles) -> (Module, ModuleInfo) {
    let source = kernel.source(tiles);
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|error| panic!("{}: {}", kernel.name, error.emit_to_string(&source)));
    let validate = |module: &Module| {
        Validator::new(ValidationFlags::all(), Capabilities::empty())
            .validate(module)
            .unwrap_or_else(|error| panic!("{}: {}", kernel.name, error.emit_to_string(&source)))
    };
    let info = validate(&module);
    let (module, _) =
        process_overrides(&module, &info, None, &Default::default()).expect("the defaults");
    let module = module.into_owned();
    let info = validate(&module);
    (module, info)
}

#[test]
fn every_kernel_is_valid_and_keeps_the_default_limits() {
    for tiles in all_tiles() {
        for kernel in ALL {
            let (module, _) = parse(&kernel, &tiles);
            let name = kernel.name;
            let [entry] = &module.entry_points[..] else { panic!("{name} has one entry point") };
            assert_eq!((entry.name.as_str(), entry.stage), (name, ShaderStage::Compute));
            let [x, y] = kernel.workgroup_size(&tiles);
            assert_eq!(entry.workgroup_size, [x, y, 1], "{name}");
            assert!(x * y <= MAX_INVOCATIONS, "{name}: {x} x {y} invocations");

            let mut layouter = Layouter::default();
            layouter.update(module.to_ctx()).unwrap();
            let globals = || module.global_variables.iter().map(|(_, variable)| variable);
            let workgroup_bytes: u32 = globals()
                .filter(|variable| variable.space == AddressSpace::WorkGroup)
                .map(|variable| layouter[variable.ty].size)
                .sum();
            assert!(workgroup_bytes <= MAX_WORKGROUP_BYTES, "{name}: {workgroup_bytes} bytes");
            let storage = globals().filter(|v| matches!(v.space, AddressSpace::Storage { .. }));
            assert!(storage.count() <= MAX_STORAGE_BUFFERS, "{name}");
        }
    }
}

#[test]
fn every_kernel_has_the_bindings_of_the_table() {
    for kernel in ALL {
        let (module, _) = parse(&kernel, &Tiles::GPU);
        let mut bindings: Vec<(u32, Binding)> = Vec::new();
        for (_, variable) in module.global_variables.iter() {
            let Some(slot) = &variable.binding else { continue };
            assert_eq!(slot.group, 0, "{}", kernel.name);
            let binding = match variable.space {
                AddressSpace::Uniform if variable.name.as_deref() == Some("step") => Binding::Step,
                AddressSpace::Uniform => Binding::Uniform,
                AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => {
                    Binding::ReadWrite
                }
                AddressSpace::Storage { .. } => Binding::Read,
                space => panic!("{}: {space:?}", kernel.name),
            };
            bindings.push((slot.binding, binding));
        }
        bindings.sort_by_key(|&(number, _)| number);
        let expected: Vec<(u32, Binding)> = (0..).zip(kernel.bindings.iter().copied()).collect();
        assert_eq!(bindings, expected, "{}", kernel.name);
    }
}

#[test]
fn every_binding_has_a_comment_with_its_shape() {
    for kernel in ALL {
        for line in kernel.source(&Tiles::GPU).lines().filter(|line| line.starts_with("@group")) {
            let is_structure =
                ["Report;", "Update;", "Dropout;"].iter().any(|name| line.contains(name));
            assert!(is_structure || line.contains("// "), "{}: {line}", kernel.name);
        }
    }
}

#[test]
fn the_gates_are_in_the_order_of_infer_core() {
    let (module, _) = parse(&ALL[0], &Tiles::GPU);
    let gates = [
        ("GATES", GATES),
        ("INPUT_GATE", Gate::Input as usize),
        ("FORGET_GATE", Gate::Forget as usize),
        ("CANDIDATE_GATE", Gate::Candidate as usize),
        ("OUTPUT_GATE", Gate::Output as usize),
    ];
    for (name, value) in gates {
        assert_eq!(constant(&module, name), value as u32, "{name}");
    }
}

/// The value of a module's constant.
fn constant(module: &Module, name: &str) -> u32 {
    match literal(module, name) {
        naga::Literal::U32(value) => value,
        other => panic!("{name} is {other:?}"),
    }
}

fn literal(module: &Module, name: &str) -> naga::Literal {
    let named =
        module.constants.iter().find(|(_, constant)| constant.name.as_deref() == Some(name));
    let (_, constant) = named.unwrap_or_else(|| panic!("no constant {name}"));
    match module.global_expressions[constant.init] {
        naga::Expression::Literal(value) => value,
        ref other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn structures_have_the_layout_of_the_host() {
    let step = ("Step", size_of::<Step>(), vec![("t", offset_of!(Step, t))]);
    let update = (
        "Update",
        size_of::<Update>(),
        vec![
            ("learning_rate", offset_of!(Update, learning_rate)),
            ("clip", offset_of!(Update, clip)),
            ("step_size", offset_of!(Update, step_size)),
            ("correction", offset_of!(Update, correction)),
            ("decay", offset_of!(Update, decay)),
        ],
    );
    let dropout = (
        "Dropout",
        size_of::<Dropout>(),
        vec![
            ("seed", offset_of!(Dropout, seed)),
            ("threshold", offset_of!(Dropout, threshold)),
            ("scale", offset_of!(Dropout, scale)),
        ],
    );
    let report = (
        "Report",
        size_of::<Report>(),
        vec![
            ("loss_nats", offset_of!(Report, loss_nats)),
            ("gradient_norm", offset_of!(Report, gradient_norm)),
            ("clip_factor", offset_of!(Report, clip_factor)),
        ],
    );
    let mut seen = Vec::new();
    for kernel in ALL {
        let (module, _) = parse(&kernel, &Tiles::GPU);
        for (_, ty) in module.types.iter() {
            let Some(name) = ty.name.as_deref() else { continue };
            let host = [&step, &update, &dropout, &report].into_iter().find(|host| host.0 == name);
            let (TypeInner::Struct { members, span }, Some((_, size, fields))) = (&ty.inner, host)
            else {
                continue;
            };
            assert_eq!(*span as usize, *size, "{name} in {}", kernel.name);
            let found: Vec<(&str, usize)> = members
                .iter()
                .map(|member| (member.name.as_deref().unwrap(), member.offset as usize))
                .collect();
            assert_eq!(&found, fields, "{name} in {}", kernel.name);
            seen.push(name.to_owned());
        }
        if ["square_sums", "global_norm"].contains(&kernel.name) {
            assert_eq!(constant(&module, "SQUARE_SUM_COUNT"), SQUARE_SUM_COUNT, "{}", kernel.name);
        }
        if kernel.name == ADAM.name {
            for (name, value) in [("BETA_1", BETA_1), ("BETA_2", BETA_2), ("EPSILON", EPSILON)] {
                assert_eq!(literal(&module, name), naga::Literal::F32(value), "{name}");
            }
        }
    }
    for name in ["Step", "Update", "Dropout", "Report"] {
        assert!(seen.iter().any(|seen| seen == name), "no kernel has a {name}");
    }
}

#[test]
fn every_kernel_translates_to_every_language() {
    for tiles in all_tiles() {
        for kernel in ALL {
            let (module, info) = parse(&kernel, &tiles);
            let spirv = naga::back::spv::write_vec(&module, &info, &Default::default(), None);
            assert!(!spirv.unwrap().is_empty(), "{}", kernel.name);
            let metal = naga::back::msl::write_string(
                &module,
                &info,
                &naga::back::msl::Options { fake_missing_bindings: true, ..Default::default() },
                &Default::default(),
            );
            assert!(metal.unwrap().0.contains("kernel void"), "{}", kernel.name);
            let mut hlsl = String::new();
            let options =
                naga::back::hlsl::Options { fake_missing_bindings: true, ..Default::default() };
            let pipeline_options = Default::default();
            naga::back::hlsl::Writer::new(&mut hlsl, &options, &pipeline_options)
                .write(&module, &info, None)
                .unwrap();
            assert!(hlsl.contains("numthreads"), "{}", kernel.name);
            glsl(&kernel, &module, &info);
        }
    }
}

/// OpenGL ES 3.1, the oldest with compute shaders.
fn glsl(kernel: &Kernel, module: &Module, info: &ModuleInfo) {
    let mut source = String::new();
    let options = naga::back::glsl::Options {
        version: naga::back::glsl::Version::new_gles(310),
        ..Default::default()
    };
    let pipeline_options = naga::back::glsl::PipelineOptions {
        shader_stage: ShaderStage::Compute,
        entry_point: kernel.name.into(),
        multiview: None,
    };
    let policies = BoundsCheckPolicies::default();
    naga::back::glsl::Writer::new(&mut source, module, info, &options, &pipeline_options, policies)
        .and_then(|mut writer| writer.write())
        .unwrap_or_else(|error| panic!("{}: {error}", kernel.name));
    assert!(source.contains("local_size_x"), "{}", kernel.name);
}
