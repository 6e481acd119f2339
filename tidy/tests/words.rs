//! Phrases that read as if they were translated, and what to write instead.

use tidy::files;
use tidy::prose::{Word, words};

/// A phrase to avoid.
struct Phrase {
    phrase: &'static str,
    instead: &'static str,
    /// Words after which it is allowed.
    except_after: &'static [&'static str],
    /// Words before which it is allowed.
    except_before: &'static [&'static str],
}

/// Words that may follow "is no".
const COMPARED: &[&str] =
    &["longer", "more", "less", "worse", "better", "larger", "smaller", "use", "help", "reason"];

const PHRASES: &[Phrase] = &[
    phrase("behind it", "after it"),
    phrase("behind them", "after them"),
    phrase("behind the", "after the"),
    phrase("behind its", "after its"),
    phrase("behind their", "after their"),
    phrase("behind another", "after another"),
    phrase("stands behind", "is bound to, follows"),
    Phrase {
        phrase: "is no",
        instead: "is not a",
        except_after: &["there", "which"],
        except_before: COMPARED,
    },
    Phrase {
        phrase: "are no",
        instead: "are not",
        except_after: &["there"],
        except_before: COMPARED,
    },
    Phrase {
        phrase: "place",
        instead: "offset, slot, position, pointer",
        except_after: &["in", "take", "takes", "took", "taking", "first", "decimal", "right"],
        except_before: &[],
    },
    Phrase {
        phrase: "places",
        instead: "offsets, slots, positions, pointers",
        except_after: &["decimal", "change"],
        except_before: &[],
    },
    phrase("else it is there", "inlining would duplicate this code"),
    phrase("to be had", "available"),
    phrase("over and above", "beside"),
];

const fn phrase(phrase: &'static str, instead: &'static str) -> Phrase {
    Phrase { phrase, instead, except_after: &[], except_before: &[] }
}

impl Phrase {
    /// The line of each occurrence.
    fn lines<'a>(&'a self, words: &'a [Word]) -> impl Iterator<Item = usize> + 'a {
        let phrase: Vec<&str> = self.phrase.split(' ').collect();
        let is_one_of = |word: Option<&Word>, list: &[&str]| {
            word.is_some_and(|word| list.contains(&word.text.as_str()))
        };
        (0..words.len()).filter_map(move |start| {
            let found = words.get(start..start + phrase.len())?;
            let is_phrase = found.iter().map(|word| &*word.text).eq(phrase.iter().copied());
            let before = start.checked_sub(1).and_then(|before| words.get(before));
            let is_right = is_one_of(before, self.except_after)
                || is_one_of(words.get(start + phrase.len()), self.except_before);
            (is_phrase && !is_right).then_some(found[0].line)
        })
    }
}

#[test]
fn no_phrase_reads_as_translated() {
    /// The list itself, and texts that models learn from.
    const OTHERS: [&str; 2] = ["tidy/", "trainer/text/"];
    let mut found = Vec::new();
    let files =
        files(&[".rs", ".wgsl", ".md", ".py", ".sh", ".mjs", ".c", ".h", ".toml", ".yml", ".x"]);
    for file in files.iter().filter(|file| !OTHERS.iter().any(|it| file.path.starts_with(it))) {
        let words = words(&file.text);
        for phrase in PHRASES {
            for line in phrase.lines(&words) {
                let Phrase { phrase, instead, .. } = phrase;
                found.push(format!("{}:{line}: \"{phrase}\": write \"{instead}\"", file.path));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn phrases_are_found_across_lines_and_not_where_they_are_right() {
    let lines = |text| {
        let words = words(text);
        PHRASES.iter().flat_map(|phrase| phrase.lines(&words).collect::<Vec<_>>()).collect()
    };
    let found: Vec<usize> = lines("// Its length, and the padding behind\n// the tensor.\n");
    assert_eq!(found, [1]);
    assert_eq!(lines("That is no model. It has no place.\n"), [1, 1]);
    let right = "There is no GPU; it is no longer read in place. Behind one interface.\n";
    assert_eq!(lines(right), [0; 0]);
}
