//! `infer-core-c` as a C project uses it: built and linked with the commands on its page, and the
//! size of its code.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex};

use xshell::cmd;
use xtask::tools::ARM_GCC;
use xtask::{root, shell, targets};

use crate::{lock, put};

/// The compiler, which also links.
pub const COMPILER: &str = "arm-none-eabi-gcc";

/// The library, built by Cargo for one target.
#[derive(Debug)]
pub struct Library {
    /// All of the Rust code, without the functions that a C project already has.
    pub object: PathBuf,
    /// The same with `memcpy` and similar functions, for programs without a C library.
    pub archive: PathBuf,
}

/// A folder for files that the tests create.
pub fn folder() -> Result<PathBuf> {
    crate::folder("c")
}

/// The text of the library's page.
pub fn page() -> Result<String> {
    Ok(fs::read_to_string(root().join("infer-core-c/README.md"))?)
}

/// The words after `start` in the first command on the page that starts with it.
pub fn page_command(start: &str) -> Result<Vec<String>> {
    let page = page()?.replace("\\\n", " ");
    let line = page.lines().find_map(|line| line.strip_prefix(start));
    let line = line.with_context(|| format!("the page has no {start}"))?;
    Ok(line.split_whitespace().map(str::to_owned).collect())
}

/// Builds the library for `target` as the page says, with further `options` for Cargo.
pub fn build(target: &str, options: &[&str]) -> Result<Library> {
    let _lock = lock(&format!("c-{target}"))?;
    let object = folder()?.join(format!("{target}{}.o", options.concat()));
    let mut words = page_command("cargo rustc")?;
    let find = |words: &[String], word| {
        words.iter().position(|other| other == word).with_context(|| format!("no {word}"))
    };
    // Remove the page's target.
    let page_target = find(&words, "--target")?;
    words.drain(page_target..page_target + 2);
    let compilers = find(&words, "--")?;
    words.splice(compilers..compilers, options.iter().map(|&option| option.to_owned()));
    let page_object = find(&words, "obj=charcell.o")?;
    // Another test may be linking the existing object.
    let new = object.with_extension("new.o");
    words[page_object] = format!("obj={}", new.display());
    let shell = shell(".")?;
    targets::cargo(&shell, "rustc", target)?.arg("--quiet").args(words).run()?;
    check_optimised(&new)?;
    fs::rename(new, &object)?;
    let archive = object.with_extension("a");
    put(&root().join("target").join(target).join("c-library/libinfer_core_c.a"), &archive)?;
    Ok(Library { object, archive })
}

/// Fails if the object was built without link-time optimisation, and so lacks functions that it
/// calls in other crates.
fn check_optimised(object: &Path) -> Result<()> {
    let bytes = fs::read(object).with_context(|| object.display().to_string())?;
    let file = object::File::parse(&*bytes)?;
    let missing = file.symbols().filter(|symbol| symbol.is_undefined());
    let mut missing = missing.filter_map(|symbol| symbol.name().ok());
    let crates = missing.find(|name| name.starts_with("_ZN") || name.starts_with("_R"));
    ensure!(crates.is_none(), "{} lacks {}", object.display(), crates.unwrap_or_default());
    Ok(())
}

/// Bytes of code and constants that loading and generating add to a firmware.
#[derive(Debug, Clone, Copy)]
pub struct CodeBytes {
    /// Those of `infer-core` and its C interface.
    pub own: u64,
    /// Those of Rust's core library: the check of UTF-8.
    pub compilers: u64,
}

/// Measures loading with the function named `load`, and generating, in a library built with further
/// `options` for Cargo.
pub fn code_bytes(load: &str, options: &[&str]) -> Result<CodeBytes> {
    ARM_GCC.check()?;
    let name = format!("{load}{}.o", options.concat());
    let (shell, linked) = (shell(".")?, folder()?.join(name));
    let entries = ["restart", "prime", "next"].map(|name| format!("-Wl,-u,charcell_{name}"));
    let library = build(targets::CORTEX_M4F, options)?.object;
    cmd!(shell, "{COMPILER} -nostdlib -r -Wl,--gc-sections,-e,{load} {entries...} -o {linked}")
        .arg(library)
        .quiet()
        .run()?;
    sizes(&fs::read(linked)?)
}

/// The sizes of the sections of code and constants in an object, by the crate that they come from.
/// Each section has one function or constant.
///
/// The core library's sections are the functions with its name, and the constants that only these
/// functions refer to.
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
