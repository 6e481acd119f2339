//! The commands as a user types them: what they print, their exit codes, and their errors.

mod common;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use common::{charcell, fails, folder_with_run, prints};
use tempfile::TempDir;

#[test]
fn the_version_is_that_of_the_command() {
    let version = concat!("charcell ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(prints(&TempDir::new().unwrap(), "--version"), version);
}

#[test]
fn training_writes_a_run_and_shows_the_model() {
    let folder = TempDir::new().unwrap();
    let words = "train --hidden 16 --epochs 3 --report-every 2 --chars 2000 --device cpu";
    let output = charcell(&folder, words);
    assert!(output.status.success());
    let progress = String::from_utf8(output.stderr).unwrap();
    for part in
        ["epoch 2, perplexity ", "epoch 3, perplexity ", "\n - traveller", "charcell generate"]
    {
        assert!(progress.contains(part), "{progress}");
    }
    let run = folder.path().join("runs/001");
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let epochs: Vec<serde_json::Value> =
        metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(epochs.len(), 3);
    for (number, epoch) in (1..).zip(&epochs) {
        assert_eq!(epoch["epoch"], number);
        let loss_nats = epoch["loss_nats"].as_f64().unwrap();
        assert!((loss_nats.exp() - epoch["perplexity"].as_f64().unwrap()).abs() < 1e-9);
        for name in ["gradient_norm", "seconds", "characters_per_second"] {
            assert!(epoch[name].as_f64().unwrap() > 0.0, "{name}");
        }
    }
    let description = fs::read_to_string(run.join("run.json")).unwrap();
    let description: serde_json::Value = serde_json::from_str(&description).unwrap();
    assert_eq!(description["config"]["hidden"], 16);
    assert_eq!(description["normalisation"], "chapter");

    let shown = String::from_utf8(output.stdout).unwrap();
    let generated: String = ["traveller", "time traveller"]
        .map(|prefix| {
            let mut command = Command::cargo_bin("charcell").unwrap();
            command.current_dir(&run).args(["generate", "model.postcard", "--length", "50"]);
            let output = command.args(["--prefix", prefix]).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        })
        .concat();
    assert_eq!(shown, generated);

    prints(&folder, "train --hidden 4 --epochs 1 --chars 2000");
    assert!(folder.path().join("runs/002/model.postcard").is_file());
}

#[test]
fn a_corpus_without_the_chapters_letters_has_its_beginning_as_prefix() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("greek.txt"), "Ἄνδρα μοι ἔννεπε, Μοῦσα. ".repeat(100)).unwrap();
    let words = "train --corpus greek.txt --hidden 8 --epochs 2 --report-every 1 --out run";
    let output = charcell(&folder, words);
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(progress.contains("epoch 1, perplexity ") && progress.contains(" - ἄνδρα μοι ἔν"));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("ἄνδρα μοι ἔν"));
}

#[test]
fn generating_depends_on_the_seed_alone() {
    let folder = folder_with_run();
    let sampled =
        "generate run/model.postcard --length 40 --temperature 0.9 --top-k 20 --top-p 0.95";
    let first = prints(&folder, &format!("{sampled} --seed 1"));
    assert_eq!(first, prints(&folder, &format!("{sampled} --seed 1")));
    assert_ne!(first, prints(&folder, &format!("{sampled} --seed 2")));
    assert_eq!(first.trim_end_matches('\n').chars().count(), "traveller".len() + 40);
    assert!(first.starts_with("traveller"));
    let json = prints(&folder, &format!("{sampled} --seed 1 --json"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(format!("traveller{}\n", json["continuation"].as_str().unwrap()), first);
    assert_eq!(prints(&folder, "generate run/model.postcard --length 0 --prefix a"), "a\n");
}

#[test]
fn export_evaluate_and_inspect_agree() {
    let folder = folder_with_run();
    let text = folder.path().join("text.txt");
    fs::write(&text, "The Time Traveller was here.\nThe traveller, too").unwrap();
    let evaluate = |model: &str| -> serde_json::Value {
        let words = format!("evaluate {model} --corpus text.txt --json");
        serde_json::from_str(&prints(&folder, &words)).unwrap()
    };
    let of_run = evaluate("run");
    assert_eq!(of_run["characters"], 46);
    prints(&folder, "export run --weights f32 -o f32.postcard");
    assert_eq!(evaluate("f32.postcard"), of_run);
    let relative = |evaluation: &serde_json::Value| {
        evaluation["perplexity"].as_f64().unwrap() / of_run["perplexity"].as_f64().unwrap()
    };
    assert!((relative(&evaluate("run/model.postcard")) - 1.0).abs() < 0.02);

    let before = fs::read(folder.path().join("run/model.postcard")).unwrap();
    assert_eq!(prints(&folder, "export run").trim(), "run/model.postcard");
    assert!(fs::read(folder.path().join("run/model.postcard")).unwrap() == before);
    prints(&folder, "export run --safetensors torch.safetensors");
    let run = fs::read(folder.path().join("run/weights.safetensors")).unwrap();
    assert!(fs::read(folder.path().join("torch.safetensors")).unwrap() == run);
    fails(&folder, "export run --safetensors run/run.json", &["run/run.json is part of the run"]);
    for path in ["./run/weights.safetensors", "run/checkpoint/000001.checkpoint"] {
        fails(&folder, &format!("export run -o {path}"), &[path, "use another file"]);
    }
    fails(&folder, "export run --safetensors run/model.postcard", &["use another file"]);

    let inspected: serde_json::Value =
        serde_json::from_str(&prints(&folder, "inspect run/model.postcard --json")).unwrap();
    assert_eq!((&inspected["hidden"], &inspected["weights"]), (&16.into(), &"int8".into()));
    assert_eq!(inspected["flash_bytes"], before.len());
    assert!(prints(&folder, "inspect f32.postcard").contains("f32"));
}

/// A result replaces the file that a link leads to, and nothing that isn't a file.
#[cfg(unix)]
#[test]
fn links_are_kept_and_devices_are_not_replaced() {
    use std::os::unix::{fs::symlink, net::UnixListener};

    let folder = folder_with_run();
    let (link, file) = (folder.path().join("link"), folder.path().join("file"));
    fs::write(&file, "replaced").unwrap();
    symlink("file", &link).unwrap();
    prints(&folder, "export run -o link");
    assert!(link.is_symlink());
    assert!(
        fs::read(&file).unwrap() == fs::read(folder.path().join("run/model.postcard")).unwrap()
    );

    fs::remove_file(&file).unwrap();
    fails(&folder, "export run -o link", &["cannot write link", "doesn't exist; remove it"]);
    assert!(link.is_symlink());

    let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
    fails(&folder, "export run -o socket", &["cannot write socket", "regular file"]);
    assert!(!folder.path().join("socket").is_file());
}

#[test]
fn a_corpus_that_cannot_be_trained_on_is_refused() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("empty.txt", b"");
    write("latin1.txt", b"caf\xe9 au lait");
    write("short.txt", b"A short text.");
    write("same.txt", &[b'a'; 5000]);
    let wide: String = ('\u{4e00}'..'\u{9fff}')
        .chain('\u{ac00}'..'\u{d7a3}')
        .chain('\u{10000}'..'\u{1b000}')
        .collect();
    write("wide.txt", wide.as_bytes());
    let train = |corpus: &str| format!("train --corpus {corpus} --hidden 4 --epochs 1 --out run");
    fails(&folder, &train("missing.txt"), &["missing.txt", "cannot read"]);
    fails(&folder, &train("empty.txt"), &["corpus is empty"]);
    fails(&folder, &train("latin1.txt"), &["latin1.txt", "not UTF-8", "byte 3"]);
    fails(&folder, &train("short.txt"), &["13 characters", "needs 1155", "--batch-size"]);
    fails(&folder, &train("same.txt"), &["1 distinct"]);
    fails(&folder, &train("wide.txt --normalize none"), &["distinct", "65535", "fewer"]);
    assert!(!folder.path().join("run").exists(), "nothing is made for a run that can't start");
}

#[test]
fn wrong_settings_are_refused() {
    let folder = TempDir::new().unwrap();
    let train = |words: &str| format!("train --chars 2000 --epochs 1 --hidden 4 {words}");
    fails(&folder, "train --hidden 0", &["hidden is 0", "--hidden"]);
    fails(&folder, "train --hidden 5000", &["5000 units", "1024 units"]);
    fails(&folder, &train("--batch-size 999999999999"), &["needs"]);
    fails(&folder, &train("--prefix hü"), &["character 2", "'ü'"]);
    fails(&folder, &train("--device gpu"), &["--device cpu"]);
    fails(&folder, &train("--out /proc/nowhere"), &["/proc/nowhere", "cannot write", "--out"]);
    fails(&folder, "train --chars 0", &["0 characters", "--chars"]);
    fails(
        &folder,
        &train("--device cpu --threads 5000 --out some/run"),
        &["5000 threads", "--threads"],
    );
    assert!(!folder.path().join("some").exists());
    assert!(!folder.path().join("runs").exists());
    let usage = charcell(&folder, "train --hidden many");
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn a_run_is_replaced_only_by_force() {
    let folder = folder_with_run();
    let model = || fs::read(folder.path().join("run/model.postcard")).unwrap();
    let before = model();
    let words = "train --hidden 8 --epochs 1 --chars 2000 --out run";
    fails(&folder, words, &["run already exists", "--force"]);
    assert!(model() == before);
    prints(&folder, &format!("{words} --force"));
    assert!(model() != before);

    // The files of a training that failed must not mix with the artifact of another, and its own
    // artifact can't be made.
    let diverges = "train --hidden 8 --epochs 9 --chars 2000 --learning-rate 1e38 --clip 1e30";
    fails(&folder, &format!("{diverges} --out run --force"), &["no longer finite"]);
    let mut files: Vec<_> = fs::read_dir(folder.path().join("run"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort_unstable();
    assert_eq!(
        files,
        [
            "checkpoint",
            "loss.svg",
            "metrics.jsonl",
            "report.html",
            "run.json",
            "weights.safetensors"
        ]
    );
}

/// A limit on the size of files, whose signal ends programs that don't handle it.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_grow_is_an_error() {
    let folder = folder_with_run();
    let before = fs::read(folder.path().join("run/model.postcard")).unwrap();
    let command = assert_cmd::cargo::cargo_bin("charcell");
    let shell = format!("ulimit -f 1; exec {} export run", command.display());
    let output =
        std::process::Command::new("sh").current_dir(&folder).args(["-c", &shell]).output();
    let output = output.unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("cannot write run/model.postcard: File too large"), "{error}");
    assert!(fs::read(folder.path().join("run/model.postcard")).unwrap() == before);
    let left = fs::read_dir(folder.path().join("run")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn a_training_that_loses_much_in_int8_keeps_all_files_but_the_artifact() {
    let folder = TempDir::new().unwrap();
    // Such a large learning rate makes useless weights.
    let words = "train --hidden 64 --epochs 8 --chars 2000 --optimizer adam --learning-rate 5 \
                 --device cpu --out run";
    let loses = ["int8 loses too much: perplexity times", "same first choice"];
    let ways_out = ["`charcell export run --weights f32` makes an artifact", "--allow-loss"];
    fails(&folder, words, &[loses, ways_out].concat());
    let run = folder.path().join("run");
    for name in ["weights.safetensors", "run.json", "metrics.jsonl", "loss.svg", "report.html"] {
        assert!(run.join(name).is_file(), "{name}");
    }
    assert!(!run.join("model.postcard").exists());
    prints(&folder, "export run --weights f32");
    fails(&folder, &format!("{words} --force --allow-loss"), &["error: the model is worse than"]);
    assert!(run.join("model.postcard").is_file());
    let report = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(report.contains("int8 against f32</td><td>perplexity times"), "{report}");
}

#[test]
fn unknown_characters_become_the_replacement_of_the_training() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("text.txt"), "a text of few rare letters, q! ".repeat(80) + "xyz")
        .unwrap();
    // A letter that normalisation would change.
    let words = "train --corpus text.txt --min-count 50 --replacement Q --prefix aЖt --out run";
    let few = "--hidden 8 --epochs 9 --batch-size 8 --num-steps 10";
    let trained = prints(&folder, &format!("{words} {few}"));
    assert!(trained.starts_with("aЖt"), "{trained}");
    let told = String::from_utf8(charcell(&folder, "evaluate run --corpus text.txt").stderr);
    assert!(told.unwrap().contains("replaced: 2 character(s) of the text: 'y' (character "));
    let of_run = prints(&folder, "evaluate run --corpus text.txt");
    let artifact = "evaluate run/model.postcard --corpus text.txt";
    let of_artifact = prints(&folder, artifact);
    let end = |text: &str| text.rsplit_once(" of ").unwrap().1.to_owned();
    assert_eq!(end(&of_artifact), end(&of_run));
    assert_eq!(prints(&folder, &format!("{artifact} --replacement Q")), of_artifact);
    fails(
        &folder,
        &format!("{artifact} --replacement ?"),
        &["the replacement '?'", "--replacement"],
    );
    assert!(
        prints(&folder, "inspect run/model.postcard").contains("replacement              \"Q\"")
    );

    let exported = fs::read(folder.path().join("run/model.postcard")).unwrap();
    prints(&folder, "export run");
    assert!(fs::read(folder.path().join("run/model.postcard")).unwrap() == exported);
    let after = |prefix: &str| {
        let words = format!("generate run/model.postcard --temperature 1 --prefix {prefix}");
        prints(&folder, &words).strip_prefix(prefix).unwrap().to_owned()
    };
    assert_eq!(after("aЖ中"), after("ayz"));
    assert_ne!(after("aЖ中"), after("aqq"));
}

#[test]
fn the_default_prefix_has_no_replacement_that_would_be_read_as_another_character() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("text.txt"), "q".to_owned() + &"eat ".repeat(400)).unwrap();
    let words = "train --corpus text.txt --min-count 50 --replacement E --epochs 1 --out run";
    let trained = prints(&folder, &format!("{words} --hidden 8 --batch-size 8 --num-steps 10"));
    // Not "Eeat", which would be lower-cased to "eeat".
    assert!(trained.starts_with("qeat eat eat"), "{trained}");
    let inspected = prints(&folder, "inspect run/model.postcard");
    assert!(inspected.contains(r#"["qeat eat eat"]"#), "{inspected}");
}

#[test]
fn a_run_that_diverges_keeps_its_last_good_weights() {
    let folder = TempDir::new().unwrap();
    let words =
        "train --hidden 8 --epochs 9 --chars 2000 --learning-rate 1e38 --clip 1e30 --out run";
    let export = "`charcell export run --weights f32`";
    fails(
        &folder,
        words,
        &["no longer finite", "try a learning rate of 1e37", "--learning-rate", export],
    );
    prints(&folder, "export run --weights f32");
    let model = Path::new("run/weights.safetensors");
    assert!(folder.path().join(model).is_file());
}

#[test]
fn damaged_and_foreign_artifacts_are_refused() {
    let folder = folder_with_run();
    let artifact = fs::read(folder.path().join("run/model.postcard")).unwrap();
    let refused = |change: &dyn Fn(&mut Vec<u8>), part: &str| {
        let mut bytes = artifact.clone();
        change(&mut bytes);
        fs::write(folder.path().join("changed.postcard"), bytes).unwrap();
        for command in ["generate", "inspect"] {
            fails(&folder, &format!("{command} changed.postcard"), &["changed.postcard", part]);
        }
    };
    refused(&|bytes| bytes.truncate(100), "cut short");
    refused(&|bytes| bytes.clear(), "cut short");
    refused(&|bytes| bytes[700] ^= 1, "damaged");
    refused(&|bytes| bytes[4] = 9, "version 9");
    refused(&|bytes| bytes[0] = b'P', "not a Charcell artifact");
    fails(&folder, "generate nothing.postcard", &["nothing.postcard"]);
    fails(&folder, "generate run/model.postcard --prefix Ж", &["character 1", "'Ж'"]);
    fails(&folder, "generate run/model.postcard --temperature -1", &["--temperature is -1"]);
    fs::write(folder.path().join("one.txt"), "a").unwrap();
    fails(&folder, "evaluate run/model.postcard --corpus one.txt", &["1 character(s)"]);
    fails(&folder, "generate run/model.postcard --top-p 1.5", &["--top-p is 1.5"]);
    fails(&folder, "export nowhere", &["nowhere is not a run folder"]);
    let no_folder =
        ["cannot write missing/model.postcard: No such file or directory (os error 2)\n"];
    fails(&folder, "export run -o missing/model.postcard", &no_folder);
    let description = folder.path().join("run/run.json");
    let described = fs::read_to_string(&description).unwrap();
    fs::write(&description, described.replace("\"hidden\": 16", "\"hidden\": 0")).unwrap();
    fails(&folder, "export run", &["run is not a run folder", "run.json", "hidden is 0"]);
    fs::write(&description, described).unwrap();
    fs::write(folder.path().join("run/weights.safetensors"), b"no tensors").unwrap();
    fails(&folder, "export run", &["weights.safetensors", "not safetensors"]);
}
