//! What `device-tests/` shows, on every core and host: exact products, and the same texts.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use charcell::Artifact;

use crate::firmware::shipped_model;
use crate::instructions::{self, Counted};
use crate::machines::{self, CORTEX_M4, Host, Machine, Task};
use crate::process::{cargo, root, run};
use crate::steps::Step;
use crate::test::small_run;

/// The hosts beside this one, and what they are called.
const HOSTS: [(&str, Host); 2] = [("32-bit x86", Host::I686), ("WebAssembly", Host::Wasm)];

/// Characters of each text in every test.
const CHARACTERS: usize = 100;

/// Characters of each text in the full test.
const MANY_CHARACTERS: usize = 500;

/// The steps of every test.
pub(crate) fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    for machine in machines::ALL {
        let core = machine.core;
        steps.push(Step::new(format!("kernels of {core} in {}", machine.name), move || {
            check_kernels("int8", |task| machine.output(task))
        }));
        steps.push(Step::new(format!("{core} in {} writes the host's texts", machine.name), {
            move || compare(&[&model(&machine)?], CHARACTERS, |task| machine.output(task))
        }));
        steps.extend(instructions::counted().filter(|counted| counted.0 == machine).map(count));
    }
    let others = instructions::counted().filter(|counted| !machines::ALL.contains(&counted.0));
    steps.extend(others.chain(instructions::counted_of_boards()).map(count));
    steps.push(Step::new("kernels of a Cortex-M4F in f32", || {
        check_kernels("f32", |task| CORTEX_M4.output(task))
    }));
    for (name, host) in HOSTS {
        steps.push(Step::new(format!("kernels of {name}"), move || {
            check_kernels("int8", |task| host.output(task))
        }));
        steps.push(Step::new(format!("{name} writes the host's texts"), move || {
            compare(&[&shipped_model()], CHARACTERS, |task| host.output(task))
        }));
    }
    steps
}

/// The guard of the instructions that a character takes.
fn count(counted: Counted) -> Step {
    let (machine, model) = counted;
    Step::new(format!("instructions of {} in {model}", machine.core), move || {
        instructions::check(counted)
    })
}

/// The texts of three models, at length, on every core and host.
pub(crate) fn compare_at_length() -> Result<()> {
    let train = |name: &str, options: &[&str]| -> Result<PathBuf> {
        let folder = root().join("target/xtask").join(name);
        let mut train = cargo("run --quiet --release -- train --epochs 40 --force --out");
        run(train.arg(&folder).args(options))?;
        Ok(folder.join("model.postcard"))
    };
    let small = small_run()?.join("model.postcard");
    let layers = train("two-layers", &["--hidden", "64", "--layers", "2"])?;
    let medium = train("medium-run", &["--hidden", "128"])?;
    let shipped = shipped_model();
    for machine in machines::ALL {
        let largest = if machine.has_room_for(&shipped)? { &shipped } else { &medium };
        println!("    {}", machine.core);
        compare(&[&small, &layers, largest], MANY_CHARACTERS, |task| machine.output(task))?;
    }
    for (name, host) in HOSTS {
        println!("    {name}");
        compare(&[&small, &layers, &shipped], MANY_CHARACTERS, |task| host.output(task))?;
    }
    Ok(())
}

/// The most stack that a core takes is what [`infer_core::Memory`] says, and not much less.
pub(crate) fn check_memory(model: &Path) -> Result<()> {
    let memory = Artifact::read(model)?.model()?.memory();
    let task = Task { name: "stack", characters: 1, model, weights: "int8" };
    let mut most = [0; 2];
    for (machine, _) in instructions::counted().filter(|&(_, model)| model == "int8") {
        let output = machine.output(task)?;
        let mut numbers = output.split_whitespace();
        for most in &mut most {
            let measured: usize = numbers.next().context("a number is missing")?.parse()?;
            *most = measured.max(*most);
        }
        println!(
            "    {}: {} bytes of stack to load, and for a character",
            machine.core,
            output.trim()
        );
    }
    for (most, stated) in most.into_iter().zip([memory.loading_stack_bytes, memory.stack_bytes]) {
        println!("    {most} bytes at most, {stated} are stated");
        ensure!(most <= stated && stated <= most * 5 / 4, "infer_core::Memory is wrong");
    }
    println!("    {} bytes of RAM while it generates", memory.generating_bytes());
    Ok(())
}

/// The shipped model, or a smaller one where it doesn't fit.
fn model(machine: &Machine) -> Result<PathBuf> {
    let shipped = shipped_model();
    if machine.has_room_for(&shipped)? {
        return Ok(shipped);
    }
    Ok(small_run()?.join("model.postcard"))
}

/// Holds the products of a core or host, which `output` runs tasks on, to their properties.
fn check_kernels(weights: &str, output: impl Fn(Task<'_>) -> Result<String>) -> Result<()> {
    // The products need no model, but the program is always handed one.
    let model = &root().join("infer-core/tests/models/tiny-int8.postcard");
    let printed = output(Task { name: "kernels", characters: 0, model, weights })?;
    ensure!(printed.is_empty(), "{printed}");
    Ok(())
}

/// Compares the texts of each of `models` that `output` gives with this host's.
fn compare(
    models: &[&Path],
    characters: usize,
    output: impl Fn(Task<'_>) -> Result<String>,
) -> Result<()> {
    let mut count = 0;
    for model in models {
        let task = Task { name: "texts", characters, model, weights: "int8" };
        let found = output(task)?;
        let expected = Host::Native.output(task)?;
        let mut lines = found.lines().zip(expected.lines());
        let difference = lines.find(|(found, expected)| found != expected);
        ensure!(difference.is_none(), "{} differs: {difference:#?}", model.display());
        ensure!(found.len() == expected.len(), "{} differs in length", model.display());
        count += expected.lines().count();
    }
    println!("    {count} texts as on the host");
    Ok(())
}
