//! The generated sections of a page, between comments that are invisible when it is rendered.

/// `page` with its section `name` replaced by `text`.
pub(crate) fn with_section(page: &str, name: &str, text: &str) -> String {
    between(page, &format!("<!-- {name} -->\n"), text, &format!("<!-- end of {name} -->\n"))
}

/// `page` with `text` between the first `start` and the `end` that follows it.
pub(crate) fn between(page: &str, start: &str, text: &str, end: &str) -> String {
    let parts = page.split_once(start).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(end)?;
        Some(format!("{before}{start}{text}{end}{after}"))
    });
    parts.unwrap_or_else(|| panic!("no line {start:?} and {end:?} after it in:\n{page}"))
}
