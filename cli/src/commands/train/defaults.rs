//! The defaults that `charcell train --help` shows: those of the presets and of the optimisers.

use charcell::{Config, Optimizer, Preset};
use clap::Command;
use serde_json::Value;

/// Adds the default to the help of each option that is a setting.
pub(in crate::commands) fn with_defaults(command: Command) -> Command {
    command.mut_args(|argument| {
        let Some(default) = default(argument.get_id().as_str()) else { return argument };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        argument.help(format!("{help} {default}"))
    })
}

/// The presets besides the chapter's.
const OTHER_PRESETS: [(&str, Preset); 4] = [
    ("good", Preset::Good),
    ("tiny", Preset::Tiny),
    ("small", Preset::Small),
    ("best", Preset::Best),
];

/// The default of the setting `name`: the chapter's, and others where they differ.
fn default(name: &str) -> Option<String> {
    let chapter = value(&Preset::Chapter.config(), name)?;
    let others = OTHER_PRESETS.map(|(word, preset)| Some((word, value(&preset.config(), name)?)));
    let adam = value(&Config::default().with_optimizer(Some(Optimizer::Adam)), name)?;
    let mut default = format!("[default: {chapter}");
    let others = others.into_iter().flatten().filter(|(_, value)| *value != chapter);
    for (word, value) in others {
        default += &format!("; with --preset {word}: {value}");
    }
    if adam != chapter && name != "optimizer" {
        default += &format!("; with adam or adamw: {adam}");
    }
    Some(default + "]")
}

/// The value of the setting `name`, as on the command line.
fn value(config: &Config, name: &str) -> Option<String> {
    // Through JSON text, which has the shortest form of each number.
    let settings: Value = serde_json::from_str(&serde_json::to_string(config).ok()?).ok()?;
    match settings.get(name)? {
        Value::String(word) => Some(word.clone()),
        number => Some(number.as_f64()?.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_presets_and_optimisers() {
        assert_eq!(default("layers").as_deref(), Some("[default: 1]"));
        let optimizer = default("optimizer").unwrap();
        assert!(optimizer.starts_with("[default: sgd; with --preset tiny: adamw"), "{optimizer}");
        let rate = default("learning_rate").unwrap();
        assert!(rate.contains("[default: 100; with --preset good"), "{rate}");
        assert!(rate.contains("adamw: 0.02"), "{rate}");
        assert_eq!(default("corpus"), None);
    }
}
