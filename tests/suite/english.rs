//! Words and sentences of messages, help and user pages.
//!
//! A code span counts as one word; blocks of code are not prose.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::architecture::{assert_none, string_literals};
use crate::docs::pages_in;
use crate::sandbox::{Sandbox, repository};

/// Words of the longest sentence.
const SENTENCE: usize = 30;

/// Words of the longest page.
const PAGE: usize = 1500;

/// Pages to look things up in.
const REFERENCE: [&str; 5] = [
    "docs/commands.md",
    "docs/json.md",
    "docs/performance.md",
    "docs/store-format.md",
    "docs/targets.md",
];

/// A piece of text, and its place.
struct Prose {
    place: String,
    text: String,
}

#[test]
fn no_banned_word_is_in_messages_help_or_pages() {
    let all = messages().into_iter().chain(help()).chain(pages());
    let texts: Vec<_> = all.flat_map(|prose| sentences(&prose)).collect();
    assert!(texts.len() > 2_000, "the texts are found");
    let sandbox = Sandbox::new();
    let mut lines = String::new();
    for Prose { place, text } in &texts {
        let text = text
            .replace("OCTET STRING", "")
            .replace("subject alternative name", "");
        writeln!(lines, "{text}\t{place}").unwrap();
    }
    sandbox.write("texts", lines);
    let rules = fs::read_to_string(repository("tests/banned-words.txt")).unwrap();
    let mut found = Vec::new();
    for rule in rules.lines().filter(|line| !line.starts_with('#')) {
        let words = rule.split("  ").next().unwrap();
        let pattern = format!(r"^[^\t]*\b(?:{words})\b(?=.*\t)");
        let run = sandbox.run("grep", "-iP").arg(pattern).arg("texts");
        let run = run.finish();
        assert!(matches!(run.status, Some(0 | 1)), "{run}");
        let lines = run.stdout.lines();
        found.extend(lines.map(|line| format!("{rule}: {line}")));
    }
    assert_none(&found);
}

#[test]
fn no_sentence_of_messages_or_help_has_more_than_30_words() {
    let all = messages().into_iter().chain(help());
    let long = all.flat_map(|prose| sentences(&prose)).filter_map(|prose| {
        let count = words(&prose.text);
        (count > SENTENCE).then(|| format!("{}: {count} words: {}", prose.place, prose.text))
    });
    assert_none(&long.collect::<Vec<_>>());
}

#[test]
fn no_sentence_of_pages_has_more_than_30_words() {
    let long = pages().into_iter().flat_map(|page| sentences(&page));
    let long = long.filter_map(|prose| {
        // Lists of values are no sentences.
        let count = words(&prose.text.replace("CODE, ", ""));
        (count > SENTENCE).then(|| format!("{}: {count} words: {}", prose.place, prose.text))
    });
    assert_none(&long.collect::<Vec<_>>());
}

#[test]
fn no_page_but_reference_has_more_than_1500_words() {
    let long = pages().into_iter().filter_map(|page| {
        let count = words(&page.text);
        let is_long = count > PAGE && !REFERENCE.contains(&page.place.as_str());
        is_long.then(|| format!("{}: {count} words", page.place))
    });
    assert_none(&long.collect::<Vec<_>>());
}

#[test]
fn pages_say_if_rather_than_where() {
    let text: String = pages().into_iter().map(|page| page.text + "\n").collect();
    let text = text.to_lowercase();
    let count = |word: &str| {
        text.split_whitespace()
            .filter(|found| *found == word)
            .count()
    };
    let (conditions, places) = (count("if"), count("where"));
    assert!(conditions > places, "{conditions} if, {places} where");
}

/// String literals of more than two words, without those of unit tests.
fn messages() -> Vec<Prose> {
    let literals = string_literals().into_iter();
    literals
        .filter(|(place, text)| !place.contains("/fuzzing/") && words(text) > 2)
        .map(|(place, text)| Prose { place, text })
        .collect()
}

/// Help of every command, and the comments of the example of a declaration and the descriptions of its schema.
fn help() -> Vec<Prose> {
    fn describe(schema: &Value, all: &mut Vec<Prose>) {
        let Value::Object(members) = schema else {
            return;
        };
        for (name, member) in members {
            match member {
                Value::String(text) if name == "description" => all.push(Prose {
                    place: "pki apply --schema".to_owned(),
                    text: text.clone(),
                }),
                _ => describe(member, all),
            }
        }
    }
    fn add(command: &mut clap::Command, all: &mut Vec<Prose>) {
        let place = format!("help of {}", command.get_name());
        // Paragraphs, not lines broken at the width of a terminal.
        let mut wide = command.clone().term_width(10_000).max_term_width(10_000);
        // Lists of values are no sentences.
        let text = wide.render_long_help().to_string();
        let text = text.split("[possible values: ");
        let text = text.map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
        let text = text.collect();
        all.push(Prose { place, text });
        command.get_subcommands_mut().for_each(|sub| add(sub, all));
    }
    let mut all = Vec::new();
    add(&mut pki::cli::command(), &mut all);
    let before = all.len();
    let schema = Sandbox::new().pki("apply --schema").succeeds();
    describe(&schema.json(), &mut all);
    assert!(all.len() > before + 50, "the descriptions are found");
    let example = Sandbox::new().pki("apply --example").succeeds().stdout;
    let comments = example.lines().filter_map(|line| line.split_once("# "));
    all.extend(comments.map(|(_, comment)| Prose {
        place: "pki apply --example".to_owned(),
        text: comment.to_owned(),
    }));
    all
}

/// Prose of the pages that users read.
fn pages() -> Vec<Prose> {
    let all = ["", "docs/"].into_iter().flat_map(pages_in);
    let mut names: Vec<_> = all.filter(|name| !name.ends_with(".ja.md")).collect();
    names.sort();
    let prose = |name: String| {
        let page = fs::read_to_string(repository(&name)).unwrap();
        Prose {
            place: name,
            text: prose_of(&page),
        }
    };
    names.into_iter().map(prose).collect()
}

/// Returns a page without blocks of code; each code span is one word, each table cell and list item a paragraph.
fn prose_of(page: &str) -> String {
    let mut prose = String::new();
    let mut is_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            prose.push('\n');
        } else if !is_code {
            let trimmed = line.trim_start();
            if trimmed.starts_with(['|', '#', '*', '-', '<']) || starts_item(trimmed) {
                prose.push('\n');
            }
            prose += &line.replace(['|', '*'], "\n");
            prose.push(if line.is_empty() || line.starts_with('#') {
                '\n'
            } else {
                ' '
            });
        }
    }
    let parts = prose.split('`').enumerate();
    parts
        .map(|(index, part)| if index % 2 == 0 { part } else { "CODE" })
        .collect()
}

fn starts_item(line: &str) -> bool {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    digits.len() < line.len() && digits.starts_with(". ")
}

/// Sentences: they end with a full stop, a question mark or the paragraph.
fn sentences(prose: &Prose) -> Vec<Prose> {
    let marked = prose.text.replace(". ", ".\n").replace("? ", "?\n");
    let lines = marked
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines
        .filter(|line| !line.is_empty())
        .map(|text| Prose {
            place: prose.place.clone(),
            text,
        })
        .collect()
}

fn words(text: &str) -> usize {
    text.split_whitespace()
        .filter(|word| word.contains(char::is_alphanumeric))
        .count()
}

#[test]
fn blocks_and_spans_of_code_are_not_prose() {
    let page = "# A title\n\nOne `pki list` two.\n* item. Three\n\n```sh\nfour\n```\nfive\n| six | `a` |\n";
    let prose = Prose {
        place: String::new(),
        text: prose_of(page),
    };
    let texts: Vec<_> = sentences(&prose)
        .into_iter()
        .map(|prose| prose.text)
        .collect();
    assert_eq!(
        texts,
        [
            "# A title",
            "One CODE two.",
            "item.",
            "Three",
            "five",
            "six",
            "CODE"
        ]
    );
    assert_eq!(words("# a, b & c"), 3);
}
