//! Parsing the lines typed on the console.

use infer_core::Sampling;

/// Maximum number of characters to generate for one line.
pub(crate) const MAX_LENGTH: u32 = 1_000_000;

/// The answer to `:help`.
pub(crate) const HELP: &str = "\
any text         is continued; an empty line continues one of the model's own prefixes
:temperature T   0 always takes the most probable character, 1 samples as the model predicts
:top-k K         only the K most probable characters; 0: all
:top-p P         only the most probable characters that together reach probability P; 1: all
:seed S          seed of the random numbers: same seed, same text
:length N        number of characters to write
:info            shows the model, its speed and the memory in use
:help            shows this list
Ctrl-C           stops; backspace and Ctrl-U edit the line
";

/// How texts are continued. The defaults are those of `charcell generate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) sampling: Sampling,
    pub(crate) length: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { sampling: Sampling::greedy(), length: 200 }
    }
}

/// A line that starts with a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Use these settings from now on.
    Set(Settings),
    Info,
    Help,
}

/// Why a line is not a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandError<'a> {
    #[error("{0} is not a command; :help lists them")]
    Unknown(&'a str),
    #[error("{name} expects {wanted}, not \"{found}\"")]
    Value { name: &'static str, wanted: &'static str, found: &'a str },
}

/// Parses the command in `line`, which starts with a colon, given the current settings.
pub(crate) fn parse(line: &str, settings: Settings) -> Result<Command, CommandError<'_>> {
    let line = line.trim();
    let (name, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let value = value.trim();
    let Settings { sampling, length } = settings;
    let error = |name, wanted| CommandError::Value { name, wanted, found: value };
    let set = |sampling, length| Ok(Command::Set(Settings { sampling, length }));
    match name {
        ":temperature" => {
            let wanted = error(":temperature", "a number from 0 to 65.535");
            set(sampling.with_temperature_milli(milli(value).ok_or(wanted)?), length)
        }
        ":top-k" => {
            let wanted = error(":top-k", "a whole number from 0 to 65535");
            set(sampling.with_top_k(value.parse().map_err(|_| wanted)?), length)
        }
        ":top-p" => {
            let wanted = error(":top-p", "a number from 0 to 1");
            let top_p = milli(value).filter(|&milli| milli <= 1000);
            set(sampling.with_top_p_milli(top_p.ok_or(wanted)?), length)
        }
        ":seed" => {
            let wanted = error(":seed", "a whole number from 0 to 18446744073709551615");
            set(sampling.with_seed(value.parse().map_err(|_| wanted)?), length)
        }
        ":length" => {
            let wanted = error(":length", "a whole number from 1 to 1000000");
            let length = value.parse().ok().filter(|length| (1..=MAX_LENGTH).contains(length));
            set(sampling, length.ok_or(wanted)?)
        }
        ":info" if value.is_empty() => Ok(Command::Info),
        ":help" if value.is_empty() => Ok(Command::Help),
        ":info" => Err(error(":info", "nothing after it")),
        ":help" => Err(error(":help", "nothing after it")),
        _ => Err(CommandError::Unknown(name)),
    }
}

/// Converts a decimal number to thousandths, rounded. Only 0 becomes 0, because 0 has a special
/// meaning.
fn milli(decimal: &str) -> Option<u16> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let has_digits_alone = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    if !has_digits || !has_digits_alone(whole) || !has_digits_alone(fraction) {
        return None;
    }
    let whole: u32 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digit = |position: usize| {
        fraction.as_bytes().get(position).map_or(0, |&byte| u32::from(byte.saturating_sub(b'0')))
    };
    let rounded_up = u32::from(digit(3) >= 5);
    let thousandths = digit(0) * 100 + digit(1) * 10 + digit(2) + rounded_up;
    let sum = whole.checked_mul(1000)?.checked_add(thousandths)?;
    let is_zero = whole == 0 && fraction.bytes().all(|byte| byte == b'0');
    u16::try_from(if is_zero { 0 } else { sum.max(1) }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_thousandths() {
        let cases = [
            ("0", Some(0)),
            ("0.7", Some(700)),
            (".25", Some(250)),
            ("1.", Some(1000)),
            ("0.0004", Some(1)),
            ("0.0006", Some(1)),
            ("0.9996", Some(1000)),
            ("65.535", Some(65_535)),
            ("65.536", None),
            ("99999999999", None),
            ("", None),
            (".", None),
            ("-1", None),
            ("1e3", None),
            ("0.7.1", None),
            ("warm", None),
        ];
        for (decimal, thousandths) in cases {
            assert_eq!(milli(decimal), thousandths, "{decimal}");
        }
    }

    #[test]
    fn commands_change_the_settings() {
        let settings = Settings::default();
        let set = |line| match parse(line, settings) {
            Ok(Command::Set(settings)) => settings,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(set(":temperature 0.7").sampling.temperature_milli, 700);
        assert_eq!(set(":top-k  5 ").sampling.top_k, 5);
        assert_eq!(set(":top-p .95").sampling.top_p_milli, 950);
        assert_eq!(set(":seed 18446744073709551615").sampling.seed, u64::MAX);
        assert_eq!(set(":length 1000000").length, MAX_LENGTH);
        assert_eq!(parse(":info", settings), Ok(Command::Info));
        assert_eq!(parse(":help ", settings), Ok(Command::Help));
    }

    #[test]
    fn errors_name_what_is_not_a_command() {
        let settings = Settings::default();
        assert_eq!(parse(":temprature 1", settings), Err(CommandError::Unknown(":temprature")));
        for line in
            [":length 0", ":length 1000001", ":top-k -1", ":top-p 1.001", ":seed x", ":temperature"]
        {
            let is_value = matches!(parse(line, settings), Err(CommandError::Value { .. }));
            assert!(is_value && parse(":info x", settings).is_err(), "{line}");
        }
    }
}
