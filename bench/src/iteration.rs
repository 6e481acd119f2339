//! `docs/iteration.svg`: the kernels of an iteration on a GPU, drawn from the plan that it runs.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use charcell::Config;
use charcell::gpu::{BufferName, Plan, Shapes};
use charcell::model::Dimensions;
use charcell_shaders::{Binding, Tiles};

use xtask::root;

use crate::growth::VOCABULARY;

/// Sizes in the picture, in pixels.
const WIDTH: usize = 960;
const TOP: usize = 78;
const ROW: usize = 46;
const BOX_LEFT: usize = 340;
const BOX_WIDTH: usize = 280;
const BOX_HEIGHT: usize = 32;

/// Consecutive tasks with the same kernel.
struct Row {
    kernel: &'static str,
    dispatches: usize,
    reads: Vec<String>,
    writes: Vec<String>,
}

/// Writes the picture.
pub(crate) fn write() -> Result<()> {
    let path = path();
    fs::write(&path, svg()).with_context(|| format!("can't write {}", path.display()))
}

fn path() -> PathBuf {
    root().join("docs/iteration.svg")
}

/// The plan of an iteration of the chapter's recipe.
fn plan() -> Plan {
    let config = Config::default();
    let (hidden, layers) = (config.hidden, config.layers);
    let dimensions = Dimensions { vocabulary: VOCABULARY, hidden, layers };
    Plan::new(Shapes::new(dimensions, &config), Tiles::GPU)
}

fn rows(plan: &Plan) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for task in plan.tasks() {
        if rows.last().is_none_or(|row| row.kernel != task.kernel.name) {
            let (kernel, dispatches) = (task.kernel.name, 0);
            rows.push(Row { kernel, dispatches, reads: Vec::new(), writes: Vec::new() });
        }
        let Some(row) = rows.last_mut() else { continue };
        row.dispatches += plan.dispatches(task);
        for (&binding, &buffer) in task.kernel.bindings.iter().zip(&task.buffers) {
            let side = match binding {
                Binding::Step => continue,
                Binding::Uniform | Binding::Read => &mut row.reads,
                Binding::ReadWrite => &mut row.writes,
            };
            let name = name(buffer);
            if !side.contains(&name) {
                side.push(name);
            }
        }
    }
    rows
}

/// A buffer's name without the number of its layer: the chapter has only one layer.
fn name(buffer: BufferName) -> String {
    match buffer {
        BufferName::Packed(_) => "packed weights".into(),
        other => other.to_string().trim_end_matches(" 0").to_owned(),
    }
}

fn svg() -> String {
    let plan = plan();
    let rows = rows(&plan);
    let dispatches: usize = rows.iter().map(|row| row.dispatches).sum();
    let Shapes { dimensions, batch_size, num_steps, .. } = plan.shapes();
    let height = TOP + rows.len() * ROW + 10;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"14\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"20\" y=\"30\" font-size=\"18\" font-weight=\"600\">An iteration on the GPU: \
         {dispatches} dispatches, nothing read back</text>\n\
         <text x=\"20\" y=\"54\" fill=\"#57606a\">{} hidden units, {batch_size} rows of \
         {num_steps} steps; what a kernel reads is on the left, what it writes on the \
         right</text>\n",
        dimensions.hidden,
    );
    for (number, row) in rows.iter().enumerate() {
        let top = TOP + number * ROW;
        if number > 0 {
            draw_link(&mut svg, top);
        }
        draw(&mut svg, row, top);
    }
    svg + "</svg>\n"
}

fn draw(svg: &mut String, row: &Row, top: usize) {
    let Row { kernel, dispatches, reads, writes } = row;
    let (middle, right) = (top + BOX_HEIGHT / 2, BOX_LEFT + BOX_WIDTH);
    let baseline = middle + 5;
    let fill = if *dispatches > 4 { "#ddf4ff" } else { "#f6f8fa" };
    let (reads, writes) = (reads.join(", "), writes.join(", "));
    let times = if *dispatches > 1 { format!(" × {dispatches}") } else { String::new() };
    let lines = [
        format!(
            "<rect x=\"{BOX_LEFT}\" y=\"{top}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" \
             rx=\"6\" fill=\"{fill}\" stroke=\"#57606a\"/>"
        ),
        format!(
            "<text x=\"{}\" y=\"{baseline}\" text-anchor=\"middle\" font-weight=\"600\">\
             {kernel}{times}</text>",
            BOX_LEFT + BOX_WIDTH / 2
        ),
        format!(
            "<text x=\"{}\" y=\"{baseline}\" text-anchor=\"end\" fill=\"#57606a\">\
             {reads}  →</text>",
            BOX_LEFT - 8
        ),
        format!("<text x=\"{}\" y=\"{baseline}\" fill=\"#57606a\">→  {writes}</text>", right + 8),
    ];
    writeln!(svg, "{}", lines.join("\n")).expect("writing to a string doesn't fail");
}

/// The line from the row above to the one at `top`.
fn draw_link(svg: &mut String, top: usize) {
    let (x, length) = (BOX_LEFT + BOX_WIDTH / 2, ROW - BOX_HEIGHT);
    let y = top - length;
    writeln!(svg, "<path d=\"M {x} {y} v {length}\" stroke=\"#57606a\"/>")
        .expect("writing to a string doesn't fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_matches_the_plan() {
        let drawn = fs::read_to_string(path()).unwrap_or_default();
        assert!(drawn == svg(), "the plan has changed: run `cargo xtask bench iteration`");
    }
}
