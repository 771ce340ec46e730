//! docs/targets.md: made from the table of targets, and with the name of every rule.

use super::{CrlForm, Form, Limit, PARTIES, RelyingParty};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/targets.md";

/// End of the part of the page that is written by hand.
const MADE_FROM_HERE: &str = "<!-- Made from the program's own table; to make it anew: \
                              UPDATE_REFERENCE=1 cargo test --lib reference -->\n";

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_reference_of_targets_is_that_of_the_table() {
    let path = repository(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let (by_hand, _) = page
        .split_once(MADE_FROM_HERE)
        .unwrap_or_else(|| panic!("{PAGE} has no line {MADE_FROM_HERE}"));
    let targets = PARTIES.iter().map(section).collect::<String>();
    let made = format!("{by_hand}{MADE_FROM_HERE}{targets}");
    if std::env::var_os("UPDATE_REFERENCE").is_some_and(|value| value == "1") {
        fs::write(&path, &made).unwrap();
        return;
    }
    assert!(
        page == made,
        "{PAGE} is out of date; UPDATE_REFERENCE=1 with this test writes it anew"
    );
}

fn section(party: &RelyingParty) -> String {
    let mut text = format!("\n### `{}`: {}\n\n", party.name, party.title);
    let source = match party.source {
        url if url.starts_with("https://") => format!("<{url}>"),
        other => other.to_owned(),
    };
    writeln!(text, "Rules: {source}. {}", form(party)).unwrap();
    if !party.limits.is_empty() {
        text.push_str("\n| rule | level | limit |\n| --- | --- | --- |\n");
    }
    for (level, limit) in party.limits {
        let level = level.as_str();
        writeln!(text, "| `{}` | {level} | {limit} |", limit.rule()).unwrap();
    }
    let depth = party.verify_depth.as_ref().map(|depth| {
        let counted = if depth.counts_root {
            "with the root"
        } else {
            "without the root"
        };
        format!(
            "`{}` must be the number of CAs in the longest path, {counted}, if that is more than {}; `pki` reports it.",
            depth.setting, depth.default
        )
    });
    let comments = party.comments.then(|| {
        "Lines that start with `#` and have no `-` are allowed outside the certificates.".into()
    });
    let notes = party.notes.iter().map(|note| (*note).to_owned());
    let notes = comments.into_iter().chain(depth).chain(notes);
    let notes = notes.collect::<Vec<String>>();
    if !notes.is_empty() {
        text.push('\n');
    }
    for note in notes {
        writeln!(text, "* {note}").unwrap();
    }
    text + &crls(party)
}

/// Section about CRLs.
fn crls(party: &RelyingParty) -> String {
    let rules = &party.crls;
    let mut note = rules
        .note
        .map(|note| format!(": {note}"))
        .unwrap_or_default();
    if rules.form == CrlForm::None {
        return format!("\nIt reads no CRLs (`lists-unsupported`){note}.\n");
    }
    if !note.is_empty() {
        note = format!(" Note{note}.");
    }
    let source = match rules.source {
        "" => party.source,
        source => source,
    };
    let source = match source {
        url if url.starts_with("https://") => format!("<{url}>"),
        other => other.to_owned(),
    };
    let mut text = format!(
        "\nCRLs, `pki crl --for {}`: {}. Rules: {source}.{note}\n",
        party.name,
        crl_form(rules.form)
    );
    let limits = rules.limits.iter();
    let limits = limits.map(|(level, limit)| (level, limit.rule(), limit.to_string()));
    let shared = party
        .limits
        .iter()
        .filter(|(_, limit)| matches!(limit, Limit::Keys(_) | Limit::Hashes(_)));
    let shared = shared.map(|(level, limit)| (level, limit.rule(), limit.to_string()));
    let rows = limits.chain(shared).map(|(level, rule, limit)| {
        let level = level.as_str();
        format!("| `{rule}` | {level} | {limit} |\n")
    });
    let rows = rows.collect::<String>();
    if !rows.is_empty() {
        write!(
            text,
            "\n| rule | level | limit |\n| --- | --- | --- |\n{rows}"
        )
        .unwrap();
    }
    for (settings, what) in [
        (rules.settings, ""),
        (rules.folder_settings, ", with `--hash-names`"),
    ] {
        if !settings.is_empty() {
            let lines = settings.iter().map(|line| format!("`{line}`"));
            let lines = lines.collect::<Vec<_>>().join(" and ");
            write!(text, "\nSetting{what}: {lines}\n").unwrap();
        }
    }
    text
}

fn crl_form(form: CrlForm) -> &'static str {
    match form {
        CrlForm::None => "none",
        CrlForm::Der => "DER, one CRL a file, `NAME.crl`",
        CrlForm::Pem => "PEM, one CRL a file, `NAME.crl.pem`",
        CrlForm::PemOfPath => "PEM, one CRL a file, `NAME.crl.pem`, of every CA of the path",
        CrlForm::Chain => "one PEM file with the CRL of every CA of the path, `NAME.chain.crl.pem`",
    }
}

fn form(party: &RelyingParty) -> &'static str {
    match party.form {
        Form::OneFile => "One PEM file.",
        Form::OneCertificate => {
            "Only the named certificate, without its issuing CAs (`certificate-count`)."
        }
        Form::OneChainAFile => {
            "A PEM file for each chain up to its root: `truststore.pem`, or `truststore.1.pem`, `truststore.2.pem`, … (`one-chain`)."
        }
        Form::AnchorsApart => {
            "Roots in one PEM file, `truststore.pem`; the others in `truststore.intermediates.pem` (`anchors-apart`)."
        }
        Form::Pkcs12 => "A PKCS #12 trust store, `truststore.p12`, under a passphrase (`pkcs12`).",
    }
}

/// The rules are named in the sources of the rules, by strings that nothing else looks like; the
/// table of parties has other names too.
#[test]
fn every_rule_is_named_on_the_page_and_no_others_are() {
    let mut rules = Vec::new();
    for file in fs::read_dir(repository(file!()).parent().unwrap()).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() || path.ends_with("tests.rs") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let strings: Vec<&str> = if path.ends_with("table.rs") {
            let calls = source.split("error(").skip(1);
            calls.filter_map(|call| call.split('"').nth(1)).collect()
        } else {
            source.split('"').skip(1).step_by(2).collect()
        };
        let names = strings.into_iter().filter(|name| is_rule(name));
        rules.extend(names.map(str::to_owned));
    }
    assert!(rules.len() > 30, "{rules:?}");
    let page = fs::read_to_string(repository(PAGE)).unwrap();
    // Words by themselves may be of messages.
    for rule in rules.iter().filter(|rule| rule.contains('-')) {
        assert!(page.contains(&format!("`{rule}`")), "{PAGE} lacks {rule}");
    }
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    for row in rows {
        let named = row.split('`').next().unwrap();
        assert!(rules.iter().any(|rule| rule == named), "no rule {named}");
    }
}

fn is_rule(name: &str) -> bool {
    let plain =
        |character: char| character.is_ascii_lowercase() || "-0123456789".contains(character);
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    // The names of the levels are no rules.
    begins && name.chars().all(plain) && !["error", "warning"].contains(&name)
}
