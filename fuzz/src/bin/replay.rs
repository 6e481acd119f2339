//! Runs every fuzz target on every file in the given folders, on any machine.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let mut files = 0;
    for folder in env::args_os().skip(1).map(PathBuf::from) {
        for entry in fs::read_dir(folder)? {
            let bytes = fs::read(entry?.path())?;
            for target in &charcell_fuzz::CORE {
                (target.take)(&bytes);
            }
            #[cfg(feature = "host")]
            for target in &charcell_fuzz::HOST {
                (target.take)(&bytes);
            }
            files += 1;
        }
    }
    println!("    {files} inputs, {}-bit addresses", usize::BITS);
    Ok(())
}
