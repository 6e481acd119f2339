//! A line, typed byte by byte.

use core::fmt::{self, Write};
use core::str;

use heapless::String;

/// The longest line, in bytes of UTF-8.
pub(crate) const LINE_BYTES: usize = 240;

/// Stops what is going on.
pub(crate) const CTRL_C: u8 = 0x03;
const BACKSPACE: u8 = 0x08;
const BELL: char = '\x07';
const CTRL_U: u8 = 0x15;
const ESCAPE: u8 = 0x1B;
const DELETE: u8 = 0x7F;

/// What a byte completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Nothing yet.
    Nothing,
    /// The line is [`Line::text`].
    Line,
    /// A line with more than [`LINE_BYTES`] bytes.
    TooLong,
    /// Ctrl-C: the line is to be forgotten.
    Interrupt,
}

/// Where in a terminal's escape sequence the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    Outside,
    Start,
    /// Up to the final byte, from `@` to `~`.
    Sequence,
}

/// The line that is being typed, and its echo.
#[derive(Debug)]
pub(crate) struct Line {
    text: String<LINE_BYTES>,
    /// The first bytes of a character whose others are yet to come.
    pending: heapless::Vec<u8, 4>,
    escape: Escape,
    is_too_long: bool,
    /// The last byte was a carriage return: a line feed belongs to it.
    after_return: bool,
}

impl Line {
    pub(crate) const fn new() -> Self {
        Self {
            text: String::new(),
            pending: heapless::Vec::new(),
            escape: Escape::Outside,
            is_too_long: false,
            after_return: false,
        }
    }

    /// What was typed so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Forgets what was typed.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.pending.clear();
        self.is_too_long = false;
    }

    /// Takes `byte` in, and shows on `echo` what becomes of it.
    pub(crate) fn take(&mut self, byte: u8, echo: &mut impl Write) -> Result<Typed, fmt::Error> {
        let after_return = core::mem::replace(&mut self.after_return, byte == b'\r');
        if self.escape != Escape::Outside {
            self.escape = match (self.escape, byte) {
                (Escape::Start, b'[' | b'O') => Escape::Sequence,
                (Escape::Sequence, 0x20..=0x3F) => Escape::Sequence,
                _ => Escape::Outside,
            };
            return Ok(Typed::Nothing);
        }
        match byte {
            b'\n' if after_return => {}
            b'\r' | b'\n' => {
                return Ok(if self.is_too_long { Typed::TooLong } else { Typed::Line });
            }
            CTRL_C => return Ok(Typed::Interrupt),
            BACKSPACE | DELETE => self.erase(echo)?,
            CTRL_U => {
                while !self.text.is_empty() {
                    self.erase(echo)?;
                }
            }
            ESCAPE => self.escape = Escape::Start,
            // A tab is a character that texts have; all other control characters aren't.
            b'\t' | b' '.. => self.take_text(byte, echo)?,
            _ => {}
        }
        Ok(Typed::Nothing)
    }

    /// Takes a byte of a character in; the character, once it is complete.
    fn take_text(&mut self, byte: u8, echo: &mut impl Write) -> fmt::Result {
        let starts_anew = !(0x80..0xC0).contains(&byte);
        if starts_anew && !self.pending.is_empty() {
            self.pending.clear();
            self.append(char::REPLACEMENT_CHARACTER, echo)?;
        }
        // There is room: four bytes are a character, or wrong.
        let _ = self.pending.push(byte);
        let character = match str::from_utf8(&self.pending) {
            Ok(text) => text.chars().next(),
            Err(error) if error.error_len().is_none() => None,
            Err(_) => Some(char::REPLACEMENT_CHARACTER),
        };
        if let Some(character) = character {
            self.pending.clear();
            self.append(character, echo)?;
        }
        Ok(())
    }

    fn append(&mut self, character: char, echo: &mut impl Write) -> fmt::Result {
        if self.text.push(character).is_ok() {
            return echo.write_char(character);
        }
        self.is_too_long = true;
        echo.write_char(BELL)
    }

    /// Takes the last character back.
    fn erase(&mut self, echo: &mut impl Write) -> fmt::Result {
        self.pending.clear();
        self.is_too_long = false;
        match self.text.pop() {
            Some(_) => echo.write_str("\x08 \x08"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;

    use super::*;

    /// What becomes of `bytes`, typed: what the last one completed, the text, and the echo.
    fn typed(bytes: &[u8]) -> (Typed, String, String) {
        let (mut line, mut echo, mut last) = (Line::new(), String::new(), Typed::Nothing);
        for &byte in bytes {
            last = line.take(byte, &mut echo).unwrap();
        }
        (last, line.text().into(), echo)
    }

    #[test]
    fn lines_are_edited() {
        let cases: [(&[u8], Typed, &str); 10] = [
            (b"the time\r", Typed::Line, "the time"),
            (b"tha\x08e\n", Typed::Line, "the"),
            ("é\u{7f}ü€😀\r".as_bytes(), Typed::Line, "ü€😀"),
            (b"\x08\x7fa\r", Typed::Line, "a"),
            (b"gone\x15here\r", Typed::Line, "here"),
            (b"gone\x03", Typed::Interrupt, "gone"),
            (b"a\x1b[A\x1b[1;5C\x1bOPb\r", Typed::Line, "ab"),
            (b"\xFFa\xC3b\r", Typed::Line, "\u{FFFD}a\u{FFFD}b"),
            (b"\xE2\x82\x08a\r", Typed::Line, "a"),
            (b"\x00\x01\x1fa\tb\r", Typed::Line, "a\tb"),
        ];
        for (bytes, typed_last, text) in cases {
            let (last, found, _) = typed(bytes);
            assert_eq!((last, found.as_str()), (typed_last, text), "{bytes:?}");
        }
        assert_eq!(typed("aé\x08".as_bytes()).2, "aé\x08 \x08");
    }

    #[test]
    fn both_bytes_of_a_line_break_end_one_line() {
        let mut line = Line::new();
        let ends = b"a\r\nb\n\r".map(|byte| line.take(byte, &mut String::new()).unwrap());
        let lines = ends.iter().filter(|&&typed| typed == Typed::Line).count();
        assert_eq!((lines, ends[2]), (3, Typed::Nothing));
    }

    #[test]
    fn what_is_too_long_is_refused_and_can_be_mended() {
        let mut bytes = [b'a'; LINE_BYTES + 2];
        bytes[LINE_BYTES + 1] = b'\r';
        let (last, text, echo) = typed(&bytes);
        assert_eq!((last, text.len()), (Typed::TooLong, LINE_BYTES));
        assert!(echo.ends_with(BELL));
        bytes[LINE_BYTES] = DELETE;
        assert_eq!(typed(&bytes).0, Typed::Line);
    }
}
