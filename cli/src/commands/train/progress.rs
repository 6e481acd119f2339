//! What a training prints: a progress bar on a terminal, the chapter's lines at every report, and
//! similar lines within a long epoch.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use charcell::{Config, EpochReport, Progress, perplexity, shown_number};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::tell;

/// Steps of the progress bar in an epoch.
const PARTS: f64 = 1000.0;

/// The time within an epoch before a line is printed; it doubles for each further line.
const FIRST_SILENCE: Duration = Duration::from_secs(15);

/// The longest time between two lines.
const LONGEST_SILENCE: Duration = Duration::from_secs(15 * 60);

/// Shows the progress of a training.
#[derive(Debug)]
pub(super) struct Display {
    bar: ProgressBar,
    epochs: usize,
    /// When the last line was printed.
    last_line: Instant,
    /// The time from the last line to the next.
    silence: Duration,
    /// Seconds and epochs since the last report.
    since_report: (f64, usize),
}

impl Display {
    /// Shows a training that has already `done` this many epochs.
    pub(super) fn new(config: &Config, done: f64) -> Self {
        let target = if stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let parts = (config.epochs as f64 * PARTS) as u64;
        let bar = ProgressBar::with_draw_target(Some(parts), target);
        let style = "{bar:24} {msg}, {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
        bar.set_position((done * PARTS) as u64);
        bar.reset_eta();
        Self {
            bar,
            epochs: config.epochs,
            last_line: Instant::now(),
            silence: FIRST_SILENCE,
            since_report: (0.0, 0),
        }
    }

    pub(super) fn show(&mut self, progress: &Progress) {
        self.bar.set_position((progress.epochs() * PARTS) as u64);
        let epoch = format!("epoch {}/{}", progress.epoch, self.epochs);
        self.bar.set_message(match progress.held_out {
            Some(share) => format!("{epoch}, held-out text {:.0} %", 100.0 * share),
            None => format!(
                "{epoch}, loss {:.3}, perplexity {}, norm {:.2e}, {:.0} characters/s",
                progress.loss_nats,
                shown_number(perplexity(progress.loss_nats), 3),
                progress.gradient_norm,
                progress.characters_per_second,
            ),
        });
        if let Some(report) = &progress.report {
            self.show_report(report);
        }
    }

    /// Whether it is time to print a line within an epoch.
    pub(super) fn is_due(&self, progress: &Progress) -> bool {
        progress.report.is_none() && self.last_line.elapsed() > self.silence
    }

    /// Shows the progress of an epoch and what the model writes, or the progress on held-out text.
    pub(super) fn show_middle(&mut self, progress: &Progress, continuations: &[String]) {
        let epoch = progress.epoch;
        let head = match progress.held_out {
            Some(share) => format!("epoch {epoch}, {:.0} % of the held-out text", 100.0 * share),
            None => format!(
                "epoch {epoch}, {:.2} %, perplexity {}, {:.0} characters/s",
                100.0 * progress.iteration as f64 / progress.iterations as f64,
                shown_number(perplexity(progress.loss_nats), 6),
                progress.characters_per_second,
            ),
        };
        self.show_texts(head, continuations);
        self.silence = LONGEST_SILENCE.min(2 * self.silence);
    }

    fn show_report(&mut self, report: &EpochReport) {
        self.since_report.0 += report.seconds;
        self.since_report.1 += 1;
        if report.continuations.is_empty() {
            return;
        }
        let (seconds, epochs) = std::mem::take(&mut self.since_report);
        let seconds_per_epoch = seconds / epochs as f64;
        let (epoch, perplexity) = (report.epoch, shown_number(report.perplexity, 6));
        let validation = report
            .validation_perplexity
            .map(|perplexity| format!(", {} on held-out text", shown_number(perplexity, 6)))
            .unwrap_or_default();
        let head = format!(
            "epoch {epoch}, perplexity {perplexity}{validation}, time {seconds_per_epoch:.2} sec"
        );
        self.show_texts(head, &report.continuations);
        self.silence = FIRST_SILENCE;
    }

    fn show_texts(&mut self, mut lines: String, continuations: &[String]) {
        for continuation in continuations {
            lines += &format!("\n - {continuation}");
        }
        self.line(&lines);
    }

    /// Prints a line above the bar.
    pub(super) fn line(&mut self, line: &str) {
        self.last_line = Instant::now();
        self.bar.suspend(|| tell(line));
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
