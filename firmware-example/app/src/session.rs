//! The dialogue on the console: from lines to texts.

use core::fmt::{self, Write};
use core::hint::black_box;

use infer_core::layout::ALIGNMENT;
use infer_core::{Dimensions, Generator, Model, Placement, Sampling, StateView};

use crate::command::{self, Command, HELP, Settings};
use crate::line::{LINE_BYTES, Line, Typed};
use crate::slot::{SlotError, model_in};
use crate::terminal::{Event, Terminal};
use crate::{Board, Identity, Ram};

/// What the user requests at the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    /// Process the line.
    Line,
    /// Report that the line is too long.
    TooLong,
    /// Continue the next of the model's own prefixes.
    OwnPrefix,
    /// Show the prompt again.
    Nothing,
    /// Stop: the console was closed.
    End,
}

/// Continues the texts typed on the console of `board` with the model in `flash`. Returns only if
/// the console is closed.
///
/// `memory` holds the model's state and a copy of as many of its weights as fit. If the model is
/// missing, damaged or too large, the console says so.
pub fn run<B: Board>(board: B, identity: &'static Identity, flash: &[u8], memory: &mut [u8]) {
    let memory_bytes = memory.len();
    let (slot, state) = install(flash, memory);
    let mut session = Session {
        terminal: Terminal::new(board),
        // Read as it is in the image: the compiler must not assume its values.
        identity: black_box(identity),
        slot: &slot,
        memory_bytes,
        state,
        settings: Settings::default(),
        next_prefix: 0,
        last: None,
    };
    // A terminal returns no errors.
    let _ = session.run();
}

/// The model in flash, or why there isn't one that can run.
type Slot<'a> = Result<Installed<'a>, SlotError>;

/// A model found in flash.
struct Installed<'a> {
    /// The model with all weights in flash.
    in_flash: Model<'a>,
    /// The same model with weights in RAM according to `placement`; it generates the texts.
    model: Model<'a>,
    placement: Placement,
    artifact_bytes: usize,
}

/// Loads the model in `flash` and copies as many of its weights to `memory` as fit besides its
/// state. Also returns the part of `memory` for the state.
fn install<'a>(flash: &'a [u8], memory: &'a mut [u8]) -> (Slot<'a>, &'a mut [u8]) {
    let (in_flash, artifact_bytes) = match model_in(flash) {
        Ok(found) => found,
        Err(error) => return (Err(error), memory),
    };
    if let Err(error) = StateView::from_bytes(&in_flash, memory) {
        return (Err(error.into()), memory);
    }
    let padding = memory.as_ptr().align_offset(ALIGNMENT);
    let (state, ram) = memory.split_at_mut(padding + in_flash.memory().state_bytes);
    let mut model = in_flash.clone();
    let placement = model.copy_to_ram(ram);
    (Ok(Installed { in_flash, model, placement, artifact_bytes }), state)
}

/// How long characters are generated for `:info`, and at most how many.
const TIMED_MICROSECONDS: u64 = 20_000;
const TIMED_CHARACTERS: u64 = 1000;

/// How many characters were generated last, and how long that took.
#[derive(Debug, Clone, Copy)]
struct Speed {
    characters: u64,
    microseconds: u64,
}

struct Session<'s, B> {
    terminal: Terminal<B>,
    identity: &'static Identity,
    slot: &'s Slot<'s>,
    /// RAM for the model: state and weights.
    memory_bytes: usize,
    /// The part of it for the state.
    state: &'s mut [u8],
    settings: Settings,
    /// Index of the next of the model's own prefixes, not reduced by their number.
    next_prefix: usize,
    last: Option<Speed>,
}

impl<'s, B: Board> Session<'s, B> {
    fn run(&mut self) -> fmt::Result {
        self.introduce()?;
        let mut line = Line::new();
        loop {
            self.terminal.write_str("> ")?;
            match self.request(&mut line)? {
                Request::Line if line.text().starts_with(':') => self.command(line.text())?,
                Request::Line if line.text().is_empty() => self.continue_own_prefix()?,
                Request::Line => self.continue_line(line.text())?,
                Request::OwnPrefix => self.continue_own_prefix()?,
                Request::TooLong => {
                    writeln!(self.terminal, "\nerror: a line can have up to {LINE_BYTES} bytes")?;
                }
                Request::Nothing => {}
                Request::End => return Ok(()),
            }
            line.clear();
        }
    }

    /// Edits `line` until there is a request.
    fn request(&mut self, line: &mut Line) -> Result<Request, fmt::Error> {
        loop {
            match self.terminal.event() {
                Event::Byte(byte) => match line.take(byte, &mut self.terminal)? {
                    Typed::Nothing => {}
                    Typed::Line => return Ok(Request::Line),
                    Typed::TooLong => return Ok(Request::TooLong),
                    Typed::Interrupt => {
                        self.terminal.write_str("^C\n")?;
                        return Ok(Request::Nothing);
                    }
                },
                Event::Opened => {
                    self.introduce()?;
                    write!(self.terminal, "> {}", line.text())?;
                }
                Event::Button | Event::Quiet => return Ok(Request::OwnPrefix),
                Event::End => return Ok(Request::End),
            }
        }
    }

    /// Shows what the board is, and whether it has a model.
    fn introduce(&mut self) -> fmt::Result {
        writeln!(self.terminal, "\nCharcell on {}; :help lists commands", self.identity.name())?;
        match self.slot {
            Ok(installed) => writeln!(self.terminal, "{}", Size(installed)),
            Err(error) => self.say_error(error),
        }
    }

    /// Shows why there is no model, and how to write one.
    fn say_error(&mut self, error: &SlotError) -> fmt::Result {
        let (address, name) = (self.identity.model_address(), self.identity.name());
        writeln!(
            self.terminal,
            "error: {error}\n\
             to write a model to {address:#010x}: charcell firmware --board {name} --model FILE"
        )
    }

    /// Executes the command in `line`.
    fn command(&mut self, line: &str) -> fmt::Result {
        self.terminal.write_str("\n")?;
        match command::parse(line, self.settings) {
            Ok(Command::Set(settings)) => {
                self.settings = settings;
                writeln!(self.terminal, "{settings}")
            }
            Ok(Command::Info) => self.info(),
            Ok(Command::Help) => self.terminal.write_str(HELP),
            Err(error) => writeln!(self.terminal, "error: {error}"),
        }
    }

    fn info(&mut self) -> fmt::Result {
        let (slot, identity) = (self.slot, self.identity);
        writeln!(
            self.terminal,
            "firmware  {}, reads artifacts of version {}",
            identity.name(),
            identity.version()
        )?;
        match slot {
            Ok(installed) => {
                let (size, address) = (Size(installed), identity.model_address());
                writeln!(self.terminal, "model     {size} at {address:#010x}")?;
            }
            Err(error) => writeln!(self.terminal, "model     none: {error}")?,
        }
        writeln!(self.terminal, "settings  {}", self.settings)?;
        match self.last {
            Some(speed) => writeln!(self.terminal, "speed     {speed}")?,
            None => writeln!(self.terminal, "speed     unknown before the first text")?,
        }
        if let Ok(installed) = slot {
            self.info_of_memory(installed)?;
        }
        if let Some(Ram { static_bytes, stack_bytes }) = self.terminal.board().ram() {
            let memory_bytes = self.memory_bytes;
            writeln!(
                self.terminal,
                "RAM       {static_bytes} bytes static, {memory_bytes} of them for the model; \
                 stack {stack_bytes} bytes at most so far"
            )?;
        }
        Ok(())
    }

    /// Shows which part of the model is in RAM, and the speed with and without it.
    fn info_of_memory(&mut self, installed: &'s Installed<'s>) -> fmt::Result {
        let Installed { in_flash, model, placement, .. } = installed;
        let state_bytes = model.memory().state_bytes;
        let [with_ram, from_flash] = [model, in_flash].map(|model| self.time_characters(model));
        let Placement { ram_bytes, ram_bytes_read, flash_bytes_read, .. } = *placement;
        let all_bytes_read = ram_bytes_read + flash_bytes_read;
        writeln!(
            self.terminal,
            "weights   {ram_bytes_read} of the {all_bytes_read} bytes read per character are in \
             RAM: {with_ram}; from flash only: {from_flash}"
        )?;
        writeln!(
            self.terminal,
            "memory    {state_bytes} bytes of state and {ram_bytes} of weights, of {} for the \
             model",
            self.memory_bytes
        )
    }

    /// Measures how fast `model` generates. Times several characters if one takes less time than
    /// the board's clock resolves.
    fn time_characters(&mut self, model: &'s Model<'s>) -> Speed {
        let mut speed = Speed { characters: 0, microseconds: 0 };
        let board = self.terminal.board();
        let Ok(state) = StateView::from_bytes(model, self.state) else {
            // Can't fail: the size was checked when the model was loaded.
            return speed;
        };
        let mut generator = Generator::from_view(model, state, Sampling::greedy());
        // The first character needs no step, because none precedes it.
        black_box(generator.next());
        board.feed_watchdog();
        let start = board.microseconds();
        while speed.characters < TIMED_CHARACTERS && speed.microseconds < TIMED_MICROSECONDS {
            black_box(generator.next());
            board.feed_watchdog();
            speed.characters += 1;
            speed.microseconds = board.microseconds().wrapping_sub(start);
        }
        speed
    }

    /// Continues the text that was typed, on the same line.
    fn continue_line(&mut self, text: &str) -> fmt::Result {
        match self.slot {
            Ok(installed) => self.continue_text(&installed.model, text),
            Err(error) => self.say_without_model(error),
        }
    }

    /// Continues one of the model's own prefixes, a different one each time.
    fn continue_own_prefix(&mut self) -> fmt::Result {
        let model = match self.slot {
            Ok(installed) => &installed.model,
            Err(error) => return self.say_without_model(error),
        };
        let prefixes = model.prefixes().count().max(1);
        let prefix = model.prefixes().nth(self.next_prefix % prefixes).unwrap_or_default();
        self.next_prefix = self.next_prefix.wrapping_add(1);
        // Replaces what was being typed.
        self.terminal.write_str("\r\x1b[K> ")?;
        // Character by character, so that a long prefix delays neither the watchdog nor Ctrl-C.
        for character in prefix.chars() {
            if self.terminal.is_interrupted() {
                return self.terminal.write_str("^C\n");
            }
            self.terminal.write_char(character)?;
        }
        self.continue_text(model, prefix)
    }

    /// Answers a text when there is no model.
    fn say_without_model(&mut self, error: &SlotError) -> fmt::Result {
        self.terminal.write_str("\n")?;
        self.say_error(error)
    }

    /// Continues `prefix`, which is already on the console, up to the length set or Ctrl-C.
    fn continue_text(&mut self, model: &'s Model<'s>, prefix: &str) -> fmt::Result {
        if let Err(error) = model.check(prefix) {
            return writeln!(self.terminal, "\nerror: {error}");
        }
        let Settings { sampling, length } = self.settings;
        let terminal = &mut self.terminal;
        let start = terminal.board().microseconds();
        let Ok(state) = StateView::from_bytes(model, self.state) else {
            // Can't fail: the size was checked when the model was loaded.
            return Ok(());
        };
        let mut generator = Generator::from_view(model, state, sampling);
        let mut characters = 0;
        // Character by character here as well.
        for character in prefix.chars() {
            if terminal.is_interrupted() {
                return terminal.write_str("^C\n");
            }
            // Can't fail: all its characters are known.
            let _ = generator.prime(character.encode_utf8(&mut [0; 4]));
            characters += 1;
        }
        for character in generator.take(length as usize) {
            terminal.write_char(character)?;
            characters += 1;
            if terminal.is_interrupted() {
                terminal.write_str("^C")?;
                break;
            }
        }
        let microseconds = terminal.board().microseconds().wrapping_sub(start);
        self.last = Some(Speed { characters, microseconds });
        terminal.write_str("\n")
    }
}

/// A model's sizes, in words.
struct Size<'a>(&'a Installed<'a>);

impl fmt::Display for Size<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Installed { model, artifact_bytes, .. } = self.0;
        let Dimensions { vocabulary, hidden, layers } = model.dimensions();
        write!(
            formatter,
            "{hidden} hidden units in {layers} layer(s), {vocabulary} characters, \
             {artifact_bytes} bytes"
        )
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.characters * 10_000_000 / self.microseconds.max(1);
        write!(formatter, "{}.{} characters/s", tenths / 10, tenths % 10)
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sampling { temperature_milli, top_k, top_p_milli, seed } = self.sampling;
        write!(
            formatter,
            "temperature {}, top-k {top_k}, top-p {}, seed {seed}, length {}",
            Thousandths(temperature_milli),
            Thousandths(top_p_milli),
            self.length
        )
    }
}

/// A number in thousandths, shown as a decimal.
struct Thousandths(u16);

impl fmt::Display for Thousandths {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}
