//! Runs each fuzz target for some seconds.

use anyhow::Result;
use charcell_fuzz::{CORE, Seeds};
use device_tests::fuzz::{self, Counts};
use xtask::tools::GCC_MULTILIB;
use xtask::{root, shell, targets};

/// Seconds for each target.
const SECONDS: u64 = 8;

fn search(name: &str) -> Result<()> {
    let fuzzers = fuzz::build()?;
    for target in fuzz::all().filter(|target| target.name == name) {
        let limit = format!("-max_total_time={SECONDS}");
        let Counts { executions, edges, .. } = fuzz::search(&fuzzers, target, &limit)?;
        println!("{executions} inputs, {edges} edges of the code reached");
    }
    Ok(())
}

/// A test for each target, with its name.
macro_rules! targets {
    ($($name:ident,)*) => {
        $(
            #[test]
            fn $name() -> Result<()> {
                search(stringify!($name))
            }
        )*

        #[test]
        fn all_targets_are_here() {
            let names: Vec<&str> = fuzz::all().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

targets! {
    load,
    generate,
    console,
    import,
    checkpoint,
    run_json,
    firmware,
}

/// Runs the inputs that the searches have kept so far in a program with 32-bit addresses, as on
/// microcontrollers.
#[test]
fn inputs_hold_on_32_bits() -> Result<()> {
    GCC_MULTILIB.check()?;
    let shell = shell("fuzz")?;
    let corpora = CORE.iter().map(|target| fuzz::folder(target, "corpus"));
    targets::cargo(&shell, "run", "i686-unknown-linux-gnu")?
        .args(["--quiet", "--release", "--target-dir"])
        .arg(root().join("target/fuzz"))
        .arg("--")
        .arg(root().join("fuzz/seeds"))
        .args(corpora.filter(|folder| folder.exists()))
        .run()?;
    Ok(())
}

/// A search that starts from refused inputs would hardly find accepted ones.
#[test]
fn generated_seeds_are_accepted() {
    for target in fuzz::all() {
        let Seeds::Made(make) = target.seeds else { continue };
        let seeds = make();
        assert!(!seeds.is_empty());
        for (number, seed) in seeds.iter().enumerate() {
            let name = target.name;
            assert!((target.take)(seed), "{name} refuses seed {number}");
            assert!(seed.len() <= target.longest, "{name}: {} bytes", seed.len());
        }
    }
}
