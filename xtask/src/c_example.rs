//! The firmware in C, `infer-core-c/example/`: its texts, and how much code the library takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use charcell::Artifact;
use charcell::boards::board;
use infer_core::Sampling;

use crate::firmware::{self, shipped_model};
use crate::process::{command, output, root, run};
use crate::{requirements, targets};

/// The most bytes of code and constants that the library may bring into a firmware: its own, and
/// those of Rust's core library.
const MAX_OWN_BYTES: u64 = 8_000;
const MAX_COMPILERS_BYTES: u64 = 2_500;

/// How many characters the firmware writes, and how: see its `main.c`.
const LENGTH: usize = 200;
const SAMPLING: Sampling = Sampling::greedy().with_temperature_milli(700).with_seed(7);

/// The board that it is for.
const BOARD: &str = "mps2-an386";

/// The compiler, for the processor that the Rust target stands for.
const COMPILER: &str = "arm-none-eabi-gcc";
const PROCESSOR: [&str; 4] =
    ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"];

/// Builds the firmware and runs it on an emulated Cortex-M4, where it has to write what the host
/// writes; no panic may be linked, and the library's code has to stay within its limit.
pub(crate) fn check() -> Result<()> {
    requirements::arm_gcc()?;
    fs::create_dir_all(root().join("target/xtask"))?;
    ["README.md", "infer-core-c/README.md"].into_iter().try_for_each(compile_snippet)?;
    library(&["--features", "unicode"])?;
    let library = library(&[])?;
    let firmware = firmware(&library)?;
    let texts = talk(&firmware)?;

    let symbols = output(command("arm-none-eabi-nm").arg(&firmware))?;
    ensure!(symbols.contains("charcell_load"), "no symbols:\n{symbols}");
    let panic = symbols.lines().find(|symbol| symbol.contains("panic"));
    ensure!(panic.is_none(), "the firmware can panic: {}", panic.unwrap_or_default());
    let CodeBytes { own, compilers } = library_bytes(&library)?;
    println!("    {texts} texts as on the host; the library brings {own} bytes of its own code");
    println!("    and constants, and {compilers} of the compiler's");
    let page = fs::read_to_string(root().join("infer-core-c/README.md"))?;
    for (bytes, most) in [(own, MAX_OWN_BYTES), (compilers, MAX_COMPILERS_BYTES)] {
        ensure!(bytes <= most, "{bytes} bytes are more than {most}");
        ensure!(page.contains(&format!("at most {most} bytes")), "the page says otherwise");
    }
    Ok(())
}

/// Types prefixes on the console of `firmware`, which has to continue them as the host does, and to
/// name what is wrong with a damaged model, and with none.
fn talk(firmware: &Path) -> Result<usize> {
    let board = board(BOARD).context("the board is in the table")?;
    let start = |model: Option<&Path>| firmware::console(board, firmware, model);
    let bytes = fs::read(shipped_model())?;
    let artifact = Artifact::read(&shipped_model())?;
    let host = artifact.model()?;
    let prefixes = &host.header().prefixes;
    let mut console = start(Some(&shipped_model()))?;
    console.answer()?;
    for prefix in prefixes {
        let (shown, expected) = (console.ask(prefix)?, host.text(prefix, LENGTH, SAMPLING)?);
        ensure!(shown == expected, "the board and the host differ:\n{shown}\n{expected}");
    }
    let shown = console.ask("the €")?;
    ensure!(
        shown.contains("€: the text has a character"),
        "an unknown character is answered by {shown}"
    );
    // Its last character lies across the end of the line's place.
    for line in ["a".repeat(239) + "é", "a".repeat(241)] {
        let shown = console.ask(&line)?;
        ensure!(
            shown.ends_with("a line has up to 240 bytes"),
            "a long line is answered by {shown}"
        );
    }
    let damaged = root().join("target/xtask/c-example.bin");
    fs::write(&damaged, [&bytes[..bytes.len() - 1], &[!bytes[bytes.len() - 1]]].concat())?;
    for (model, error) in [(Some(&*damaged), "damaged"), (None, "not a Charcell artifact")] {
        let mut console = start(model)?;
        console.answer()?;
        let shown = console.ask("the")?;
        ensure!(shown.contains(error), "\"{error}\" isn't in: {shown}");
    }
    Ok(prefixes.len())
}

/// Builds the static library for a Cortex-M4, with `options` of Cargo.
fn library(options: &[&str]) -> Result<PathBuf> {
    let mut build = targets::cargo("build", targets::CORTEX_M4F)?;
    run(build.args(["--release", "--package", "infer-core-c"]).args(options))?;
    Ok(root().join("target").join(targets::CORTEX_M4F).join("release/libinfer_core_c.a"))
}

/// Links the example with `library`, as infer-core-c/README.md says.
fn firmware(library: &Path) -> Result<PathBuf> {
    let firmware = root().join("target/xtask/c-example.elf");
    let mut gcc = gcc(&firmware);
    gcc.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-I../include"]);
    gcc.args(["-Tmps2-an386.ld", "main.c", "mps2-an386.c"]);
    run(gcc.arg(library).current_dir(root().join("infer-core-c/example")))?;
    Ok(firmware)
}

/// Compiles the lines of C on a `page`.
fn compile_snippet(page: &str) -> Result<()> {
    let text = fs::read_to_string(root().join(page))?;
    let snippet = text.split_once("```c\n").and_then(|(_, rest)| rest.split_once("```"));
    let (snippet, _) = snippet.with_context(|| format!("{page} has no C"))?;
    let source = root().join("target/xtask/snippet.c");
    fs::write(&source, snippet)?;
    let mut gcc = command(COMPILER);
    gcc.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fsyntax-only"]);
    run(gcc.arg("-Iinfer-core-c/include").arg(source)).with_context(|| page.to_owned())
}

/// Bytes of code and constants that loading and generating bring into a firmware.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeBytes {
    /// Of `infer-core` and its C interface.
    pub(crate) own: u64,
    /// Of Rust's core library, which a firmware in Rust mostly has anyway: memcpy, UTF-8.
    pub(crate) compilers: u64,
}

/// What loading and generating bring into a firmware.
pub(crate) fn code_bytes() -> Result<CodeBytes> {
    requirements::arm_gcc()?;
    fs::create_dir_all(root().join("target/xtask"))?;
    library_bytes(&library(&[])?)
}

/// What the functions of `library` to load a model and to generate bring into a firmware: the sizes
/// of the sections in the linker's map, by the part of the library that they come from.
fn library_bytes(library: &Path) -> Result<CodeBytes> {
    /// How the parts of Rust's core library are called.
    const COMPILERS: [&str; 2] = ["(core-", "(compiler_builtins-"];
    let folder = root().join("target/xtask");
    let map = folder.join("c-library.map");
    let mut link = gcc(&folder.join("c-library.o"));
    link.args(["-r", "-Wl,-e,charcell_load"]).arg(format!("-Wl,-Map={}", map.display()));
    link.args(["restart", "prime", "next"].map(|name| format!("-Wl,-u,charcell_{name}")));
    run(link.arg(library))?;
    let map = fs::read_to_string(&map).with_context(|| map.display().to_string())?;
    let (_, map) =
        map.split_once("Linker script and memory map").context("no map of the memory")?;
    // A name that is long stands in a line of its own.
    let map = map.replace("\n                0x", " 0x");
    let mut code = CodeBytes { own: 0, compilers: 0 };
    for line in
        map.lines().filter(|line| [" .text", " .rodata"].iter().any(|s| line.starts_with(s)))
    {
        // Name, address, bytes, part; the names of symbols may follow.
        let mut fields = line.split_whitespace().skip(2);
        let (Some(bytes), Some(part)) = (fields.next(), fields.next()) else { continue };
        let bytes = u64::from_str_radix(bytes.trim_start_matches("0x"), 16)
            .with_context(|| line.to_owned())?;
        let is_compilers = COMPILERS.iter().any(|name| part.contains(name));
        *(if is_compilers { &mut code.compilers } else { &mut code.own }) += bytes;
    }
    ensure!(code.own > 0 && code.compilers > 0, "no sizes:\n{map}");
    Ok(code)
}

/// The compiler as a linker of what is needed alone, into `output`.
fn gcc(output: &Path) -> Command {
    let mut gcc = command(COMPILER);
    gcc.args(PROCESSOR).args(["-nostdlib", "-Wl,--gc-sections,-z,noexecstack", "-o"]).arg(output);
    gcc
}
