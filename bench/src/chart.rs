//! The charts of the comparisons, as SVG.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

/// The size of a chart, in pixels.
const SIZE: (u32, u32) = (760, 400);

const COLORS: [RGBColor; 8] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(127, 127, 127),
    RGBColor(255, 127, 14),
    RGBColor(140, 86, 75),
    RGBColor(23, 190, 207),
];

/// A line with a name.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// What the axis names, and perplexity.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Perplexity, on a logarithmic scale, against what `axis` names, such as time.
pub(crate) fn curves(
    lines: &[Line],
    axis: &str,
    perplexities: std::ops::Range<f64>,
) -> Result<String> {
    let mut svg = String::new();
    // The axis ends near the median: the longest line would squeeze all others against the left.
    let ends = lines.iter().filter_map(|line| line.points.last());
    let mut ends: Vec<f64> = ends.map(|&(end, _)| end).collect();
    ends.sort_by(f64::total_cmp);
    let end = ends.get(ends.len() / 2).copied().unwrap_or(1.0) * 1.1;
    draw_curves(&mut svg, lines, (axis, end), perplexities).map_err(|error| anyhow!("{error}"))?;
    Ok(svg)
}

type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw_curves<'a>(
    svg: &'a mut String,
    lines: &[Line],
    (axis, end): (&str, f64),
    perplexities: std::ops::Range<f64>,
) -> Drawn<'a> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let decimals = usize::from(perplexities.end < 2.0 * perplexities.start);
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..end, perplexities.log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc(axis)
        .y_desc("perplexity")
        .y_label_formatter(&|perplexity| format!("{perplexity:.decimals$}"))
        .draw()?;
    for (line, color) in lines.iter().zip(COLORS) {
        let points = line.points.iter().copied().take_while(|&(x, _)| x <= end);
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE).border_style(BLACK.mix(0.3)).draw()?;
    area.present()
}

/// Seconds an epoch, as bars.
pub(crate) fn bars(bars: &[(String, f64)]) -> Result<String> {
    let mut svg = String::new();
    draw_bars(&mut svg, bars).map_err(|error| anyhow!("{error}"))?;
    Ok(svg)
}

fn draw_bars<'a>(svg: &'a mut String, bars: &[(String, f64)]) -> Drawn<'a> {
    const NAMES: i32 = 190;
    const ROW: i32 = 34;
    let area = SVGBackend::with_string(svg, (SIZE.0, bars.len() as u32 * ROW as u32 + 16))
        .into_drawing_area();
    area.fill(&WHITE)?;
    let longest = bars.iter().map(|&(_, seconds)| seconds).fold(0.0, f64::max);
    let font = ("sans-serif", 15).into_font();
    for (number, (name, seconds)) in bars.iter().enumerate() {
        let top = 8 + number as i32 * ROW;
        let length = (seconds / longest * f64::from(SIZE.0 as i32 - NAMES - 90)) as i32;
        let color = COLORS[number % COLORS.len()];
        let bar = [(NAMES, top), (NAMES + length, top + ROW - 10)];
        area.draw(&Rectangle::new(bar, color.filled()))?;
        area.draw(&Text::new(name.clone(), (8, top + 5), font.clone()))?;
        let end = (NAMES + length + 8, top + 5);
        area.draw(&Text::new(format!("{seconds:.3} s"), end, font.clone()))?;
    }
    area.present()
}
