//! The pages on which a test stands beside each promise: each of those tests is there.

use std::fs;

use crate::sandbox::repository;

/// Each with the fewest tests that it has to name.
const PAGES: [(&str, usize); 4] = [
    ("docs/durability.md", 11),
    ("docs/durability-tests.md", 9),
    ("docs/security.md", 11),
    ("docs/hostile-input.md", 2),
];

#[test]
fn every_test_that_a_page_names_is_in_the_suite() {
    for (page, least) in PAGES {
        let text = fs::read_to_string(repository(page)).unwrap();
        let spans = text.split('`').skip(1).step_by(2);
        let tests: Vec<&str> = spans.filter(|span| span.contains("::")).collect();
        assert!(tests.len() >= least, "{page}: {tests:?}");
        for test in tests {
            let (module, name) = test.rsplit_once("::").unwrap();
            let file = file_of(module);
            let source = fs::read_to_string(repository(&file)).unwrap_or_default();
            assert!(
                holds(&source, name),
                "{page}: there is no test {test} in {file}"
            );
        }
    }
}

fn file_of(module: &str) -> String {
    let layers = ["store::", "x509::", "key::"];
    let is_ours = layers.iter().any(|layer| module.starts_with(layer));
    let directory = if is_ours { "src" } else { "tests/suite" };
    let path = format!("{directory}/{}", module.replace("::", "/"));
    if repository(&path).join("mod.rs").exists() {
        return format!("{path}/mod.rs");
    }
    format!("{path}.rs")
}

/// A function with the attribute, or a row of the table of refusals.
fn holds(source: &str, name: &str) -> bool {
    let row = format!("    {name}: \"");
    let function = format!("fn {name}(");
    let mut items = source.split("#[test]\n");
    items.any(|item| item.trim_start().starts_with(&function))
        || source.contains("refusals! {") && source.lines().any(|line| line.starts_with(&row))
}
