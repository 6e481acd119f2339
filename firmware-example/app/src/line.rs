//! A line that is typed byte by byte.

use core::fmt::{self, Write};
use core::str;

use heapless::String;

/// Maximum length of a line, in bytes of UTF-8.
pub(crate) const LINE_BYTES: usize = 240;

/// Interrupts a text or a line.
pub(crate) const CTRL_C: u8 = 0x03;
const BACKSPACE: u8 = 0x08;
const BELL: char = '\x07';
const CTRL_U: u8 = 0x15;
const ESCAPE: u8 = 0x1B;
const DELETE: u8 = 0x7F;

/// The effect of a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typed {
    /// The line isn't complete yet.
    Nothing,
    /// The line is complete, in [`Line::text`].
    Line,
    /// A line with more than [`LINE_BYTES`] bytes.
    TooLong,
    /// Ctrl-C: the line must be discarded.
    Interrupt,
}

/// The position in a terminal's escape sequence.
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
    /// The first bytes of a character that isn't complete yet.
    pending: heapless::Vec<u8, 4>,
    escape: Escape,
    /// How many characters were typed after the line was full.
    lost: usize,
    /// The last byte was a carriage return, so a line feed that follows belongs to it.
    after_return: bool,
}

impl Line {
    pub(crate) const fn new() -> Self {
        Self {
            text: String::new(),
            pending: heapless::Vec::new(),
            escape: Escape::Outside,
            lost: 0,
            after_return: false,
        }
    }

    /// The text typed so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Discards the text.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.pending.clear();
        self.lost = 0;
    }

    /// Processes `byte`, and echoes the result to `echo`.
    pub(crate) fn take(&mut self, byte: u8, echo: &mut impl Write) -> Result<Typed, fmt::Error> {
        let after_return = core::mem::replace(&mut self.after_return, byte == b'\r');
        if self.is_of_escape(byte) {
            return Ok(Typed::Nothing);
        }
        match byte {
            b'\n' if after_return => {}
            b'\r' | b'\n' => {
                self.end_character(echo)?;
                return Ok(if self.lost > 0 { Typed::TooLong } else { Typed::Line });
            }
            CTRL_C => return Ok(Typed::Interrupt),
            BACKSPACE | DELETE => self.erase(echo)?,
            CTRL_U => {
                self.lost = 0;
                while !self.text.is_empty() {
                    self.erase(echo)?;
                }
            }
            ESCAPE => self.escape = Escape::Start,
            // Texts contain tabs, but no other control characters.
            b'\t' | b' '.. => self.take_text(byte, echo)?,
            _ => {}
        }
        Ok(Typed::Nothing)
    }

    /// Whether `byte` is part of an escape sequence and nothing else.
    ///
    /// Control characters and bytes beyond ASCII aren't; they end the sequence. Ctrl-C and Enter
    /// therefore always work, whatever a terminal sent before.
    fn is_of_escape(&mut self, byte: u8) -> bool {
        let before = self.escape;
        let is_outside = before == Escape::Outside || !(b' '..DELETE).contains(&byte);
        self.escape = match (before, byte) {
            _ if is_outside => Escape::Outside,
            (Escape::Start, b'[' | b'O') => Escape::Sequence,
            (Escape::Sequence, b' '..=b'?') => Escape::Sequence,
            _ => Escape::Outside,
        };
        !is_outside
    }

    /// Adds a byte to the current character, and appends the character once it is complete.
    fn take_text(&mut self, byte: u8, echo: &mut impl Write) -> fmt::Result {
        let starts_anew = !(0x80..0xC0).contains(&byte);
        if starts_anew {
            self.end_character(echo)?;
        }
        // There is room: four bytes are always a complete character or an error.
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

    /// Ends a character that isn't complete.
    fn end_character(&mut self, echo: &mut impl Write) -> fmt::Result {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.pending.clear();
        self.append(char::REPLACEMENT_CHARACTER, echo)
    }

    fn append(&mut self, character: char, echo: &mut impl Write) -> fmt::Result {
        // After a lost character nothing else is added, even if it would fit.
        if self.lost == 0 && self.text.push(character).is_ok() {
            return echo.write_char(character);
        }
        self.lost = self.lost.saturating_add(1);
        echo.write_char(BELL)
    }

    /// Deletes the last character.
    fn erase(&mut self, echo: &mut impl Write) -> fmt::Result {
        self.pending.clear();
        if self.lost > 0 {
            // It isn't shown, so there is nothing to erase.
            self.lost -= 1;
            return Ok(());
        }
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

    /// The result of typing `bytes`: the effect of the last one, the text and the echo.
    fn typed(bytes: &[u8]) -> (Typed, String, String) {
        let (mut line, mut echo, mut last) = (Line::new(), String::new(), Typed::Nothing);
        for &byte in bytes {
            last = line.take(byte, &mut echo).unwrap();
        }
        (last, line.text().into(), echo)
    }

    #[test]
    fn lines_are_edited() {
        let cases: [(&[u8], Typed, &str); 16] = [
            (b"the time\r", Typed::Line, "the time"),
            (b"tha\x08e\n", Typed::Line, "the"),
            ("é\u{7f}ü€😀\r".as_bytes(), Typed::Line, "ü€😀"),
            (b"\x08\x7fa\r", Typed::Line, "a"),
            (b"gone\x15here\r", Typed::Line, "here"),
            (b"gone\x03", Typed::Interrupt, "gone"),
            (b"a\x1b[A\x1b[1;5C\x1bOPb\r", Typed::Line, "ab"),
            (b"\xFFa\xC3b\r", Typed::Line, "\u{FFFD}a\u{FFFD}b"),
            (b"\xE2\x82\x08a\r", Typed::Line, "a"),
            (b"a\xC3\r", Typed::Line, "a\u{FFFD}"),
            (b"a\x1b\r", Typed::Line, "a"),
            (b"a\x1b[1\r", Typed::Line, "a"),
            (b"a\x1b\x03", Typed::Interrupt, "a"),
            (b"a\x1b[\x03", Typed::Interrupt, "a"),
            ("ab\x1b\x7f\x1b\x1b[Aé\x1bü\r".as_bytes(), Typed::Line, "aéü"),
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
    fn lines_that_are_too_long_are_refused_and_can_be_shortened() {
        const FULL: [u8; LINE_BYTES] = [b'a'; LINE_BYTES];
        let after_full = |bytes: &[u8]| typed(&[&FULL, bytes].concat());
        let (last, text, echo) = after_full(b"b\r");
        assert_eq!((last, text.len()), (Typed::TooLong, LINE_BYTES));
        assert!(echo.ends_with(BELL));
        // Lost characters must be deleted one by one, or together with the whole line.
        for (bytes, typed_last, length) in [
            (&b"\r"[..], Typed::Line, LINE_BYTES),
            (b"b\x7f\r", Typed::Line, LINE_BYTES),
            (b"bc\x7f\r", Typed::TooLong, LINE_BYTES),
            ("bé\x7f\x7f\r".as_bytes(), Typed::Line, LINE_BYTES),
            (b"bc\x7f\x7f\x7f\r", Typed::Line, LINE_BYTES - 1),
            ("\x7fé\x7fa\r".as_bytes(), Typed::Line, LINE_BYTES),
            ("\x7féa\r".as_bytes(), Typed::TooLong, LINE_BYTES - 1),
            (b"bc\x15de\r", Typed::Line, 2),
        ] {
            let (last, text, _) = after_full(bytes);
            assert_eq!((last, text.len()), (typed_last, length), "{bytes:?}");
        }
    }
}
