//! The JSON Schema, judged by a validator that nobody here wrote.

use std::collections::BTreeSet;

use serde_json::Value;

use super::SMALL;
use crate::sandbox::Sandbox;

/// A sandbox with the schema in it.
fn with_schema() -> (Sandbox, Value) {
    let sandbox = Sandbox::new();
    let schema = sandbox.pki("apply --schema").succeeds();
    sandbox.write("schema.json", &schema.stdout);
    (sandbox, schema.json())
}

#[test]
fn the_schema_takes_what_pki_takes_and_refuses_what_pki_refuses() {
    let (sandbox, _) = with_schema();
    let example = sandbox.pki("apply --example").succeeds().stdout;
    let check = |file: &str, status: i32| {
        sandbox.write("a.toml", file);
        let run = sandbox.python("toml_schema.py").words("schema.json a.toml");
        run.ends_with(status).stdout
    };
    check(&example, 0);
    check(SMALL, 0);
    for (from, to, complaint) in [
        ("days = 90", "day = 90", "'day' was unexpected"),
        ("days = 90", "days = \"90\"", "'90' is not of type"),
        ("[defaults]", "[default]", "'default' was unexpected"),
        (
            "ca = [\"intermediate0\"]",
            "ca = \"intermediate0\"",
            "is not of type",
        ),
        ("to_pem = true", "for = \"nginy\"", "'nginy' is not"),
    ] {
        let file = SMALL.replace(from, to);
        let complaints = check(&file, 1);
        assert!(complaints.contains(complaint), "{complaints}");
        assert_eq!(sandbox.apply("a.toml").finish().status, Some(1), "{file}");
    }
}

/// The fields that the parser names where it meets one that it does not know.
fn parsed_fields(sandbox: &Sandbox, file: &str) -> BTreeSet<String> {
    sandbox.write("a.toml", file);
    let refused = sandbox.apply("a.toml").ends_with(1).stderr;
    let (_, expected) = refused.split_once(", expected ").unwrap();
    let (expected, _) = expected.split_once('\n').unwrap();
    let names = expected.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

#[test]
fn the_schema_has_exactly_the_fields_of_the_parser() {
    let (sandbox, schema) = with_schema();
    for (file, place) in [
        ("x_x = 1", ""),
        ("[defaults]\nx_x = 1", "/properties/defaults"),
        ("[ca.a]\nx_x = 1", "/properties/ca/additionalProperties"),
        (
            "[certificate.a]\nx_x = 1",
            "/properties/certificate/additionalProperties",
        ),
        (
            "[certificate.a]\nrevoked = { x_x = 1 }",
            "/properties/certificate/additionalProperties/properties/revoked",
        ),
        ("[crl.a]\nx_x = 1", "/properties/crl/additionalProperties"),
        (
            "[bundle.a]\nx_x = 1",
            "/properties/bundle/additionalProperties",
        ),
    ] {
        let described = schema.pointer(place).unwrap();
        let properties = described["properties"].as_object().unwrap();
        let described_names: BTreeSet<String> = properties.keys().cloned().collect();
        assert_eq!(parsed_fields(&sandbox, file), described_names, "{place}");
        assert_eq!(described["additionalProperties"], false, "{place}");
        for (name, property) in properties {
            assert!(property["description"].is_string(), "{place}: {name}");
        }
    }
}
