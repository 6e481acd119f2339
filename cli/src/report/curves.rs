//! The loss curves of a training, as SVG.

use std::fmt::Write;

use super::axis::Axis;
use charcell::{EpochReport, LARGEST_PERPLEXITY};

/// Size of the picture, in pixels.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;

/// The sides of the rectangle with the curves.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 748.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 368.0;

/// The y coordinate of the highest loss, a little below the top.
const HIGHEST: f64 = 28.0;

const TRAINING: &str = "#1f77b4";
const VALIDATION: &str = "#d62728";

/// The smallest upper end of the loss axis, in nats.
const LEAST_LOSS: f64 = 0.1;

/// The losses on training and held-out text for each epoch, as an SVG document.
///
/// A loss that isn't finite leaves a gap; one without neighbours is a dot.
#[must_use]
pub(crate) fn loss_svg(metrics: &[EpochReport]) -> String {
    let curves = [
        Curve::new("training", TRAINING, metrics, |report| Some(report.loss_nats)),
        Curve::new("held-out text", VALIDATION, metrics, |report| {
            let perplexity = report.validation_perplexity?;
            Some(if perplexity < LARGEST_PERPLEXITY { perplexity.ln() } else { f64::INFINITY })
        }),
    ];
    let shown: Vec<&Curve> = curves.iter().filter(|curve| curve.count > 0).collect();
    let points = || shown.iter().flat_map(|curve| curve.runs.iter().flatten());
    let epochs = points().map(|&(epoch, _)| epoch);
    let first = epochs.clone().fold(f64::INFINITY, f64::min).min(1.0);
    let last = epochs.fold(first, f64::max);
    // A single epoch is in the middle.
    let (from, to) = if last > first { (first, last) } else { (first - 1.0, first + 1.0) };
    let highest = points().map(|&(_, loss)| loss).fold(LEAST_LOSS, f64::max);
    let (x, y) = (Axis::of_whole_numbers(from, to), Axis::new(0.0, highest));

    let mut svg = String::new();
    write!(
        svg,
        "<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    )
    .expect(GROWS);
    draw_axes(&mut svg, &x, &y);
    for (number, curve) in shown.into_iter().enumerate() {
        curve.draw(&mut svg, &x, &y);
        curve.draw_key(&mut svg, number);
    }
    svg + "</svg>\n"
}

const GROWS: &str = "writing to a string succeeds";

/// A named curve; values that can't be drawn leave gaps.
struct Curve {
    name: &'static str,
    color: &'static str,
    /// Epoch and loss of the points, in runs without gaps.
    runs: Vec<Vec<(f64, f64)>>,
    /// The number of values, including those that can't be drawn.
    count: usize,
}

impl Curve {
    /// The curve of the values that `loss` finds in `metrics`.
    fn new(
        name: &'static str,
        color: &'static str,
        metrics: &[EpochReport],
        loss: impl Fn(&EpochReport) -> Option<f64>,
    ) -> Self {
        let (mut runs, mut count, mut is_in_run) = (Vec::<Vec<_>>::new(), 0, false);
        for report in metrics {
            let Some(loss) = loss(report) else { continue };
            count += 1;
            if loss.is_finite() {
                let point = (report.epoch as f64, loss);
                match runs.last_mut().filter(|_| is_in_run) {
                    Some(run) => run.push(point),
                    None => runs.push(vec![point]),
                }
            }
            is_in_run = loss.is_finite();
        }
        Self { name, color, runs, count }
    }

    fn draw(&self, svg: &mut String, x: &Axis, y: &Axis) {
        let color = self.color;
        for run in &self.runs {
            let point = |&(epoch, loss): &(f64, f64)| (across(x, epoch), up(y, loss));
            if let [only] = run.as_slice() {
                let (x, y) = point(only);
                writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>")
            } else {
                let points = run.iter().map(point).map(|(x, y)| format!("{x:.1},{y:.1}"));
                let points = points.collect::<Vec<_>>().join(" ");
                let style = format!("fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"");
                writeln!(svg, "<polyline points=\"{points}\" {style}/>")
            }
            .expect(GROWS);
        }
    }

    /// Draws the curve's entry in the legend at the top right, the `number`-th from the top.
    fn draw_key(&self, svg: &mut String, number: usize) {
        let drawn: usize = self.runs.iter().map(Vec::len).sum();
        let missing = match self.count - drawn {
            0 => String::new(),
            count => format!(" ({count} not finite)"),
        };
        let y = TOP + 16.0 + 18.0 * number as f64;
        let (name, color) = (self.name, self.color);
        writeln!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"4\" fill=\"{color}\"/>\n\
             <text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{name}{missing}</text>",
            RIGHT - 20.0,
            y - 6.0,
            RIGHT - 26.0,
        )
        .expect(GROWS);
    }
}

fn across(x: &Axis, value: f64) -> f64 {
    LEFT + x.share(value) * (RIGHT - LEFT)
}

fn up(y: &Axis, value: f64) -> f64 {
    BOTTOM - y.share(value) * (BOTTOM - HIGHEST)
}

fn draw_axes(svg: &mut String, x: &Axis, y: &Axis) {
    let mut line = |x1: f64, y1: f64, x2: f64, y2: f64, color: &str| {
        let ends = format!("x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"");
        writeln!(svg, "<line {ends} stroke=\"{color}\"/>").expect(GROWS);
    };
    for (value, _) in x.ticks() {
        line(across(x, *value), TOP, across(x, *value), BOTTOM, "#ddd");
    }
    for (value, _) in y.ticks() {
        line(LEFT, up(y, *value), RIGHT, up(y, *value), "#ddd");
    }
    line(LEFT, BOTTOM, RIGHT, BOTTOM, "#222");
    line(LEFT, TOP, LEFT, BOTTOM, "#222");
    let mut text = |x: f64, y: f64, anchor: &str, text: &str| {
        let position = format!("x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"");
        writeln!(svg, "<text {position}>{text}</text>").expect(GROWS);
    };
    for (value, label) in x.ticks() {
        text(across(x, *value), BOTTOM + 16.0, "middle", label);
    }
    for (value, label) in y.ticks() {
        text(LEFT - 6.0, up(y, *value) + 4.0, "end", label);
    }
    text((LEFT + RIGHT) / 2.0, BOTTOM + 38.0, "middle", "epoch");
    let (x, y) = (14.0, (TOP + BOTTOM) / 2.0);
    writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" transform=\"rotate(-90, {x}, {y})\">\
         loss, nats per character</text>"
    )
    .expect(GROWS);
}
