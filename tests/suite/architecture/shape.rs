//! The shape of files, functions and comments in `src/`.

use std::fs;

use super::{assert_none, collect, without_comments};
use crate::sandbox::repository;

/// Lines that a file stays below.
const FILE: usize = 500;

/// Lines that 99 of 100 functions stay below.
const FUNCTION: usize = 60;

/// Words that describe in the place of naming.
const VAGUE: [&str; 6] = ["What", "That", "Who", "Whose", "How", "Where"];

/// Path and text of every file, with those of unit tests.
fn texts() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&repository("src"), true, &mut files);
    let text = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.display().to_string(), text)
    };
    files.into_iter().map(text).collect()
}

#[test]
fn every_file_is_below_500_lines() {
    let long = texts()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines >= FILE)
        .map(|(path, lines)| format!("{path}: {lines} lines"));
    assert_none(&long.collect::<Vec<_>>());
}

#[test]
fn ninety_nine_functions_of_a_hundred_are_below_60_lines() {
    let mut lengths: Vec<(usize, String)> = Vec::new();
    for (path, text) in texts() {
        let functions = functions(&text).into_iter();
        lengths.extend(functions.map(|(name, lines)| (lines, format!("{path}: {name}"))));
    }
    lengths.sort();
    assert!(lengths.len() > 2_000, "the functions are found");
    let (lines, name) = &lengths[lengths.len() * 99 / 100];
    assert!(*lines < FUNCTION, "{name} has {lines} lines");
}

#[test]
fn doc_comments_name_things() {
    let (mut all, mut vague) = (0, Vec::new());
    for (path, text) in texts() {
        for opening in openings(&text) {
            all += 1;
            let first = opening.split_whitespace().next().unwrap_or_default();
            if VAGUE.contains(&first) {
                vague.push(format!("{path}: {opening}"));
            }
        }
    }
    assert!(
        vague.len() * 100 < all,
        "{} of {all}\n{}",
        vague.len(),
        vague.join("\n")
    );
}

#[test]
fn an_octet_is_one_of_an_octet_string() {
    let mut found = Vec::new();
    for (path, text) in texts() {
        let (code, strings) = without_comments(&text);
        let comments = text
            .lines()
            .filter(|line| line.trim_start().starts_with("//"));
        let texts = strings.iter().map(String::as_str).chain(comments);
        found.extend(
            texts
                .filter(|text| says_octet(text))
                .map(|text| format!("{path}: {text}")),
        );
        let names = super::words(&code).into_iter();
        let is_allowed = |word: &str| {
            // Of addresses in `std`, and a field of JSON and a rule that scripts read.
            word == "octets" || word.contains("octet_string") || word.ends_with("_20_octets")
        };
        found.extend(names.filter(|word| word.contains("octet") && !is_allowed(word)));
    }
    assert_none(&found);
}

/// Whether a text speaks of octets, other than in the names of rules and JSON fields.
fn says_octet(text: &str) -> bool {
    let lower = text
        .to_lowercase()
        .replace("octet string", "")
        .replace("octet_string", "");
    let mut rest = lower.as_str();
    while let Some(at) = rest.find("octet") {
        let is_name = rest[..at].ends_with(['-', '_', '`']) || lower.trim_matches('"') == "octets";
        if !is_name {
            return true;
        }
        rest = &rest[at + "octet".len()..];
    }
    false
}

/// Names of functions with a body of their own lines, and how many lines each has.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        let words = code.split_whitespace().take(4).collect::<Vec<_>>();
        let Some(at) = words.iter().position(|word| *word == "fn") else {
            continue;
        };
        if code.starts_with("//") || code.ends_with('}') || code.ends_with(';') {
            continue;
        }
        let name = words
            .get(at + 1)
            .map(|name| name.split(['(', '<']).next().unwrap());
        let end = format!("{indent}}}");
        let length = lines[index..].iter().position(|line| *line == end);
        found.extend(
            name.zip(length)
                .map(|(name, length)| (name.to_owned(), length + 1)),
        );
    }
    found
}

/// First lines of doc comments.
fn openings(text: &str) -> Vec<&str> {
    let doc = |line: &str| line.starts_with("///") || line.starts_with("//!");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let is_first = index == 0 || !doc(lines[index - 1]);
        if doc(line) && is_first {
            found.push(line[3..].trim());
        }
    }
    found
}

#[test]
fn shapes_are_measured() {
    let text = "//! Files.\n\n/// What it does.\n/// And how.\nfn long(\n    a: u8,\n) -> u8 {\n    a\n}\nfn short() {}\n";
    assert_eq!(openings(text), ["Files.", "What it does."]);
    assert_eq!(functions(text), [("long".to_owned(), 5)]);
    assert!(says_octet("two octets"));
    assert!(!says_octet("an OCTET STRING in `file-octets`"));
}
