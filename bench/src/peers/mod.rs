//! Trains the chapter's recipe with Charcell and its peers, in turn, on the same text from the same
//! initial weights; then measures how fast they generate text.

mod own;
mod peer;
pub(crate) mod setup;
mod work;

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result, ensure};

pub(crate) use self::own::follow;
pub(crate) use self::peer::{Peer, script};
pub(crate) use self::work::multiply_adds;

use self::peer::{Cores, NAMES};
use self::setup::folder;
use self::work::Work;
use crate::arguments::Arguments;
use crate::chart::{self, Line};
use crate::results::{circumstances, write_section};
use xtask::root;

/// Epochs that a peer trains for before the next one's turn.
const TURN: usize = 5;

/// Tolerances for the perplexities of peers against Charcell's: after [`EARLY_EPOCH`] epochs, and
/// at the end, when rounding errors have grown.
const EARLY_EPOCH: usize = 20;
const EARLY_TOLERANCE: f64 = 0.02;
const LATE_TOLERANCE: f64 = 0.1;

/// Rows and columns of the matrices whose product measures the machine's peak.
const MATRIX_SIZE: usize = 2048;

/// The measurements of a peer.
#[derive(Debug)]
struct Measured {
    name: &'static str,
    start_seconds: f64,
    /// The mean loss in nats and the seconds of each epoch.
    epochs: Vec<(f64, f64)>,
}

impl Measured {
    /// The median seconds of an epoch, without the first, in which some peers compile.
    fn seconds(&self) -> f64 {
        median(self.epochs.iter().skip(1).map(|&(_, seconds)| seconds).collect())
    }

    fn perplexity(&self, epoch: usize) -> f64 {
        self.epochs[epoch - 1].0.exp()
    }

    /// Seconds since the start of the program, and perplexity, after each epoch.
    fn curve(&self) -> Vec<(f64, f64)> {
        let mut passed = self.start_seconds;
        let point = |&(loss, seconds): &(f64, f64)| {
            passed += seconds;
            (passed, loss.exp())
        };
        self.epochs.iter().map(point).collect()
    }
}

/// The trainings on one core or all cores.
#[derive(Debug)]
struct Round {
    title: &'static str,
    trained: Vec<Measured>,
    /// The fastest large product, in GFLOP/s.
    peak: f64,
}

/// Writes the section of the results, and its pictures.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    setup::all()?;
    ensure!(arguments.epochs >= 8, "--epochs is {}, and must be at least 8", arguments.epochs);
    let work = Work::new(&arguments.corpus()?);
    work.write(&folder())?;
    let (one, generated) = train("one core", Cores::One, &work, arguments.epochs / 4)?;
    let (all, _) = train("all cores", Cores::All, &work, arguments.epochs)?;
    let curve = |measured: &Measured| Line { name: measured.name, points: measured.curve() };
    let curves: Vec<Line> = all.trained.iter().map(curve).collect();
    let seconds = "seconds since the program was started, all cores";
    let picture = chart::curves(&curves, seconds, 1.0..30.0)?;
    fs::write(root().join("docs/perplexity.svg"), picture)?;
    let bars: Vec<_> = [&one, &all]
        .into_iter()
        .flat_map(|round| {
            round.trained.iter().map(|m| (format!("{}, {}", m.name, round.title), m.seconds()))
        })
        .collect();
    fs::write(root().join("docs/epoch.svg"), chart::bars(&bars)?)?;
    let tables = format!("{}\n{}\n{generated}", table(&one, &work)?, table(&all, &work)?);
    print!("{tables}");
    let text = format!(
        "## Training compared with the peers\n\n\
         The chapter's recipe on {}: `cargo xtask bench`. All peers (`bench/peers/`) have the same \
         initial weights and windows and one bias a gate, take turns of {TURN} epochs, and are \
         timed by the same clock. Times are medians without the first epoch. GFLOP/s count the \
         matrix products of the model; the peak is the fastest product of two matrices of \
         {MATRIX_SIZE} rows, in PyTorch or NumPy.\n\n{tables}\n\
         ![Seconds an epoch](epoch.svg)\n\n\
         The time that a user waits, including the start of the program and compilation:\n\n\
         ![Perplexity against seconds](perplexity.svg)\n\n{}\n",
        arguments.text(),
        circumstances()?
    );
    write_section("bench", &text)
}

/// Trains on `cores`, and returns the trainings and a table of the generation speeds after them.
fn train(title: &'static str, cores: Cores, work: &Work, epochs: usize) -> Result<(Round, String)> {
    let start = |name| Peer::start(name, cores, &folder());
    let mut peers: Vec<Peer> = NAMES.into_iter().map(start).collect::<Result<_>>()?;
    let measured = |peer: &Peer| Measured {
        name: peer.name,
        start_seconds: peer.start_seconds,
        epochs: vec![],
    };
    let mut trained: Vec<Measured> = peers.iter().map(measured).collect();
    for offsets in work.offsets(epochs).chunks(TURN) {
        for (peer, measured) in peers.iter_mut().zip(&mut trained) {
            for &offset in offsets {
                measured.epochs.push(peer.order("epoch", offset)?);
            }
        }
    }
    compare_perplexities(&trained)?;
    let mut peak = 0.0_f64;
    for peer in peers.iter_mut().filter(|peer| ["PyTorch", "NumPy"].contains(&peer.name)) {
        let (rate, _): (f64, f64) = peer.order("multiply", MATRIX_SIZE)?;
        peak = peak.max(rate);
    }
    let generated = generate(&mut peers)?;
    Ok((Round { title, trained, peak }, generated))
}

/// Fails unless all peers reach the same perplexities.
fn compare_perplexities(trained: &[Measured]) -> Result<()> {
    let own = trained.first().context("Charcell is the first")?;
    let last = own.epochs.len();
    let early = EARLY_EPOCH.min(last);
    for (epoch, tolerance) in [(early, EARLY_TOLERANCE), (last, LATE_TOLERANCE)] {
        let expected = own.perplexity(epoch);
        for peer in trained {
            let perplexity = peer.perplexity(epoch);
            let is_close = (perplexity / expected - 1.0).abs() <= tolerance;
            let name = peer.name;
            ensure!(is_close, "after {epoch} epochs {name} is at {perplexity}, not {expected}");
        }
    }
    Ok(())
}

fn table(Round { title, trained, peak }: &Round, work: &Work) -> Result<String> {
    let epochs = trained[0].epochs.len();
    let mut table = format!(
        "| {title} | s an epoch | against PyTorch | characters/s | GFLOP/s | \
         of the peak, {peak:.0} | s to start | perplexity after {epochs} |\n\
         |---|---|---|---|---|---|---|---|\n"
    );
    let pytorch = trained[1].seconds();
    let characters = work.characters_per_epoch() as f64;
    let flop = 6.0 * multiply_adds(work.dimensions()) as f64 * characters;
    for measured in trained {
        let seconds = measured.seconds();
        let rate = flop / seconds * 1e-9;
        writeln!(
            table,
            "| {} | {seconds:.4} | {:.2} | {:.0} | {rate:.0} | {:.0} % | {:.2} | {:.3} |",
            measured.name,
            seconds / pytorch,
            characters / seconds,
            rate / peak * 100.0,
            measured.start_seconds,
            measured.perplexity(epochs),
        )?;
    }
    Ok(table)
}

/// The speed of greedy generation, one character at a time, on one core.
fn generate(peers: &mut [Peer]) -> Result<String> {
    let [own, pytorch, ..] = peers else { return Ok(String::new()) };
    let rates = [
        rate(own, "generate", 20_000)?,
        rate(own, "generate-f32", 10_000)?,
        rate(pytorch, "generate", 1000)?,
    ];
    let mut table =
        String::from("| generation, one core | characters/s | against PyTorch |\n|---|---|---|\n");
    for (name, rate) in ["`infer-core`, int8", "`infer-core`, f32", "PyTorch"].iter().zip(rates) {
        writeln!(table, "| {name} | {rate:.0} | {:.1} |", rate / rates[2])?;
    }
    Ok(table)
}

/// The median of characters per second.
fn rate(peer: &mut Peer, order: &str, count: usize) -> Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..6 {
        let (_, seconds): (String, f64) = peer.order(order, count)?;
        rates.push(count as f64 / seconds);
    }
    // The first run exports the artifact or allocates memory.
    Ok(median(rates.split_off(1)))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
