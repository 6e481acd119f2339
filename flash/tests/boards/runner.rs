//! How Cargo runs each firmware: `.cargo/config.toml` in its folder.

use std::path::PathBuf;

use charcell_flash::Flashing;

use crate::{Described, Made, read, read_text};

/// The model that ships with the firmware, relative to the firmware's workspace.
const SHIPPED_MODEL: &str = "model.postcard";

/// The board that `cargo run` runs in the workspace's folder, and that folder's configuration.
const DEFAULT: (&str, &str) = ("mps2-an386", "firmware-example/.cargo/config.toml");

/// The configuration of each board.
pub(crate) fn of(boards: &[Described<'_>]) -> Vec<Made> {
    let model = read(&PathBuf::from("firmware-example").join(SHIPPED_MODEL), |path| {
        Ok(std::fs::metadata(path)?.len() as usize)
    });
    let (default, config) = DEFAULT;
    let is_default = |it: &&Described<'_>| it.board.name == default;
    let default = boards.iter().find(is_default).expect("the default is a board");
    let run = runner(default, SHIPPED_MODEL, model);
    let text = read_text(config.as_ref());
    assert!(text.contains(&run), "{config} isn't for {}:\n{run}", default.board.name);
    boards.iter().map(|board| config_of(board, model)).collect()
}

fn config_of(described: &Described<'_>, model_bytes: usize) -> Made {
    let board = described.board;
    let comment = match (&described.file.emulator, board.flashing) {
        (Some(_), _) if model_bytes > board.model_bytes() => {
            "# The emulated board without a model, as the one that ships with the firmware is too \
             large for it;\n# its console is the terminal.\n"
        }
        (Some(_), _) => {
            "# The emulated board with the model that ships with the firmware; its console is the \
             terminal.\n"
        }
        (None, Flashing::Espflash { .. }) => {
            "# Writes the firmware to the board over its USB socket, and leaves its model as it \
             is.\n"
        }
        (None, _) => {
            "# Writes the firmware to the board over its debug probe, and leaves its model as it \
             is.\n"
        }
    };
    let runner = runner(described, &format!("../../{SHIPPED_MODEL}"), model_bytes);
    let target = board.target;
    let path = format!("firmware-example/boards/{}/.cargo/config.toml", board.name);
    let text = format!("[build]\ntarget = {target:?}\n\n[target.{target}]\n{comment}{runner}");
    (path.into(), text)
}

/// The line that runs a program, with the model of these `bytes` at `path` if an emulator loads it.
fn runner(described: &Described<'_>, path: &str, bytes: usize) -> String {
    let board = described.board;
    let Some(emulator) = &described.file.emulator else {
        let chip = board.chip.unwrap_or_default();
        return match board.flashing {
            Flashing::Espflash { .. } => {
                format!("runner = \"espflash flash --chip {chip} --monitor\"\n")
            }
            _ => format!("runner = \"probe-rs run --chip {chip}\"\n"),
        };
    };
    let address = board.model_address;
    let loader = format!("    -device loader,file={path},addr={address:#x},force-raw=on \\\n");
    let loader = if bytes > board.model_bytes() { String::new() } else { loader };
    format!(
        "runner = \"\"\"\\\n    {emulator} -nographic \\\n    \
         -semihosting-config enable=on,target=native \\\n{loader}    -kernel\"\"\"\n"
    )
}
