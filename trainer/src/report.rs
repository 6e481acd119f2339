//! A run to look at: the curves of its losses as SVG, and a page with all of it.

use std::fmt::{Display, Write};

use plotters::prelude::*;

use crate::run_folder::Description;
use crate::training::EpochReport;

/// Pixels of the picture.
const SIZE: (u32, u32) = (760, 420);

const TRAINING: RGBColor = RGBColor(31, 119, 180);
const VALIDATION: RGBColor = RGBColor(214, 39, 40);

/// The losses of training and held-out text by epoch, as an SVG document.
///
/// # Panics
/// Never: a picture that is a string can always be written.
#[must_use]
pub fn loss_svg(metrics: &[EpochReport]) -> String {
    let mut svg = String::new();
    draw(&mut svg, metrics).expect("a string takes every picture");
    svg
}

type DrawingResult<'a> =
    Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw<'a>(svg: &'a mut String, metrics: &[EpochReport]) -> DrawingResult<'a> {
    let training: Vec<(f64, f64)> =
        metrics.iter().map(|report| (report.epoch as f64, report.loss_nats)).collect();
    let validation: Vec<(f64, f64)> = metrics
        .iter()
        .filter_map(|report| Some((report.epoch as f64, report.validation_perplexity?.ln())))
        .collect();
    let last = training.last().map_or(1.0, |&(epoch, _)| epoch.max(2.0));
    let losses = training.iter().chain(&validation).map(|&(_, loss)| loss);
    let highest = losses.fold(0.1_f64, f64::max);

    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(52)
        .build_cartesian_2d(1.0..last, 0.0..1.05 * highest)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("epoch")
        .y_desc("loss, nats a character")
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|loss| format!("{loss:.1}"))
        .draw()?;
    for (name, color, points) in
        [("training", TRAINING, training), ("held-out text", VALIDATION, validation)]
    {
        if !points.is_empty() {
            let line = LineSeries::new(points, color.stroke_width(2));
            chart.draw_series(line)?.label(name).legend(move |(x, y)| {
                PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2))
            });
        }
    }
    chart.configure_series_labels().background_style(WHITE).border_style(BLACK.mix(0.3)).draw()?;
    area.present()
}

/// What a page shows beside the training.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    /// Bytes of the int8 artifact.
    pub flash_bytes: usize,
    /// Bytes of RAM while it generates.
    pub ram_bytes: usize,
    /// The boards that it fits, with the characters a second that each writes.
    pub boards: Vec<String>,
}

/// A page with everything in it: curves, texts as they got better, sizes and settings.
///
/// # Panics
/// Never: settings can be written as JSON.
#[must_use]
pub fn report_html(description: &Description, metrics: &[EpochReport], sizes: &Sizes) -> String {
    let mut html = String::from(HEAD);
    let mut add = |part: &dyn Display| write!(html, "{part}").expect("a string grows as it must");
    let last = metrics.last();
    add(&"<h1>A run of Charcell</h1>\n<table>\n");
    let characters = description.corpus_characters;
    let distinct = description.vocabulary.len();
    add(&row("corpus", format!("{characters} characters, {distinct} distinct")));
    let config = &description.config;
    add(&row("model", format!("{} hidden units in {} layer(s)", config.hidden, config.layers)));
    if let Some(last) = last {
        add(&row("epochs", last.epoch));
        add(&row("perplexity in training", format!("{:.3}", last.perplexity)));
    }
    let validated = metrics.iter().filter_map(|report| report.validation_perplexity);
    if let Some(best) = validated.min_by(f64::total_cmp) {
        let epochs = description.epochs;
        add(&row("perplexity on held-out text", format!("{best:.3}, after epoch {epochs}")));
    }
    let seconds: f64 = metrics.iter().map(|report| report.seconds).sum();
    add(&row("time", format!("{seconds:.1} s")));
    add(&row("flash", format!("{} bytes (int8)", sizes.flash_bytes)));
    add(&row("RAM", format!("{} bytes, stack included", sizes.ram_bytes)));
    if !sizes.boards.is_empty() {
        add(&row("fits (characters/s, computed)", sizes.boards.join(", ")));
    }
    add(&"</table>\n<h2>Losses</h2>\n");
    add(&loss_svg(metrics));
    add(&"<h2>What it writes</h2>\n");
    for report in metrics.iter().filter(|report| !report.continuations.is_empty()) {
        add(&format!("<h3>after epoch {}</h3>\n", report.epoch));
        for text in &report.continuations {
            add(&format!("<p class=\"text\">{}</p>\n", escaped(text)));
        }
    }
    add(&"<h2>Settings</h2>\n<table>\n");
    // By way of the text, which has the shortest form of each number.
    let settings = serde_json::to_string(config).expect("plain values as JSON");
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap_or_default();
    for (name, value) in settings.as_object().into_iter().flatten() {
        add(&row(&name.replace('_', " "), value));
    }
    add(&row("vocabulary", description.vocabulary.iter().collect::<String>()));
    add(&row("Charcell", &description.charcell_version));
    add(&"</table>\n</body>\n</html>\n");
    html
}

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<title>A run of Charcell</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; }
body { max-width: 760px; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; }
td { padding: 2px 1em 2px 0; vertical-align: top; overflow-wrap: anywhere; }
td:first-child { color: #666; white-space: nowrap; }
h3 { font-size: 1em; color: #666; margin: 1em 0 0; }
p.text { font-family: ui-monospace, monospace; margin: 0; white-space: pre-wrap; }
svg { max-width: 100%; height: auto; }
</style>
</head>
<body>
";

fn row(name: &str, value: impl Display) -> String {
    format!("<tr><td>{}</td><td>{}</td></tr>\n", escaped(name), escaped(&value.to_string()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::text::{Corpus, SHIPPED_TEXT};
    use infer_core::Normalisation;

    fn metrics() -> Vec<EpochReport> {
        let report = |epoch: usize| EpochReport {
            epoch,
            loss_nats: 3.0 / epoch as f64,
            perplexity: (3.0 / epoch as f64).exp(),
            gradient_norm: 0.1,
            seconds: 1.0,
            characters_per_second: 1000.0,
            validation_perplexity: epoch.is_multiple_of(2).then_some(9.5),
            continuations: if epoch == 4 { vec!["a <b> & \"c\"".into()] } else { Vec::new() },
        };
        (1..=4).map(report).collect()
    }

    #[test]
    fn a_picture_has_a_curve_for_each_text() {
        let colors = |metrics: &[EpochReport]| {
            let svg = loss_svg(metrics);
            assert!(svg.starts_with("<svg") && svg.contains("nats a character"));
            ["#1F77B4", "#D62728"].map(|color| svg.contains(color))
        };
        assert_eq!(colors(&metrics()), [true, true]);
        assert_eq!(colors(&metrics()[..1]), [true, false]);
        assert_eq!(colors(&[]), [false, false]);
    }

    #[test]
    fn a_page_has_everything_in_it_and_escapes_it() {
        let corpus = Corpus::from_text(SHIPPED_TEXT, Normalisation::Chapter, None).unwrap();
        let description = Description::new(&corpus, &Config::default(), 2);
        let sizes = Sizes { flash_bytes: 328_000, ram_bytes: 2500, boards: vec!["pico".into()] };
        let html = report_html(&description, &metrics(), &sizes);
        for part in [
            "<svg",
            "a &lt;b&gt; &amp; &quot;c&quot;",
            "9.500, after epoch 2",
            "328000",
            "pico",
            "hidden",
        ] {
            assert!(html.contains(part), "{part}");
        }
        for foreign in ["http://", "https://", "<script", "<link"] {
            let without_names = html.replace("http://www.w3.org", "");
            assert!(!without_names.contains(foreign), "{foreign}");
        }
    }
}
