//! `infer-core-c` as a C project takes it: built and linked by the commands on its page, and how
//! much code it brings along.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex};

use crate::process::{command, root, run};
use crate::{requirements, targets};

/// The compiler, which links as well.
pub(crate) const COMPILER: &str = "arm-none-eabi-gcc";

/// What Cargo makes of the library for one target.
pub(crate) struct Library {
    /// All of the Rust code that isn't in a C project already.
    pub(crate) object: PathBuf,
    /// The same with `memcpy` and its like, for programs without a C library.
    pub(crate) archive: PathBuf,
}

/// A folder for what the tests make.
pub(crate) fn folder() -> Result<PathBuf> {
    let folder = root().join("target/xtask/c");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The page of the library.
pub(crate) fn page() -> Result<String> {
    Ok(fs::read_to_string(root().join("infer-core-c/README.md"))?)
}

/// The words after `start` in the first command on the page that starts with it.
pub(crate) fn page_command(start: &str) -> Result<Vec<String>> {
    let page = page()?.replace("\\\n", " ");
    let line = page.lines().find_map(|line| line.strip_prefix(start));
    let line = line.with_context(|| format!("the page has no {start}"))?;
    Ok(line.split_whitespace().map(str::to_owned).collect())
}

/// Builds the library for `target`, with `options` of Cargo, as the page says.
pub(crate) fn build(target: &str, options: &[&str]) -> Result<Library> {
    let object = folder()?.join(format!("{target}.o"));
    if object.exists() {
        // Only what is written now counts.
        fs::remove_file(&object)?;
    }
    let mut words = page_command("cargo rustc")?;
    let find = |words: &[String], word| {
        words.iter().position(|other| other == word).with_context(|| format!("no {word}"))
    };
    // The page's target gives way to this one.
    let page_target = find(&words, "--target")?;
    words.drain(page_target..page_target + 2);
    let compilers = find(&words, "--")?;
    words.splice(compilers..compilers, options.iter().map(|&option| option.to_owned()));
    let page_object = find(&words, "obj=charcell.o")?;
    words[page_object] = format!("obj={}", object.display());
    let mut cargo = targets::cargo("rustc", target)?;
    cargo.args(words);
    run(&mut cargo)?;
    check_optimised(&object)?;
    let archive = root().join("target").join(target).join("c-library/libinfer_core_c.a");
    Ok(Library { object, archive })
}

/// Without link-time optimisation, what the object calls in other crates isn't in it.
fn check_optimised(object: &Path) -> Result<()> {
    let bytes = fs::read(object).with_context(|| object.display().to_string())?;
    let file = object::File::parse(&*bytes)?;
    let missing = file.symbols().filter(|symbol| symbol.is_undefined());
    let mut missing = missing.filter_map(|symbol| symbol.name().ok());
    let crates = missing.find(|name| name.starts_with("_ZN") || name.starts_with("_R"));
    ensure!(crates.is_none(), "{} lacks {}", object.display(), crates.unwrap_or_default());
    Ok(())
}

/// Builds the library for every target of the page's table, and links it with the options of GCC
/// that stand beside it.
pub(crate) fn check_table() -> Result<()> {
    requirements::arm_gcc()?;
    let page = page()?;
    let rows = page.lines().filter_map(|line| {
        let [_, _, options, target, _] = line.split('|').collect::<Vec<_>>().try_into().ok()?;
        Some((
            options.trim().strip_prefix('`')?.strip_suffix('`')?,
            target.trim().trim_matches('`'),
        ))
    });
    let mut linked = 0;
    for (options, target) in rows {
        let library = build(target, &[])?;
        if options.starts_with("-mcpu") {
            let mut gcc = command(COMPILER);
            gcc.args(options.split(' ')).args(["-mthumb", "-nostartfiles"]);
            gcc.arg("-Wl,--fatal-warnings,-z,noexecstack,-e,charcell_load");
            run(gcc.arg("-o").arg(folder()?.join("table.elf")).arg(library.object))?;
            linked += 1;
        }
    }
    ensure!(linked >= 9, "the page's table has {linked} rows for Arm");
    Ok(())
}

/// Bytes of code and constants that loading and generating bring into a firmware.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeBytes {
    /// Of `infer-core` and its C interface.
    pub(crate) own: u64,
    /// Of Rust's core library: the check of UTF-8.
    pub(crate) compilers: u64,
}

/// What loading by the function called `load` and generating bring into a firmware.
pub(crate) fn code_bytes(load: &str) -> Result<CodeBytes> {
    requirements::arm_gcc()?;
    let linked = folder()?.join("linked.o");
    let mut link = command(COMPILER);
    link.args(["-nostdlib", "-r"]).arg(format!("-Wl,--gc-sections,-e,{load}"));
    link.args(["restart", "prime", "next"].map(|name| format!("-Wl,-u,charcell_{name}")));
    run(link.arg("-o").arg(&linked).arg(build(targets::CORTEX_M4F, &[])?.object))?;
    sizes(&fs::read(linked)?)
}

/// The sizes of the sections of code and constants in an object, each of which has one function or
/// constant, by the crate that they come from.
///
/// The core library's are the functions with its name, and the constants that these alone refer to.
fn sizes(object: &[u8]) -> Result<CodeBytes> {
    let file = object::File::parse(object)?;
    let is_cores = |name: &str| name.contains("4core") && !name.contains("infer_core");
    let mut sections = Vec::new();
    let [mut by_core, mut by_own] = [HashSet::<SectionIndex>::new(), HashSet::new()];
    for section in file.sections() {
        let name = section.name()?;
        if [".text", ".rodata"].iter().any(|kind| name.starts_with(kind)) {
            let users = if is_cores(name) { &mut by_core } else { &mut by_own };
            users.extend(section.relocations().filter_map(|(_, relocation)| {
                let RelocationTarget::Symbol(symbol) = relocation.target() else { return None };
                file.symbol_by_index(symbol).ok()?.section_index()
            }));
            sections.push((section.index(), name, section.size()));
        }
    }
    let mut code = CodeBytes { own: 0, compilers: 0 };
    for (index, name, bytes) in sections {
        let is_cores_constant =
            name.starts_with(".rodata") && by_core.contains(&index) && !by_own.contains(&index);
        let is_compilers = is_cores(name) || is_cores_constant;
        *(if is_compilers { &mut code.compilers } else { &mut code.own }) += bytes;
    }
    ensure!(code.own > 0 && code.compilers > 0, "no sizes: {code:?}");
    Ok(code)
}
