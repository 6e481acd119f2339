//! What `device-tests/` shows, on every core and host: the same texts.

use std::path::Path;

use anyhow::{Result, ensure};
use charcell::Artifact;

use crate::machines::{self, Host, Machine, Task};

/// The texts of `models`, those that fit, on an emulated `machine`: they have to be this host's.
pub(crate) fn compare_texts(machine: &Machine, models: &[&Path], characters: usize) -> Result<()> {
    compare(models, characters, |task| {
        Ok(if machine.has_room_for(task.model)? { Some(machine.output(task)?) } else { None })
    })
}

/// The texts of `models` on another `host`: they have to be this one's.
pub(crate) fn compare_hosts(host: Host, models: &[&Path], characters: usize) -> Result<()> {
    compare(models, characters, |task| host.output(task).map(Some))
}

/// The stack that a Cortex-M4 takes is what [`infer_core::Memory`] says, and not much less.
pub(crate) fn check_memory(model: &Path) -> Result<()> {
    let memory = Artifact::read(model)?.model()?.memory();
    let task = Task { name: "stack", characters: 1, model, weights: "int8" };
    let output = machines::CORTEX_M4.output(task)?;
    let stated = [memory.loading_stack_bytes, memory.stack_bytes];
    for (measured, stated) in output.split_whitespace().zip(stated) {
        let measured: usize = measured.parse()?;
        println!("    {measured} bytes of stack, {stated} are stated");
        ensure!(measured <= stated && stated <= measured * 5 / 4, "infer_core::Memory is wrong");
    }
    println!("    {} bytes of RAM while it generates", memory.generating_bytes());
    Ok(())
}

/// Compares what `output` gives for each of `models`, if anything, with this host's output.
fn compare(
    models: &[&Path],
    characters: usize,
    output: impl Fn(Task<'_>) -> Result<Option<String>>,
) -> Result<()> {
    let mut count = 0;
    for model in models {
        let task = Task { name: "texts", characters, model, weights: "int8" };
        let Some(found) = output(task)? else { continue };
        let expected = Host::Native.output(task)?;
        let mut lines = found.lines().zip(expected.lines());
        let difference = lines.find(|(found, expected)| found != expected);
        ensure!(difference.is_none(), "{} differs: {difference:#?}", model.display());
        ensure!(found.len() == expected.len(), "{} differs in length", model.display());
        count += expected.lines().count();
    }
    ensure!(count > 0, "no model fits");
    println!("    {count} texts as on the host");
    Ok(())
}
