//! Bugs that are put into a copy of `pki` to see that their tests find them: `make injected`.

use std::fs;
use std::process::Command;

use crate::sandbox::repository;

#[test]
fn every_injected_bug_applies_and_is_documented_with_its_test() {
    let page = fs::read_to_string(repository("docs/durability-tests.md")).unwrap();
    let folder = fs::read_dir(repository("tests/injected")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path());
    let bugs: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|end| end == "patch"))
        .collect();
    assert!(bugs.len() >= 5, "{bugs:?}");
    for bug in bugs {
        let text = fs::read_to_string(&bug).unwrap();
        let test = text.lines().find_map(|line| line.strip_prefix("test: "));
        let row = format!(
            "| {} | `{}` |",
            text.lines().next().unwrap().trim_end_matches('.'),
            test.unwrap()
        );
        assert!(
            page.contains(&row),
            "docs/durability-tests.md has no row\n{row}"
        );
        let applied = Command::new("git")
            .args(["apply", "--check"])
            .arg(&bug)
            .current_dir(repository("."))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&applied.stderr);
        assert!(applied.status.success(), "{}: {said}", bug.display());
    }
}
