//! The tasks on a bare core with semihosting, in an emulator or a debugger.
//!
//! Arguments: the task, a number of characters, and the artifact's address and size in bytes.
//! The exit code is zero only if everything succeeds.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "the emulator loads the artifact, at an address of its choice")]

use core::fmt;
use core::hint::black_box;
use core::panic::PanicInfo;

use device_programs::counter::Counter;
use device_programs::stack::stack_bytes;
use device_programs::{check_kernels, model, primed, write_texts};
use infer_core::Sampling;
use semihosting::{eprintln, experimental::env, print, println, process};

/// Room for the state of a model whose instructions are counted, in bytes.
const LARGEST_STATE: usize = 16 << 10;

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    let arguments = env::args::<128>().expect("the emulator passes arguments");
    // The first one is the program's name.
    let mut arguments = (&arguments).skip(1).map(|argument| argument.expect("all is text"));
    let mut next = || arguments.next().expect("task, characters, address, bytes");
    let task = next();
    let [characters, address, bytes] = [(); 3].map(|()| next().parse::<usize>().expect("a number"));
    // SAFETY: the emulator has loaded that many bytes there, and nothing else uses them.
    let artifact = unsafe { core::slice::from_raw_parts(address as *const u8, bytes) };
    match task {
        "texts" => write_texts(artifact, characters, &mut Console).expect("the console is there"),
        "kernels" => check_kernels(),
        "count" => count(artifact, characters, Sampling::greedy()),
        "count-sampled" => {
            count(artifact, characters, Sampling::random());
        }
        "stack" => stack(artifact),
        _ => panic!("unknown task: {task}"),
    }
    process::exit(0)
}

/// Prints the instructions per character: step, logits and the choice with `sampling`.
#[inline(never)] // keeps its memory off the stack of the other tasks
fn count(artifact: &[u8], characters: usize, sampling: Sampling) {
    let (model, mut memory) = (model(artifact), [0; LARGEST_STATE]);
    let mut counter = Counter::start();
    let mut generator = primed(&model, &mut memory, sampling);
    let instructions = counter.instructions(|| {
        for _ in 0..characters {
            black_box(generator.next());
        }
    });
    println!("{}", instructions as usize / characters);
}

/// Prints the bytes of stack that loading needs, and those for a character with every option of
/// sampling.
#[inline(never)] // as above
fn stack(artifact: &[u8]) {
    let mut memory = [0; LARGEST_STATE];
    let loading = stack_bytes(|| {
        black_box(model(artifact));
    });
    let model = model(artifact);
    let mut generator = primed(&model, &mut memory, Sampling::greedy());
    let sampling = Sampling::random().with_top_k(9);
    generator.restart(sampling.with_top_p_milli(900));
    generator.next();
    let character = stack_bytes(|| {
        black_box(generator.next());
    });
    println!("{loading} {character}");
}

/// The emulator's output.
struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        print!("{text}");
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    eprintln!("{info}");
    process::exit(101)
}

#[cfg(target_arch = "arm")]
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    eprintln!("fault at {:#010x}", frame.pc());
    process::exit(102)
}

#[cfg(target_arch = "riscv32")]
#[unsafe(export_name = "ExceptionHandler")]
fn exception(frame: &riscv_rt::TrapFrame) -> ! {
    eprintln!("exception, return address {:#010x}", frame.ra);
    process::exit(102)
}
