//! A training that goes on from a checkpoint on a GPU.

use super::*;
use crate::Checkpoint;

#[test]
fn a_training_that_goes_on_has_the_same_weights() {
    let corpus = small_corpus();
    let config = Config {
        layers: 2,
        optimizer: Optimizer::AdamW,
        learning_rate: 0.01,
        dropout: 0.3,
        validation: 0.1,
        report_every: 2,
        ..small_config()
    };
    let new = || {
        let gpu = |parameters| Gpu::new(&adapter(), &parameters, &config);
        Training::new(&corpus, &config, gpu).unwrap()
    };
    let go_on = |_: &crate::Progress| ControlFlow::Continue(());
    let whole = new().run(go_on);

    // The first step ends in the middle of an epoch.
    let mut first = new();
    let progress = first.step().unwrap().unwrap();
    assert!(progress.iteration < progress.iterations);
    let bytes = first.checkpoint().unwrap().to_bytes();
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    let gpu = |parameters| Gpu::new(&adapter(), &parameters, &config);
    let metrics = first.metrics().to_vec();
    let resumed = Training::resume(&corpus, &config, &checkpoint, metrics, gpu).unwrap();
    let resumed = resumed.run(go_on);
    assert!(resumed.stopped.is_none(), "{:?}", resumed.stopped);
    assert!(resumed.model.parameters == whole.model.parameters);
    let measured = |outcome: &Outcome| -> Vec<_> {
        outcome.metrics.iter().map(|r| (r.loss_nats, r.validation_perplexity)).collect()
    };
    assert_eq!(measured(&resumed), measured(&whole));
}
