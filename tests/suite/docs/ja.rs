//! Pages in Japanese, followed like the English ones.

use std::fs;

use super::{follow, pages};
use crate::sandbox::{Sandbox, repository};

#[test]
fn readme() {
    follow("README.ja.md");
}

#[test]
fn authorizer() {
    follow("docs/ja/authorizer.md");
}

#[test]
fn aws_api_gateway() {
    follow("docs/ja/aws-api-gateway.md");
}

#[test]
fn aws_certificates() {
    follow("docs/ja/aws-certificates.md");
}

#[test]
fn aws_load_balancer() {
    follow("docs/ja/aws-load-balancer.md");
}

#[test]
fn import() {
    follow("docs/ja/import.md");
}

#[test]
fn scheduled() {
    follow("docs/ja/scheduled.md");
}

/// An English page that changed is a warning of `make lint`, not a failure; a page without a source is one.
#[test]
fn every_page_names_the_english_page_that_it_translates() {
    let pages: Vec<_> = pages()
        .into_iter()
        .filter(|page| is_japanese(page))
        .collect();
    assert!(pages.len() >= 6, "{pages:?}");
    for page in pages {
        let text = fs::read_to_string(repository(&page)).unwrap();
        let source = match page.as_str() {
            "docs/ja/README.md" => continue,
            "README.ja.md" => "README.md".to_owned(),
            _ => page.replace("/ja/", "/"),
        };
        let line = format!("<!-- source: {source} sha256:");
        let last = text.lines().last().unwrap();
        assert!(last.starts_with(&line), "{page} ends with {last}");
    }
}

#[test]
fn a_page_older_than_its_source_is_reported_until_it_is_accepted() {
    let sandbox = Sandbox::new();
    let script = fs::read_to_string(repository("docs/ja/outdated")).unwrap();
    sandbox.write("docs/ja/outdated", script);
    sandbox.write("docs/a.md", "one\n");
    sandbox.write("README.md", "one\n");
    let source = |page: &str| format!("x\n<!-- source: {page} sha256:00 -->\n");
    sandbox.write("docs/ja/a.md", source("docs/a.md"));
    sandbox.write("README.ja.md", source("README.md"));
    let outdated = || sandbox.run("bash", "docs/ja/outdated").succeeds().stderr;
    sandbox.run("bash", "docs/ja/outdated --accept").succeeds();
    assert_eq!(outdated(), "");
    sandbox.write("docs/a.md", "two\n");
    assert_eq!(
        outdated(),
        "warning: docs/ja/a.md is older than docs/a.md\n"
    );
    sandbox
        .run("bash", "docs/ja/outdated --accept docs/ja/a.md")
        .succeeds();
    assert_eq!(outdated(), "");
}

fn is_japanese(page: &str) -> bool {
    page.starts_with("docs/ja/") || page.ends_with(".ja.md")
}
