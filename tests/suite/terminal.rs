//! Names from outside where they are shown: none steers a terminal, hides what is beside it, or begins a
//! line of its own.

use std::fs;

use serde_json::Value;

use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;

/// Clears the screen, turns the direction, is not seen, breaks lines in four ways, rings, and begins a
/// sequence in one byte.
const HOSTILE: &str = "a\u{1b}[2J\u{202e}b\u{200b}c\u{feff}d\nhint: e\rf\u{7}g\u{9b}31mh\u{2028}i\u{85}j\u{2066}k\u{e0041}";

/// What [`HOSTILE`] has, and what is like it.
fn is_raw(character: char) -> bool {
    character != '\n' && character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        )
        || ('\u{180b}'..='\u{180f}').contains(&character)
        || ('\u{200b}'..='\u{200f}').contains(&character)
        || ('\u{2028}'..='\u{202e}').contains(&character)
        || ('\u{2060}'..='\u{206f}').contains(&character)
        || ('\u{e0000}'..='\u{e0fff}').contains(&character)
}

#[track_caller]
fn assert_harmless(said: &Transcript) {
    for text in [&said.stdout, &said.stderr] {
        let raw: Vec<char> = text
            .chars()
            .filter(|character| is_raw(*character))
            .collect();
        assert!(raw.is_empty(), "{raw:?} in {text:?}");
        assert!(!text.contains("\nhint: e"), "a name begins a line\n{said}");
    }
}

/// A store, and beside it files that others named and made: whatever is in them is hostile.
fn with_hostile_files() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .run("openssl", "req -x509 -newkey rsa:2048 -nodes -days 300 -utf8 -keyout key.pem -out root.pem")
        .words("-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -subj")
        .arg(format!("/O={HOSTILE}/CN={HOSTILE}"))
        .succeeds();
    let sans = format!(
        "subjectAltName=email:{0}@x.test,URI:http://x.test/{0}",
        "\u{1b}[2J\u{7}"
    );
    sandbox
        .run(
            "openssl",
            "req -x509 -newkey rsa:2048 -nodes -days 300 -utf8 -keyout key.pem -out leaf.pem",
        )
        .arg("-addext")
        .arg(sans)
        .arg("-subj")
        .arg(format!("/CN={HOSTILE}"))
        .succeeds();
    sandbox
        .run(
            "openssl",
            "req -new -utf8 -key key.pem -out request.pem -subj",
        )
        .arg(format!("/CN={HOSTILE}"))
        .succeeds();
    sandbox.write("names.csv", format!("cn,profile\n\"{HOSTILE}\",client\n"));
    sandbox.write("profiles.csv", format!("cn,profile\nx,\"{HOSTILE}\"\n"));
    sandbox.write("columns.csv", format!("cn,\"{HOSTILE}\"\nx,y\n"));
    sandbox.write("serials.csv", format!("\"{HOSTILE}\",superseded\n"));
    sandbox.write("reasons.csv", format!("01,\"{HOSTILE}\"\n"));
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    sandbox.write("names.toml", format!("[ca.{quoted}]\n"));
    sandbox.write("keys.toml", format!("[ca.x]\n{quoted} = 1\n"));
    sandbox.write("values.toml", format!("[ca.x]\ncn = {quoted}\n"));
    sandbox.write("syntax.toml", format!("[ca.x]\n= {HOSTILE}\n"));
    sandbox.write(
        "pem.txt",
        format!("-----BEGIN {HOSTILE}-----\nAAAA\n-----END {HOSTILE}-----\n"),
    );
    // A file's name, a folder's, and a folder in a store that is no CA.
    sandbox.write(HOSTILE, "neither PEM nor DER");
    fs::create_dir_all(sandbox.path("pki").join(HOSTILE)).unwrap();
    sandbox
}

/// Every place in which a name is shown; `@` stands for [`HOSTILE`].
const PLACES: [&str; 58] = [
    "show root.pem",
    "show leaf.pem",
    "show request.pem",
    "show pem.txt",
    "show @",
    "show missing-@",
    "verify leaf.pem",
    "verify leaf.pem --bundle root.pem",
    "verify leaf.pem --bundle leaf.pem",
    "verify @",
    "bundle --check root.pem",
    "bundle --check leaf.pem --for nginx",
    "bundle --check @",
    "bundle --add root.pem --out bundle.pem --force",
    "bundle --add leaf.pem",
    "bundle --out @",
    "bundle --for @",
    "issue --ca intermediate0 --csr request.pem",
    "issue --ca intermediate0 --csr @",
    "issue --ca intermediate0 --cn @",
    "issue --ca intermediate0 --subject /CN=@",
    "issue --ca intermediate0 --cn x --san @",
    "issue --ca intermediate0 --cn x --san dns:@",
    "issue --ca intermediate0 --cn x --name @ --out out --no-passphrase",
    "issue --ca intermediate0 --cn x --out folder-@ --no-passphrase",
    "issue --ca intermediate0 --cn x --out @ --no-passphrase",
    "issue --ca intermediate0 --from names.csv",
    "issue --ca intermediate0 --from profiles.csv",
    "issue --ca intermediate0 --from columns.csv",
    "issue --ca intermediate0 --from @",
    "issue --ca @ --cn x",
    "issue --ca intermediate0 --cn x --profile @",
    "issue --days @",
    "issue --@",
    "issue --ca intermediate0 --cn x @",
    "@",
    "--store @ tree",
    "--store missing-@ issue --ca x --cn y",
    "--format @ tree",
    "export --ca intermediate0 --out exported-@",
    "export --ca intermediate0 --cn @ --out out",
    "renew --ca intermediate0 --cn @",
    "revoke --ca intermediate0 --cn @",
    "revoke --ca intermediate0 --serial @",
    "revoke --ca intermediate0 --cert @",
    "revoke --ca intermediate0 --cn x --reason @",
    "revoke --ca intermediate0 --from serials.csv",
    "revoke --ca intermediate0 --from reasons.csv",
    "crl --in @",
    "crl --out lists-@",
    "import --openssl @ --name old",
    "import --openssl missing-@ --name old",
    "apply names.toml",
    "apply keys.toml",
    "apply values.toml",
    "apply syntax.toml",
    "apply missing-@",
    "man pages-@",
];

fn in_place(sandbox: &Sandbox, place: &str, format: &str) -> Run {
    let run = sandbox.pki("--format").arg(format);
    place
        .split(' ')
        .fold(run, |run, word| run.arg(word.replace('@', HOSTILE)))
}

#[test]
fn a_hostile_name_is_escaped_wherever_it_is_shown() {
    let sandbox = with_hostile_files();
    let mut shown = 0;
    for place in PLACES {
        for format in ["text", "json"] {
            let said = in_place(&sandbox, place, format).finish();
            assert!(said.status.is_some(), "{place}: {said}");
            assert_harmless(&said);
            shown += usize::from(said.stdout.contains("u{1b}") || said.stderr.contains("u{1b}"));
            if format == "json"
                && !said.stdout.is_empty()
                && !place.starts_with("bundle --add leaf")
            {
                let _: Value = said.json();
                // What jq makes of it is the name, as it was.
                let jq = sandbox
                    .run("jq", "-r ..|strings")
                    .stdin(said.stdout.as_bytes());
                let strings = jq.succeeds().stdout;
                let is_named = said.stdout.contains("\\u001b");
                assert!(!is_named || strings.contains('\u{1b}'), "{place}: {said}");
            }
        }
    }
    // Most of these places do show it.
    assert!(shown > 70, "{shown}");
}

/// What is in the store got there by import alone: everywhere else such a name is refused.
#[test]
fn an_imported_name_is_escaped_in_every_list() {
    let sandbox = Sandbox::new();
    sandbox.make_openssl_ca();
    let name = HOSTILE.replace(['\n', '/'], "");
    sandbox.request("hostile.csr", &format!("/CN={name}"));
    sandbox
        .old_ca("-in hostile.csr -out hostile.crt -notext")
        .succeeds();
    sandbox
        .pki("import --openssl old --name old --passin")
        .arg(format!("pass:{}", crate::import::OLD))
        .arg("--partial")
        .succeeds();
    for line in [
        "list",
        "list --expiring 100y",
        "tree",
        "show --ca old --serial 1000",
        "export --ca old --serial 1000 --out out",
        "export --ca old --serial 1000 --out out --name safe",
        "renew --ca old --serial 1000",
        "revoke --ca old --serial 1000",
        "revoke --ca old --serial 1000",
        "list --status revoked",
        "crl --ca old",
    ] {
        for format in ["text", "json"] {
            let run = sandbox.pki("--format").arg(format).words(line);
            let said = run.env("PKI_PASSPHRASE", crate::import::OLD).finish();
            assert!(said.status.is_some(), "{said}");
            assert_harmless(&said);
        }
    }
    let listed = sandbox.pki("list").succeeds().stdout;
    // RFC 4514 has its own way to write what can't be seen.
    assert!(listed.contains("CN=a\\1B[2J\\E2\\80\\AEb"), "{listed}");
}

/// The findings about files of an openssl folder, of which somebody chose the names.
#[test]
fn findings_of_an_import_are_escaped() {
    let sandbox = Sandbox::new();
    sandbox.make_openssl_ca();
    let certificate = sandbox.read("old/cacert.pem");
    let name = HOSTILE.replace('/', "");
    sandbox.write(
        &format!("old/newcerts/{name}.pem"),
        certificate.replacen("MI", "**", 1),
    );
    sandbox.write(&format!("old/private/{name}.key"), "not a key");
    let index = format!(
        "V\t350101000000Z\t\t1000\tunknown\t/CN={}\n",
        name.replace('\n', "")
    );
    sandbox.write("old/index.txt", index);
    for format in ["text", "json"] {
        for options in ["--dry-run", "--dry-run --partial"] {
            let run = sandbox
                .pki("import --openssl old --name old --format")
                .arg(format);
            let run = run.words(options).arg("--passin");
            let said = run.arg(format!("pass:{}", crate::import::OLD)).finish();
            assert!(said.status.is_some(), "{said}");
            assert_harmless(&said);
        }
    }
}
