//! The header matches the code.

use std::fs;
use std::path::Path;

/// After a change of the interface, `CHARCELL_BLESS=1 cargo test` rewrites it.
#[test]
fn the_header_is_what_cbindgen_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    let builder = cbindgen::Builder::new().with_config(config).with_src(folder.join("src/lib.rs"));
    let mut made = Vec::new();
    builder.generate().unwrap().write(&mut made);
    let path = folder.join("include/charcell.h");
    if std::env::var_os("CHARCELL_BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert!(fs::read(&path).unwrap() == made, "{} isn't what cbindgen makes", path.display());
}
