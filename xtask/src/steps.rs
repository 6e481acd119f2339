//! A list of checks, and what came of them.

use std::env;
use std::fmt;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::requirements::Missing;

/// One check with a name.
pub(crate) struct Step {
    name: String,
    action: Box<dyn Fn() -> Result<()>>,
}

impl Step {
    /// The check that `action` is.
    pub(crate) fn new(name: impl Into<String>, action: impl Fn() -> Result<()> + 'static) -> Self {
        Self { name: name.into(), action: Box::new(action) }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Step").field(&self.name).finish()
    }
}

/// Takes those of `steps` whose name contains `only` in turn, up to the first that fails, and says
/// how many passed.
pub(crate) fn run(steps: &[Step], only: &str) -> Result<()> {
    let steps: Vec<_> = steps.iter().filter(|step| step.name.contains(only)).collect();
    ensure!(!steps.is_empty(), "no step's name contains \"{only}\"");
    let is_ci = env::var("CI").is_ok_and(|value| value == "true");
    let mut passed = 0;
    let mut skipped = Vec::new();
    for (number, Step { name, action }) in (1..).zip(&steps) {
        println!("[{number}/{}] {name}", steps.len());
        let start = Instant::now();
        match action() {
            Ok(()) => {
                passed += 1;
                println!("    passed in {:.1} s", start.elapsed().as_secs_f64());
            }
            Err(error) if error.is::<Missing>() && !is_ci => {
                println!("    SKIPPED: {error:#}");
                skipped.push((name, error));
            }
            Err(error) => {
                println!("{passed} passed, 1 failed{}", Skipped(skipped.len()));
                return Err(error).with_context(|| format!("step \"{name}\" failed"));
            }
        }
    }
    for (name, reason) in &skipped {
        println!("SKIPPED {name}: {reason:#}");
    }
    println!("{passed} passed, 0 failed{}", Skipped(skipped.len()));
    Ok(())
}

/// How many steps were skipped, if any were.
struct Skipped(usize);

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            count => write!(formatter, ", {count} skipped"),
        }
    }
}
