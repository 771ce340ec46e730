//! `pki backup` and `pki restore`: what others read of an archive, what a restored store is, and how it
//! goes on beside the one that the archive was made of.

mod busy;
mod hostile;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{Run, assert_same, assert_text};
use crate::sandbox::{PASSPHRASE, Sandbox};
use crate::snapshot::Snapshot;

/// Above what every restored CA goes on, at least.
const STEP: u128 = 1 << 32;

/// A store with something of everything that a store can have.
fn with_everything() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    for cn in ["kept", "revoked"] {
        sandbox.issued("intermediate0", cn);
    }
    for line in [
        "revoke --ca intermediate0 --cn revoked",
        "crl --to-pem --chain --hash-names",
        "crl --ca rootCA --ahead 2 --every 30d",
        "ca renew --ca intermediate0 --days 3000",
        "subordinate --name waiting --request waiting.csr --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

/// `tar`, `bsdtar` and Python, each of which lists an archive and extracts it into a folder.
fn extractors(sandbox: &Sandbox, archive: &str, into: &str) -> [(&'static str, Run, Run); 3] {
    let run = |program: &str, line: &str| sandbox.run(program, &format!("{line} {archive}"));
    let extracted = |run: Run| run.words(&format!("-C {into}"));
    [
        ("tar", run("tar", "-tf"), extracted(run("tar", "-xf"))),
        (
            "bsdtar",
            run("bsdtar", "-tf"),
            extracted(run("bsdtar", "-xf")),
        ),
        (
            "python3",
            run("python3", "-m tarfile -l"),
            run("python3", "-m tarfile -e").arg(into),
        ),
    ]
}

/// The files of a folder below `store` are those of the store, but for locks.
#[track_caller]
fn assert_is_the_store(sandbox: &Sandbox, folder: &str) {
    let line = format!("-r --exclude=lock pki {folder}");
    let same = sandbox.run("diff", &line).finish();
    assert_eq!(same.status, Some(0), "{same}");
}

#[test]
fn what_tar_bsdtar_and_python_extract_is_the_store() {
    let sandbox = with_everything();
    sandbox.pki("backup backup.tar").succeeds();
    let listed = sandbox.pki("--format json list").succeeds().stdout;
    let mut listings = BTreeSet::new();
    for (index, name) in ["tar", "bsdtar", "python3"].iter().enumerate() {
        fs::create_dir(sandbox.path(name)).unwrap();
        let (_, lists, extracts) = extractors(&sandbox, "backup.tar", name)
            .into_iter()
            .nth(index)
            .unwrap();
        let names = lists.succeeds().stdout;
        let names: Vec<_> = names
            .lines()
            .map(|name| name.trim_end().trim_end_matches('/').to_owned())
            .collect();
        assert_eq!(names.first().unwrap(), "backup.json", "{name}");
        assert_eq!(names.last().unwrap(), "end.json", "{name}");
        listings.insert(names);
        let transcript = extracts.succeeds();
        assert_eq!(transcript.stderr, "", "{name}");
        assert_is_the_store(&sandbox, &format!("{name}/store"));
        let again = sandbox.pki(&format!("--store {name}/store --format json list"));
        assert_same(&again.succeeds().stdout, &listed);
        let sums = sandbox
            .run("sh", "-c")
            .arg(format!("cd {name} && sha256sum -c --strict sums/*"));
        let sums = sums.succeeds().stdout;
        assert!(
            sums.contains("store/intermediate0/issued.jsonl: OK\n"),
            "{sums}"
        );
    }
    assert_eq!(listings.len(), 1, "{listings:?}");
}

#[test]
fn a_restored_store_is_the_same_but_for_where_its_numbers_go_on() {
    let sandbox = with_everything();
    sandbox.write("pki/README", "mine");
    let made = sandbox.pki("backup backup.tar").succeeds();
    assert_same(
        &normalised(&made.stdout),
        &format!(
            "backed up 2 CAs to backup.tar, {} bytes in 33 files\n  \
               intermediate0  2 certificates\n  \
               rootCA         3 certificates\n  \
               waiting        pending, without a certificate\n",
            fs::metadata(sandbox.path("backup.tar")).unwrap().len()
        ),
    );
    assert_text(
        &made.stderr,
        expect![[r#"
            notice: the keys of these CAs are not encrypted, neither in the store nor in the backup: intermediate0, rootCA
            notice: ./pki/README is not a file of the store, so it is not in the backup
        "#]],
    );
    let restored = sandbox
        .pki_at("2126-01-02 00:00:00", "--store new restore backup.tar")
        .succeeds();
    assert_text(
        &normalised(&restored.stdout),
        expect![[r#"
            restored 2 CAs to new, as of [time], 33 files
              intermediate0  2 certificates; continues above serial counter 4922985600000000, CRL number 4922985600000000
              rootCA         3 certificates; continues above serial counter 4922985600000000, CRL number 4922985600000000
              waiting        pending, without a certificate
            anything issued, revoked or signed after [time] is not in it:
              revoke again     `pki --store new revoke --ca NAME --serial S`
              revoke unknown   `pki --store new revoke --ca NAME --cert FILE`
              sign new lists   `pki --store new crl`
        "#]],
    );
    for line in [
        "list",
        "tree",
        "show --ca intermediate0",
        "show --ca waiting",
    ] {
        let show = |store: &str| {
            let run = sandbox.pki(&format!("--store {store} --format json {line}"));
            run.succeeds().stdout.replace(&format!("{store}/"), "")
        };
        assert_same(&show("new"), &show("pki"));
    }
    let differ = sandbox
        .run("diff", "-rq --exclude=lock pki new")
        .ends_with(1);
    let differ: BTreeSet<&str> = differ.stdout.lines().collect();
    assert_eq!(
        differ,
        [
            "Files pki/.waiting-waiting/intended.json and new/.waiting-waiting/intended.json differ",
            "Files pki/intermediate0/ca.json and new/intermediate0/ca.json differ",
            "Files pki/intermediate0/crlnumber and new/intermediate0/crlnumber differ",
            "Files pki/intermediate0/serial and new/intermediate0/serial differ",
            "Only in pki: README",
            "Files pki/rootCA/ca.json and new/rootCA/ca.json differ",
            "Files pki/rootCA/crlnumber and new/rootCA/crlnumber differ",
            "Files pki/rootCA/serial and new/rootCA/serial differ",
            "Only in new/intermediate0: changes.jsonl",
            "Only in new/rootCA: changes.jsonl",
        ]
        .into()
    );
}

fn counter(serial: &str) -> u128 {
    u128::from_str_radix(&serial[..serial.len() - 16], 16).unwrap()
}

#[test]
fn a_restored_store_repeats_no_number_of_the_one_that_went_on() {
    let sandbox = with_everything();
    let sandbox = &sandbox;
    sandbox.pki("backup backup.tar").succeeds();
    let issue = |store: &str, cn: &str| {
        let line = format!(
            "--store {store} --format json issue --ca intermediate0 --cn {cn} --out {store}-out --no-passphrase"
        );
        let issued = sandbox.pki(&line).succeeds().json();
        counter(issued["serial"].as_str().unwrap())
    };
    let sign = |store: &str| {
        sandbox.pki(&format!("--store {store} crl")).succeeds();
        sandbox
            .list_in(&format!("{store}/crl/intermediate0.crl"))
            .number
    };
    let gone_on = (0..5)
        .map(|index| issue("pki", &format!("went-on-{index}")))
        .max();
    let signed = (0..3).map(|_| sign("pki")).max();
    sandbox.pki("--store new restore backup.tar").succeeds();
    // Counters from before the restore are of no harm.
    for file in ["serial", "crlnumber"] {
        let file = format!("intermediate0/{file}");
        fs::copy(
            sandbox.path("pki").join(&file),
            sandbox.path("new").join(&file),
        )
        .unwrap();
    }
    let (first, second) = (issue("new", "first"), issue("new", "second"));
    assert!(first > STEP && Some(first) > gone_on, "{first}");
    assert!(second > first, "{second}");
    let (one, other) = (sign("new"), sign("new"));
    assert!(one > STEP && Some(one) > signed, "{one}");
    assert!(other > one, "{other}");
    let line = "verify -x509_strict -crl_check_all -CAfile pki/rootCA/ca.crt -untrusted pki/intermediate0/ca.crt";
    sandbox
        .run("openssl", line)
        .words("-CRLfile new/crl/intermediate0.crl.pem -CRLfile new/crl/rootCA.crl.pem")
        .words("new-out/first.crt pki-out/went-on-0.crt")
        .succeeds();

    // Restored once more, the same backup goes on above the first restore.
    sandbox.pki("--store other restore backup.tar").succeeds();
    assert!(issue("other", "elsewhere") > second);
    assert!(sign("other") > other);

    // So does a backup of a restored store.
    sandbox.pki("--store new backup again.tar").succeeds();
    sandbox.pki("--store newer restore again.tar").succeeds();
    assert!(issue("newer", "third") > second + STEP);
    assert!(sign("newer") > other + STEP);
}

#[test]
fn a_waiting_ca_goes_on_above_what_it_may_have_issued_since() {
    let sandbox = with_everything();
    sandbox.pki("backup backup.tar").succeeds();
    sandbox.pki("--store new restore backup.tar").succeeds();
    for line in [
        "subordinate --ca rootCA --csr waiting.csr --out waiting.crt",
        "--store new subordinate --name waiting --install waiting.crt",
    ] {
        sandbox.pki(line).succeeds();
    }
    let issued = sandbox
        .pki("--store new --format json issue --ca waiting --cn a")
        .succeeds();
    let serial = issued.json()["serial"].as_str().unwrap().to_owned();
    assert!(counter(&serial) > STEP, "{serial}");
}

#[test]
fn what_was_issued_since_is_revoked_when_it_turns_up() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("backup backup.tar").succeeds();
    let line = "--format json issue --ca intermediate0 --cn since --out out --no-passphrase";
    let issued = sandbox.pki(line).succeeds().json();
    let serial = issued["serial"].as_str().unwrap();
    sandbox.pki("root --name other --no-passphrase").succeeds();
    sandbox
        .pki("issue --ca other --cn theirs --out out --no-passphrase")
        .succeeds();
    sandbox.pki("--store new restore backup.tar").succeeds();

    // A serial number alone says nothing of a certificate that nobody has on record.
    let unknown = sandbox.pki(&format!(
        "--store new revoke --ca intermediate0 --serial 0x{serial}"
    ));
    unknown.refuses(
        1,
        "certificate-not-found",
        expect![[r#"
            error: certificate [serial] of intermediate0 not found
            hint: `pki --store new list --ca intermediate0` shows the record; `pki --store new revoke --cert FILE` revokes a certificate that is not on record
        "#]],
    );
    let revoke = |file: &str| {
        sandbox.pki(&format!(
            "--store new revoke --ca intermediate0 --cert out/{file}.crt"
        ))
    };
    revoke("theirs").refuses(
        1,
        "not-issued-by-ca",
        expect![[r#"
            error: intermediate0 did not issue the certificate out/theirs.crt
            hint: remove --ca: the certificate identifies the CA
        "#]],
    );
    let revoked = revoke("since").succeeds();
    assert_text(
        &normalised(&revoked.stderr),
        expect![[r#"
            notice: [serial] was not on record; the key of intermediate0 signed it, so it is recorded now
        "#]],
    );
    let again = revoke("since").words("--format json").succeeds();
    assert_eq!(again.json()["already"], true);
    let listed = sandbox
        .pki("--store new --format json list --ca intermediate0")
        .succeeds()
        .json();
    assert_eq!(listed[0]["serial"], serial);
    assert_eq!(listed[0]["status"], "revoked");
    sandbox.pki("--store new crl").succeeds();
    let list = sandbox.list_in("new/crl/intermediate0.crl");
    assert_eq!(list.serials, [serial]);
    // The store that was backed up takes what the restored one issued, by the same proof.
    let line = "--store new issue --ca intermediate0 --cn later --out later --no-passphrase";
    sandbox.pki(line).succeeds();
    sandbox
        .pki("revoke --ca intermediate0 --cert later/later.crt")
        .succeeds();
}

#[test]
fn keys_are_for_their_owner_whatever_the_umask() {
    let sandbox = with_everything();
    let mode = |path: &str| {
        fs::metadata(sandbox.path(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    let pki = env!("CARGO_BIN_EXE_pki");
    for (umask, plain, folder) in [("000", 0o644, 0o755), ("077", 0o600, 0o700)] {
        let script = format!(
            "umask {umask}; {pki} backup {umask}.tar && {pki} --store {umask} restore {umask}.tar"
        );
        sandbox.run("sh", "-c").arg(script).succeeds();
        assert_eq!(mode(&format!("{umask}.tar")), 0o600);
        assert_eq!(mode(umask), folder);
        assert_eq!(mode(&format!("{umask}/rootCA/ca.crt")), plain);
        assert_eq!(mode(&format!("{umask}/rootCA/ca.key")), 0o600);
        assert_eq!(mode(&format!("{umask}/rootCA/keys")), 0o700);
        assert_eq!(mode(&format!("{umask}/.waiting-waiting/ca.key")), 0o600);
        let keys = sandbox.names_in(&format!("{umask}/intermediate0/keys"));
        assert_eq!(keys.len(), 2);
        for key in keys {
            assert_eq!(mode(&format!("{umask}/intermediate0/keys/{key}")), 0o600);
        }
    }
    // Extracted by others they are no less.
    fs::create_dir(sandbox.path("extracted")).unwrap();
    sandbox.run("tar", "-xf 000.tar -C extracted").succeeds();
    assert_eq!(mode("extracted/store/rootCA/ca.key"), 0o600);
    assert_eq!(mode("extracted/store/rootCA/keys"), 0o700);
}

#[test]
fn no_passphrase_is_asked_for_and_no_key_is_there_in_the_open() {
    let sandbox = Sandbox::new();
    for line in ["root --name rootCA", "issue --ca rootCA --cn a"] {
        sandbox.with_passphrase(line).succeeds();
    }
    let made = sandbox.pki("backup backup.tar").succeeds();
    assert_eq!(made.stderr, "");
    sandbox.pki("--store new restore backup.tar").succeeds();
    sandbox
        .with_passphrase("--store new issue --ca rootCA --cn b")
        .succeeds();
    let archive = fs::read(sandbox.path("backup.tar")).unwrap();
    let holds = |octets: &[u8]| archive.windows(octets.len()).any(|window| window == octets);
    assert!(holds(b"BEGIN ENCRYPTED PRIVATE KEY"));
    assert!(!holds(b"BEGIN PRIVATE KEY"));
    assert!(!holds(PASSPHRASE.as_bytes()));
    // The private bytes, of which openssl says where they are.
    let key = sandbox
        .run(
            "openssl",
            "pkey -noout -text -in pki/rootCA/ca.key -passin env:PKI_PASSPHRASE",
        )
        .env("PKI_PASSPHRASE", PASSPHRASE)
        .succeeds();
    let (_, rest) = key.stdout.split_once("priv:\n").unwrap();
    let (digits, _) = rest.split_once("pub:").unwrap();
    let digits: String = digits.chars().filter(char::is_ascii_hexdigit).collect();
    let octets: Vec<u8> = (0..digits.len() / 2)
        .map(|index| u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).unwrap())
        .collect();
    assert!(octets.len() >= 32);
    assert!(!holds(&octets));
    for skipped in 0..3 {
        let whole = (octets.len() - skipped) / 3 * 3;
        let text = STANDARD.encode(&octets[skipped..skipped + whole]);
        assert!(!holds(text.as_bytes()));
    }
}

#[test]
fn nothing_is_replaced_unasked() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("backup.tar", "something else");
    sandbox.refused(
        sandbox.pki("backup backup.tar"),
        1,
        "file-exists",
        expect![[r#"
            error: could not create backup.tar
            caused by: it already exists
            hint: use another place, or --force to replace it
        "#]],
    );
    assert_eq!(sandbox.read("backup.tar"), "something else");
    sandbox.pki("-q backup backup.tar --force").succeeds();
    sandbox.refused(
        sandbox.pki("backup pki/rootCA/ca.key --force"),
        2,
        "usage",
        expect![[r#"
            error: pki/rootCA/ca.key is inside the store that is backed up
            hint: use a file outside the store, preferably on another disk
        "#]],
    );
    sandbox.refused(
        sandbox.pki("backup - --force"),
        2,
        "usage",
        expect![[r#"
            error: --force needs a file, not -
        "#]],
    );
    sandbox.refused(
        sandbox.pki("restore backup.tar"),
        1,
        "directory-not-empty",
        expect![[r#"
            error: ./pki is not empty
            hint: a backup is restored into a new or empty directory: use another --store
        "#]],
    );
    let other = sandbox.pki("--store missing backup other.tar").ends_with(1);
    assert_text(
        &normalised(&other.stderr),
        expect![[r#"
            error: no store found at missing
            hint: create one with `pki --store missing root --name NAME`, or name an existing store with --store or PKI_STORE
        "#]],
    );
    assert!(!sandbox.path("other.tar").exists());

    fs::create_dir(sandbox.path("empty")).unwrap();
    sandbox.pki("--store empty restore backup.tar").succeeds();
    sandbox
        .pki("--store empty issue --ca rootCA --cn a")
        .succeeds();
    sandbox
        .pki("--store far/away/pki restore backup.tar")
        .succeeds();
    sandbox.pki("--store far/away/pki tree").succeeds();
}

#[test]
fn a_backup_goes_through_pipes_and_is_not_cut_unnoticed() {
    let sandbox = with_everything();
    let pki = env!("CARGO_BIN_EXE_pki");
    let piped = format!("{pki} -q backup - | {pki} --store new restore -");
    let run = sandbox.run("bash", "-o pipefail -c").arg(piped).succeeds();
    assert_eq!(run.stderr, "");
    sandbox.pki("--store new list").succeeds();
    // Large enough that no pipe holds it.
    sandbox.write(
        &format!("pki/crl/{}.crl", "x".repeat(9)),
        vec![b'x'; 1 << 20],
    );
    let broken = format!("{pki} -q backup - | head -c 100 >/dev/null");
    let run = sandbox.run("bash", "-o pipefail -c").arg(broken).finish();
    assert_eq!(run.status, Some(1), "{run}");
    assert_text(
        &normalised(&run.stderr),
        expect![[r#"
            error: could not write to standard output
            caused by: Broken pipe (os error 32)
        "#]],
    );
    let terminal = format!("{pki} -q backup -");
    let run = sandbox
        .run("script", "-qec")
        .arg(terminal)
        .arg("/dev/null")
        .finish();
    assert_eq!(run.status, Some(2), "{run}");
    assert_text(
        &normalised(&run.stdout.replace('\r', "")),
        expect![[r#"
            error: a backup is not written to a terminal
            hint: give a file, or pipe it to a program: `pki backup - | …`
        "#]],
    );
}

#[test]
fn stores_of_every_format_come_back_as_what_they_were() {
    let sandbox = Sandbox::new();
    for line in [
        "--store fixtures root --name rootCA --fixture --no-passphrase",
        "--store fixtures issue --ca rootCA --cn a --flaw expired",
        "--store fixtures backup fixtures.tar",
        "--store fixtures-again restore fixtures.tar",
        "--store fixtures-again issue --ca rootCA --cn b --flaw revoked",
    ] {
        sandbox.pki(line).succeeds();
    }
    let stored = |store: &str| sandbox.read(format!("{store}/store.json"));
    assert_eq!(stored("fixtures-again"), stored("fixtures"));

    sandbox.make_openssl_ca();
    sandbox.rewrite_key("pkcs8 -topk8", "-nocrypt");
    sandbox.request("leaf.csr", "/CN=leaf");
    sandbox
        .old_ca("-notext -infiles leaf.csr leaf.csr")
        .succeeds();
    fs::remove_file(sandbox.path("old/newcerts/1001.pem")).unwrap();
    for line in [
        "import --openssl old --name old --no-passphrase --partial",
        "backup partial.tar",
        "--store partial restore partial.tar",
        "--store partial issue --ca old --cn b",
    ] {
        sandbox.pki(line).succeeds();
    }
    assert!(stored("partial").contains("\"format\":2"));
    let listed = sandbox
        .pki("--store partial --format json list --ca old")
        .succeeds();
    assert_eq!(listed.json().as_array().unwrap().len(), 3, "{listed}");
}

#[test]
fn a_backup_has_many_keys_and_none_that_is_being_made() {
    let sandbox = Sandbox::with_open_ca();
    let serial = sandbox.issued("intermediate0", "recorded");
    let keys = sandbox.path("pki/intermediate0/keys");
    let key = fs::read(keys.join(format!("{serial}.key"))).unwrap();
    for number in 0..1200 {
        fs::write(keys.join(format!("7F{number:016X}.key")), &key).unwrap();
    }
    fs::write(keys.join("7E00000000000000FF.key"), &key[..40]).unwrap();
    sandbox.pki("backup backup.tar").succeeds();
    sandbox.pki("--store new restore backup.tar").succeeds();
    assert_eq!(sandbox.names_in("new/intermediate0/keys").len(), 1201);
    fs::create_dir(sandbox.path("extracted")).unwrap();
    sandbox.run("tar", "-xf backup.tar -C extracted").succeeds();
    assert_eq!(
        sandbox.names_in("extracted/sums"),
        ["000001.sha256", "000002.sha256"]
    );
    // What is on record is all that there is, be it damaged.
    fs::write(keys.join(format!("{serial}.key")), "damaged").unwrap();
    sandbox.pki("backup damaged.tar").succeeds();
    sandbox
        .pki("--store damaged restore damaged.tar")
        .succeeds();
    assert_eq!(
        sandbox.read(format!("damaged/intermediate0/keys/{serial}.key")),
        "damaged"
    );
}

#[test]
fn a_damaged_store_gives_no_backup() {
    let sandbox = with_everything();
    let journal = sandbox.read("pki/intermediate0/issued.jsonl");
    sandbox.write(
        "pki/intermediate0/issued.jsonl",
        journal.replace("kept", "swap"),
    );
    let before = Snapshot::of(sandbox.folder());
    sandbox.pki("-q backup backup.tar").refuses(
        1,
        "store-damaged",
        expect![[r#"
            error: the store is damaged: ./pki/intermediate0/issued.jsonl has a line 2 that does not follow from the line before it
            hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
        "#]],
    );
    before.assert_unchanged(sandbox.folder());
}

/// The same backup, restored a second time with a clock that was set back before it was made: numbers are
/// above those of the first restore, and the user is told.
#[test]
fn a_second_restore_with_the_clock_set_back_goes_on_above() {
    let sandbox = with_everything();
    sandbox.pki("backup backup.tar").succeeds();
    let numbers = |store: &str| {
        ["serial", "crlnumber"].map(|file| {
            let text = sandbox.read(format!("{store}/intermediate0/{file}"));
            text.trim().parse::<u128>().unwrap()
        })
    };
    sandbox.pki("--store first restore backup.tar").succeeds();
    let mut before = numbers("first");
    let mut said = String::new();
    for (store, moment) in [
        ("second", "2020-03-01 00:00:00"),
        ("third", "2020-03-02 00:00:00"),
    ] {
        let restored = sandbox
            .pki_at(moment, &format!("--store {store} restore backup.tar"))
            .succeeds();
        said += &normalised(&restored.stderr).replace(store, "STORE");
        let now = numbers(store);
        assert!(
            now[0] > before[0] && now[1] > before[1],
            "{before:?} {now:?}"
        );
        // Numbers that JavaScript counts exactly.
        assert!(now[1] < 1 << 53, "{now:?}");
        sandbox.pki(&format!("--store {store} crl")).succeeds();
        let list = sandbox.list_in(&format!("{store}/crl/intermediate0.crl"));
        assert_eq!(list.number, now[1] + 1);
        before = now;
    }
    assert_text(
        &said,
        expect![[r#"
            notice: the clock ([time]) is before the time of the backup ([time]): set the clock; serial counters and CRL numbers continue from ten years after the backup
            notice: the clock ([time]) is before the time of the backup ([time]): set the clock; serial counters and CRL numbers continue from ten years after the backup
        "#]],
    );
    // A right clock is not remarked on.
    let restored = sandbox.pki("--store fourth restore backup.tar").succeeds();
    assert!(!restored.stderr.contains("clock"), "{restored}");
}

crate::engine::also_in_a_database! {
    a_waiting_ca_goes_on_above_what_it_may_have_issued_since,
    what_was_issued_since_is_revoked_when_it_turns_up, keys_are_for_their_owner_whatever_the_umask,
    no_passphrase_is_asked_for_and_no_key_is_there_in_the_open,
    stores_of_every_format_come_back_as_what_they_were,
    a_second_restore_with_the_clock_set_back_goes_on_above,
}
