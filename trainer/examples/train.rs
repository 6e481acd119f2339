//! Trains, evaluates and exports a model: `cargo run --release --example train`.

use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use charcell::text::{Corpus, SHIPPED_TEXT};
use charcell::{Config, Device, Precision, Preset, Training, artifact, evaluate};
use infer_core::{Normalisation, Sampling};
use pollster::block_on;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let corpus = Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, None)?;
    let config = Config { hidden: 64, epochs: 10, ..Preset::Good.config() };
    let device = block_on(Device::try_gpu(0));
    let backend = async |start| device.backend(start, &config).await;
    let training = block_on(Training::new(&corpus, &config, backend))?;

    // The callback shows the progress, and stops training after a minute.
    let end = Instant::now() + Duration::from_secs(60);
    let outcome = block_on(training.run(|progress| {
        println!("epoch {:.2}: {:.3} nats", progress.epochs(), progress.loss_nats);
        if Instant::now() < end { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }));
    outcome.stopped.map_or(Ok(()), Err)?;

    let artifact = artifact(&outcome.model, Precision::Int8)?;
    fs::write("model.postcard", artifact.bytes())?;
    let model = artifact.model()?;
    let evaluation = evaluate(&model, &corpus.split(config.validation).1.to_vec());
    println!("perplexity {:.2} on held-out text", evaluation.perplexity);
    println!("{}", model.text("traveller", 100, Sampling::greedy())?);
    Ok(())
}
