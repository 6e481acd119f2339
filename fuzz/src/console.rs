//! Lines typed on the console of a board.

use std::convert::Infallible;
use std::iter;

use charcell_app::{Board, Identity, Symbol, identity, run};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use infer_core::layout::ALIGNMENT;
use infer_core::{Generator, Model, Sampling, State};

static MODEL: &[u8] = infer_core::include_model!("../seeds/int8-4-3-2.postcard");
static MODELS: Symbol = [];
static IDENTITY: Identity = identity("fuzz", &MODELS, MEMORY_BYTES);

/// Enough for the state of the model and some of its weights.
const MEMORY_BYTES: usize = 512;

/// Bytes that stand for events on the board instead of typed characters. Each event occurs when the
/// application waits for it.
const NOTHING: u8 = 0;
const BUTTON: u8 = 1;
const OPENED: u8 = 2;

const CTRL_C: u8 = 3;

/// After this many bytes of an answer, the user presses Ctrl-C.
const MOST_UNREAD: usize = 300;

/// Typed at the start, so that texts are short.
const FIRST: &[u8] = b":length 20\r";

/// Typed at the end: interrupts whatever is running, restores the settings, and requests a text.
const LAST: &[u8] = b"\0\x03:temperature 0\r:top-k 0\r:top-p 1\r:seed 0\r:length 5\r!\r";

/// Parts of lines.
pub(crate) const WORDS: [&[u8]; 14] = [
    b":temperature ",
    b":top-k ",
    b":top-p ",
    b":seed ",
    b":length ",
    b":info",
    b":help",
    b"65535",
    b"18446744073709551615",
    b"1000000",
    b"\r\n",
    b"\x1b[",
    b"\x1b[1;5C",
    b"\x15",
];

/// Types `bytes` on a console. Its output must be text, and whatever was typed, the answer to the
/// next line must be the same as on the host.
///
/// # Panics
/// If a property doesn't hold.
pub fn console(bytes: &[u8]) -> bool {
    let mut console = Console {
        typed: [FIRST, bytes, LAST].concat(),
        next: 0,
        shown: Vec::new(),
        unread: 0,
        is_button_down: false,
    };
    run(Desk(&mut console), &IDENTITY, MODEL, &mut [0xAA; MEMORY_BYTES + ALIGNMENT]);
    let shown = String::from_utf8(console.shown).expect("a console shows text");
    assert!(shown.ends_with(&format!("\r\n> !{}\r\n> ", continuation("!", 5))), "{shown}");
    true
}

/// The host's continuation of `prefix`.
fn continuation(prefix: &str, length: usize) -> String {
    let model: Model<'_> = Model::load(MODEL).expect("a model");
    let mut state = State::<8, 4, 2>::new();
    let generator = Generator::new(&model, &mut state, Sampling::greedy());
    let mut generator = generator.expect("as large as the model");
    generator.prime(prefix).expect("characters of the model");
    generator.take(length).collect()
}

/// A console whose whole input is known; it is closed once all of it has been read.
struct Console {
    typed: Vec<u8>,
    /// How many of these bytes have been read.
    next: usize,
    shown: Vec<u8>,
    /// Bytes shown since the last read.
    unread: usize,
    is_button_down: bool,
}

impl Console {
    /// The next event, unless a typed byte is next.
    fn event(&self) -> Option<u8> {
        let next = self.typed.get(self.next).copied();
        next.filter(|byte| [NOTHING, BUTTON, OPENED].contains(byte))
    }

    /// Whether `event` occurs now.
    fn takes(&mut self, event: u8) -> bool {
        let is_next = self.event() == Some(event);
        self.next += usize::from(is_next);
        is_next
    }
}

impl ErrorType for Console {
    type Error = Infallible;
}

impl ReadReady for Console {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.unread > MOST_UNREAD || self.event().is_none())
    }
}

impl Read for Console {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let byte = if self.unread > MOST_UNREAD {
            CTRL_C
        } else {
            let Some(&byte) = self.typed.get(self.next) else { return Ok(0) };
            self.next += 1;
            byte
        };
        self.unread = 0;
        bytes[0] = byte;
        Ok(1)
    }
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.shown.extend_from_slice(bytes);
        self.unread += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Desk<'a>(&'a mut Console);

impl Board for Desk<'_> {
    type Console = Console;

    fn console(&mut self) -> &mut Console {
        self.0
    }

    fn microseconds(&mut self) -> u64 {
        0
    }

    fn has_opened(&mut self) -> bool {
        self.0.takes(OPENED)
    }

    fn is_button_down(&mut self) -> bool {
        self.0.is_button_down = self.0.takes(BUTTON);
        self.0.is_button_down
    }

    fn wait(&mut self) {
        self.0.takes(NOTHING);
    }
}

/// Sessions with all commands and with edited lines.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let long = iter::repeat_n(b'"', 250).chain(*b"\x7f\x15!\r").collect();
    let sessions: [&[u8]; 5] = [
        b":temperature 0.7\r:top-k 2\r:top-p .9\r:seed 3\r:length 20\r!\r\" !\r",
        b":help\r:info\r\r\r\x01\0\x02! \x01!\r",
        b":length 1000000\r!\r:inf\x03\0:info x\r:temperature warm\r:nothing\n",
        "!x\u{7f}\"\x08#\r\u{e9}\u{20ac}\u{1f600}\x08\r\x1b[A\x1b[1;5C!\x15 \r\n".as_bytes(),
        b"\xe2\x82!\r\xff\xf0\x9f\x03!\t\r",
    ];
    sessions.map(<[u8]>::to_vec).into_iter().chain([long]).collect()
}
