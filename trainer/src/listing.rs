//! Lists in messages, which stay short however many items there are.

/// The first `most` of some `names`, and how many more there are.
pub(crate) fn some(names: impl Iterator<Item = String>, most: usize) -> String {
    let names: Vec<String> = names.collect();
    match names.len() {
        0 => "none".into(),
        count if count > most => format!("{} and {} more", names[..most].join(", "), count - most),
        _ => names.join(", "),
    }
}
