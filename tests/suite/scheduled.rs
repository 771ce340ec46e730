//! The units and the crontab of docs/scheduled.md: systemd accepts them, and
//! their own command lines do what the page says.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use expect_test::{Expect, expect};

use crate::docs;
use crate::run::{Run, Transcript, assert_text};
use crate::sandbox::{PASSPHRASE, STORE, Sandbox};

const PAGE: &str = "docs/scheduled.md";
const UNITS: [&str; 7] = [
    "pki-crl.service",
    "pki-crl.timer",
    "pki-crl-reload.path",
    "pki-crl-reload.service",
    "pki-crl-check.service",
    "pki-crl-check.timer",
    "pki-alarm@.service",
];

/// The drop-in of the service for CAs with different passphrases, and the same in the crontab.
const DROP_IN: &str = "pki-crl.service.d/passphrases.conf";
const CRONTAB_LINE: &str = "pki-crl-passphrases";

/// Where the page has the store, and the list that nginx reads.
const INSTALLED_STORE: &str = "/var/lib/pki";
const WATCHED: &str = "pki/crl/intermediate0.chain.crl.pem";

/// A protected hierarchy, its passphrase in a file, a certificate to revoke, and
/// a `systemctl` that writes down what it was told.
fn machine() -> Sandbox {
    machine_of(PASSPHRASE)
}

/// The same, whose root has a passphrase of its own.
fn machine_of(root: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("etc/ca.pass", PASSPHRASE);
    sandbox.write("etc/rootCA.pass", root);
    for line in [
        "root --name rootCA",
        "subordinate --ca rootCA --name intermediate0",
        "issue --ca intermediate0 --cn client",
    ] {
        let run = sandbox.with_passphrase(line);
        let run = run.env("PKI_PASSPHRASE_FILE_ROOTCA", "etc/rootCA.pass");
        run.succeeds();
    }
    sandbox.write("bin/systemctl", "#!/bin/sh\necho \"$@\" >>systemctl.log\n");
    let stub = sandbox.path("bin/systemctl");
    fs::set_permissions(stub, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox
}

fn revoke(sandbox: &Sandbox) {
    sandbox
        .pki("revoke --ca intermediate0 --cn client")
        .succeeds();
}

fn number_of_the_list(sandbox: &Sandbox) -> u128 {
    sandbox.published("intermediate0").number
}

/// What systemctl was told since this was asked last.
fn told_systemctl(sandbox: &Sandbox) -> String {
    let log = sandbox.path("systemctl.log");
    let told = fs::read_to_string(&log).unwrap_or_default();
    let _ = fs::remove_file(log);
    told
}

/// What the page says, with the paths of this sandbox for those of a machine.
fn here(sandbox: &Sandbox, text: &str) -> String {
    let path = |name: &str| sandbox.path(name).display().to_string();
    text.replace("/usr/local/bin/pki", env!("CARGO_BIN_EXE_pki"))
        .replace("/usr/bin/systemctl", &path("bin/systemctl"))
        .replace(INSTALLED_STORE, &path(STORE))
        .replace("/etc/pki/ca.pass", &path("etc/ca.pass"))
        .replace("/etc/pki/rootCA.pass", &path("etc/rootCA.pass"))
}

/// The values of a unit's setting, in their order.
fn settings<'a>(unit: &'a str, name: &str) -> Vec<&'a str> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines
        .filter_map(|(key, value)| (key == name).then_some(value))
        .collect()
}

/// The command of a service, run as systemd runs it: with its environment and
/// no other, and its credentials in a folder.
fn started(sandbox: &Sandbox, unit: &str) -> Transcript {
    started_with(sandbox, &docs::file_of(PAGE, unit))
}

/// The same for a unit's text, with that of its drop-in behind it.
fn started_with(sandbox: &Sandbox, text: &str) -> Transcript {
    let unit = here(sandbox, text);
    let _ = fs::remove_dir_all(sandbox.path("credentials"));
    for credential in settings(&unit, "LoadCredential") {
        let (name, source) = credential.split_once(':').unwrap();
        if let Ok(content) = fs::read(source) {
            sandbox.write(&format!("credentials/{name}"), content);
        }
    }
    let [command] = settings(&unit, "ExecStart")[..] else {
        panic!("not one ExecStart=\n{unit}");
    };
    let (program, arguments) = command.split_once(' ').unwrap();
    let credentials = sandbox.path("credentials").display().to_string();
    let environment = settings(&unit, "Environment").join(" ");
    let environment = environment.replace("%d", &credentials);
    environment
        .split_whitespace()
        .map(|assignment| assignment.split_once('=').unwrap())
        .fold(sandbox.run(program, arguments), |run, (name, value)| {
            run.env(name, value)
        })
        .finish()
}

#[test]
fn systemd_accepts_the_units() {
    let sandbox = machine();
    for unit in UNITS {
        sandbox.write(unit, here(&sandbox, &docs::file_of(PAGE, unit)));
    }
    sandbox.write(DROP_IN, here(&sandbox, &docs::file_of(PAGE, DROP_IN)));
    // Which is not installed here.
    sandbox.write("nginx.service", "[Service]\nExecStart=/bin/true\n");
    let verify = || {
        let run = sandbox.run("systemd-analyze", "verify --man=no --recursive-errors=yes");
        let units = UNITS.iter().filter(|unit| !unit.contains('@'));
        units.fold(run, |run, unit| run.arg(sandbox.path(unit)))
    };
    let verified = verify().succeeds();
    assert_eq!(verified.stderr, "", "{verified}");

    // And would not accept what it does not know.
    let wrong = sandbox.read("pki-crl.timer").replace("hourly", "hurly");
    sandbox.write("pki-crl.timer", wrong);
    assert_ne!(verify().finish().stderr, "");
    sandbox.write("pki-crl.timer", docs::file_of(PAGE, "pki-crl.timer"));
    assert_eq!(verify().finish().stderr, "");
    sandbox.write(DROP_IN, "[Service]\nLoadCredentials=x:y\n");
    assert_ne!(verify().finish().stderr, "");
}

/// One that is not named here would not be looked at; and each is enabled that has to be.
#[test]
fn the_units_are_all_that_the_page_has() {
    let page = fs::read_to_string(crate::sandbox::repository(PAGE)).unwrap();
    let shown = page
        .lines()
        .filter_map(|line| line.strip_prefix("```ini file="));
    assert_eq!(
        shown.collect::<BTreeSet<_>>(),
        UNITS.into_iter().chain([DROP_IN]).collect(),
        "other units than those that are verified"
    );
    let enabled = page
        .split('`')
        .filter_map(|span| span.strip_prefix("systemctl enable --now "))
        .flat_map(str::split_whitespace)
        .collect::<BTreeSet<_>>();
    let to_enable = UNITS
        .into_iter()
        .filter(|unit| docs::file_of(PAGE, unit).contains("[Install]"));
    assert_eq!(enabled, to_enable.collect());
}

#[test]
fn the_service_signs_once_and_after_a_revocation() {
    let sandbox = machine();
    let unit = "pki-crl.service";
    let first = started(&sandbox, unit);
    assert_eq!(first.status, Some(0), "{first}");
    assert_eq!(number_of_the_list(&sandbox), 1);

    // No passphrase is there to be asked for.
    fs::rename(sandbox.path("etc/ca.pass"), sandbox.path("etc/hidden")).unwrap();
    let before = sandbox.store_snapshot();
    let second = started(&sandbox, unit);
    assert_eq!(second.status, Some(0), "{second}");
    before.assert_unchanged(&sandbox.path(STORE));

    revoke(&sandbox);
    let third = started(&sandbox, unit);
    assert_eq!(third.status, Some(1), "{third}");
    assert!(third.stderr.contains("credentials/ca.pass"), "{third}");

    fs::rename(sandbox.path("etc/hidden"), sandbox.path("etc/ca.pass")).unwrap();
    let fourth = started(&sandbox, unit);
    assert_eq!(fourth.status, Some(0), "{fourth}");
    assert_eq!(number_of_the_list(&sandbox), 2);
    assert_eq!(sandbox.published("intermediate0").serials.len(), 1);
}

#[test]
fn the_service_signs_with_two_passphrases() {
    let sandbox = machine_of("the root's own");
    let unit = docs::file_of(PAGE, "pki-crl.service");
    let without = started_with(&sandbox, &unit);
    assert_eq!(without.status, Some(4), "{without}");
    let folder = sandbox.folder().display().to_string();
    assert_text(
        &without.stderr.replace(&folder, "DIR"),
        expect![[r#"
            error: key DIR/pki/rootCA/ca.key cannot be used
            caused by: the passphrase is wrong
            hint: give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or for one CA with --passin NAME=SRC
            error: the new CRL is committed to the store, but a later step failed
            caused by: CRL of rootCA not found at DIR/pki/crl/rootCA.crl
            hint: `pki --store DIR/pki crl --to-pem --chain --if-needed` writes the chain file once the other CRLs exist
        "#]],
    );
    fs::remove_dir_all(sandbox.path("pki/crl")).unwrap();

    let with_drop_in = unit + &docs::file_of(PAGE, DROP_IN);
    let signed = started_with(&sandbox, &with_drop_in);
    assert_eq!(signed.status, Some(0), "{signed}");
    assert_chain_serves(&sandbox, true);
    revoke(&sandbox);
    let signed = started_with(&sandbox, &with_drop_in);
    assert_eq!(signed.status, Some(0), "{signed}");
    assert_chain_serves(&sandbox, false);
}

/// Whether openssl, with the chain's CRLs, takes the client's certificate.
#[track_caller]
fn assert_chain_serves(sandbox: &Sandbox, takes: bool) {
    let export = "export --ca intermediate0 --cn client --out out --force --no-passphrase";
    sandbox.with_passphrase(export).succeeds();
    let verified = sandbox
        .run(
            "openssl",
            "verify -crl_check_all -CAfile pki/rootCA/ca.crt -untrusted",
        )
        .words("pki/intermediate0/ca.crt -CRLfile")
        .words(WATCHED)
        .arg("out/client.crt")
        .finish();
    assert_eq!(verified.status == Some(0), takes, "{verified}");
    assert_eq!(
        verified.stderr.contains("certificate revoked"),
        !takes,
        "{verified}"
    );
}

/// The hourly command goes on with pre-signed CRLs of a root whose key and passphrase are away.
#[test]
fn the_service_publishes_the_chain_under_an_offline_root() {
    let sandbox = machine_of("the root's own");
    sandbox
        .pki("crl --ca rootCA --ahead 12 --every 30d --to-pem --passin file:etc/rootCA.pass")
        .succeeds();
    fs::remove_file(sandbox.path("pki/rootCA/ca.key")).unwrap();
    fs::remove_file(sandbox.path("etc/rootCA.pass")).unwrap();
    for takes in [true, false] {
        let signed = started(&sandbox, "pki-crl.service");
        assert_eq!(signed.status, Some(0), "{signed}");
        assert_chain_serves(&sandbox, takes);
        assert_eq!(started(&sandbox, "pki-crl-check.service").status, Some(0));
        revoke(&sandbox);
    }
}

/// The path unit notices a file in another's place, and a reload follows.
#[test]
fn the_watched_file_is_replaced_only_if_something_is_new() {
    let sandbox = machine();
    let unit = here(&sandbox, &docs::file_of(PAGE, "pki-crl-reload.path"));
    let watched = settings(&unit, "PathChanged");
    assert_eq!(watched, [sandbox.path(WATCHED).to_str().unwrap()]);
    let file = || {
        let file = fs::metadata(watched[0]).unwrap();
        (file.ino(), file.modified().unwrap())
    };
    started(&sandbox, "pki-crl.service");
    let first = file();
    started(&sandbox, "pki-crl.service");
    assert_eq!(file(), first);
    revoke(&sandbox);
    started(&sandbox, "pki-crl.service");
    assert_ne!(file(), first);

    let reload = started(&sandbox, "pki-crl-reload.service");
    assert_eq!(reload.status, Some(0), "{reload}");
    assert_eq!(told_systemctl(&sandbox), "reload nginx.service\n");
}

#[test]
fn the_check_fails_on_a_stale_crl_without_a_passphrase() {
    let sandbox = machine();
    let unit = "pki-crl-check.service";
    assert_eq!(started(&sandbox, unit).status, Some(3));
    started(&sandbox, "pki-crl.service");
    assert_eq!(started(&sandbox, unit).status, Some(0));
    revoke(&sandbox);
    assert_eq!(started(&sandbox, unit).status, Some(3));
}

/// The service's filter of system calls, and its ban on memory that can be
/// written and executed, ask for nothing that `pki` can't do without.
#[test]
fn the_service_makes_no_system_call_that_its_unit_forbids() {
    let sandbox = machine();
    let unit = docs::file_of(PAGE, "pki-crl.service");
    let [group] = settings(&unit, "SystemCallFilter")[..] else {
        panic!("not one SystemCallFilter=\n{unit}");
    };
    let allowed = system_calls(&sandbox, group);
    assert!(allowed.contains("openat") && !allowed.contains("mount"));

    sandbox
        .run("strace", "--follow-forks --output=calls")
        .arg(env!("CARGO_BIN_EXE_pki"))
        .words("--no-input crl --if-needed --to-pem --chain")
        .env("PKI_PASSPHRASE_FILE", "etc/ca.pass")
        .succeeds();
    let traced = sandbox.read("calls");
    let made = traced.lines().filter_map(|line| {
        let (head, _) = line.split_once('(')?;
        head.split_whitespace().last()
    });
    let made = made.collect::<BTreeSet<_>>();
    assert!(made.contains("openat"), "{traced}");
    let forbidden = made.iter().filter(|call| !allowed.contains(**call));
    assert_eq!(forbidden.collect::<Vec<_>>(), Vec::<&&str>::new());
    assert!(!traced.contains("PROT_WRITE|PROT_EXEC"), "{traced}");
}

/// The system calls of a group, and of the groups in it.
fn system_calls(sandbox: &Sandbox, group: &str) -> BTreeSet<String> {
    let listed = sandbox.run("systemd-analyze", "syscall-filter").arg(group);
    let listed = listed.succeeds();
    let mut calls = BTreeSet::new();
    for name in listed.stdout.lines().map(str::trim) {
        if name.starts_with('@') && name != group {
            calls.extend(system_calls(sandbox, name));
        } else if !name.starts_with(['@', '#']) && !name.is_empty() {
            calls.insert(name.to_owned());
        }
    }
    calls
}

/// A line of the crontab, by its place, run as cron runs it: by sh, with the
/// file's variables, and a short PATH. The stub comes before the real systemctl.
fn run_by_cron(sandbox: &Sandbox, place: usize) -> Transcript {
    run_from(sandbox, &docs::file_of(PAGE, "pki-crl"), place)
}

fn run_from(sandbox: &Sandbox, crontab: &str, place: usize) -> Transcript {
    let crontab = here(sandbox, crontab);
    let (variables, lines): (Vec<&str>, Vec<&str>) = crontab
        .lines()
        .partition(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    let fields = lines[place].split_whitespace().collect::<Vec<_>>();
    assert_eq!(fields[5], "root", "{}", lines[place]);
    let command = fields[6..].join(" ");
    let stubs = sandbox.path("bin").display().to_string();
    let run = Run::new("sh", sandbox.folder())
        .arg("-c")
        .arg(command)
        .env("PATH", format!("{stubs}:/usr/bin:/bin"));
    variables
        .iter()
        .map(|variable| variable.split_once('=').unwrap())
        .fold(run, |run, (name, value)| run.env(name, value))
        .finish()
}

/// All that is printed is sent by mail.
#[track_caller]
fn assert_mails(ran: &Transcript, text: Expect) {
    assert_text(&format!("{}{}", ran.stdout, ran.stderr), text);
}

#[test]
fn cron_signs_and_reloads_once_and_after_a_revocation() {
    let sandbox = machine();
    assert_mails(
        &run_by_cron(&sandbox, 0),
        expect![[r#"
            signed the CRL of intermediate0
            signed the CRL of rootCA
        "#]],
    );
    assert_eq!(told_systemctl(&sandbox), "reload nginx.service\n");

    fs::remove_file(sandbox.path("etc/ca.pass")).unwrap();
    let before = sandbox.store_snapshot();
    assert_mails(&run_by_cron(&sandbox, 0), expect![""]);
    assert_eq!(told_systemctl(&sandbox), "");
    before.assert_unchanged(&sandbox.path(STORE));

    revoke(&sandbox);
    sandbox.write("etc/ca.pass", "wrong");
    let failed = run_by_cron(&sandbox, 0);
    assert!(failed.stderr.starts_with("error: "), "{failed}");
    assert_eq!(told_systemctl(&sandbox), "");

    sandbox.write("etc/ca.pass", PASSPHRASE);
    assert_mails(
        &run_by_cron(&sandbox, 0),
        expect![[r#"
            signed the CRL of intermediate0
        "#]],
    );
    assert_eq!(told_systemctl(&sandbox), "reload nginx.service\n");
    assert_eq!(number_of_the_list(&sandbox), 2);
}

#[test]
fn cron_signs_with_two_passphrases() {
    let sandbox = machine_of("the root's own");
    let crontab = docs::file_of(PAGE, CRONTAB_LINE) + &docs::file_of(PAGE, "pki-crl");
    assert_mails(
        &run_from(&sandbox, &crontab, 0),
        expect![[r#"
            signed the CRL of intermediate0
            signed the CRL of rootCA
        "#]],
    );
    assert_chain_serves(&sandbox, true);
}

#[test]
fn cron_mails_what_is_not_fresh_and_nothing_else() {
    let sandbox = machine();
    let lists = sandbox.path("pki/crl").display().to_string();
    let missing = |ca: &str| format!("{ca}: missing: no CRL of this CA at {lists}/{ca}.crl\n");
    let mailed = run_by_cron(&sandbox, 1).stdout.replace(&lists, "LISTS");
    assert_text(
        &mailed,
        expect![[r#"
            intermediate0: missing: no CRL of this CA at LISTS/intermediate0.crl
            rootCA: missing: no CRL of this CA at LISTS/rootCA.crl
        "#]],
    );
    run_by_cron(&sandbox, 0);
    assert_mails(&run_by_cron(&sandbox, 1), expect![""]);
    fs::remove_file(sandbox.path("pki/crl/rootCA.crl")).unwrap();
    let mailed = run_by_cron(&sandbox, 1);
    assert!(mailed.stdout.ends_with(&missing("rootCA")), "{mailed}");
}
