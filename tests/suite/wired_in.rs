//! A test file that no `mod` line names would never run.

use std::fs;
use std::path::Path;

#[test]
fn every_file_of_the_suite_is_named_in_the_file_above_it() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    assert_named(&suite, &suite.join("main.rs"));
}

fn assert_named(folder: &Path, parent: &Path) {
    let declarations = fs::read_to_string(parent).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_named(&path, &path.with_extension("rs"));
        } else if path != parent {
            let module = path.file_stem().unwrap().to_string_lossy();
            let declaration = format!("mod {module};");
            let mut lines = declarations.lines();
            let declared = lines.any(|line| line.trim_start_matches("pub(crate) ") == declaration);
            assert!(
                declared,
                "{} does not say `mod {module};`",
                parent.display()
            );
        }
    }
}
