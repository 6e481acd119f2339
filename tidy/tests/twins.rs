//! Each kernel has a twin on the CPU with the same name, in a file with that name.

use tidy::{File, files};

#[test]
fn every_kernel_has_a_twin_with_its_name() {
    let sources = files(&[".rs", ".wgsl"]);
    let kernels = sources.iter().filter_map(|File { path, text }| {
        let name = path.strip_prefix("shaders/wgsl/")?.strip_suffix(".wgsl")?;
        (!name.contains('/')).then_some((name, text))
    });
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (name, kernel) in kernels {
        count += 1;
        let file = format!("cpu/{name}.rs");
        let path = format!("trainer/src/{file}");
        let Some(twin) = sources.iter().find(|file| file.path == path) else {
            wrong.push(format!("{name} has no {path}"));
            continue;
        };
        let is_named = [format!("fn {name}("), format!("fn {name}<"), type_of(name)]
            .iter()
            .any(|item| twin.text.contains(item));
        if !is_named {
            wrong.push(format!("{path} has no {name}"));
        }
        let header: Vec<&str> =
            kernel.lines().map_while(|line| line.strip_prefix("//")).map(str::trim).collect();
        if !header.join(" ").contains(&file) {
            wrong.push(format!("the header of {name}.wgsl doesn't name {file}"));
        }
        if !kernel.contains(&format!("\nfn {name}(")) {
            wrong.push(format!("the entry point of {name}.wgsl isn't called {name}"));
        }
    }
    assert!(count >= 10, "{count} kernels: too few were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Converts `lstm_step` to `struct LstmStep<`.
fn type_of(name: &str) -> String {
    let parts = name.split('_').map(|part| part[..1].to_uppercase() + &part[1..]);
    format!("struct {}<", parts.collect::<String>())
}
