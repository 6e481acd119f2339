//! The application on a console that consists of a USB serial port and a UART, while hosts open and
//! close the port.

use std::collections::VecDeque;
use std::convert::Infallible;

use charcell_app::{Board, Identity, Opening, Symbol, identity, run};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use infer_core::{Generator, Model, Sampling, State};

static MODEL: &[u8] = infer_core::include_model!("../../model.postcard");
static MODELS: Symbol = [];
static IDENTITY: Identity = identity("desk", &MODELS, MEMORY_BYTES);

/// Memory for the state of a model, large enough for this one.
const MEMORY_BYTES: usize = 1800;

/// An action from outside on the console.
enum Done {
    Dtr(bool),
    SentByUsb(&'static str),
    SentByUart(&'static str),
}

use Done::{Dtr, SentByUart, SentByUsb};

/// Actions, each with its time in milliseconds.
type Script = &'static [(u64, Done)];

/// The console. It is closed once the script is finished and all input is read.
#[derive(Default)]
struct Console {
    microseconds: u64,
    script: Script,
    opening: Opening,
    received: VecDeque<u8>,
    on_usb: Vec<u8>,
    on_uart: Vec<u8>,
}

impl Console {
    /// Lets one millisecond pass.
    fn pass(&mut self) {
        self.microseconds += 1000;
        while let Some(((at, done), rest)) = self.script.split_first()
            && at * 1000 <= self.microseconds
        {
            match done {
                Dtr(is_up) => self.opening.set_dtr(*is_up, self.microseconds),
                SentByUart(text) => self.received.extend(text.bytes()),
                SentByUsb(text) if self.is_open() => self.received.extend(text.bytes()),
                SentByUsb(_) => {}
            }
            self.script = rest;
        }
    }

    fn is_open(&self) -> bool {
        self.opening.is_open(self.microseconds)
    }
}

impl ErrorType for Console {
    type Error = Infallible;
}

impl ReadReady for Console {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.received.is_empty() || self.script.is_empty())
    }
}

impl Read for Console {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(byte) = self.received.pop_front() else { return Ok(0) };
        bytes[0] = byte;
        Ok(1)
    }
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        if self.is_open() {
            self.on_usb.extend_from_slice(bytes);
        }
        self.on_uart.extend_from_slice(bytes);
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
        self.0.microseconds
    }

    fn has_opened(&mut self) -> bool {
        self.0.opening.has_opened(self.0.microseconds)
    }

    fn wait(&mut self) {
        self.0.pass();
    }
}

/// The output on USB and on the UART at the end of `script`.
fn shown(script: Script) -> [String; 2] {
    let mut console = Console { script, ..Console::default() };
    run(Desk(&mut console), &IDENTITY, MODEL, &mut [0; MEMORY_BYTES]);
    [console.on_usb, console.on_uart]
        .map(|bytes| String::from_utf8(bytes).unwrap().replace("\r\n", "\n"))
}

/// The greeting of the board.
fn greeting() -> String {
    let [on_usb, on_uart] = shown(&[]);
    assert!(on_usb.is_empty() && on_uart.starts_with("\nCharcell on desk; "), "{on_uart}");
    on_uart
}

/// The continuation of `prefix`, followed by the prompt.
fn continuation(prefix: &str) -> String {
    let model = Model::load(MODEL).unwrap();
    let mut state = State::<256, 64>::new();
    let mut generator = Generator::new(&model, &mut state, Sampling::greedy()).unwrap();
    generator.prime(prefix).unwrap();
    generator.take(200).collect::<String>() + "\n> "
}

#[test]
fn what_a_port_receives_while_it_is_opened_is_not_typed() {
    let [on_usb, on_uart] = shown(&[
        (10, SentByUsb("AT\r")),
        (20, SentByUart("the")),
        (50, Dtr(true)),
        // A terminal that isn't configured yet echoes what it receives.
        (51, SentByUsb("\r\nCharcell on desk; :help lists commands\r\n256 hidden units\r\n> ")),
        (100, SentByUart(" ti")),
        (149, SentByUsb("AT+GCAP\r")),
        (150, SentByUsb("me\r")),
    ]);
    let (greeting, end) = (greeting(), continuation("the time"));
    // The terminal is also shown what was typed on the UART so far.
    assert_eq!(on_usb, format!("{greeting}the time{end}"));
    assert_eq!(on_uart, format!("{greeting}the ti{greeting}the time{end}"));
}

#[test]
fn every_terminal_is_greeted_when_it_opens_the_port() {
    let [on_usb, on_uart] = shown(&[
        (10, Dtr(true)),
        (200, SentByUsb("th")),
        (210, Dtr(false)),
        (220, SentByUsb("AT\r")),
        (230, Dtr(true)),
        // Too short for a terminal, like a modem manager probing the port.
        (300, Dtr(false)),
        (310, Dtr(true)),
        (409, SentByUsb("AT\r")),
        (410, SentByUsb("e\r")),
    ]);
    let (greeting, end) = (greeting(), continuation("the"));
    assert_eq!(on_usb, format!("{greeting}th{greeting}the{end}"));
    assert_eq!(on_uart, format!("{greeting}{greeting}th{greeting}the{end}"));
}
