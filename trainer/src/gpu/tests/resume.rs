//! Resuming from a checkpoint on a GPU.

use super::*;
use crate::cpu::Cpu;
use crate::{Checkpoint, Teacher};

#[test]
fn a_resumed_run_has_the_same_weights() {
    let corpus = small_corpus();
    let teacher = Teacher::new(train(&small_config()).model, "teacher".into()).unwrap();
    let on_gpu =
        async |parameters, config: &Config| Gpu::new(&adapter(), &parameters, config).await;
    let config = Config {
        layers: 2,
        optimizer: Optimizer::AdamW,
        learning_rate: 0.01,
        dropout: 0.3,
        validation: 0.1,
        report_every: 2,
        teacher: Some(teacher.origin().clone()),
        ..small_config()
    };
    let new = || {
        let gpu = async |parameters| Gpu::new(&adapter(), &parameters, &config).await;
        let training = Training::new(&corpus, &config, gpu).now().unwrap();
        training.with_teacher(&teacher, on_gpu).now().unwrap()
    };
    let go_on = |_: &crate::Progress| ControlFlow::Continue(());
    let whole = new().run(go_on).now();

    // The first `advance` ends in the middle of an epoch.
    let mut first = new();
    let progress = first.advance().now().unwrap().unwrap();
    assert!(progress.iteration < progress.iterations);
    let bytes = first.checkpoint().now().unwrap().to_bytes();
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    let gpu = async |parameters| Gpu::new(&adapter(), &parameters, &config).await;
    let metrics = first.metrics().to_vec();
    let resumed = Training::resume(&corpus, &config, &checkpoint, metrics, gpu).now().unwrap();
    let resumed = resumed.with_teacher(&teacher, on_gpu).now().unwrap().run(go_on).now();
    assert!(resumed.stopped.is_none(), "{:?}", resumed.stopped);
    assert!(resumed.model.parameters == whole.model.parameters);
    let measured = |outcome: &Outcome| -> Vec<_> {
        outcome.metrics.iter().map(|r| (r.loss_nats, r.validation_perplexity)).collect()
    };
    assert_eq!(measured(&resumed), measured(&whole));
}

/// With the same parameters, but sums in another order.
#[test]
fn held_out_text_has_the_same_perplexity_as_on_the_cpu() {
    let corpus = small_corpus();
    let config = Config { validation: 0.3, epochs: 3, report_every: 3, ..small_config() };
    let cpu = async |parameters| Cpu::new(parameters, &config, 1);
    let mut first = Training::new(&corpus, &config, cpu).now().unwrap();
    while first.advance().now().unwrap().unwrap().held_out.is_none() {}
    let (checkpoint, metrics) = (first.checkpoint().now().unwrap(), first.metrics().to_vec());
    let go_on = |_: &crate::Progress| ControlFlow::Continue(());
    let gpu = async |parameters| Gpu::new(&adapter(), &parameters, &config).await;
    let on_gpu = Training::resume(&corpus, &config, &checkpoint, metrics, gpu)
        .now()
        .unwrap()
        .run(go_on)
        .now();
    let perplexities = [first.run(go_on).now(), on_gpu].map(|outcome| outcome.perplexity.unwrap());
    let [expected, found] = perplexities.map(f64::ln);
    assert!((found / expected - 1.0).abs() < 1e-6, "{found} nats, expected {expected}");
}
