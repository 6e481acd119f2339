//! `charcell firmware`: the images, what is printed, and the errors.

mod common;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use charcell_flash::{BOARDS, Board, Flashing, board};
use common::firmware::{ARM, RISCV, firmware, identity};
use common::{charcell, model};
use tempfile::TempDir;

/// A folder with a model that fits every board, `model.postcard`, and an ELF file with the identity
/// of a firmware for microbit-v1, `firmware.elf`.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("model.postcard"), model(48).bytes()).unwrap();
    fs::write(folder.path().join("firmware.elf"), firmware("microbit-v1", 1, 0x60)).unwrap();
    folder
}

/// The `N`-byte number at `offset` in a file, little-endian.
fn number<const N: usize>(file: &[u8], offset: usize) -> usize {
    file[offset..][..N].iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte))
}

/// Addresses and bytes of the segments of an ELF file.
fn segments(file: &[u8]) -> Vec<(usize, &[u8])> {
    let headers = file[number::<4>(file, 28)..].chunks(32).take(number::<2>(file, 44));
    let segment = |header: &[u8]| {
        let [offset, address, length] = [4, 12, 16].map(|field| number::<4>(header, field));
        (address, &file[offset..][..length])
    };
    headers.map(segment).collect()
}

/// Checks that a command fails with this exit code and an error that contains all of `parts`.
fn fails(folder: &TempDir, words: &str, code: i32, parts: &[&str]) {
    let output = charcell(folder, words);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{words}: {error}");
    for part in parts {
        assert!(error.contains(part), "{words}: \"{part}\" isn't in: {error}");
    }
}

#[test]
fn a_complete_image_has_the_model_at_its_address() {
    let folder = folder();
    let words =
        "firmware --board microbit-v1 --model model.postcard --firmware firmware.elf --out image";
    let output = charcell(&folder, words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = String::from_utf8(output.stdout).unwrap();
    assert_eq!(files.lines().count(), 3, "{files}");
    let read = |ending: &str| {
        let path = folder.path().join("image/microbit-v1").with_extension(ending);
        fs::read(path).unwrap()
    };
    let (model, address) = (model(48), board("microbit-v1").unwrap().model_address as usize);
    let flat = read("bin");
    assert_eq!(&flat[address..], model.bytes());
    assert_eq!((flat[0], flat[address - 1]), (0x5A, 0xFF));
    let elf = read("elf");
    let [firmware, part] = segments(&elf)[..] else { panic!("no two segments") };
    assert_eq!(firmware, (0, &*identity("microbit-v1", 1, 0x60)));
    assert_eq!(part, (address, model.bytes()));
    assert!(read("hex").starts_with(b":020000040000FA\n:10000000"));
}

#[test]
fn an_image_of_the_model_alone_starts_with_it() {
    let folder = folder();
    let words = "firmware --board netduinoplus2 --model model.postcard --model-only --json";
    let output = charcell(&folder, words);
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["address"], 0x0808_0000);
    let bin = folder.path().join(result["files"]["bin"].as_str().unwrap());
    assert_eq!(fs::read(bin).unwrap(), model(48).bytes());
}

/// No file of the model alone is made for a drive that erases all of the flash, or whose behaviour
/// is undocumented: the firmware would be lost.
#[test]
fn a_model_alone_for_a_board_with_a_drive_is_for_a_probe() {
    let folder = folder();
    for (name, drive) in [
        ("microbit-v1", "its drive erases the firmware: for the drive, make the complete image"),
        ("microbit-v2", "its drive erases the firmware: for the drive, make the complete image"),
        ("nrf52840-dk", "its drive may erase the firmware"),
        ("nucleo-f411", "its drive may erase the firmware"),
    ] {
        let words =
            format!("firmware --board {name} --model model.postcard --model-only --out {name}");
        for format in ["hex", "bin"] {
            let refusal =
                format!("doesn't accept {format} files of a model alone: use --format elf");
            fails(&folder, &format!("{words} --format {format}"), 1, &[&refusal, drive]);
            assert!(!folder.path().join(name).exists());
        }
        let output = charcell(&folder, &words);
        assert_eq!(output.stdout, format!("{name}/{name}-model.elf\n").as_bytes());
        let shown = String::from_utf8(output.stderr).unwrap();
        assert!(shown.starts_with("next: probe-rs download --chip "), "{shown}");
        let note = "note: copying any file to the drive MICROBIT erases the firmware: for the \
                    drive, make the complete image, without --model-only\n";
        assert_eq!(shown.ends_with(note), name.starts_with("microbit"), "{shown}");
    }
}

#[test]
fn espflash_takes_firmware_and_model_apart() {
    let folder = folder();
    let firmware = firmware("esp32-c3", 1, 0x60);
    fs::write(folder.path().join("esp.elf"), &firmware).unwrap();
    let words = "firmware --board esp32-c3 --model model.postcard --firmware esp.elf";
    let output = charcell(&folder, words);
    assert_eq!(output.stdout, b"./esp32-c3.elf\n./esp32-c3-model.bin\n");
    let next = String::from_utf8(output.stderr).unwrap();
    let commands = "next: espflash flash --chip esp32c3 ./esp32-c3.elf && \
                    espflash write-bin --chip esp32c3 0x200000 ./esp32-c3-model.bin\n";
    let (shown, note) = next.split_at(commands.len());
    assert_eq!(shown, commands);
    assert!(note.starts_with("note: ") && note.contains("--flash-freq 80mhz"), "{note}");
    assert!(note.contains("some modules are unstable"), "{note}");
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("esp32-c3.elf"), firmware);
    assert_eq!(read("esp32-c3-model.bin"), model(48).bytes());
    let refusal =
        ["doesn't accept hex files", "elf or bin", "no complete image", "firmware --help"];
    fails(&folder, &format!("{words} --format hex"), 1, &refusal);
    let help = String::from_utf8(charcell(&folder, "firmware --help").stdout).unwrap();
    assert!(help.contains("espflash write-bin --chip esp32c3 0x200000 esp32-c3-model.bin"));
}

#[test]
fn a_complete_image_has_the_elf_header_of_its_firmware() {
    let folder = folder();
    for (name, machine) in [("riscv-virt", RISCV), ("mps2-an505", ARM), ("pico", ARM)] {
        fs::write(folder.path().join("own.elf"), firmware(name, 1, 0x60)).unwrap();
        let words = format!("firmware --board {name} --model model.postcard --format elf");
        for (firmware, flags, entry, path) in [
            (" --firmware own.elf", 5, 0x1234, format!("{name}.elf")),
            (" --model-only", 0, 0, format!("{name}-model.elf")),
        ] {
            let output = charcell(&folder, &(words.clone() + firmware));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let file = fs::read(folder.path().join(path)).unwrap();
            assert_eq!(file[4..7], [1, 1, 1], "32 bits, little-endian, version 1");
            assert_eq!(number::<2>(&file, 18), usize::from(machine));
            assert_eq!((number::<4>(&file, 24), number::<4>(&file, 36)), (entry, flags));
        }
    }
}

#[test]
fn mistakes_are_named() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("newer.elf"), firmware("microbit-v1", 2, 0)).unwrap();
    fs::write(path("older.elf"), firmware("microbit-v1", 0, 0)).unwrap();
    fs::write(path("large.elf"), firmware("microbit-v1", 1, 0x18000)).unwrap();
    fs::write(path("empty.elf"), "").unwrap();
    fs::write(path("large.postcard"), model(256).bytes()).unwrap();
    fs::write(path("file"), "").unwrap();
    fs::copy(path("firmware.elf"), path("microbit-v1.elf")).unwrap();
    let before = files(folder.path());
    let start = "firmware --model model.postcard --board microbit-v1 --firmware ";
    let cases = [
        ("large.elf", &["0x00000000 to 0x00018037", "0x00000000 to 0x00017fff", "no model"][..]),
        ("newer.elf", &["format version 2", "has version 1", "that the firmware was built with"]),
        ("older.elf", &["format version 0", "rebuild the firmware"]),
        ("model.postcard", &["model.postcard: not Charcell firmware", "ELF"]),
        ("empty.elf", &["not Charcell firmware", "ELF"]),
        ("missing.elf", &["cannot read missing.elf"]),
        (".", &["cannot read .: Is a directory"]),
        ("microbit-v1.elf", &["./microbit-v1.elf is an input of the image", "another --out"]),
        ("firmware.elf --out file", &["cannot write to file", "another --out"]),
        ("firmware.elf --out /proc/nowhere", &["cannot write to /proc/nowhere"]),
        (
            "firmware.elf --format uf2",
            &["BBC micro:bit v1 doesn't accept uf2 files", "--format elf or bin or hex"],
        ),
    ];
    for (words, parts) in cases {
        fails(&folder, &format!("{start}{words}"), 1, parts);
    }
    let other = "firmware --model model.postcard --board netduinoplus2 --firmware firmware.elf";
    fails(&folder, other, 1, &["is for microbit-v1", "not for netduinoplus2"]);
    let mistyped = "firmware --model model.postcard --board microbit-v --model-only";
    fails(&folder, mistyped, 2, &["similar value", "microbit-v1"]);
    let unknown = "firmware --model model.postcard --board teensy --model-only";
    fails(&folder, unknown, 2, &["'teensy'", "microbit-v2, nrf52840-dk"]);
    let large = "firmware --model large.postcard --board microbit-v1 --model-only";
    fails(&folder, large, 1, &["doesn't fit BBC micro:bit v1", "bytes of flash", "--hidden"]);
    let outside = "firmware --model model.postcard --board microbit-v1";
    fails(&folder, outside, 1, &["cannot build", "isn't in a Charcell checkout", "--firmware"]);
    assert_eq!(files(folder.path()), before, "something was written");
}

/// The names and the bytes of all files in `folder`.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = |path: &Path| (path.display().to_string(), fs::read(path).unwrap());
    let mut files: Vec<_> = entries.map(|path| file(&path)).collect();
    files.sort();
    files
}

/// If a file can't be written, those before it are unchanged.
#[test]
fn all_files_are_written_or_none() {
    let folder = folder();
    let words =
        "firmware --board microbit-v1 --model model.postcard --firmware firmware.elf --out image";
    let image = folder.path().join("image");
    fs::create_dir_all(image.join("microbit-v1.hex")).unwrap();
    fs::write(image.join("microbit-v1.bin"), "old").unwrap();
    fails(&folder, words, 1, &["cannot write image/microbit-v1.hex", "directory"]);
    assert_eq!(fs::read(image.join("microbit-v1.bin")).unwrap(), b"old");
    assert_eq!(fs::read_dir(&image).unwrap().count(), 2);
    fs::remove_dir(image.join("microbit-v1.hex")).unwrap();
    assert!(charcell(&folder, words).status.success());
    assert!(fs::read(image.join("microbit-v1.bin")).unwrap().len() > 3);
}

#[test]
#[cfg(unix)]
fn a_folder_whose_name_is_not_utf8_is_written_to() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = folder();
    let out = OsStr::from_bytes(b"\xFF");
    let words = "firmware --board pico --model model.postcard --model-only --json --out";
    let mut command = Command::cargo_bin("charcell").unwrap();
    command.current_dir(folder.path()).args(words.split(' ')).arg(out).assert().success();
    assert!(folder.path().join(out).join("pico-model.uf2").is_file());
}

/// Runs each printed command in a shell, with a model whose name needs quotes. A script that checks
/// that its files exist stands in for the other programs.
#[test]
#[cfg(unix)]
fn commands_that_are_shown_run_as_shown() {
    use std::os::unix::fs::PermissionsExt;

    const MODEL: &str = "my models/it's.postcard";
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    for made in ["programs", "my models", "firmware-example/app"] {
        fs::create_dir_all(path(made)).unwrap();
    }
    fs::rename(path("model.postcard"), path(MODEL)).unwrap();
    let stand_in = "#!/bin/sh\nfor word; do case \"$word\" in\n\
                    */*) test -f \"$word\" || exit 1;; esac; done\n";
    for name in ["cargo", "charcell", "espflash", "probe-rs"] {
        let program = path("programs").join(name);
        fs::write(&program, stand_in).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let prints = |words: &str, last: &str| {
        let mut command = Command::cargo_bin("charcell").unwrap();
        command.current_dir(folder.path()).args(words.split(' ')).arg(last);
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(output.status.success(), "{words}: {text}");
        text
    };
    let train = "train --chars 2000 --hidden 8 --epochs 1 --device cpu --prefix it --out";
    let shown = [prints("inspect", MODEL), prints(train, "my models/run")].concat();
    let shown = shown.lines().filter_map(|line| line.strip_prefix("  charcell "));
    let mut commands: Vec<_> = shown.map(|command| format!("charcell {command}")).collect();
    assert_eq!(commands.len(), 4, "{commands:?}");
    for board in &BOARDS {
        fs::write(path("own.elf"), firmware(board.name, 1, 0x60)).unwrap();
        for option in ["--firmware own.elf", "--model-only"] {
            let words = format!("firmware --board {} --out my-image {option} --model", board.name);
            let shown = prints(&words, MODEL);
            let command = shown.lines().find_map(|line| line.strip_prefix("next: ")).unwrap();
            match board.flashing {
                Flashing::Drive { .. } if command.contains(" to the drive ") => {}
                _ => commands.push(command.to_owned()),
            }
        }
    }
    let emulate = "cargo xtask emulate --board riscv-virt --model \"my models/it's.postcard\"";
    assert!(commands.iter().any(|command| command == emulate), "{commands:?}");
    let by_drive = |board: &Board| match board.flashing {
        Flashing::Drive { erases_all, .. } => {
            if erases_all {
                1
            } else {
                2
            }
        }
        _ => 0,
    };
    let by_drives: usize = BOARDS.iter().map(by_drive).sum();
    assert_eq!(commands.len(), 4 + 2 * BOARDS.len() - by_drives, "{commands:?}");
    let search = format!("{}:{}", path("programs").display(), std::env::var("PATH").unwrap());
    for command in &commands {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).env("PATH", &search).current_dir(folder.path());
        shell.assert().success();
    }
}

/// A format that the board's tool doesn't accept is made, and one that it accepts is named.
#[test]
fn a_format_that_is_missing_is_named() {
    let folder = folder();
    for (words, next) in [
        ("microbit-v1 --format elf --firmware firmware.elf", "next: use --format hex, "),
        ("netduinoplus2 --format bin --model-only", "next: use --format elf, "),
        ("pico --format bin hex --model-only", "next: use --format uf2, "),
    ] {
        let output = charcell(&folder, &format!("firmware --model model.postcard --board {words}"));
        let shown = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && shown.starts_with(next), "{shown}");
    }
}
