//! Checks models of other frameworks: each framework makes and evaluates a model, a script of
//! `interop/` converts it, and Charcell evaluates the result.

use anyhow::Result;
use xshell::cmd;
use xtask::python::{self, Environment};
use xtask::{root, shell};

/// Versions of the packages that are installed in addition to those of the benchmarks.
const REQUIREMENTS: &str = "interop/requirements.txt";

/// Models from PyTorch and back, and the files that PyTorch writes.
pub(crate) fn check_pytorch() -> Result<()> {
    check(&shared(&["torch"])?, "interop/check_pytorch.py")
}

/// Models of Keras 3.
pub(crate) fn check_keras() -> Result<()> {
    check(&shared(&["jax", "keras"])?, "interop/check_keras.py")
}

/// ONNX models, from PyTorch's exporters and made by hand.
pub(crate) fn check_onnx() -> Result<()> {
    let packages = ["onnx", "onnxruntime", "onnxscript", "torch"];
    check(&shared(&packages)?, "interop/check_onnx.py")
}

/// Models of MXNet Gluon, whose last release doesn't work with newer versions of Python and NumPy.
pub(crate) fn check_mxnet() -> Result<()> {
    let environment = Environment::new("python3.11", root().join("target/interop/mxnet"));
    environment.install(&["mxnet==1.9.1", "numpy==1.23.5", "safetensors==0.8.0"])?;
    check(&environment, "interop/check_mxnet.py")
}

/// The environment of the benchmarks, which already has PyTorch and JAX, with `packages` added.
fn shared(packages: &[&str]) -> Result<Environment> {
    let environment = Environment::of_peers();
    let constraints = ["--constraint", python::REQUIREMENTS, "--constraint", REQUIREMENTS];
    environment.install(&[&constraints[..], &["numpy", "safetensors"], packages].concat())?;
    Ok(environment)
}

/// Runs `script`, which compares perplexities on the text that ships with Charcell.
fn check(environment: &Environment, script: &str) -> Result<()> {
    let (shell, python) = (shell(".")?, environment.python());
    cmd!(shell, "cargo build --quiet --release --bin charcell").run()?;
    let charcell = "target/release/charcell";
    Ok(cmd!(shell, "{python} {script} {charcell} trainer/text/the-orrery.txt").run()?)
}
