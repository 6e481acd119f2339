//! The tasks on a host.
//!
//! Arguments: the task, a number of characters, and the artifact's file.

use std::{env, fs};

use device_programs::{LARGEST_ARTIFACT, check_kernels, write_texts};
use infer_core::artifact::Aligned;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [task, characters, file] = &arguments[..] else {
        panic!("three arguments: task, characters, file");
    };
    let bytes = fs::read(file).expect("the artifact can be read");
    let mut artifact = Box::new(Aligned([0; LARGEST_ARTIFACT]));
    let artifact = &mut artifact.0[..bytes.len()];
    artifact.copy_from_slice(&bytes);
    let characters = characters.parse().expect("a number of characters");
    let mut output = String::new();
    match task.as_str() {
        "texts" => write_texts(artifact, characters, &mut output),
        "kernels" => {
            check_kernels();
            Ok(())
        }
        _ => panic!("unknown task: {task}"),
    }
    .expect("writing to a string doesn't fail");
    print!("{output}");
}
