//! Runs the programs in `programs/` on every core and host: exact products, the same texts, and the
//! stack.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use charcell::Artifact;
use device_tests::instructions;
use device_tests::machines::{self, Machine};
use device_tests::models;
use device_tests::programs::{Host, Task};
use xtask::root;

/// Characters of each text in every test.
const CHARACTERS: usize = 100;

/// Characters of each text in the full round.
const MANY_CHARACTERS: usize = 500;

/// Compact models, each with two layers.
const COMPACT: [&str; 3] = ["tiny-int4.postcard", "tiny-sparse.postcard", "tiny-narrow.postcard"];

/// The tests of each machine.
macro_rules! machines {
    ($($name:ident: $machine:ident,)*) => {
        $(
            mod $name {
                use super::*;

                const MACHINE: Machine = machines::$machine;

                #[test]
                fn products_are_exact() -> Result<()> {
                    check_products("int8", |task| task.on_machine(&MACHINE))
                }

                #[test]
                fn compact_products_are_exact() -> Result<()> {
                    check_products("compact", |task| task.on_machine(&MACHINE))
                }

                #[test]
                fn texts_are_the_hosts() -> Result<()> {
                    let model = model(&MACHINE)?;
                    compare("int8", &[&model], CHARACTERS, |task| task.on_machine(&MACHINE))
                }

                #[test]
                fn texts_of_compact_models_are_the_hosts() -> Result<()> {
                    compare_compact(|task| task.on_machine(&MACHINE))
                }

                #[test]
                #[ignore = "for the full round"]
                fn long_texts_are_the_hosts() -> Result<()> {
                    let largest = if MACHINE.has_room_for(&models::shipped())? {
                        models::shipped()
                    } else {
                        models::trained(&["--hidden", "128", "--epochs", "40"])?
                    };
                    compare_at_length(&largest, |task| task.on_machine(&MACHINE))
                }
            }
        )*

        #[test]
        fn all_machines_are_here() {
            assert_eq!(machines::ALL, [$(machines::$machine),*]);
        }
    };
}

machines! {
    cortex_m0: CORTEX_M0,
    cortex_m3: CORTEX_M3,
    cortex_m4: CORTEX_M4,
    stm32f405: STM32F405,
    cortex_m7: CORTEX_M7,
    cortex_m33: CORTEX_M33,
    cortex_m55: CORTEX_M55,
    rv32imac: RV32IMAC,
}

/// The tests of each host other than this one.
macro_rules! hosts {
    ($($name:ident: $host:expr,)*) => {
        $(
            mod $name {
                use super::*;

                #[test]
                fn products_are_exact() -> Result<()> {
                    check_products("int8", |task| task.on_host($host))
                }

                #[test]
                fn compact_products_are_exact() -> Result<()> {
                    check_products("compact", |task| task.on_host($host))
                }

                #[test]
                fn texts_are_the_hosts() -> Result<()> {
                    let model = models::shipped();
                    compare("int8", &[&model], CHARACTERS, |task| task.on_host($host))
                }

                #[test]
                fn texts_of_compact_models_are_the_hosts() -> Result<()> {
                    compare_compact(|task| task.on_host($host))
                }

                #[test]
                #[ignore = "for the full round"]
                fn long_texts_are_the_hosts() -> Result<()> {
                    compare_at_length(&models::shipped(), |task| task.on_host($host))
                }
            }
        )*
    };
}

hosts! {
    i686: Host::I686,
    wasm: Host::Wasm,
}

#[test]
fn products_of_a_cortex_m4f_in_f32_are_close() -> Result<()> {
    check_products("f32", |task| task.on_machine(&machines::CORTEX_M4))
}

/// The most stack that a core uses is at most what [`infer_core::Memory`] says, and not much less.
#[test]
fn stack_is_what_is_stated() -> Result<()> {
    let folder = root().join("infer-core/tests/models");
    let compact = COMPACT.map(|name| folder.join(name));
    // Whose rows are multiplied in two parts.
    let long_rows = models::trained(&["--hidden", "520", "--epochs", "1"])?;
    for model in [models::shipped(), long_rows].iter().chain(&compact) {
        let memory = Artifact::read(model)?.model()?.memory();
        let task = Task { name: "stack", characters: 1, model, weights: "compact" };
        let mut most = [0; 2];
        println!("{}: bytes to load, and for a character", model.display());
        for (machine, _) in instructions::counted().filter(|&(_, model)| model == "int8") {
            let output = task.on_machine(&machine)?;
            let mut numbers = output.split_whitespace();
            for most in &mut most {
                let measured: usize = numbers.next().context("a number is missing")?.parse()?;
                *most = measured.max(*most);
            }
            println!("{}: {}", machine.core, output.trim());
        }
        let stated = [memory.loading_stack_bytes, memory.stack_bytes];
        for (most, stated) in most.into_iter().zip(stated) {
            ensure!(
                most <= stated && stated <= most * 5 / 4,
                "infer_core::Memory states {stated} bytes of stack for {}, but up to {most} are \
                 used",
                model.display()
            );
        }
    }
    Ok(())
}

/// The shipped model, or a smaller one if it doesn't fit.
fn model(machine: &Machine) -> Result<PathBuf> {
    let shipped = models::shipped();
    if machine.has_room_for(&shipped)? { Ok(shipped) } else { models::small() }
}

/// Checks the products of a core or host, on which `output` runs tasks.
fn check_products(weights: &str, output: impl Fn(Task<'_>) -> Result<String>) -> Result<()> {
    // The products need no model, but the program always gets one.
    let model = &root().join("infer-core/tests/models/tiny-int8.postcard");
    let printed = output(Task { name: "kernels", characters: 0, model, weights })?;
    ensure!(printed.is_empty(), "{printed}");
    Ok(())
}

/// Compares long texts of a small model, one of two layers, and the `largest`.
fn compare_at_length(largest: &Path, output: impl Fn(Task<'_>) -> Result<String>) -> Result<()> {
    let layers = models::trained(&["--hidden", "64", "--layers", "2", "--epochs", "40"])?;
    compare("int8", &[&models::small()?, &layers, largest], MANY_CHARACTERS, output)
}

/// Compares the texts of compact models with this host's.
fn compare_compact(output: impl Fn(Task<'_>) -> Result<String>) -> Result<()> {
    let compact = COMPACT.map(|name| root().join("infer-core/tests/models").join(name));
    compare("compact", &compact.each_ref().map(PathBuf::as_path), CHARACTERS, output)
}

/// Compares the texts of each of `models` from `output` with this host's, in programs for these
/// weights.
fn compare(
    weights: &str,
    models: &[&Path],
    characters: usize,
    output: impl Fn(Task<'_>) -> Result<String>,
) -> Result<()> {
    for model in models {
        let task = Task { name: "texts", characters, model, weights };
        let found = output(task)?;
        let expected = task.on_host(Host::Native)?;
        ensure!(!expected.is_empty(), "{} writes nothing", model.display());
        let mut lines = found.lines().zip(expected.lines());
        let difference = lines.find(|(found, expected)| found != expected);
        ensure!(difference.is_none(), "{} differs: {difference:#?}", model.display());
        ensure!(found.len() == expected.len(), "{} differs in length", model.display());
    }
    Ok(())
}
