//! Every system call of every command that writes, failing or never reached; power cut behind each of them; and
//! too little room.
//!
//! A command is traced once. Then, for each of its calls on a file of the sandbox and on standard
//! output: the process is killed before the call takes effect, or the call fails with EIO, ENOSPC
//! or EINTR. Whatever happens, nothing that was acknowledged is gone, no number comes twice, what
//! has a name is whole, the exit code is true, and the next command works and leaves nothing behind. The same
//! holds for whatever a power cut leaves of its changes, and where disk, inodes or file sizes end.

mod disk;
pub(crate) mod judge;
mod page;
mod pair;
mod pairs;
mod power;
mod recording;
mod shortage;
pub(crate) mod sweep;
mod torn;
pub(crate) mod trace;

use std::fs;
use std::path::Path;

use crate::sandbox::{PASSPHRASE, Sandbox};

use judge::{Verdict, ensure};
use sweep::Sweep;

/// Two CAs with certificates, of which some are revoked, and with lists, one of which is behind.
fn begin() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    for cn in ["kept", "listed", "unlisted", "victim"] {
        sandbox.issued("intermediate0", cn);
    }
    let rows = ["row-1", "row-2", "row-3"].map(|cn| sandbox.issued("intermediate0", cn));
    sandbox.write("rows.csv", rows.join("\n"));
    for line in [
        "issue --ca rootCA --cn beside",
        "export --ca intermediate0 --cn kept --out given --no-passphrase",
        "bundle --out truststore.pem --ca rootCA",
        "revoke --ca intermediate0 --cn listed",
        "crl --to-pem --chain",
        "revoke --ca intermediate0 --cn unlisted --reason keyCompromise",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

/// Both CAs have a list with this number, and PEM and chain are of the same lists.
fn lists_are_published(sandbox: &Sandbox, number: u128) -> Verdict {
    for ca in ["rootCA", "intermediate0"] {
        for file in ["crl", "crl.pem", "chain.crl.pem"] {
            let list = sandbox.list_in(&format!("pki/crl/{ca}.{file}"));
            ensure(list.number == number, || {
                format!("{ca}.{file} is {}", list.number)
            })?;
        }
    }
    let pem = |name: &str| sandbox.read(format!("pki/crl/{name}.pem"));
    let chain = pem("intermediate0.crl") + &pem("rootCA.crl");
    ensure(pem("intermediate0.chain.crl") == chain, || {
        "the chain is of other lists".into()
    })
}

#[test]
fn crl_with_pem_and_chains() {
    Sweep {
        command: "crl --to-pem --chain",
        begin: begin(),
        done: |sandbox| lists_are_published(sandbox, 2),
        next: |_| lines(&["crl --to-pem --chain"]),
    }
    .run();
}

/// Both rows of the table are issued, and their files are there.
fn rows_are_issued(sandbox: &Sandbox) -> Verdict {
    for cn in ["of-a-table", "of-a-table-too"] {
        let listed = sandbox.pki("list --format json --cn").arg(cn).succeeds();
        let count = listed.json().as_array().map_or(0, Vec::len);
        ensure(count == 1, || format!("{cn} is issued {count} times"))?;
        for ending in ["crt", "chain.pem", "fullchain.pem", "key"] {
            let file = format!("out/{cn}.{ending}");
            ensure(sandbox.path(&file).exists(), || {
                format!("{file} is missing")
            })?;
        }
    }
    Ok(())
}

#[test]
fn issuing_the_rows_of_a_table() {
    let sandbox = begin();
    sandbox.write("table.csv", "cn\nof-a-table\nof-a-table-too\n");
    let command = "issue --ca intermediate0 --from table.csv --out out --no-passphrase --resume";
    Sweep {
        command,
        begin: sandbox,
        done: rows_are_issued,
        // Gone on with, nothing is issued twice; what has half its files has them replaced.
        next: |_| {
            lines(&[
                "issue --ca intermediate0 --from table.csv --out out --no-passphrase --resume --force",
            ])
        },
    }
    .run();
}

/// As many as are synced together where the file system can do so, with records of several pages.
#[test]
fn issuing_many_rows() {
    let sandbox = begin();
    let row = |number: u32| format!("many-{number}\n");
    sandbox.write(
        "many.csv",
        "cn\n".to_owned() + &(1..=12).map(row).collect::<String>(),
    );
    let command = "issue --ca intermediate0 --from many.csv --resume";
    Sweep {
        command,
        begin: sandbox,
        done: |sandbox| {
            let listed = sandbox.pki("list --format json").succeeds().json();
            let names = listed.as_array().unwrap().iter();
            let names = names.filter_map(|entry| entry["subject"].as_str());
            let many = names.filter(|name| name.starts_with("CN=many-")).count();
            ensure(many == 12, || format!("{many} are issued"))
        },
        next: |_| lines(&["issue --ca intermediate0 --from many.csv --resume"]),
    }
    .runs_short();
}

#[test]
fn crl_keeps_up_the_files_that_are_there() {
    Sweep {
        command: "crl",
        begin: begin(),
        done: |sandbox| lists_are_published(sandbox, 2),
        next: |_| lines(&["crl"]),
    }
    .run();
}

/// Under every name of a hash stands a whole list, which openssl finds by it.
fn hash_names_are_published(sandbox: &Sandbox) -> Verdict {
    for ca in ["rootCA", "intermediate0"] {
        let list = format!("pki/crl/{ca}.crl.pem");
        let run = sandbox.run("openssl", "crl -noout -hash -in").arg(&list);
        let name = format!("pki/crl/{}.r0", run.succeeds().stdout.trim());
        let is_same = fs::read(sandbox.path(&name)).ok() == fs::read(sandbox.path(&list)).ok();
        ensure(is_same, || format!("{name} is not the list of {ca}"))?;
    }
    Ok(())
}

#[test]
fn crl_for_a_server_with_hash_names() {
    Sweep {
        command: "crl --for apache --hash-names",
        begin: begin(),
        done: |sandbox| {
            lists_are_published(sandbox, 2)?;
            hash_names_are_published(sandbox)
        },
        next: |_| lines(&["crl --for apache --hash-names"]),
    }
    .run();
}

/// The directory of the CA has a response for each of its certificates.
fn responses_are_published(sandbox: &Sandbox) -> Verdict {
    let check = sandbox.pki("ocsp --check --ca intermediate0 --out responses");
    let check = check.finish();
    ensure(check.status == Some(0), || check.to_string())
}

/// Every response is signed again, as each is older than the revocation.
#[test]
fn ocsp_responses_after_a_revocation() {
    let sandbox = begin();
    for line in [
        "ocsp --ca intermediate0 --out responses",
        "revoke --ca intermediate0 --cn kept",
    ] {
        sandbox.pki(line).succeeds();
    }
    Sweep {
        command: "ocsp --ca intermediate0 --out responses",
        begin: sandbox,
        done: responses_are_published,
        next: |_| lines(&["ocsp --ca intermediate0 --out responses --if-needed"]),
    }
    .runs_short();
}

/// The responses of the others are taken over into the new directory.
#[test]
fn ocsp_responses_of_a_new_certificate() {
    let sandbox = begin();
    sandbox
        .pki("ocsp --ca intermediate0 --out responses")
        .succeeds();
    sandbox.issued("intermediate0", "late");
    Sweep {
        command: "ocsp --ca intermediate0 --out responses --if-needed",
        begin: sandbox,
        done: responses_are_published,
        next: |_| lines(&["ocsp --ca intermediate0 --out responses --if-needed"]),
    }
    .runs_short();
}

#[test]
fn ocsp_response_for_stapling() {
    let sandbox = begin();
    let command = "ocsp --ca intermediate0 --cn kept --out staple";
    sandbox.pki(command).succeeds();
    Sweep {
        command,
        begin: sandbox,
        done: |sandbox| {
            let check = "ocsp --check --ca intermediate0 --cn kept --out staple";
            let check = sandbox.pki(check).finish();
            ensure(check.status == Some(0), || check.to_string())
        },
        next: |_| lines(&["ocsp --ca intermediate0 --cn kept --out staple"]),
    }
    .runs_short();
}

#[test]
fn crl_ahead_of_time() {
    Sweep {
        command: "crl --ca intermediate0 --ahead 2 --every 30d",
        begin: begin(),
        done: |sandbox| {
            let list = |file: &str| sandbox.list_in(file).number;
            let numbers = [
                list("pki/crl/intermediate0.crl"),
                list("pki/intermediate0/ahead/2.crl"),
                list("pki/intermediate0/ahead/3.crl"),
            ];
            ensure(numbers == [2, 2, 3], || format!("{numbers:?}"))
        },
        next: |_| lines(&["crl --ca intermediate0 --ahead 2 --every 30d"]),
    }
    .run();
}

fn is_revoked(sandbox: &Sandbox, cn: &str) -> Verdict {
    let line = format!("--format json list --ca intermediate0 --cn {cn}");
    let listed = sandbox.pki(&line).succeeds().json();
    ensure(listed[0]["status"] == "revoked", || {
        format!("{cn}: {listed}")
    })
}

#[test]
fn revoke() {
    Sweep {
        command: "revoke --ca intermediate0 --cn victim",
        begin: begin(),
        done: |sandbox| is_revoked(sandbox, "victim"),
        next: |_| lines(&["revoke --ca intermediate0 --cn victim", "crl"]),
    }
    .run();
}

/// Two records, one behind the other: the certificate's, and its revocation.
#[test]
fn revoke_what_is_not_on_record() {
    let sandbox = begin();
    sandbox.signed_elsewhere("elsewhere", "-set_serial 0x5500000000000000AA");
    Sweep {
        command: "revoke --cert elsewhere.crt",
        begin: sandbox,
        done: |sandbox| is_revoked(sandbox, "elsewhere"),
        next: |_| lines(&["revoke --cert elsewhere.crt", "crl"]),
    }
    .run();
}

#[test]
fn revoke_from_a_file() {
    Sweep {
        command: "revoke --ca intermediate0 --from rows.csv",
        begin: begin(),
        done: |sandbox| {
            let rows = ["row-1", "row-2", "row-3"];
            rows.iter().try_for_each(|cn| is_revoked(sandbox, cn))
        },
        next: |_| lines(&["revoke --ca intermediate0 --from rows.csv", "crl"]),
    }
    .run();
}

/// The files of a certificate, which fit together as openssl sees it.
fn files_are_written(sandbox: &Sandbox, folder: &str, name: &str) -> Verdict {
    let file = |end: &str| format!("{folder}/{name}.{end}");
    let bundle = "-CAfile pki/rootCA/ca.crt -untrusted";
    let [chain, full_chain, leaf] = ["chain.pem", "fullchain.pem", "crt"].map(file);
    let verified = sandbox
        .run("openssl", "verify")
        .words(&format!("{bundle} {chain} {leaf} {full_chain}"))
        .finish();
    ensure(verified.status == Some(0), || verified.to_string())?;
    let public =
        |line: &str, end: &str| sandbox.run("openssl", line).arg(file(end)).finish().stdout;
    let key = public("pkey -pubout -in", "key");
    let certified = public("x509 -noout -pubkey -in", "crt");
    ensure(!key.is_empty() && key == certified, || {
        "the key is another one".into()
    })
}

#[test]
fn issue_with_files() {
    Sweep {
        command: "issue --ca intermediate0 --cn fresh --out out --no-passphrase",
        begin: begin(),
        done: |sandbox| files_are_written(sandbox, "out", "fresh"),
        next: |_| lines(&["issue --ca intermediate0 --cn fresh --out out --no-passphrase --force"]),
    }
    .run();
}

/// Two records, one behind the other.
#[test]
fn issue_what_is_revoked_at_once() {
    let begin = begin();
    begin.write("pki/store.json", "{\"format\":3,\"fixture\":true}\n");
    Sweep {
        command: "issue --ca intermediate0 --cn fresh --flaw revoked",
        begin,
        done: |sandbox| is_revoked(sandbox, "fresh"),
        next: |_| lines(&["issue --ca intermediate0 --cn fresh --flaw revoked", "crl"]),
    }
    .run();
}

/// A new certificate with its files, one that is revoked, the lists, and a trust store.
const DECLARATION: &str = r#"
[defaults]
ca = "intermediate0"
out = "out"
no_passphrase = true

[ca.rootCA]

[ca.intermediate0]
parent = "rootCA"

[certificate.fresh]

[certificate.taken-back]
revoked = { reason = "superseded" }

[crl.rootCA]
to_pem = true
chain = true

[crl.intermediate0]
to_pem = true
chain = true

[bundle.truststore]
"#;

/// Each entry has one certificate, with its files, and one of them is revoked.
fn declaration_is_applied(sandbox: &Sandbox) -> Verdict {
    for name in ["fresh", "taken-back"] {
        let listed = sandbox.pki("list --format json --cn").arg(name).succeeds();
        let count = listed.json().as_array().map_or(0, Vec::len);
        ensure(count == 1, || format!("{name} is issued {count} times"))?;
        files_are_written(sandbox, "out", name)?;
    }
    is_revoked(sandbox, "taken-back")
}

#[test]
fn applying_a_declaration() {
    let sandbox = begin();
    sandbox.write("pki.toml", DECLARATION);
    Sweep {
        command: "apply pki.toml",
        begin: sandbox,
        done: declaration_is_applied,
        next: |sandbox| {
            // Which certificate a chain or a key is of, nobody knows without it. The certificate gets its
            // name first, but a power cut may leave the names that came after; then the hint is followed.
            let is_there =
                |name: &str, end: &str| sandbox.path(format!("out/{name}.{end}")).exists();
            let is_unknown = |name: &&str| {
                let has = |ends: [&str; 2]| ends.iter().any(|end| is_there(name, end));
                has(["chain.pem", "key"]) && !has(["crt", "fullchain.pem"])
            };
            let force = ["fresh", "taken-back"].iter().any(is_unknown);
            lines(&[["apply pki.toml", "apply pki.toml --force"][usize::from(force)]])
        },
    }
    .run();
}

/// Every file of the repository is there, as its list of hashes has it.
fn repository_is_whole(sandbox: &Sandbox) -> Verdict {
    let summed = sandbox.run("env", "-C public sha256sum --quiet --strict -c SHA256SUMS");
    let summed = summed.finish();
    ensure(summed.status == Some(0), || summed.to_string())
}

/// Over a repository that is there: it is the old one or the new one.
#[test]
fn publishing_a_repository() {
    let sandbox = begin();
    sandbox.pki("publish --out public").succeeds();
    sandbox.pki("crl --to-pem --chain").succeeds();
    Sweep {
        command: "publish --out public",
        begin: sandbox,
        done: |sandbox| {
            repository_is_whole(sandbox)?;
            let checked = sandbox.pki("publish --check public").finish();
            ensure(checked.status == Some(0), || checked.to_string())
        },
        next: |sandbox| {
            repository_is_whole(sandbox).unwrap();
            lines(&["publish --out public"])
        },
    }
    .run();
}

#[test]
fn export_into_a_new_folder() {
    Sweep {
        command: "export --ca intermediate0 --cn kept --out out --no-passphrase",
        begin: begin(),
        done: |sandbox| files_are_written(sandbox, "out", "kept"),
        next: |_| lines(&["export --ca intermediate0 --cn kept --out out --no-passphrase --force"]),
    }
    .run();
}

#[test]
fn export_over_files_that_are_there() {
    Sweep {
        command: "export --ca intermediate0 --cn victim --name kept --out given --no-passphrase --force",
        begin: begin(),
        done: |sandbox| files_are_written(sandbox, "given", "kept"),
        next: |_| {
            lines(&["export --ca intermediate0 --cn victim --name kept --out given --no-passphrase --force"])
        },
    }
    .run();
}

/// A new CA is there, whole, and its certificate is good; or it can be made.
fn make_or_use(sandbox: &Sandbox, ca: &str, make: &str) -> Vec<String> {
    // What an interrupted command left is completed or cleared away by any other.
    sandbox.pki("tree").succeeds();
    let made = sandbox.path(format!("pki/{ca}/ca.json")).exists();
    let mut next = Vec::new();
    if !made {
        next.push(make.to_owned());
    }
    next.push(format!("issue --ca {ca} --cn below"));
    next.push(format!("crl --ca {ca}"));
    next
}

fn ca_is_good(sandbox: &Sandbox, ca: &str) -> Verdict {
    let verified = sandbox
        .run("openssl", "verify -trusted pki/rootCA/ca.crt -trusted")
        .words(&format!("pki/{ca}/ca.crt pki/{ca}/ca.crt"))
        .finish();
    ensure(verified.status == Some(0), || verified.to_string())
}

#[test]
fn root_in_a_store() {
    Sweep {
        command: "root --name added --no-passphrase",
        begin: begin(),
        done: |sandbox| ca_is_good(sandbox, "added"),
        next: |sandbox| make_or_use(sandbox, "added", "root --name added --no-passphrase"),
    }
    .run();
}

#[test]
fn subordinate() {
    Sweep {
        command: "subordinate --ca rootCA --name added --no-passphrase",
        begin: begin(),
        done: |sandbox| ca_is_good(sandbox, "added"),
        next: |sandbox| {
            make_or_use(
                sandbox,
                "added",
                "subordinate --ca rootCA --name added --no-passphrase",
            )
        },
    }
    .run();
}

/// What a `subordinate` leaves that is killed at a call.
fn killed_making_a_ca(call: &str, file: &str) -> Sandbox {
    let sandbox = begin();
    let command = "subordinate --ca rootCA --name added --no-passphrase";
    let calls = trace::record(&begin(), command);
    let path = Path::new(file);
    let call = calls
        .iter()
        .find(|found| found.name == call && found.path == path);
    trace::run_with(&sandbox, command, call.unwrap(), trace::Fault::Kill).unwrap();
    assert!(sandbox.path("pki/.new-added/ca.json").exists());
    sandbox
}

#[test]
fn clearing_away_a_ca_that_was_not_issued() {
    Sweep {
        command: "tree",
        begin: killed_making_a_ca("write", "pki/rootCA/issued.jsonl"),
        done: |sandbox| {
            let tree = sandbox.pki("tree").succeeds();
            ensure(!tree.stdout.contains("added"), || tree.to_string())
        },
        next: |sandbox| {
            let make = "subordinate --ca rootCA --name added --no-passphrase";
            make_or_use(sandbox, "added", make)
        },
    }
    .run();
}

#[test]
fn completing_a_ca_that_was_issued() {
    Sweep {
        command: "list --ca rootCA",
        begin: killed_making_a_ca("renameat2", "pki/.new-added"),
        done: |sandbox| {
            sandbox.pki("tree").succeeds();
            ca_is_good(sandbox, "added")
        },
        next: |sandbox| make_or_use(sandbox, "added", "(it has been issued)"),
    }
    .run();
}

#[test]
fn root_and_its_store() {
    Sweep {
        command: "--store new root --name first --no-passphrase",
        begin: begin(),
        done: |sandbox| {
            let listed = sandbox.pki("--store new list --ca first").finish();
            ensure(listed.status == Some(0), || listed.to_string())
        },
        next: |sandbox| {
            let tree = sandbox.pki("--store new tree").finish();
            let made = tree.stdout.contains("first");
            let all = [
                "--store new root --name first --no-passphrase",
                "--store new issue --ca first --cn below",
            ];
            lines(&all[usize::from(made)..])
        },
    }
    .run();
}

#[test]
fn bundle_over_one_that_is_there() {
    Sweep {
        command: "bundle --out truststore.pem",
        begin: begin(),
        done: |sandbox| {
            let text = sandbox.read("truststore.pem");
            let count = text.matches("-----END CERTIFICATE-----\n").count();
            ensure(count == 2, || text)
        },
        next: |_| lines(&["bundle --out truststore.pem"]),
    }
    .run();
}

#[test]
fn bundle_for_java() {
    let begin = begin();
    begin.write("passphrase", PASSPHRASE);
    Sweep {
        command: "bundle --for java --passout file:passphrase",
        begin,
        done: |sandbox| {
            let line = "pkcs12 -nokeys -in truststore.p12 -passin file:passphrase";
            let opened = sandbox.run("openssl", line).finish();
            let count = opened.stdout.matches("-----END CERTIFICATE-----\n").count();
            ensure(count == 2, || opened.to_string())
        },
        next: |_| lines(&["bundle --for java --passout file:passphrase"]),
    }
    .run();
}

#[test]
fn crl_converted_into_a_file() {
    Sweep {
        command: "crl --in pki/crl/rootCA.crl --to-pem --out converted.pem",
        begin: begin(),
        done: |sandbox| {
            let beside = fs::read(sandbox.path("pki/crl/rootCA.crl.pem")).unwrap();
            let converted = fs::read(sandbox.path("converted.pem")).unwrap();
            ensure(beside == converted, || "it is another list".into())
        },
        next: |_| lines(&["crl --in pki/crl/rootCA.crl --to-pem --out converted.pem"]),
    }
    .run();
}

/// The request of a CA of another store.
fn with_their_request() -> Sandbox {
    let sandbox = begin();
    sandbox
        .pki("--store theirs subordinate --name theirs --request theirs.csr --no-passphrase")
        .succeeds();
    sandbox
}

#[test]
fn signing_the_request_of_a_ca() {
    Sweep {
        command: "subordinate --ca rootCA --csr theirs.csr --out theirs.crt",
        begin: with_their_request(),
        done: |sandbox| {
            let line = "verify -CAfile pki/rootCA/ca.crt theirs.crt";
            let verified = sandbox.run("openssl", line).finish();
            ensure(verified.status == Some(0), || verified.to_string())
        },
        next: |_| lines(&["subordinate --ca rootCA --csr theirs.csr --out theirs.crt --force"]),
    }
    .run();
}

#[test]
fn a_ca_that_waits() {
    Sweep {
        command: "subordinate --name added --request added.csr --no-passphrase",
        begin: begin(),
        done: |sandbox| {
            let key = sandbox
                .run("openssl", "pkey -pubout -in pki/.waiting-added/ca.key")
                .finish();
            let request = sandbox
                .run("openssl", "req -verify -noout -pubkey -in added.csr")
                .finish();
            ensure(
                request.status == Some(0) && key.stdout == request.stdout,
                || format!("{key}\n{request}"),
            )
        },
        next: |_| {
            lines(&[
                "subordinate --name added --request added.csr --no-passphrase --force",
                "subordinate --ca rootCA --csr added.csr --out added.crt",
                "subordinate --name added --install added.crt",
                "issue --ca added --cn below",
            ])
        },
    }
    .run();
}

/// A CA of openssl with a certificate that is valid, one that is revoked, and one that is lost.
fn with_openssl_ca() -> Sandbox {
    let sandbox = begin();
    sandbox.make_openssl_ca();
    sandbox.rewrite_key("pkcs8 -topk8", "-nocrypt");
    sandbox.request("leaf.csr", "/CN=leaf");
    sandbox
        .old_ca("-notext -infiles leaf.csr leaf.csr leaf.csr")
        .succeeds();
    sandbox.old_ca("-revoke old/newcerts/1001.pem").succeeds();
    sandbox.old_ca("-gencrl -out old/crl.pem").succeeds();
    fs::remove_file(sandbox.path("old/newcerts/1002.pem")).unwrap();
    sandbox
}

#[test]
fn importing_a_ca() {
    const IMPORT: &str = "import --openssl old --name added --no-passphrase --partial";
    Sweep {
        command: IMPORT,
        begin: with_openssl_ca(),
        done: |sandbox| {
            let listed = sandbox.pki("--format json list --ca added").succeeds();
            let json = listed.json();
            let certificates = json.as_array().unwrap().iter();
            let standing = certificates.map(|entry| {
                let is_lost = entry["fingerprint_sha256"].is_null();
                (entry["status"].as_str().unwrap(), is_lost)
            });
            let expected = [("valid", false), ("revoked", false), ("valid", true)];
            ensure(standing.eq(expected), || listed.to_string())
        },
        next: |sandbox| make_or_use(sandbox, "added", IMPORT),
    }
    .run();
}

/// As [`with_openssl_ca`], with a CA below it in the store, and so a copy of it without its key.
fn with_copy_of_openssl_ca() -> Sandbox {
    let sandbox = with_openssl_ca();
    let configuration = sandbox.read("old.cnf");
    sandbox.write(
        "old.cnf",
        configuration
            + "[ca-below]\nbasicConstraints = critical, CA:TRUE\n"
            + "keyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n",
    );
    sandbox
        .pki("subordinate --name below --request below.csr --no-passphrase")
        .succeeds();
    sandbox
        .old_ca("-notext -extensions ca-below -in below.csr -out below.crt")
        .succeeds();
    sandbox
        .pki("subordinate --name below --install below.crt --chain old/cacert.pem")
        .succeeds();
    sandbox
}

#[test]
fn importing_a_ca_that_is_there_without_its_key() {
    const IMPORT: &str = "import --openssl old --name Old-CA --no-passphrase --partial";
    fn has_key(sandbox: &Sandbox) -> bool {
        sandbox.path("pki/Old-CA/ca.key").exists()
    }
    Sweep {
        command: IMPORT,
        begin: with_copy_of_openssl_ca(),
        done: |sandbox| {
            ensure(has_key(sandbox), || "it has no key".into())?;
            let tree = sandbox.pki("tree").succeeds().stdout;
            ensure(tree.contains("└─ below  "), || tree)?;
            let listed = sandbox.pki("--format json list --ca Old-CA").succeeds();
            let count = listed.json().as_array().unwrap().len();
            ensure(count == 4, || listed.to_string())
        },
        next: |sandbox| {
            // What an interrupted command left is cleared away by any other, and the CA is always there.
            let tree = sandbox.pki("tree").succeeds().stdout;
            assert!(tree.contains("└─ below  "), "{tree}");
            let mut next = Vec::new();
            if !has_key(sandbox) {
                next.push(IMPORT.to_owned());
            }
            next.extend(lines(&["issue --ca Old-CA --cn next", "crl --ca Old-CA"]));
            next
        },
    }
    .run();
}

/// A CA that waits, and its certificate by a root that the store does not know.
fn with_their_certificate() -> Sandbox {
    let sandbox = begin();
    for line in [
        "subordinate --name added --request added.csr --no-passphrase",
        "--store theirs root --name theirs --no-passphrase",
        "--store theirs subordinate --ca theirs --csr added.csr --out added.crt",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

#[test]
fn installing_a_certificate() {
    Sweep {
        command: "subordinate --name added --install added.crt --chain theirs/theirs/ca.crt",
        begin: with_their_certificate(),
        done: |sandbox| {
            let tree = sandbox.pki("tree").succeeds().stdout;
            let is_installed = tree.contains("theirs  ") && tree.contains("└─ added  ");
            ensure(is_installed && !tree.contains("pending"), || tree)
        },
        next: |sandbox| {
            // What an interrupted command left is completed or cleared away by any other.
            let waits = sandbox.pki("tree").succeeds().stdout.contains("pending");
            let all = [
                "subordinate --name added --install added.crt --chain theirs/theirs/ca.crt",
                "issue --ca added --cn below",
                "crl --ca added",
            ];
            lines(&all[usize::from(!waits)..])
        },
    }
    .run();
}

/// The newest certificate of that name took the place of `kept`'s, which is revoked.
fn kept_is_renewed(sandbox: &Sandbox) -> Verdict {
    let line = "--format json list --ca intermediate0 --cn kept";
    let listed = sandbox.pki(line).succeeds().json();
    let superseded = listed[0]["reason"] == "superseded";
    let renewed = listed[1]["renews"] == listed[0]["serial"];
    ensure(superseded && renewed, || listed.to_string())?;
    files_are_written(sandbox, "out", "kept")
}

#[test]
fn renewing_a_leaf() {
    Sweep {
        command: "renew --ca intermediate0 --cn kept --supersede --out out --no-passphrase",
        begin: begin(),
        done: kept_is_renewed,
        next: |_| {
            lines(&[
                "renew --ca intermediate0 --cn kept --supersede --out out --no-passphrase --force",
                "crl",
            ])
        },
    }
    .run();
}

/// The new certificate is in its place, the one before is kept, and what was issued is valid under both.
fn ca_is_renewed(sandbox: &Sandbox, ca: &str) -> Verdict {
    let previous = sandbox.names_in(&format!("pki/{ca}/previous"));
    ensure(previous.len() == 1, || format!("{previous:?}"))?;
    let old = format!("pki/{ca}/previous/{}", previous[0]);
    let same = fs::read(sandbox.path(&old)).ok()
        == fs::read(sandbox.path(format!("pki/{ca}/ca.crt"))).ok();
    ensure(!same, || "it is the one before".into())?;
    for certificate in [format!("pki/{ca}/ca.crt"), old] {
        let line = format!("verify -partial_chain -CAfile {certificate} given/kept.chain.pem");
        let verified = sandbox.run("openssl", &line).finish();
        ensure(verified.status == Some(0), || verified.to_string())?;
    }
    Ok(())
}

#[test]
fn renewing_a_root() {
    Sweep {
        command: "ca renew --ca rootCA",
        begin: begin(),
        done: |sandbox| ca_is_renewed(sandbox, "rootCA"),
        next: |_| {
            lines(&[
                "ca renew --ca rootCA",
                "issue --ca rootCA --cn below",
                "crl",
            ])
        },
    }
    .run();
}

#[test]
fn renewing_a_subordinate() {
    Sweep {
        command: "ca renew --ca intermediate0 --days 3000",
        begin: begin(),
        done: |sandbox| {
            let kept = sandbox.names_in("pki/intermediate0/previous").len();
            ensure(kept == 1, || format!("{kept} are kept"))?;
            let line = "verify -x509_strict -CAfile pki/rootCA/ca.crt -untrusted pki/intermediate0/ca.crt given/kept.crt";
            let verified = sandbox.run("openssl", line).finish();
            ensure(verified.status == Some(0), || verified.to_string())
        },
        next: |_| {
            lines(&[
                "ca renew --ca intermediate0 --days 3000",
                "issue --ca intermediate0 --cn below",
                "crl",
            ])
        },
    }
    .run();
}

#[test]
fn a_root_in_the_place_of_another() {
    Sweep {
        command: "ca rekey --ca rootCA --name added --no-passphrase",
        begin: begin(),
        done: |sandbox| {
            ca_is_good(sandbox, "added")?;
            for (issuer, subject) in [("rootCA", "added"), ("added", "rootCA")] {
                let line = format!("--format json list --ca {issuer} --cn {subject}");
                let listed = sandbox.pki(&line).succeeds().json();
                let cross = |entry: &serde_json::Value| entry["profile"] == "cross";
                let count = listed
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|entry| cross(entry))
                    .count();
                ensure(count == 1, || format!("{issuer} to {subject}: {count}"))?;
            }
            Ok(())
        },
        next: |sandbox| {
            let make = "ca rekey --ca rootCA --name added --no-passphrase";
            let mut next = make_or_use(sandbox, "added", make);
            next.push("ca cross-sign --ca rootCA --with added".to_owned());
            next
        },
    }
    .run();
}

#[test]
fn installing_a_certificate_in_the_place_of_another() {
    let sandbox = begin();
    for line in [
        "ca renew --ca intermediate0 --request again.csr",
        "subordinate --ca rootCA --csr again.csr --out answer.crt --days 3000",
    ] {
        sandbox.pki(line).succeeds();
    }
    Sweep {
        command: "ca renew --ca intermediate0 --install answer.crt",
        begin: sandbox,
        done: |sandbox| {
            let kept = sandbox.names_in("pki/intermediate0/previous").len();
            ensure(kept == 1, || format!("{kept} are kept"))?;
            let (now, answer) = (
                sandbox.read("pki/intermediate0/ca.crt"),
                sandbox.read("answer.crt"),
            );
            ensure(now == answer, || "it is another certificate".into())
        },
        next: |_| {
            lines(&[
                "ca renew --ca intermediate0 --days 2000",
                "ca renew --ca intermediate0 --install answer.crt",
                "issue --ca intermediate0 --cn below",
            ])
        },
    }
    .run();
}

/// Another store that comes out of a backup has what this one had.
fn restores(sandbox: &Sandbox, archive: &str) -> Verdict {
    let restore = format!("--store proved restore {archive}");
    let restored = sandbox.pki(&restore).finish();
    ensure(restored.status == Some(0), || restored.to_string())?;
    let list = |store: &str| {
        let line = format!("--store {store} --format json list");
        sandbox.pki(&line).succeeds().stdout
    };
    let same = list("proved") == list("pki");
    fs::remove_dir_all(sandbox.path("proved")).unwrap();
    ensure(same, || "it is another store".into())
}

#[test]
fn backing_up() {
    Sweep {
        command: "backup backup.tar",
        begin: begin(),
        done: |sandbox| restores(sandbox, "backup.tar"),
        next: |_| lines(&["backup backup.tar --force"]),
    }
    .run();
}

#[test]
fn backing_up_over_a_backup() {
    let sandbox = begin();
    sandbox.pki("backup backup.tar").succeeds();
    sandbox.issued("intermediate0", "later");
    Sweep {
        command: "backup backup.tar --force",
        begin: sandbox,
        done: |sandbox| restores(sandbox, "backup.tar"),
        next: |_| lines(&["backup backup.tar --force"]),
    }
    .run();
}

#[test]
fn restoring() {
    let sandbox = begin();
    sandbox.pki("backup backup.tar").succeeds();
    Sweep {
        command: "--store new restore backup.tar",
        begin: sandbox,
        done: |sandbox| {
            let list = |store: &str| {
                let line = format!("--store {store} --format json list");
                sandbox.pki(&line).succeeds().stdout
            };
            ensure(list("new") == list("pki"), || "it is another store".into())
        },
        next: |sandbox| {
            let restored = sandbox.path("new").exists();
            let all = [
                "--store new restore backup.tar",
                "--store new issue --ca intermediate0 --cn below",
                "--store new crl",
            ];
            lines(&all[usize::from(restored)..])
        },
    }
    .run();
}

#[test]
fn changing_a_passphrase() {
    Sweep {
        command: "passphrase --ca intermediate0 --no-passphrase",
        begin: begin(),
        done: |sandbox| {
            let names = sandbox.names_in("pki/intermediate0");
            let keys: Vec<&String> = names.iter().filter(|name| name.contains("key")).collect();
            ensure(keys == ["ca-1.key", "keys-1"], || format!("{keys:?}"))
        },
        next: |_| {
            lines(&[
                "issue --ca intermediate0 --cn below",
                "export --ca intermediate0 --cn kept --out out --no-passphrase",
                "passphrase --ca intermediate0 --no-passphrase",
            ])
        },
    }
    .run();
}

#[test]
fn removing_a_ca() {
    let sandbox = begin();
    for line in [
        "subordinate --ca rootCA --name gone --no-passphrase",
        "issue --ca gone --cn below",
        "revoke --ca rootCA --cn gone",
    ] {
        sandbox.pki(line).succeeds();
    }
    Sweep {
        command: "ca remove --ca gone --backup backup.tar",
        begin: sandbox,
        done: |sandbox| {
            let names = sandbox.names_in("pki/.removed-gone");
            let has_keys = names.iter().any(|name| name.contains("key"));
            ensure(!has_keys, || format!("{names:?}"))?;
            let listed = sandbox.pki("log --ca gone").finish();
            ensure(listed.status == Some(0), || listed.to_string())
        },
        next: |sandbox| {
            let removed = sandbox.path("pki/.removed-gone").exists();
            let all = ["ca remove --ca gone --backup backup.tar --force", "tree"];
            lines(&all[usize::from(removed)..])
        },
    }
    .run();
}
