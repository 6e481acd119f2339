//! `charcell devices`.

use charcell::gpu::{Adapter, AdapterKind, KernelTime, profile};
use charcell::model::Dimensions;
use charcell::{Choice, Config, Device};
use clap::Args;
use serde_json::{Value, json};

use super::shared::CHAPTER_VOCABULARY;
use crate::error::Error;
use crate::output::print;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  charcell devices
  charcell devices --profile --adapter llvmpipe")]
pub(super) struct Arguments {
    /// Measure how long each kernel takes in an iteration of the chapter's recipe.
    #[arg(long)]
    profile: bool,
    /// The adapter to measure: words from its name and interface [default: the one that
    /// --device auto uses].
    #[arg(long, value_name = "NAME", requires = "profile")]
    adapter: Option<String>,
    /// Hidden units of the model to measure.
    #[arg(long, value_name = "N", requires = "profile", default_value_t = Config::default().hidden)]
    hidden: usize,
    /// LSTM layers of the model to measure.
    #[arg(long, value_name = "N", requires = "profile", default_value_t = Config::default().layers)]
    layers: usize,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let config = Config { hidden: arguments.hidden, layers: arguments.layers, ..Config::default() };
    config.check_sizes()?;
    if arguments.profile { show_profile(arguments, &config) } else { show_adapters(arguments) }
}

fn show_adapters(arguments: &Arguments) -> Result<(), Error> {
    let adapters = pollster::block_on(Adapter::all());
    let Choice { device, reason } = Device::choose(&adapters, 0);
    if arguments.json {
        let adapters: Vec<Value> = adapters.iter().map(describe).collect();
        let auto = json!({ "device": device.to_string(), "reason": reason });
        return print(&format!("{}\n", json!({ "adapters": adapters, "auto": auto })));
    }
    let mut text = String::new();
    for adapter in &adapters {
        let limits = adapter.limits();
        text += &format!("{adapter}\n  {}, driver {}\n", adapter.kind(), adapter.driver());
        text += &format!(
            "  buffers up to {} MiB, bindings up to {} MiB; {} invocations and {} bytes per \
             workgroup\n",
            limits.max_buffer_size >> 20,
            limits.max_storage_buffer_binding_size >> 20,
            limits.max_compute_invocations_per_workgroup,
            limits.max_compute_workgroup_storage_size,
        );
        if let Some(obstacle) = adapter.obstacle() {
            text += &format!("  can't be used for training: {obstacle}\n");
        } else if adapter.kind() == AdapterKind::Software {
            text += "  used only if selected with --adapter\n";
        }
    }
    print(&format!("{text}--device auto uses {device} ({reason})\n"))
}

fn describe(adapter: &Adapter) -> Value {
    let limits = adapter.limits();
    json!({
        "name": adapter.name(),
        "interface": adapter.interface(),
        "kind": adapter.kind().to_string(),
        "driver": adapter.driver(),
        "obstacle": adapter.obstacle(),
        "has_timestamps": adapter.has_timestamps(),
        "max_buffer_size": limits.max_buffer_size,
        "max_storage_buffer_binding_size": limits.max_storage_buffer_binding_size,
        "max_compute_invocations_per_workgroup": limits.max_compute_invocations_per_workgroup,
        "max_compute_workgroup_storage_size": limits.max_compute_workgroup_storage_size,
    })
}

fn show_profile(arguments: &Arguments, config: &Config) -> Result<(), Error> {
    let adapter = pollster::block_on(Adapter::find(arguments.adapter.as_deref()))?;
    let dimensions =
        Dimensions { vocabulary: CHAPTER_VOCABULARY, hidden: config.hidden, layers: config.layers };
    let (batch_size, num_steps) = (config.batch_size, config.num_steps);
    let kernels = pollster::block_on(profile(&adapter, dimensions, config))?;
    let clock =
        if adapter.has_timestamps() { "the device's timestamps" } else { "the host's clock" };
    if arguments.json {
        let kernels: Vec<Value> = kernels.iter().map(as_json).collect();
        let adapter = adapter.to_string();
        return print(&format!(
            "{}\n",
            json!({ "adapter": adapter, "clock": clock, "kernels": kernels })
        ));
    }
    let mut text = format!(
        "{adapter}: one iteration with {} hidden units in {} layer(s), {batch_size} rows of \
         {num_steps} steps, timed by {clock}\n{:24}{:>10}{:>10}{:>10}{:>10}\n",
        config.hidden, config.layers, "kernel", "dispatches", "ms", "GFLOP/s", "GB/s",
    );
    for kernel in &kernels {
        text +=
            &line(kernel.kernel.name, kernel.dispatches, kernel.seconds, kernel.flop, kernel.bytes);
    }
    let sum = |part: fn(&KernelTime) -> u64| kernels.iter().map(part).sum::<u64>();
    let dispatches = kernels.iter().map(|kernel| kernel.dispatches).sum();
    let seconds = kernels.iter().map(|kernel| kernel.seconds).sum();
    text +=
        &line("total", dispatches, seconds, sum(|kernel| kernel.flop), sum(|kernel| kernel.bytes));
    print(&text)
}

fn line(name: &str, dispatches: usize, seconds: f64, flop: u64, bytes: u64) -> String {
    let rate = |count: u64| count as f64 / seconds * 1e-9;
    let milliseconds = seconds * 1e3;
    format!(
        "{name:24}{dispatches:>10}{milliseconds:>10.3}{:>10.1}{:>10.1}\n",
        rate(flop),
        rate(bytes)
    )
}

fn as_json(time: &KernelTime) -> Value {
    json!({
        "kernel": time.kernel.name,
        "dispatches": time.dispatches,
        "seconds": time.seconds,
        "flop": time.flop,
        "bytes": time.bytes,
    })
}
