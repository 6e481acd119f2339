//! The firmware in C, `infer-core-c/example/`: the texts it writes, and what can be linked together
//! with the library.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use charcell::Artifact;
use charcell_flash::Board;
use device_tests::c_library::{
    self, COMPILER, CodeBytes, Library, code_bytes, folder, page, page_command,
};
use device_tests::console::Console;
use device_tests::{firmware, machines, models};
use infer_core::Sampling;
use xshell::cmd;
use xtask::tools::ARM_GCC;
use xtask::{root, shell, targets};

/// The most bytes of code and constants that the library may add to a firmware: its own, and its
/// own if weights are copied to RAM, with these options for Cargo.
const MAX_OWN_BYTES: [(&[&str], u64, u64); 2] = [(&[], 8_000, 9_000), (&COMPACT, 11_000, 12_800)];

/// The same of Rust's core library.
const MAX_COMPILERS_BYTES: u64 = 1_000;

/// Options for a library that reads compact artifacts.
const COMPACT: [&str; 2] = ["--features", "compact"];

/// The length and sampling of the firmware's texts: see its `main.c`.
const LENGTH: usize = 200;
const SAMPLING: Sampling = Sampling::random().with_temperature_milli(700).with_seed(7);

/// The firmware's board.
const BOARD: &str = "mps2-an386";

/// Targets of a Cortex-M4: calls pass floating-point numbers in FPU registers, or in core
/// registers.
const HARD: &str = targets::CORTEX_M4F;
const SOFT: &str = "thumbv7em-none-eabi";

/// Words of the page's command that `link` replaces.
const MAIN: &str = "infer-core-c/example/main.c";
const OBJECT: &str = "charcell.o";

/// Builds the firmware and runs it on an emulated Cortex-M4; it must not contain a panic.
#[test]
fn the_firmware_writes_what_the_host_writes() -> Result<()> {
    let firmware = link("hard", &[(OBJECT, &path(&build(HARD)?.object))], &[])?;
    talk(&firmware)?;
    let shell = shell(".")?;
    let symbols = cmd!(shell, "arm-none-eabi-nm {firmware}").quiet().read()?;
    ensure!(symbols.contains("charcell_load"), "no symbols:\n{symbols}");
    let panic = symbols.lines().find(|symbol| symbol.contains("panic"));
    ensure!(panic.is_none(), "the firmware can panic: {}", panic.unwrap_or_default());
    Ok(())
}

#[test]
fn it_writes_the_same_with_both_other_abis() -> Result<()> {
    let soft = path(&build(SOFT)?.object);
    for abi in ["soft", "softfp"] {
        let float_abi = format!("-mfloat-abi={abi}");
        talk(&link(abi, &[("-mfloat-abi=hard", &float_abi), (OBJECT, &soft)], &[])?)?;
    }
    Ok(())
}

#[test]
fn it_writes_the_same_without_a_c_library() -> Result<()> {
    let archive = path(&build(HARD)?.archive);
    talk(&link("alone", &[(OBJECT, &*archive), ("--specs=nosys.specs", "-nostdlib")], &[])?)
}

/// Once with the whole shipped model in RAM, and once with a part of it.
#[test]
fn it_writes_the_same_with_weights_in_ram() -> Result<()> {
    let object = path(&build(HARD)?.object);
    for (name, bytes) in [("ram", "-DRAM_BYTES=0x100000"), ("some-ram", "-DRAM_BYTES=100001")] {
        talk(&link(name, &[(OBJECT, &object)], &[bytes])?)?;
    }
    Ok(())
}

/// The library also builds with tables of all scripts.
#[test]
fn the_library_builds_with_unicode() -> Result<()> {
    c_library::build(HARD, &["--features", "unicode"]).map(drop)
}

/// The library's code must stay within the limits that the page states.
#[test]
fn the_code_is_as_small_as_stated() -> Result<()> {
    let page = page()?.replace('\n', " ");
    for (options, most, most_with_ram) in MAX_OWN_BYTES {
        let CodeBytes { own, compilers } = code_bytes("charcell_load", options)?;
        let with_ram = code_bytes("charcell_load_with_ram", options)?.own;
        for (bytes, most) in
            [(own, most), (compilers, MAX_COMPILERS_BYTES), (with_ram, most_with_ram)]
        {
            println!("{options:?}: {bytes} bytes of code and constants, {most} at most");
            ensure!(bytes <= most, "{bytes} bytes are more than {most}");
            ensure!(page.contains(&format!("at most {most} bytes")), "the page says otherwise");
        }
    }
    Ok(())
}

/// For every target of the page's table, the library links with the options of GCC in the same row.
#[test]
fn the_example_has_the_memory_of_its_board() -> Result<()> {
    let boards = machines::boards()?;
    let board = boards.iter().find(|board| board.name == "mps2-an386").context("no such board")?;
    let script = fs::read_to_string(root().join("infer-core-c/example/mps2-an386.ld"))?;
    let script = script.split_whitespace().collect::<Vec<_>>().join(" ");
    let (flash, models, ram) = (board.flash(), board.models(), &board.ram);
    for (region, range) in [
        ("FLASH (rx)", flash.start..models.start),
        ("MODEL (r)", models),
        ("RAM (rwx)", ram.address..ram.address + (ram.kilobytes << 10)),
    ] {
        let (start, megabytes) = (range.start, range.len() >> 20);
        let line = format!("{region} : ORIGIN = {start:#010x}, LENGTH = {megabytes}M");
        ensure!(script.contains(&line), "the linker script lacks {line}");
    }
    Ok(())
}

#[test]
fn each_target_of_the_page_links() -> Result<()> {
    ARM_GCC.check()?;
    let (page, shell) = (page()?, shell(".")?);
    let rows = page.lines().filter_map(|line| {
        let [_, _, options, target, _] = line.split('|').collect::<Vec<_>>().try_into().ok()?;
        let options = options.trim().strip_prefix('`')?.strip_suffix('`')?;
        Some((options.split(' '), target.trim().trim_matches('`')))
    });
    let mut linked = 0;
    for (mut options, target) in rows {
        let (object, program) =
            (c_library::build(target, &[])?.object, folder()?.join("table.elf"));
        if options.clone().any(|option| option.starts_with("-mcpu")) {
            let options = options.by_ref();
            let strictly = "-Wl,--fatal-warnings,-z,noexecstack,-e,charcell_load";
            cmd!(shell, "{COMPILER} {options...} -mthumb -nostartfiles {strictly} -o {program}")
                .arg(object)
                .quiet()
                .run()?;
            linked += 1;
        }
    }
    ensure!(linked >= 9, "the page's table has {linked} rows for Arm");
    Ok(())
}

/// Types prefixes on the console of `firmware`, which must continue them as the host does, and say
/// what is wrong with a damaged or missing model.
fn talk(firmware: &Path) -> Result<()> {
    let bytes = fs::read(models::shipped())?;
    let mut console = continue_prefixes(firmware, &models::shipped())?;
    let shown = console.ask("the €")?;
    ensure!(
        shown.contains("€: the text has a character"),
        "an unknown character is answered by {shown}"
    );
    // The last character of the first line straddles the end of the line buffer.
    for line in ["a".repeat(239) + "é", "a".repeat(241)] {
        let shown = console.ask(&line)?;
        ensure!(
            shown.ends_with("a line can have up to 240 bytes"),
            "a long line is answered by {shown}"
        );
    }
    let damaged = firmware.with_extension("damaged");
    fs::write(&damaged, [&bytes[..bytes.len() - 1], &[!bytes[bytes.len() - 1]]].concat())?;
    for (model, error) in [(Some(&*damaged), "damaged"), (None, "not a Charcell artifact")] {
        let shown = start(firmware, model)?.ask("the")?;
        ensure!(shown.contains(error), "\"{error}\" isn't in: {shown}");
    }
    Ok(())
}

/// The console of `firmware` with `model` in its flash, after the first line.
fn start(firmware: &Path, model: Option<&Path>) -> Result<Console> {
    let mut console = firmware::console(the_board()?, firmware, model)?;
    console.answer()?;
    Ok(console)
}

/// Types the prefixes of `model` on the console of `firmware`, which must continue them as the host
/// does.
fn continue_prefixes(firmware: &Path, model: &Path) -> Result<Console> {
    let artifact = Artifact::read(model)?;
    let host = artifact.model()?;
    let mut console = start(firmware, Some(model))?;
    for prefix in &host.header().prefixes {
        let (shown, expected) = (console.ask(prefix)?, host.text(prefix, LENGTH, SAMPLING)?);
        ensure!(shown == expected, "the board and the host differ:\n{shown}\n{expected}");
    }
    Ok(console)
}

/// Compact models, from flash, with a part of their weights in RAM, and with all; a library without
/// the feature refuses them.
#[test]
fn it_writes_the_same_with_compact_models() -> Result<()> {
    let plain = link("plain", &[(OBJECT, &path(&build(HARD)?.object))], &[])?;
    let object = path(&c_library::build(HARD, &COMPACT)?.object);
    let mut firmwares = vec![link("compact", &[(OBJECT, &object)], &[])?];
    for (name, bytes) in [("compact-some-ram", "1001"), ("compact-ram", "0x100000")] {
        let bytes = format!("-DRAM_BYTES={bytes}");
        firmwares.push(link(name, &[(OBJECT, &object)], &[&bytes])?);
    }
    for name in ["tiny-int4", "tiny-sparse", "tiny-narrow"] {
        let model = root().join("infer-core/tests/models").join(name).with_extension("postcard");
        for firmware in &firmwares {
            continue_prefixes(firmware, &model)?;
        }
        let shown = start(&plain, Some(&model))?.ask("the")?;
        ensure!(shown.contains("compact"), "without the feature, {name} is answered by: {shown}");
    }
    Ok(())
}

/// A static Rust library with its own panic handler can be linked together with the object, and one
/// that includes the crate can replace the object.
#[test]
fn it_writes_the_same_beside_and_within_another_rust_library() -> Result<()> {
    let library = build(HARD)?;
    let second = rust_library("second", "", "")?;
    let object = path(&library.object);
    let more = ["-Wl,-u,second_function", &*path(&second)];
    talk(&link("beside-rust", &[(OBJECT, &object)], &more)?)?;

    let dependency = format!(
        "infer-core-c = {{ path = '{}', default-features = false }}",
        root().join("infer-core-c").display()
    );
    let both = rust_library("both", &dependency, "pub use infer_core_c::*;")?;
    talk(&link("within-rust", &[(OBJECT, &path(&both))], &more[..1])?)?;
    Ok(())
}

/// A static Rust library that can panic, built without link-time optimisation, as most are.
fn rust_library(name: &str, dependency: &str, source: &str) -> Result<PathBuf> {
    let folder = folder()?.join(name);
    fs::create_dir_all(&folder)?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\
         crate-type = [\"staticlib\"]\n\n[dependencies]\n{dependency}\n\n[workspace]\n"
    );
    let source = format!(
        "#![no_std]\n{source}\n\
         #[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {{\n    loop {{}}\n}}\n\n\
         #[unsafe(no_mangle)]\nextern \"C\" fn second_function(index: usize) -> u8 {{\n    \
         b\"second\"[index]\n}}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("lib.rs"), source)?;
    let shell = shell(&folder)?;
    let build = targets::cargo(&shell, "build", HARD)?;
    build.args(["--quiet", "--release", "--target-dir", "target"]).run()?;
    Ok(folder.join("target").join(HARD).join("release").join(format!("lib{name}.a")))
}

/// The program on the page, which uses newlib's `printf`, writes what the host writes. Functions
/// that both Rust and newlib or GCC provide come from newlib and GCC.
#[test]
fn the_program_on_the_page_runs_with_newlib() -> Result<()> {
    let library = build(HARD)?;
    let (main, object) = (path(&snippet("infer-core-c/README.md")?), path(&library.object));
    let archive = &*path(&library.archive);
    let map = folder()?.join("newlib.map");
    let listing = format!("-Wl,-u,memcmp,--cref,-Map={}", map.display());
    let link = |library: &str, more: &[&str]| {
        let program =
            link("newlib", &[(MAIN, &main), (OBJECT, library)], &[&[&*listing], more].concat())?;
        anyhow::Ok((program, rusts_functions(&fs::read_to_string(&map)?)?))
    };
    // The archive provides the functions, unless it comes after the C library.
    ensure!(
        !link(archive, &[])?.1.is_empty(),
        "the map doesn't show which functions the archive provides"
    );
    let (_, taken) = link("-lc", &["-lgcc", archive])?;
    ensure!(taken.is_empty(), "after the C library, the archive provides {taken:?}");
    let (program, taken) = link(&object, &[])?;
    ensure!(taken.is_empty(), "the object provides {taken:?}");

    let artifact = Artifact::read(&models::shipped())?;
    let expected = artifact.model()?.text("the traveller", LENGTH, Sampling::greedy())?;
    let mut console = firmware::console(the_board()?, &program, Some(&models::shipped()))?;
    let shown = console.until(|shown| shown.ends_with("done\n"))?;
    let text = shown.strip_suffix("\ndone\n").unwrap_or_default();
    ensure!(
        text.chars().count() == LENGTH && expected.ends_with(text),
        "the board and the host differ:\n{shown}\n{expected}"
    );
    Ok(())
}

/// The functions that a program with this `map` takes from Rust, of those that Rust and newlib or
/// GCC provide.
fn rusts_functions(map: &str) -> Result<Vec<&'static str>> {
    const FUNCTIONS: [&str; 6] =
        ["memcpy", "memcmp", "memset", "__aeabi_dadd", "__aeabi_dmul", "__aeabi_ddiv"];
    let (_, table) = map.split_once("Cross Reference Table").context("no cross references")?;
    let mut rusts = Vec::new();
    for function in FUNCTIONS {
        // The first file listed for a symbol is the one that defines it.
        let file = table.lines().find_map(|line| line.strip_prefix(function)?.strip_prefix(' '));
        let file = file.with_context(|| format!("no {function} in the map"))?;
        if !["/libc.a(", "/libgcc.a("].iter().any(|library| file.contains(library)) {
            rusts.push(function);
        }
    }
    Ok(rusts)
}

/// Links the example into the program `name` as the page says, with some words `replaced` and
/// `more` at the end.
fn link(name: &str, replaced: &[(&str, &str)], more: &[&str]) -> Result<PathBuf> {
    let firmware = folder()?.join(format!("{name}.elf"));
    let mut words = page_command(COMPILER)?;
    for &(from, to) in [replaced, &[("firmware.elf", &*path(&firmware))]].concat().iter() {
        let word = words.iter_mut().find(|word| *word == from);
        *word.with_context(|| format!("the page's command has no {from}"))? = to.to_owned();
    }
    let shell = shell(".")?;
    cmd!(shell, "{COMPILER} -Wall -Wextra -Werror {words...} {more...}").quiet().run()?;
    Ok(firmware)
}

/// The C code on the pages compiles, and the header also compiles as C++.
#[test]
fn the_c_on_the_pages_compiles() -> Result<()> {
    ARM_GCC.check()?;
    let shell = shell(".")?;
    const CPP: &str = "#include \"charcell.h\"\n\
        alignas(CHARCELL_MEMORY_ALIGNMENT)\n\
        static uint8_t memory[CHARCELL_MEMORY_BYTES(256, 64, 1)];\n\
        charcell_status load(const uint8_t *artifact, size_t bytes,\n\
        charcell_generator **generator) {\n\
        return charcell_load(artifact, bytes, memory, sizeof memory, generator);\n}\n";
    let cpp = folder()?.join("snippet.cpp");
    fs::write(&cpp, CPP)?;
    let sources = [
        (COMPILER, "-std=c11", snippet("README.md")?),
        (COMPILER, "-std=c11", snippet("infer-core-c/README.md")?),
        ("arm-none-eabi-g++", "-std=c++11", cpp),
    ];
    for (compiler, standard, source) in sources {
        let object = folder()?.join("snippet.o");
        let options = [standard, "-Wall", "-Wextra", "-Werror", "-Iinfer-core-c/include"];
        cmd!(shell, "{compiler} {options...} -c -o {object} {source}").quiet().run()?;
        let symbols = cmd!(shell, "arm-none-eabi-nm {object}").quiet().read()? + "\n";
        ensure!(symbols.contains("U charcell_load\n"), "{compiler} uses another name:\n{symbols}");
    }
    Ok(())
}

/// Writes the C code of a `page` to a file, and returns its path.
fn snippet(page: &str) -> Result<PathBuf> {
    let text = fs::read_to_string(root().join(page))?;
    let snippet = text.split_once("```c\n").and_then(|(_, rest)| rest.split_once("```"));
    let (snippet, _) = snippet.with_context(|| format!("{page} has no C"))?;
    let source = folder()?.join(page.replace('/', "-")).with_extension("c");
    fs::write(&source, snippet)?;
    Ok(source)
}

fn the_board() -> Result<&'static Board> {
    machines::the_board(BOARD)
}

fn build(target: &str) -> Result<Library> {
    ARM_GCC.check()?;
    c_library::build(target, &[])
}

/// A path as a word of a command.
fn path(path: &Path) -> String {
    path.display().to_string()
}
