//! Chooses the model and the linker script.

fn main() {
    charcell_build_support::configure();
}
