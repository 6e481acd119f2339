//! The report of a run: its loss curves as SVG, and an HTML page.

mod axis;
mod curves;

use std::fmt::Display;

use charcell::{Description, EpochReport, IntegerLoss, Precision, shown_number};
use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(crate) use self::curves::loss_svg;

/// What the page shows about the exported model.
#[derive(Debug, Clone)]
pub(crate) struct Sizes {
    /// Size of the artifact, in bytes.
    pub(crate) flash_bytes: usize,
    /// RAM that generating uses, in bytes.
    pub(crate) ram_bytes: usize,
    /// The boards that it fits, with their characters per second.
    pub(crate) boards: Vec<String>,
    /// The precision of its weights.
    pub(crate) precision: Precision,
    /// The loss in quality with such weights.
    pub(crate) loss: IntegerLoss,
}

/// A self-contained page: curves, generated texts, settings, and sizes if they are known.
#[must_use]
pub(crate) fn report_html(
    description: &Description,
    metrics: &[EpochReport],
    sizes: Option<&Sizes>,
) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "Charcell run" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Charcell run" }
                table { (facts(description, metrics, sizes)) }
                h2 { "Losses" }
                (PreEscaped(loss_svg(metrics)))
                h2 { "Generated text" }
                @for report in metrics.iter().filter(|report| !report.continuations.is_empty()) {
                    h3 { "after epoch " (report.epoch) }
                    @for text in &report.continuations { p.text { (visible(text)) } }
                }
                h2 { "Settings" }
                table { (settings(description)) }
            }
        }
    };
    page.into_string() + "\n"
}

const STYLE: &str = "
body { font: 16px/1.5 system-ui, sans-serif; color: #222; }
body { max-width: 760px; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; }
td { padding: 2px 1em 2px 0; vertical-align: top; overflow-wrap: anywhere; }
td:first-child { color: #666; white-space: nowrap; }
h3 { font-size: 1em; color: #666; margin: 1em 0 0; }
p.text { font-family: ui-monospace, monospace; margin: 0; white-space: pre-wrap; }
svg { max-width: 100%; height: auto; }
";

/// What was trained and for how long, and what the model needs.
fn facts(description: &Description, metrics: &[EpochReport], sizes: Option<&Sizes>) -> Markup {
    let Description { config, corpus_characters, vocabulary, origin, epochs, .. } = description;
    let validated = metrics.iter().filter_map(|report| report.validation_perplexity);
    let seconds: f64 = metrics.iter().map(|report| report.seconds).sum();
    html! {
        (row("corpus", format!("{corpus_characters} characters, {} distinct", vocabulary.len())))
        (row("model", format!("{} hidden units in {} layer(s)", config.hidden, config.layers)))
        @if let Some(origin) = origin { (row("weights from", origin.run.display())) }
        @if let Some(teacher) = &config.teacher { (row("taught by", teacher.run.display())) }
        @if let Some(last) = metrics.last() {
            (row("epochs", last.epoch))
            (row("perplexity in training", shown_number(last.perplexity, 3)))
        }
        @if let Some(best) = validated.min_by(f64::total_cmp) {
            @let best = shown_number(best, 3);
            (row("perplexity on held-out text", format!("{best}, after epoch {epochs}")))
        }
        (row("time", format!("{seconds:.1} s")))
        @if let Some(Sizes { flash_bytes, ram_bytes, boards, precision, loss }) = sizes {
            (row(&format!("{precision} against f32"), loss))
            (row("flash", format!("{flash_bytes} bytes ({precision})")))
            (row("RAM", format!("{ram_bytes} bytes, stack included")))
            @if !boards.is_empty() { (row("fits (characters/s, computed)", boards.join(", "))) }
        }
    }
}

fn settings(description: &Description) -> Markup {
    // Through JSON text, which has the shortest form of each number.
    let settings = serde_json::to_string(&description.config).unwrap_or_default();
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap_or_default();
    html! {
        @for (name, value) in settings.as_object().into_iter().flatten() {
            (row(&name.replace('_', " "), value))
        }
        (row("vocabulary", description.vocabulary.iter().collect::<String>()))
        (row("Charcell", &description.charcell_version))
    }
}

fn row(name: &str, value: impl Display) -> Markup {
    html! { tr { td { (name) } td { (visible(&value.to_string())) } } }
}

/// `text` with visible symbols for control characters, which HTML doesn't allow.
fn visible(text: &str) -> String {
    let picture = |character: char| match character {
        '\n' => '\n',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)).unwrap_or(character),
        '\x7f'..='\u{9f}' => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    text.chars().map(picture).collect()
}

#[cfg(test)]
mod tests {
    use infer_core::Normalisation;
    use proptest::prelude::*;

    use super::*;
    use charcell::text::{Corpus, SHIPPED_TEXT};
    use charcell::{Config, Origin};

    fn report(epoch: usize, loss_nats: f64, validation_perplexity: Option<f64>) -> EpochReport {
        EpochReport {
            epoch,
            loss_nats,
            perplexity: loss_nats.exp(),
            gradient_norm: 0.1,
            seconds: 1.0,
            characters_per_second: 1000.0,
            validation_perplexity,
            continuations: if epoch == 4 { vec!["a <b> & \"c\"\0".into()] } else { Vec::new() },
        }
    }

    fn metrics() -> Vec<EpochReport> {
        let held_out = |epoch: usize| epoch.is_multiple_of(2).then_some(9.5);
        (1..=4).map(|epoch| report(epoch, 3.0 / epoch as f64, held_out(epoch))).collect()
    }

    fn description() -> Description {
        let corpus = Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, None).unwrap();
        Description::new(&corpus, &Config::default(), 2)
    }

    /// The number of lines and dots of each curve.
    fn drawn(metrics: &[EpochReport]) -> [[usize; 2]; 2] {
        let svg = loss_svg(metrics);
        assert!(svg.starts_with("<svg") && svg.contains("nats per character"));
        ["#1f77b4", "#d62728"].map(|color| {
            ["<polyline", "<circle"].map(|shape| {
                let lines = svg.lines();
                lines.filter(|line| line.starts_with(shape) && line.contains(color)).count()
            })
        })
    }

    #[test]
    fn a_picture_has_a_curve_for_each_text() {
        assert_eq!(drawn(&metrics()), [[1, 0], [1, 0]]);
        assert_eq!(drawn(&[]), [[0, 0], [0, 0]]);
    }

    /// A line with one point would be invisible.
    #[test]
    fn a_point_by_itself_is_a_dot() {
        assert_eq!(drawn(&metrics()[..1]), [[0, 1], [0, 0]]);
        assert_eq!(drawn(&metrics()[..3]), [[1, 0], [0, 1]]);
        let mut gap = metrics();
        gap[1].loss_nats = f64::NAN;
        assert_eq!(drawn(&gap), [[1, 1], [1, 0]]);
        gap[3].validation_perplexity = Some(f64::INFINITY);
        assert_eq!(drawn(&gap), [[1, 1], [0, 1]]);
        assert!(loss_svg(&gap).contains(">held-out text (1 not finite)<"));
    }

    /// Numbers of all kinds, with many that aren't finite or are at the ends of the range.
    fn any_number() -> impl Strategy<Value = f64> {
        let special = [0.0, -0.0, 5e-324, 1e-310, 0.1, 1.0, 709.8, 1e300, f64::MAX, f64::MIN];
        let not_finite = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        prop_oneof![
            prop::num::f64::ANY,
            0.0..10.0,
            prop::sample::select(special.to_vec()),
            prop::sample::select(not_finite.to_vec()),
        ]
    }

    fn any_metrics() -> impl Strategy<Value = Vec<EpochReport>> {
        let any_epoch = prop_oneof![0..5_usize, any::<usize>()];
        let numbers = (any_epoch, any_number(), prop::option::of(any_number()));
        let any_report =
            numbers.prop_map(|(epoch, loss_nats, validation_perplexity)| EpochReport {
                gradient_norm: loss_nats,
                seconds: loss_nats,
                ..report(epoch, loss_nats, validation_perplexity)
            });
        let of_any = prop::collection::vec(any_report, 0..8);
        let all_equal =
            (any_number(), any_number(), 0..5_usize).prop_map(|(loss, held_out, count)| {
                (1..=count).map(|epoch| report(epoch, loss, Some(held_out))).collect()
            });
        prop_oneof![of_any, all_equal]
    }

    /// The numbers in all attributes of `svg` with one of `names`.
    fn numbers<'a>(svg: &'a str, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let values = names
            .iter()
            .flat_map(move |name| svg.split(&format!(" {name}=\"")).skip(1).collect::<Vec<_>>());
        values.flat_map(|rest| rest.split('"').next().unwrap_or_default().split([' ', ',']))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_number_breaks_a_report(metrics in any_metrics()) {
            let svg = loss_svg(&metrics);
            for number in numbers(&svg, &["x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "points"]) {
                let number: f64 = number.parse().unwrap();
                prop_assert!((0.0..=760.0).contains(&number), "{svg}");
            }
            for anchor in ["middle", "end"] {
                let texts = svg.lines().filter(|line| line.starts_with("<text"));
                let texts = texts.filter(|line| line.contains(&format!("anchor=\"{anchor}\"")));
                let texts = texts.map(|line| line.split(['<', '>']).nth(2).unwrap());
                let mut labels: Vec<&str> = texts.collect();
                prop_assert!(labels.len() >= 2);
                labels.sort_unstable();
                prop_assert!(labels.windows(2).all(|pair| pair[0] != pair[1]), "{labels:?}");
            }
            let html = report_html(&description(), &metrics, None);
            prop_assert!(html.ends_with("</html>\n") && html.len() < 20_000);
        }
    }

    #[test]
    fn a_page_is_complete_and_escaped() {
        let sizes = Sizes {
            flash_bytes: 328_000,
            ram_bytes: 2500,
            boards: vec!["pico".into()],
            precision: Precision::Int8,
            loss: IntegerLoss { factor: 1.00049, same_first_choices: 0.995 },
        };
        let origin = Some(Origin { run: "runs/<a>".into(), weights_checksum: 0 });
        let description = Description { origin, ..description() };
        let html = report_html(&description, &metrics(), Some(&sizes));
        for part in [
            "<svg",
            "a &lt;b&gt; &amp; &quot;c&quot;␀",
            "9.500, after epoch 2",
            "328000",
            "perplexity times 1.0005, same first choice 99.50 %",
            "pico",
            "hidden",
            "runs/&lt;a&gt;",
        ] {
            assert!(html.contains(part), "{part}");
        }
        for foreign in ["http://", "https://", "<script", "<link"] {
            let without_names = html.replace("http://www.w3.org", "");
            assert!(!without_names.contains(foreign), "{foreign}");
        }
    }
}
