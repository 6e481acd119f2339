//! The application on a simulated console, with the model that ships with the firmware.

use std::collections::VecDeque;
use std::convert::Infallible;

use charcell_app::{Board, Identity, Ram, Symbol, identity, run};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use infer_core::{Generator, Int8, Model, Normalisation, Sampling, State};

static MODEL: &[u8] = infer_core::include_model!("../../model.postcard");
static MODELS: Symbol = [];
static IDENTITY: Identity = identity("desk", &MODELS, MEMORY_BYTES);

/// Enough for the state of the model, and hardly any of its weights.
const MEMORY_BYTES: usize = 1800;

const CTRL_C: u8 = 3;

/// A console whose input is already there, and which records its output.
#[derive(Default)]
struct Console {
    input: VecDeque<u8>,
    shown: Vec<u8>,
    /// A byte to type after that many bytes were shown.
    later: Option<(usize, u8)>,
    /// How many bytes had been shown at each feed of the watchdog.
    feeds: Vec<usize>,
    /// How many bytes to show after all input is read, before the console is closed.
    open_for: usize,
}

impl ErrorType for Console {
    type Error = Infallible;
}

impl ReadReady for Console {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.input.is_empty() || self.shown.len() >= self.open_for)
    }
}

impl Read for Console {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(byte) = self.input.pop_front() else { return Ok(0) };
        bytes[0] = byte;
        Ok(1)
    }
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.shown.extend_from_slice(bytes);
        if let Some((_, byte)) = self.later.take_if(|(count, _)| self.shown.len() >= *count) {
            self.input.push_back(byte);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A simulated board: each reading of its clock takes a tenth of a second.
struct Desk<'a> {
    console: &'a mut Console,
    microseconds: u64,
    /// The duration of a reading of the clock, and the resolution of the clock.
    look: [u64; 2],
    /// How many more times the button will be pressed.
    presses: usize,
    is_down: bool,
}

impl Board for Desk<'_> {
    type Console = Console;

    fn console(&mut self) -> &mut Console {
        self.console
    }

    fn microseconds(&mut self) -> u64 {
        let [duration, unit] = self.look;
        self.microseconds += duration;
        self.microseconds / unit * unit
    }

    fn is_button_down(&mut self) -> bool {
        self.is_down = self.presses > 0 && !self.is_down;
        self.presses -= usize::from(self.is_down);
        self.is_down
    }

    fn feed_watchdog(&mut self) {
        self.console.feeds.push(self.console.shown.len());
    }

    fn ram(&self) -> Option<Ram> {
        Some(Ram { static_bytes: 4321, stack_bytes: 1234 })
    }
}

/// A slot for models, aligned like flash.
#[repr(align(16))]
struct Flash([u8; 1 << 19]);

impl Flash {
    /// Flash that starts with `bytes` and is otherwise `erased`.
    fn new(bytes: &[u8], erased: u8) -> Box<Self> {
        let mut flash = Box::new(Self([erased; 1 << 19]));
        flash.0[..bytes.len()].copy_from_slice(bytes);
        flash
    }
}

fn desk(console: &mut Console) -> Desk<'_> {
    Desk { console, microseconds: 0, look: [100_000, 1], presses: 0, is_down: false }
}

/// The output when `input` is typed, with the model at the start of `flash`.
fn shown(input: &str, flash: &[u8]) -> String {
    let mut console = Console { input: input.bytes().collect(), ..Console::default() };
    run(desk(&mut console), &IDENTITY, flash, &mut [0; MEMORY_BYTES]);
    String::from_utf8(console.shown).unwrap().replace("\r\n", "\n")
}

/// The console after `input` was typed, and possibly another byte later.
fn console_after(input: &str, later: Option<(usize, u8)>) -> Console {
    let mut console = Console { input: input.bytes().collect(), later, ..Console::default() };
    run(desk(&mut console), &IDENTITY, MODEL, &mut [0; MEMORY_BYTES]);
    console
}

/// `prefix` and the `length` characters with which the model continues it.
fn text(prefix: &str, length: usize, sampling: Sampling) -> String {
    let model = Model::load(MODEL).unwrap();
    let mut state = State::<256, 64>::new();
    let mut generator = Generator::new(&model, &mut state, sampling).unwrap();
    generator.prime(prefix).unwrap();
    prefix.chars().chain(generator.take(length)).collect()
}

#[test]
fn a_typed_line_is_continued() {
    let shown = shown(
        "the tym\x08\x08ime\r:length 20\r:temperature 0.7\r:seed 3\r:top-k 9\r:top-p .8\rThe\r",
        MODEL,
    );
    let greedy = text("the time", 200, Sampling::greedy());
    assert!(
        shown
            .replace("\x08 \x08", "\x7f")
            .replace("ym\x7f\x7f", "")
            .contains(&format!("> {greedy}\n> ")),
        "{shown}"
    );
    let sampling = Sampling::random()
        .with_temperature_milli(700)
        .with_seed(3)
        .with_top_k(9)
        .with_top_p_milli(800);
    let sampled = text("The", 20, sampling);
    assert!(shown.contains(&format!("> {sampled}\n> ")), "{shown}");
}

#[test]
fn the_models_own_prefixes_are_continued_in_turn() {
    let model: Model<'_> = Model::load(MODEL).unwrap();
    let own: Vec<&str> = model.prefixes().collect();
    let turn = |turn: usize| {
        // The line being typed is replaced.
        format!("> \r\x1b[K> {}\n", text(own[turn % own.len()], 200, Sampling::greedy()))
    };
    let turns = [0, 1, 2].map(turn).concat();
    let by_lines = shown("\r\r\r", MODEL);
    assert!(by_lines.contains(&turns), "{by_lines}");
    for presses in [0, 3] {
        // Without a press, the board writes on its own when nothing is typed.
        let mut console = Console { open_for: turns.len(), ..Console::default() };
        run(Desk { presses, ..desk(&mut console) }, &IDENTITY, MODEL, &mut [0; MEMORY_BYTES]);
        let shown = String::from_utf8(console.shown).unwrap().replace("\r\n", "\n");
        assert!(shown.contains(&turns), "{presses} presses: {shown}");
    }
}

#[test]
fn errors_are_shown_and_end_nothing() {
    let long = "a".repeat(300);
    let shown =
        shown(&format!("çava\r:temprature 1\r:length 0\r{long}\rgone\x03:info\r:help\r"), MODEL);
    for part in [
        "error: character 1 of the text, 'ç', is not in the model's vocabulary\n> ",
        "error: :temprature is not a command; :help lists them\n> ",
        "error: :length expects a whole number from 1 to 1000000, not \"0\"\n> ",
        "error: a line can have up to 240 bytes\n> ",
        "gone^C\n> ",
        "model     256 hidden units in 1 layer(s), ",
        "RAM       4321 bytes static, 1800 of them for the model; stack 1234 bytes at most so \
         far\n",
        ":temperature T ",
    ] {
        assert!(shown.contains(part), "{part} isn't in:\n{shown}");
    }
}

/// Typed text is normalised like the corpus, in every script.
#[test]
fn letters_are_lower_cased_as_on_the_host() {
    assert_eq!(Normalisation::LowerCase.apply('Ü'), 'ü');
}

/// The text doesn't depend on where the weights are: all in flash, some in RAM, or all in RAM.
#[test]
fn weights_in_ram_write_the_same_text() {
    let expected = format!("> {}\n> ", text("the", 200, Sampling::greedy()));
    let state_bytes = Model::<Int8>::load(MODEL).unwrap().memory().state_bytes;
    for (memory_bytes, weights) in [
        (MEMORY_BYTES, "0 of the 282800 bytes"),
        (100_000, "98032 of the 282800 bytes"),
        (400_000, "282800 of the 282800 bytes"),
    ] {
        let mut console =
            Console { input: b"the\r:info\r".iter().copied().collect(), ..Console::default() };
        run(desk(&mut console), &IDENTITY, MODEL, &mut vec![0xA5; memory_bytes]);
        let shown = String::from_utf8(console.shown).unwrap().replace("\r\n", "\n");
        assert!(shown.contains(&expected), "{memory_bytes}: {shown}");
        assert!(shown.contains(&format!("weights   {weights} read per character")), "{shown}");
        assert!(
            shown.contains(&format!("\nmemory    {state_bytes} bytes of state and ")),
            "{shown}"
        );
    }
}

/// With a clock that counts milliseconds, and characters that take a tenth of one.
#[test]
fn speeds_are_measured_with_any_clock() {
    let mut console = Console { input: b":info\r".iter().copied().collect(), ..Console::default() };
    let desk = Desk { look: [100, 1000], ..desk(&mut console) };
    run(desk, &IDENTITY, MODEL, &mut [0; MEMORY_BYTES]);
    let shown = String::from_utf8(console.shown).unwrap();
    let speed = shown.split_once("are in RAM: ").unwrap().1.split_once(' ').unwrap().0;
    let speed: f64 = speed.parse().unwrap();
    assert!((9_000.0..11_000.0).contains(&speed), "{shown}");
}

#[test]
fn ctrl_c_stops_a_text() {
    let console = console_after(":length 1000000\rthe\r", Some((500, CTRL_C)));
    let shown = String::from_utf8(console.shown).unwrap();
    assert!(shown.ends_with("^C\r\n> ") && shown.len() < 600, "{shown}");
}

/// Between two feeds at most one character is computed, in the text that is generated and in the
/// longest possible prefix.
#[test]
fn the_watchdog_is_fed_for_each_character() {
    const WRITTEN: usize = 5000;
    let prefix = "the time traveller ".repeat(12);
    let typed = format!(":length 1000000\r{prefix}");
    let echoed = console_after(&typed, None).shown.len();
    let console = console_after(&(typed + "\r"), Some((echoed + WRITTEN, CTRL_C)));
    assert!(console.shown.ends_with(b"^C\r\n> "));
    let feeds_at = |bytes: usize| console.feeds.iter().filter(|&&at| at == bytes).count();
    let while_primed = feeds_at(echoed);
    assert!(while_primed > prefix.len(), "{while_primed} for a prefix of {}", prefix.len());
    for written in 1..=WRITTEN {
        assert!(feeds_at(echoed + written) > 0, "hungry after {written} characters");
    }
}

/// Between two feeds at most one character of the model's own prefixes is shown, however long they
/// are.
#[test]
fn the_watchdog_is_fed_while_a_prefix_is_shown() {
    let model: Model<'_> = Model::load(MODEL).unwrap();
    let own = model.prefixes().next().unwrap();
    let console = console_after(":length 1\r\r", None);
    let shown = console.shown.windows(own.len()).position(|window| window == own.as_bytes());
    let start = shown.expect("it is shown");
    for bytes in 0..own.len() {
        assert!(console.feeds.contains(&(start + bytes)), "hungry after {bytes} bytes of {own}");
    }
}

#[test]
fn missing_and_unfit_models_are_named() {
    let mut damaged = MODEL.to_vec();
    damaged[MODEL.len() / 2] ^= 4;
    // In the last biases, which could then be too large for any sum.
    let mut saturated = MODEL.to_vec();
    saturated[MODEL.len() - 16..].fill(0x7F);
    let mut newer = MODEL.to_vec();
    newer[4] += 1;
    let cases = [
        (Flash::new(&[], 0xFF), "error: there is no model\n"),
        (Flash::new(&[], 0), "error: there is no model\n"),
        (Flash::new(b"something else", 0xFF), "error: not a Charcell artifact"),
        (Flash::new(&damaged, 0xFF), "error: the artifact is damaged"),
        (Flash::new(&saturated, 0xFF), "error: the artifact is damaged"),
        (Flash::new(&newer, 0xFF), "error: the artifact has format version"),
    ];
    for (flash, error) in &cases {
        let shown = shown("the\r:info\r", &flash.0);
        assert_eq!(shown.matches(error).count(), 2, "{error} isn't twice in:\n{shown}");
        assert!(shown.contains("charcell firmware --board desk --model FILE\n> "), "{shown}");
        assert!(shown.contains("model     none: "), "{shown}");
    }
    let too_large = shown("the\r", &MODEL[..MODEL.len() / 2]);
    assert!(too_large.contains("but its slot in flash has"), "{too_large}");
    let with_rest = shown("the\r", &Flash::new(MODEL, 0xFF).0);
    assert!(with_rest.contains(&text("the", 200, Sampling::greedy())), "{with_rest}");
    let mut console = Console { input: b"the\r".iter().copied().collect(), ..Console::default() };
    run(desk(&mut console), &IDENTITY, MODEL, &mut [0; 1000]);
    let shown = String::from_utf8(console.shown).unwrap();
    assert!(shown.contains("bytes of state, but the state has 1000"), "{shown}");
}
