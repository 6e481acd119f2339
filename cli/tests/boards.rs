//! The boards: what is listed, and which models fit.

mod common;

use std::fs;

use charcell::model::Dimensions;
use charcell::{AnyModel, Artifact, Precision, artifact};
use charcell_flash::{BOARDS, ImageError, Speed, board};
use common::{charcell, model, untrained_model};
use tempfile::TempDir;

#[test]
fn the_hidden_size_that_would_fit_does_and_the_next_does_not() {
    let board = board("microbit-v1").unwrap();
    let fits = |artifact: &Artifact| board.check(artifact.bytes());
    let Err(ImageError::TooLarge { needed, available, fitting_hidden, .. }) = fits(&model(256))
    else {
        panic!("256 units fit {}", board.title);
    };
    assert_eq!((needed, available), (model(256).bytes().len(), board.model_bytes()));
    let hidden = fitting_hidden.unwrap();
    assert!(fits(&model(hidden)).is_ok() && fits(&model(hidden + 1)).is_err(), "{hidden}");
}

/// For a model that is too large for all boards, the board with the most room is named.
#[test]
fn a_model_that_fits_no_board_has_a_reason() {
    let folder = TempDir::new().unwrap();
    let inspect = |artifact: &Artifact| {
        fs::write(folder.path().join("model.postcard"), artifact.bytes()).unwrap();
        let json = charcell(&folder, "inspect model.postcard --json").stdout;
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["boards"].as_array().unwrap().len(), 0);
        String::from_utf8(charcell(&folder, "inspect model.postcard").stdout).unwrap()
    };
    let larger = model(900);
    let text = inspect(&larger);
    let line = text.lines().last().unwrap();
    assert!(line.starts_with("no board can run it: the model doesn't fit Raspberry Pi Pico 2"));
    let Err(ImageError::TooLarge { fitting_hidden: Some(hidden), .. }) =
        board("pico2").unwrap().check(larger.bytes())
    else {
        panic!("900 units fit");
    };
    assert!(line.contains(&format!("with {hidden} hidden units or fewer")), "{line}");

    let dimensions = Dimensions { vocabulary: 43, hidden: 16, layers: 1 };
    let model = artifact(&untrained_model(dimensions), Precision::F32).unwrap();
    let text = inspect(&model);
    let reason = "no board can run it: the model's weights are f32";
    let line = text.lines().last().unwrap();
    assert!(line.starts_with(reason) && line.contains("charcell export RUN"), "{line}");
}

/// The state of a model with many characters is too large for a small board, however few units it
/// has.
#[test]
fn a_vocabulary_that_is_too_large_is_an_error() {
    let dimensions = Dimensions { vocabulary: 2500, hidden: 8, layers: 1 };
    let model = artifact(&untrained_model(dimensions), Precision::Int8).unwrap();
    let board = board("microbit-v1").unwrap();
    let error = board.check(model.bytes()).unwrap_err();
    assert!(matches!(
        error,
        ImageError::TooLarge { what: "memory for its state", fitting_hidden: None, .. }
    ));
}

#[test]
fn f32_models_are_not_for_boards() {
    let dimensions = Dimensions { vocabulary: 43, hidden: 16, layers: 1 };
    let model = artifact(&untrained_model(dimensions), Precision::F32).unwrap();
    assert!(matches!(model.model(), Ok(AnyModel::F32(_))));
    for board in &BOARDS {
        assert!(matches!(board.check(model.bytes()), Err(ImageError::NotInt8)));
    }
}

#[test]
fn boards_are_listed_and_named_for_a_model() {
    let folder = TempDir::new().unwrap();
    let listed = charcell(&folder, "boards");
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(BOARDS.iter().all(|board| listed.contains(board.name)), "{listed}");
    assert!(listed.contains("Computed"), "{listed}");
    let json: serde_json::Value =
        serde_json::from_slice(&charcell(&folder, "boards --json").stdout).unwrap();
    assert_eq!(json["boards"].as_array().unwrap().len(), BOARDS.len());
    // Where a model is written, and where the firmware reads it; a machine without a clock.
    assert!(listed.contains("0x00200000") && listed.contains("0x3c400000"), "{listed}");
    let of = |name: &str| BOARDS.iter().position(|board| board.name == name).unwrap();
    let esp = &json["boards"][of("esp32-c3")];
    assert_eq!(
        (&esp["model_address"], &esp["model_mapped_at"]),
        (&0x20_0000.into(), &0x3C40_0000.into())
    );
    let virt = &json["boards"][of("riscv-virt")];
    assert!(virt["clock_hz"].is_null() && virt["speeds"][0]["characters_per_second"].is_null());
}

/// The boards that `inspect` names are those whose check passes, without emulators.
#[test]
fn inspect_names_the_boards_that_a_model_fits() {
    let folder = TempDir::new().unwrap();
    for (hidden, missing) in [(48, &[][..]), (200, &["microbit-v1"]), (350, &["nucleo-f411"])] {
        let artifact = model(hidden);
        fs::write(folder.path().join("model.postcard"), artifact.bytes()).unwrap();
        let inspected = charcell(&folder, "inspect model.postcard");
        let inspected = String::from_utf8(inspected.stdout).unwrap();
        let fitting = BOARDS
            .iter()
            .filter(|board| !board.is_emulated() && board.check(artifact.bytes()).is_ok());
        let named: Vec<String> = fitting
            .map(|board| {
                let speed = board.speed_of(artifact.bytes()).unwrap();
                format!("{} ({})", board.name, speed.characters_per_second)
            })
            .collect();
        let line =
            format!("(computed characters/s): {}\n  charcell firmware --board ", named.join(", "));
        assert!(inspected.contains(&line), "{line} isn't in:\n{inspected}");
        assert!(missing.iter().all(|name| !inspected.contains(name)), "{inspected}");
    }
}

/// `charcell boards` shows the computed speeds, the share in RAM, and the limit.
#[test]
fn computed_speeds_are_listed() {
    let folder = TempDir::new().unwrap();
    let listed = String::from_utf8(charcell(&folder, "boards").stdout).unwrap();
    let (_, speeds) = listed.split_once("characters/s").unwrap();
    let json = charcell(&folder, "boards --json").stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    for (board, described) in BOARDS.iter().zip(json["boards"].as_array().unwrap()) {
        // The larger of the two models that fits.
        let models = [256, 128].map(|hidden| Dimensions { vocabulary: 43, hidden, layers: 1 });
        let fitting = models.iter().position(|&dimensions| board.has_room(dimensions)).unwrap();
        let Some(speed) = board.speed(models[fitting]) else { continue };
        let Speed { characters_per_second, from_flash_alone, limit, placement } = speed;
        let all_bytes = placement.ram_bytes_read + placement.flash_bytes_read;
        let percent = (100 * placement.ram_bytes_read + all_bytes / 2) / all_bytes;
        let missing = if fitting == 0 { "" } else { "- " };
        let columns =
            format!("{characters_per_second} {missing}{percent} % {from_flash_alone} {limit}");
        let line = speeds.lines().find(|line| line.starts_with(board.name)).unwrap();
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(line.ends_with(&columns), "{columns} isn't in: {line}");
        let expected = serde_json::json!({
            "hidden": models[fitting].hidden,
            "characters_per_second": characters_per_second,
            "from_flash_alone": from_flash_alone,
            "weight_bytes_in_ram": placement.ram_bytes,
            "limit": limit.to_string(),
        });
        assert_eq!(described["speeds"][1 - fitting], expected, "{}", board.name);
    }
}

/// The report of a training has the speeds that `inspect` has.
#[test]
fn the_report_has_the_speeds_of_the_boards() {
    let folder = TempDir::new().unwrap();
    let train = "train --chars 2000 --hidden 100 --layers 2 --epochs 1 --device cpu --out run";
    assert!(charcell(&folder, train).status.success());
    let report = fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    let inspected = charcell(&folder, "inspect run/model.postcard --json").stdout;
    let inspected: serde_json::Value = serde_json::from_slice(&inspected).unwrap();
    let boards = inspected["boards"].as_array().unwrap();
    let named = boards.iter().map(|described| {
        let title = board(described["name"].as_str().unwrap()).unwrap().title;
        format!("{title} ({})", described["characters_per_second"].as_f64().unwrap())
    });
    let named = named.collect::<Vec<_>>().join(", ");
    assert!(!named.is_empty() && report.contains(&named), "{named} isn't in the report");
}
