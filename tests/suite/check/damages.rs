//! Every rule, broken by a damage of its own; what `--repair` mends of it, and what it leaves.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{
    ISSUED, LISTS, REVOKED, copy_of, key_of, rewrite, rewrite_record, rules, serial_of,
    store_with_everything,
};
use crate::run::{Run, Transcript};
use crate::sandbox::{PASSPHRASE, Sandbox, repository};
use crate::snapshot::Snapshot;

/// A damage, and what is said of it.
struct Damage {
    what: &'static str,
    /// The rules that it breaks; the first is the one that it is about.
    rules: &'static [&'static str],
    /// Whether `--repair` mends all of it.
    heals: bool,
    make: fn(&Sandbox),
    /// How it is looked at.
    look: fn(&Sandbox, &str) -> Run,
}

const fn lasting(what: &'static str, rules: &'static [&'static str], make: fn(&Sandbox)) -> Damage {
    Damage {
        what,
        rules,
        heals: false,
        make,
        look: plain,
    }
}

const fn healed(what: &'static str, rules: &'static [&'static str], make: fn(&Sandbox)) -> Damage {
    Damage {
        heals: true,
        ..lasting(what, rules, make)
    }
}

/// Nothing is damaged, but for the time.
const fn seen(
    what: &'static str,
    rules: &'static [&'static str],
    look: fn(&Sandbox, &str) -> Run,
) -> Damage {
    Damage {
        look,
        ..lasting(what, rules, |_| ())
    }
}

fn plain(sandbox: &Sandbox, options: &str) -> Run {
    sandbox.pki("--format json check").words(options)
}

fn later(sandbox: &Sandbox, time: &str, options: &str) -> Run {
    let run = sandbox.run("faketime", "-f").arg(time);
    let run = run.arg(env!("CARGO_BIN_EXE_pki"));
    run.words("--format json check").words(options)
}

fn set_mode(sandbox: &Sandbox, path: &str, mode: u32) {
    fs::set_permissions(sandbox.path(path), fs::Permissions::from_mode(mode)).unwrap();
}

fn remove(sandbox: &Sandbox, path: &str) {
    fs::remove_file(sandbox.path(path)).unwrap();
}

/// Changes a file as text.
fn edit(sandbox: &Sandbox, path: &str, from: &str, to: &str) {
    let text = sandbox.read(path);
    assert!(text.contains(from), "{path} has no {from:?}");
    sandbox.write(path, text.replacen(from, to, 1));
}

/// Changes the lines of a journal as they stand, checks and all.
fn edit_lines(sandbox: &Sandbox, path: &str, change: fn(&mut Vec<String>)) {
    let text = sandbox.read(path);
    let mut lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    change(&mut lines);
    sandbox.write(path, lines.concat());
}

fn openssl(sandbox: &Sandbox, line: &str) {
    sandbox.run("openssl", line).succeeds();
}

fn damages() -> Vec<Damage> {
    [
        files(),
        authorities(),
        keys(),
        journals(),
        mismatches(),
        records(),
        revocations(),
        lists(),
        published(),
        ends_and_news(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn files() -> Vec<Damage> {
    vec![
        lasting("no format", &["store-format"], |sandbox| {
            sandbox.write("pki/store.json", "{}\n");
        }),
        lasting(
            "a folder in the place of a counter",
            &["file-unreadable", "foreign-file"],
            |sandbox| {
                remove(sandbox, "pki/intermediate0/crlnumber");
                fs::create_dir(sandbox.path("pki/intermediate0/crlnumber")).unwrap();
            },
        ),
        lasting(
            "profiles that break a rule",
            &["profiles-invalid"],
            |sandbox| {
                sandbox.write("pki/profiles.toml", "[profile.a]\nbase = \"other\"\n");
            },
        ),
        lasting("a file in a CA's folder", &["foreign-file"], |sandbox| {
            sandbox.write("pki/intermediate0/ca.key.bak", "");
        }),
        lasting("a folder in the store", &["foreign-file"], |sandbox| {
            sandbox.write("pki/strange/file", "");
        }),
        lasting("a link to a key", &["foreign-file"], |sandbox| {
            let key = sandbox.path("pki/rootCA/ca.key");
            fs::rename(&key, sandbox.path("elsewhere.key")).unwrap();
            symlink(sandbox.path("elsewhere.key"), key).unwrap();
        }),
        healed("a CA's key for all", &["key-permissions"], |sandbox| {
            set_mode(sandbox, "pki/rootCA/ca.key", 0o644);
        }),
        healed(
            "a leaf's key for a group",
            &["key-permissions"],
            |sandbox| {
                let key = key_of(sandbox, "intermediate0", "kept");
                set_mode(sandbox, &key, 0o640);
            },
        ),
        healed(
            "a folder of keys for all",
            &["key-permissions"],
            |sandbox| {
                set_mode(sandbox, "pki/intermediate0/keys", 0o755);
            },
        ),
        healed(
            "a pre-signed CRL for all",
            &["key-permissions"],
            |sandbox| {
                set_mode(sandbox, "pki/guarded/ahead/2.crl", 0o644);
            },
        ),
        healed(
            "a folder for all to write",
            &["world-writable"],
            |sandbox| {
                set_mode(sandbox, "pki/crl", 0o777);
            },
        ),
        healed(
            "a journal for all to write",
            &["world-writable"],
            |sandbox| {
                set_mode(sandbox, REVOKED, 0o666);
            },
        ),
        healed(
            "a CRL for a group to write",
            &["world-writable"],
            |sandbox| {
                set_mode(sandbox, "pki/crl/rootCA.crl", 0o664);
            },
        ),
        healed("a lock for all to hold", &["lock-permissions"], |sandbox| {
            set_mode(sandbox, "pki/rootCA/lock", 0o644);
        }),
        healed("a CA in the making", &["leftover"], |sandbox| {
            sandbox.write("pki/.new-other/ca.crt", "");
        }),
        healed("a list in the making", &["leftover"], |sandbox| {
            sandbox.write("pki/crl/.rootCA.crl.part", "half");
        }),
        healed("lines that were set aside", &["leftover"], |sandbox| {
            sandbox.write("pki/rootCA/issued.jsonl.torn", "{\"ser\n");
        }),
        healed("a request beside its CA", &["leftover"], |sandbox| {
            fs::create_dir(sandbox.path("pki/.waiting-rootCA")).unwrap();
        }),
    ]
}

fn authorities() -> Vec<Damage> {
    vec![
        lasting("no certificate", &["ca-unreadable"], |sandbox| {
            sandbox.write("pki/guarded/ca.crt", "");
        }),
        lasting("no record", &["ca-unreadable"], |sandbox| {
            remove(sandbox, "pki/guarded/ca.json");
        }),
        lasting("a parent that is not there", &["ca-parent"], |sandbox| {
            edit(
                sandbox,
                "pki/intermediate0/ca.json",
                "\"parent\": \"rootCA\"",
                "\"parent\": \"other\"",
            );
        }),
        lasting("another parent", &["ca-path"], |sandbox| {
            edit(
                sandbox,
                "pki/intermediate0/ca.json",
                "\"parent\": \"rootCA\"",
                "\"parent\": \"guarded\"",
            );
            remove(sandbox, "pki/crl/intermediate0.chain.crl.pem");
        }),
        lasting("a CA of next year", &["ca-not-yet-valid"], |sandbox| {
            let run = sandbox.run("faketime", "-f +1y");
            run.arg(env!("CARGO_BIN_EXE_pki"))
                .words("root --name later --no-passphrase")
                .succeeds();
        }),
        seen(
            "eleven years",
            &["ca-expired", "list-stale"],
            |sandbox, options| later(sandbox, "+11y", options),
        ),
        seen(
            "within eleven years",
            &["ca-ends-soon", "expiring", "list-ends-soon"],
            |sandbox, options| plain(sandbox, &format!("--within 4015 {options}")),
        ),
        lasting(
            "a CA that is revoked",
            &["ca-revoked", "list-outdated"],
            |sandbox| {
                let certificate = "pki/intermediate0/ca.crt";
                let line = format!("revoke --ca rootCA --cert {certificate}");
                sandbox.pki(&line).succeeds();
            },
        ),
        lasting("the serial number 0", &["serial-unusual"], |sandbox| {
            openssl(
                sandbox,
                "x509 -in pki/rootCA/ca.crt -signkey pki/rootCA/ca.key -set_serial 0 -days 3600 -out new.crt",
            );
            fs::copy(sandbox.path("new.crt"), sandbox.path("pki/rootCA/ca.crt")).unwrap();
        }),
        lasting(
            "another name of a previous certificate",
            &["previous-certificate"],
            |sandbox| {
                let folder = "pki/intermediate0/previous";
                let [name] = &sandbox.names_in(folder)[..] else {
                    panic!("there is one");
                };
                let from = sandbox.path(folder).join(name);
                let to = sandbox.path(folder).join(format!("{}.crt", "0".repeat(64)));
                fs::rename(from, to).unwrap();
            },
        ),
        lasting(
            "no previous certificate, which a leaf names",
            &["issuer-certificate"],
            lose_named_certificate,
        ),
        lasting("no request", &["waiting-unreadable"], |sandbox| {
            sandbox.write("pki/.waiting-waiting/ca.csr", "");
        }),
        lasting(
            "another CA's key that waits",
            &["waiting-unreadable"],
            |sandbox| {
                let key = sandbox.read("pki/rootCA/ca.key");
                sandbox.write("pki/.waiting-waiting/ca.key", key);
            },
        ),
    ]
}

fn keys() -> Vec<Damage> {
    vec![
        lasting("half a key of a CA", &["key-unreadable"], |sandbox| {
            sandbox.write("pki/rootCA/ca.key", "-----BEGIN PRIVATE KEY-----\n");
        }),
        lasting("half a key of a leaf", &["key-unreadable"], |sandbox| {
            sandbox.write(&key_of(sandbox, "intermediate0", "kept"), "");
        }),
        lasting("another CA's key", &["key-mismatch"], |sandbox| {
            let key = sandbox.read("pki/rootCA/ca.key");
            sandbox.write("pki/intermediate0/ca.key", key);
        }),
        lasting("another leaf's key", &["key-mismatch"], |sandbox| {
            let key = sandbox.read(key_of(sandbox, "intermediate0", "gone"));
            sandbox.write(&key_of(sandbox, "intermediate0", "kept"), key);
        }),
        lasting(
            "a CA's key under few rounds",
            &["key-encryption"],
            |sandbox| {
                let options = "-passin env:P -passout env:P -out new.key";
                let line = format!(
                    "pkcs8 -topk8 -v2 aes-256-cbc -iter 2048 -in pki/guarded/ca.key {options}"
                );
                sandbox
                    .run("openssl", &line)
                    .env("P", PASSPHRASE)
                    .succeeds();
                sandbox.write("pki/guarded/ca.key", sandbox.read("new.key"));
            },
        ),
        lasting(
            "a leaf's key without a passphrase",
            &["key-encryption"],
            |sandbox| {
                let key = key_of(sandbox, "guarded", "one");
                let line = format!("pkey -in {key} -passin env:P -out new.key");
                sandbox
                    .run("openssl", &line)
                    .env("P", PASSPHRASE)
                    .succeeds();
                sandbox.write(&key, sandbox.read("new.key"));
            },
        ),
        seen(
            "a wrong passphrase",
            &["key-not-opened"],
            |sandbox, options| plain(sandbox, options).env("PKI_PASSPHRASE", "wrong"),
        ),
        healed(
            "a key without a record",
            &["key-without-record"],
            |sandbox| {
                let key = sandbox.path(key_of(sandbox, "intermediate0", "kept"));
                let other = key.with_file_name("7F0000000000000001.key");
                fs::copy(key, other).unwrap();
            },
        ),
    ]
}

fn journals() -> Vec<Damage> {
    vec![
        lasting(
            "no journal of certificates",
            &["journal-missing"],
            |sandbox| {
                remove(sandbox, ISSUED);
            },
        ),
        lasting(
            "an empty journal of revocations",
            &["journal-missing"],
            |sandbox| {
                sandbox.write(REVOKED, "");
            },
        ),
        lasting("no journal of lists", &["journal-missing"], |sandbox| {
            remove(sandbox, LISTS);
        }),
        lasting("another CA's journal", &["journal-header"], |sandbox| {
            rewrite(sandbox, ISSUED, |lines| lines[0]["ca"] = json!("other"));
        }),
        lasting("another journal", &["journal-header"], |sandbox| {
            rewrite(sandbox, ISSUED, |lines| {
                lines[0]["journal"] = json!("revoked");
            });
        }),
        lasting("a changed line", &["journal-chain"], |sandbox| {
            edit(sandbox, ISSUED, "\"cn\":\"gone\"", "\"cn\":\"here\"");
        }),
        lasting("a dropped line", &["journal-chain"], |sandbox| {
            edit_lines(sandbox, ISSUED, |lines| drop(lines.remove(1)));
        }),
        lasting("lines in another order", &["journal-chain"], |sandbox| {
            edit_lines(sandbox, ISSUED, |lines| lines.swap(1, 2));
        }),
        lasting("a doubled line", &["journal-chain"], |sandbox| {
            edit_lines(sandbox, ISSUED, |lines| lines.push(lines[2].clone()));
        }),
        lasting(
            "a changed line of revocations",
            &["journal-chain"],
            |sandbox| {
                edit(sandbox, REVOKED, "unspecified", "superseded");
            },
        ),
        lasting("a changed line of lists", &["journal-chain"], |sandbox| {
            edit(sandbox, LISTS, "\"entries\":1", "\"entries\":2");
        }),
        lasting("a line that is no record", &["journal-record"], |sandbox| {
            rewrite(sandbox, ISSUED, |lines| lines[1] = json!({"serial": "zz"}));
        }),
        lasting(
            "a line that revokes nothing",
            &["journal-record"],
            |sandbox| {
                rewrite(sandbox, REVOKED, |lines| {
                    lines.push(json!({"serial": lines[1]["serial"].clone()}));
                });
            },
        ),
        healed("an unfinished line", &["journal-torn"], |sandbox| {
            let text = sandbox.read(REVOKED) + "{\"serial\":\"0";
            sandbox.write(REVOKED, text);
        }),
        lasting("an empty counter", &["counter-damaged"], |sandbox| {
            sandbox.write("pki/intermediate0/serial", "");
        }),
        lasting("no counter of lists", &["counter-damaged"], |sandbox| {
            remove(sandbox, "pki/intermediate0/crlnumber");
        }),
        lasting(
            "a counter that is no number",
            &["counter-damaged"],
            |sandbox| {
                sandbox.write("pki/intermediate0/serial", format!("{}\n", "x".repeat(39)));
            },
        ),
        healed("an older counter", &["counter-behind"], |sandbox| {
            sandbox.write("pki/intermediate0/serial", format!("{:039}\n", 1));
        }),
        healed(
            "an older counter of lists",
            &["counter-behind"],
            |sandbox| {
                sandbox.write("pki/intermediate0/crlnumber", format!("{:039}\n", 0));
            },
        ),
    ]
}

fn mismatches() -> Vec<Damage> {
    vec![
        lasting("another cn", &["record-mismatch"], |sandbox| {
            rewrite_record(sandbox, "kept", |record| record["cn"] = json!("somebody"));
        }),
        lasting(
            "a revocation that expires early",
            &["revocation-expiry", "list-covers"],
            |sandbox| {
                rewrite(sandbox, REVOKED, |lines| {
                    lines[1]["revoked"]["not_after"] = json!("2026-01-01T00:00:00Z");
                });
            },
        ),
        lasting(
            "a revocation that expires late",
            &["revocation-expiry", "list-covers"],
            |sandbox| {
                rewrite(sandbox, REVOKED, |lines| {
                    lines[1]["revoked"]["not_after"] = json!("2096-01-01T00:00:00Z");
                });
            },
        ),
    ]
}

fn records() -> Vec<Damage> {
    vec![
        lasting(
            "a record without its certificate",
            &["certificate-missing"],
            |sandbox| {
                rewrite_record(sandbox, "kept", |record| {
                    record.as_object_mut().unwrap().remove("der");
                });
            },
        ),
        lasting(
            "half a certificate",
            &["certificate-unreadable"],
            |sandbox| {
                rewrite_record(sandbox, "kept", |record| record["der"] = json!("MIIB"));
            },
        ),
        lasting("another subject", &["certificate-mismatch"], |sandbox| {
            rewrite_record(sandbox, "kept", |record| {
                record["subject"] = json!("CN=other");
            });
        }),
        lasting("a SAN more", &["record-mismatch"], |sandbox| {
            rewrite_record(sandbox, "kept", |record| {
                record["sans"] = json!(["dns:more.example.test"]);
            });
        }),
        lasting("another profile", &["record-mismatch"], |sandbox| {
            rewrite_record(sandbox, "kept", |record| {
                record["profile"] = json!("timestamp");
            });
        }),
        lasting("the profile of a CA", &["record-mismatch"], |sandbox| {
            rewrite_record(sandbox, "kept", |record| {
                record["profile"] = json!("subordinate");
            });
        }),
        lasting("another end", &["certificate-mismatch"], |sandbox| {
            rewrite_record(sandbox, "kept", |record| {
                record["not_after"] = json!("2030-01-01T00:00:00Z");
            });
        }),
        lasting(
            "another CA's certificate",
            &["certificate-mismatch"],
            |sandbox| {
                let guarded = sandbox.read("pki/guarded/issued.jsonl");
                let line = guarded.lines().last().unwrap();
                let foreign: Value = serde_json::from_str(line).unwrap();
                rewrite(sandbox, ISSUED, |lines| lines.push(foreign));
                let counter = format!("{:039}\n", 3);
                sandbox.write("pki/intermediate0/serial", counter);
            },
        ),
        lasting("another signature", &["certificate-signature"], |sandbox| {
            rewrite_record(sandbox, "kept", |record| {
                let mut der = STANDARD.decode(record["der"].as_str().unwrap()).unwrap();
                *der.last_mut().unwrap() ^= 1;
                record["der"] = json!(STANDARD.encode(der));
            });
        }),
        lasting(
            "a signature that is not checked",
            &["signature-not-checked"],
            |sandbox| {
                let serial = serial_of(sandbox, "intermediate0", "kept");
                sandbox
                    .pki("export --ca intermediate0 --cn kept --out out --no-passphrase")
                    .succeeds();
                openssl(
                    sandbox,
                    "req -new -key out/kept.key -subj /CN=kept -out kept.csr",
                );
                let ca = "-CA pki/intermediate0/ca.crt -CAkey pki/intermediate0/ca.key -days 90";
                let out = format!("-set_serial 0x{serial} -sha224 -outform DER -out new.der");
                openssl(sandbox, &format!("x509 -req -in kept.csr {ca} {out}"));
                let dates = "x509 -inform DER -in new.der -noout -dates -dateopt iso_8601";
                let dates = sandbox.run("openssl", dates).succeeds().stdout;
                let dates = dates.lines().map(|line| line.split_once('=').unwrap().1);
                let dates: Vec<String> = dates.map(|date| date.replace(' ', "T")).collect();
                let der = fs::read(sandbox.path("new.der")).unwrap();
                rewrite_record(sandbox, "kept", |record| {
                    record["not_before"] = json!(dates[0]);
                    record["not_after"] = json!(dates[1]);
                    record["der"] = json!(STANDARD.encode(der));
                    // It has no extended key usage, as a client's would have.
                    record["profile"] = json!("imported");
                });
            },
        ),
        lasting(
            "a flaw in a store of none",
            &["certificate-flaw"],
            |sandbox| {
                rewrite_record(sandbox, "kept", |record| record["flaw"] = json!("expired"));
            },
        ),
        lasting("a record twice", &["serial-duplicate"], |sandbox| {
            rewrite(sandbox, ISSUED, |lines| lines.push(lines[1].clone()));
        }),
    ]
}

fn revocations() -> Vec<Damage> {
    vec![
        lasting("a certificate that ends soon", &["expiring"], |sandbox| {
            sandbox
                .pki("issue --ca intermediate0 --cn soon --days 9")
                .succeeds();
        }),
        lasting(
            "a revocation of what was not issued",
            &["revocation-unknown", "list-outdated"],
            |sandbox| {
                rewrite(sandbox, REVOKED, |lines| {
                    let mut line = lines[1].clone();
                    line["serial"] = json!("7F0000000000000001");
                    lines.push(line);
                });
            },
        ),
        lasting(
            "a first revocation twice",
            &["revocation-order"],
            |sandbox| {
                rewrite(sandbox, REVOKED, |lines| lines.push(lines[1].clone()));
            },
        ),
        lasting(
            "a release of what was not revoked",
            &["revocation-order"],
            |sandbox| {
                let serial = serial_of(sandbox, "intermediate0", "kept");
                rewrite(sandbox, REVOKED, |lines| {
                    let at = "2026-01-01T00:00:00Z";
                    lines.push(json!({"again": true, "serial": serial, "released_at": at}));
                });
            },
        ),
    ]
}

fn put_older_chain_back(sandbox: &Sandbox) {
    let chain = "pki/crl/intermediate0.chain.crl.pem";
    let older = sandbox.read(chain);
    sandbox.pki("crl --ca rootCA").succeeds();
    sandbox.write(chain, older);
}

/// A list that was made before anything was revoked, as if it were the one on record.
fn put_list_without_entries(sandbox: &Sandbox) {
    sandbox
        .pki("--store before crl --to-pem --ca rootCA --ca intermediate0")
        .succeeds();
    for form in ["crl", "crl.pem"] {
        let file = format!("crl/intermediate0.{form}");
        fs::copy(
            sandbox.path("before").join(&file),
            sandbox.path("pki").join(&file),
        )
        .unwrap();
    }
    remove(sandbox, "pki/crl/intermediate0.chain.crl.pem");
    let theirs = sandbox.read("before/intermediate0/crls.jsonl");
    let theirs: Value = serde_json::from_str(theirs.lines().last().unwrap()).unwrap();
    rewrite(sandbox, LISTS, |lines| {
        lines[1]["sha256"] = theirs["sha256"].clone();
    });
}

fn lists() -> Vec<Damage> {
    vec![
        lasting("a list on record twice", &["list-order"], |sandbox| {
            rewrite(sandbox, LISTS, |lines| lines.push(lines[1].clone()));
        }),
        lasting(
            "other revocations than were listed",
            &["list-covers"],
            |sandbox| {
                rewrite(sandbox, REVOKED, |lines| {
                    lines[1]["revoked"]["at"] = json!("2026-01-01T00:00:00Z");
                });
            },
        ),
        lasting("no list for the time to come", &["list-ahead"], |sandbox| {
            remove(sandbox, "pki/guarded/ahead/2.crl");
        }),
        lasting(
            "another list for the time to come",
            &["list-ahead"],
            |sandbox| {
                let ahead = sandbox.path("pki/guarded/ahead");
                fs::copy(ahead.join("1.crl"), ahead.join("2.crl")).unwrap();
            },
        ),
    ]
}

fn published() -> Vec<Damage> {
    vec![
        healed("half a list", &["list-unreadable"], |sandbox| {
            sandbox.write("pki/crl/intermediate0.crl", "0");
        }),
        healed("another CA's list", &["list-signature"], |sandbox| {
            let folder = sandbox.path("pki/crl");
            fs::copy(folder.join("guarded.crl"), folder.join("intermediate0.crl")).unwrap();
        }),
        healed(
            "no list, and what was made of it",
            &["list-missing"],
            |sandbox| {
                remove(sandbox, "pki/crl/intermediate0.crl");
            },
        ),
        lasting(
            "half a list, and nothing made of it",
            &["list-unreadable"],
            |sandbox| {
                sandbox.write("pki/crl/guarded.crl", "0");
            },
        ),
        lasting(
            "a list that is newer than the store",
            &["list-number"],
            |sandbox| {
                super::copy(&sandbox.path("pki"), &sandbox.path("older"));
                publish_second_of_older(sandbox);
            },
        ),
        lasting(
            "another list of the same number",
            &["list-unrecorded"],
            |sandbox| {
                super::copy(&sandbox.path("pki"), &sandbox.path("older"));
                sandbox
                    .pki("crl --to-pem --chain --ca intermediate0 --days 9")
                    .succeeds();
                publish_second_of_older(sandbox);
            },
        ),
        lasting(
            "a list that lacks a revocation",
            &["list-incomplete"],
            |sandbox| {
                put_list_without_entries(sandbox);
            },
        ),
        lasting(
            "an older journal of revocations",
            &["list-forgotten", "list-covers"],
            |sandbox| {
                fs::copy(
                    sandbox.path("before/intermediate0/revoked.jsonl"),
                    sandbox.path(REVOKED),
                )
                .unwrap();
            },
        ),
        healed("another list as PEM", &["list-copy"], |sandbox| {
            let other = sandbox.read("pki/crl/rootCA.crl.pem");
            sandbox.write("pki/crl/intermediate0.crl.pem", other);
        }),
        healed("half a chain", &["list-copy"], |sandbox| {
            let list = sandbox.read("pki/crl/intermediate0.crl.pem");
            sandbox.write("pki/crl/intermediate0.chain.crl.pem", list);
        }),
        healed(
            "an older chain",
            &["list-copy-behind"],
            put_older_chain_back,
        ),
        Damage {
            look: |sandbox, options| later(sandbox, "+1h", options),
            ..healed(
                "an older chain, for an hour",
                &["list-copy"],
                put_older_chain_back,
            )
        },
    ]
}

fn ends_and_news() -> Vec<Damage> {
    vec![
        seen("eight days", &["list-stale"], |sandbox, options| {
            later(sandbox, "+8d", options)
        }),
        lasting(
            "a list signed under a clock that was ahead",
            &["list-future"],
            |sandbox| {
                sandbox
                    .run("faketime", "-f +4d")
                    .arg(env!("CARGO_BIN_EXE_pki"))
                    .words("crl --ca intermediate0 --to-pem --chain")
                    .succeeds();
            },
        ),
        seen("five days", &["list-ends-soon"], |sandbox, options| {
            later(sandbox, "+5d", options)
        }),
        lasting(
            "a revocation that is not listed",
            &["list-outdated"],
            |sandbox| {
                sandbox
                    .pki("revoke --ca intermediate0 --cn kept")
                    .succeeds();
            },
        ),
        lasting("no list in its place", &["list-unpublished"], |sandbox| {
            for form in ["crl", "crl.pem", "chain.crl.pem"] {
                remove(sandbox, &format!("pki/crl/intermediate0.{form}"));
            }
        }),
    ]
}

/// Imports a CA whose leaf names its serial number, renews it, and loses its certificate before.
fn lose_named_certificate(sandbox: &Sandbox) {
    sandbox.make_openssl_ca();
    sandbox.rewrite_key("pkcs8 -topk8", "-nocrypt");
    sandbox.write("aki.cnf", "authorityKeyIdentifier = keyid, issuer:always\n");
    sandbox.request("named.csr", "/CN=named");
    sandbox
        .old_ca("-notext -extfile aki.cnf -infiles named.csr")
        .succeeds();
    for line in [
        "import --openssl old --name named --no-passphrase",
        "ca renew --ca named",
    ] {
        sandbox.pki(line).succeeds();
    }
    let folder = "pki/named/previous";
    for name in sandbox.names_in(folder) {
        remove(sandbox, &format!("{folder}/{name}"));
    }
}

/// Signs the second list in a copy from before there was one, and puts it into the place of the list here.
fn publish_second_of_older(sandbox: &Sandbox) {
    sandbox
        .pki("--store older crl --to-pem --chain --ca intermediate0 --days 8")
        .succeeds();
    for form in ["crl", "crl.pem", "chain.crl.pem"] {
        let file = format!("crl/intermediate0.{form}");
        fs::copy(
            sandbox.path("older").join(&file),
            sandbox.path("pki").join(&file),
        )
        .unwrap();
    }
}

/// Row of the table in docs/check.md, which a unit test compares to the rules in the code.
struct Rule {
    name: String,
    level: String,
    heals: bool,
}

impl Rule {
    fn documented() -> Vec<Self> {
        let page = fs::read_to_string(repository("docs/check.md")).unwrap();
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        let rows = rows.map(|row| {
            let mut cells = row.trim_matches('|').split('|').map(str::trim);
            let mut cell = || cells.next().unwrap();
            Self {
                name: cell().trim_matches('`').to_owned(),
                level: cell().to_owned(),
                heals: cell() == "yes",
            }
        });
        rows.collect()
    }
}

/// Rules of which no damage here is one: those that need another user are tested with the code, those about keys
/// outside the store with them, those about promoted servers with these.
const ELSEWHERE: [&str; 4] = ["key-left", "key-outside", "other-owner", "serial-gap"];

#[test]
fn every_rule_has_a_damage_that_breaks_it() {
    let first: BTreeSet<&str> = damages().iter().map(|damage| damage.rules[0]).collect();
    let documented = Rule::documented();
    let rules = documented.iter().map(|rule| &*rule.name);
    let rules: BTreeSet<&str> = rules.filter(|rule| !ELSEWHERE.contains(rule)).collect();
    let healed = documented.iter().filter(|rule| rule.heals);
    let healed: BTreeSet<&str> = healed.map(|rule| &*rule.name).collect();
    let seen_healed = damages().into_iter().filter(|damage| damage.heals);
    let seen_healed: BTreeSet<&str> = seen_healed.map(|damage| damage.rules[0]).collect();
    // What expires comes with what else has ended by then.
    assert_eq!(first, rules);
    assert_eq!(seen_healed, healed);
}

#[test]
fn each_kind_of_damage_is_named_and_repaired_if_safe() {
    let whole = store_with_everything();
    let damages = damages();
    let (next, problems) = (AtomicUsize::new(0), Mutex::new(String::new()));
    thread::scope(|scope| {
        // Most of the time is spent waiting for others to be done, of whom there are none.
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(damage) = damages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(problem) = damage.judge(&copy_of(&whole)) {
                        let mut problems = problems.lock().unwrap();
                        writeln!(problems, "{}: {problem}", damage.what).unwrap();
                    }
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap();
    assert!(problems.is_empty(), "{problems}");
}

fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

impl Damage {
    fn judge(&self, sandbox: &Sandbox) -> Result<(), String> {
        (self.make)(sandbox);
        let before = Snapshot::of(&sandbox.path("pki"));
        let found = (self.look)(sandbox, "").finish();
        expect(&found, self.rules)?;
        let changed = before.differences(&sandbox.path("pki"));
        ensure(changed.is_empty(), || format!("a look changed {changed:?}"))?;
        let mended = (self.look)(sandbox, "--repair").finish();
        let repairs = mended.json()["repairs"].as_array().map_or(0, Vec::len);
        if self.heals {
            expect(&mended, &[])?;
            ensure(repairs > 0, || format!("nothing is said: {mended}"))?;
            return works(sandbox);
        }
        expect(&mended, self.rules)?;
        ensure(repairs == 0, || format!("something was mended: {mended}"))?;
        let changed = before.differences(&sandbox.path("pki"));
        ensure(changed.is_empty(), || {
            format!("--repair changed {changed:?}")
        })
    }
}

/// What was found, and the exit code that follows from it.
fn expect(found: &Transcript, expected: &[&str]) -> Result<(), String> {
    let documented = Rule::documented();
    let wrong = expected.iter().any(|name| {
        let rule = documented.iter().find(|rule| rule.name == *name);
        rule.unwrap().level != "notice"
    });
    let status = if wrong { 3 } else { 0 };
    ensure(found.status == Some(status), || format!("{found}"))?;
    let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    ensure(rules(found) == expected, || {
        format!("not {expected:?}: {found}")
    })
}

/// What comes next: certificates and lists, of which openssl finds nothing wrong.
fn works(sandbox: &Sandbox) -> Result<(), String> {
    for line in [
        "issue --ca intermediate0 --cn next --out next --no-passphrase",
        "crl --to-pem --chain --ca rootCA --ca intermediate0",
        "check",
    ] {
        let next = sandbox.pki(line).finish();
        ensure(next.status == Some(0), || format!("{next}"))?;
    }
    let lists = sandbox.read("pki/crl/intermediate0.chain.crl.pem");
    sandbox.write("lists.pem", lists);
    let cas = "-CAfile pki/rootCA/ca.crt -untrusted pki/intermediate0/ca.crt -CRLfile lists.pem";
    let line = format!("verify -crl_check_all {cas} next/next.crt");
    let verified = sandbox.run("openssl", &line).finish();
    ensure(verified.status == Some(0), || format!("{verified}"))
}
