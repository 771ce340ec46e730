//! The form of the text, as people have it.

use super::{assert_judged, make, roots};
use crate::sandbox::Sandbox;

type Changed = (
    &'static str,
    fn(&str) -> String,
    &'static str,
    &'static [&'static str],
);

/// A change to the text of two certificates, who reads it, and the rules that it breaks.
const FORMS: [Changed; 16] = [
    ("as pki writes it", str::to_owned, "", &[]),
    (
        "a BOM",
        |pem| format!("\u{feff}{pem}"),
        "alb",
        &["byte-order-mark"],
    ),
    (
        "CRLF",
        |pem| pem.replace('\n', "\r\n"),
        "alb",
        &["line-endings"],
    ),
    (
        "a blank line before",
        |pem| format!("\n{pem}"),
        "alb",
        &["blank-line"],
    ),
    (
        "a blank line behind",
        |pem| format!("{pem}\n"),
        "nginx",
        &["blank-line"],
    ),
    (
        "a blank line between",
        |pem| pem.replace("-----\n-----", "-----\n\n-----"),
        "cloudfront",
        &["blank-line"],
    ),
    (
        "a text dump",
        |pem| format!("Certificate:\n{pem}"),
        "alb",
        &["text-between"],
    ),
    ("a comment", |pem| format!("# roots\n{pem}"), "alb", &[]),
    (
        "a comment",
        |pem| format!("# roots\n{pem}"),
        "",
        &["text-between"],
    ),
    (
        "a comment",
        |pem| format!("# roots\n{pem}"),
        "nginx",
        &["text-between"],
    ),
    (
        "a comment with a hyphen",
        |pem| format!("# my-roots\n{pem}"),
        "alb",
        &["comment-hyphen"],
    ),
    (
        "joined markers",
        |pem| pem.replace("-----\n-----", "----------"),
        "alb",
        &["joined-markers"],
    ),
    (
        "no newline at the end",
        |pem| pem.trim_end().to_owned(),
        "alb",
        &["final-newline"],
    ),
    ("76 columns", |pem| in_columns(pem, 76), "alb", &["columns"]),
    (
        "one line",
        |pem| in_columns(pem, 10_000),
        "alb",
        &["columns"],
    ),
    (
        "trailing spaces",
        |pem| pem.replace('\n', " \n"),
        "alb",
        &["spaces"],
    ),
];

fn in_columns(pem: &str, columns: usize) -> String {
    let mut text = String::new();
    let mut base64 = String::new();
    for line in pem.lines() {
        if !line.starts_with('-') {
            base64 += line;
            continue;
        }
        for chunk in base64.as_bytes().chunks(columns) {
            text += std::str::from_utf8(chunk).unwrap();
            text.push('\n');
        }
        base64.clear();
        text += line;
        text.push('\n');
    }
    text
}

#[test]
fn each_form_is_named_by_its_rule_and_read_all_the_same() {
    let sandbox = Sandbox::new();
    let pem = make(&sandbox, &roots(2));
    for (what, form, target, errors) in FORMS {
        let target = match target {
            "" => String::new(),
            name => format!("--for {name}"),
        };
        let report = assert_judged(&sandbox, &target, form(&pem), errors);
        let read = report["certificates"].as_array().unwrap().len();
        assert_eq!(read, 2, "{what}");
    }
}

#[test]
fn a_finding_names_its_line() {
    let sandbox = Sandbox::new();
    let pem = make(&sandbox, &roots(2));
    let lines = pem.lines().count() / 2;
    let pem = pem.replace("-----\n-----", "-----\n\n-----");
    let report = assert_judged(&sandbox, "", pem, &["blank-line"]);
    let message = format!("line {}: it is blank", lines + 1);
    assert_eq!(report["findings"][0]["message"], message);
}
