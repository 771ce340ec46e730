//! The lists that a CA signed before: which of them is the last, and what all of them revoke.

use std::fs;

use expect_test::expect;
use serde_json::json;

use crate::run::{Transcript, assert_text};
use crate::sandbox::Sandbox;

use super::{errors, rules};

/// Extensions that make a part of a list.
const PARTS: [(&str, &str); 2] = [
    ("deltaCRLIndicator", "2.5.29.27 = critical, DER:02:01:0F"),
    (
        "issuingDistributionPoint",
        "issuingDistributionPoint = critical, @limit\n[limit]\nonlyuser = TRUE",
    ),
];

impl Sandbox {
    /// `old/`: a CA of openssl with two certificates, 1000 and 1001, neither revoked.
    fn with_two_certificates() -> Self {
        let sandbox = Self::with_empty_openssl_ca();
        sandbox.request("0.csr", "/CN=leaf");
        sandbox
            .old_ca("-notext -extensions client -infiles 0.csr 0.csr")
            .succeeds();
        fs::create_dir(sandbox.path("old/crl")).unwrap();
        sandbox
    }

    fn list(&self, file: &str, options: &str) {
        self.old_ca(&format!("-gencrl -out {file} {options}"))
            .succeeds();
    }

    /// A list on which 1001 is revoked, as the index is not to know.
    fn list_with_another_entry(&self, file: &str, options: &str) {
        let index = self.read("old/index.txt");
        self.old_ca("-revoke old/newcerts/1001.pem -crl_reason keyCompromise")
            .succeeds();
        self.list(file, options);
        self.write("old/index.txt", index);
    }

    /// 1001 is revoked on a list, and nowhere else.
    #[track_caller]
    fn list_alone_revokes_1001(&self) {
        let (errors, refused) = self.refused_import("--openssl old");
        assert_eq!(errors, ["revoked-on-list-only"], "{refused}");
        let report = self.imported("--openssl old --partial");
        assert_eq!(report["certificates"]["revoked"], 1);
        self.pki("verify old/newcerts/1001.pem").ends_with(3);
        self.pki_old("crl --ca old").succeeds();
        let entries = self.entries("pki/crl/old.crl");
        assert!(entries.len() == 1 && entries[0].starts_with("1001 "));
    }
}

/// A number tells which list is newer only where all come from one counter.
#[test]
fn the_last_list_is_the_one_with_the_newest_date() {
    let sandbox = Sandbox::with_two_certificates();
    sandbox.write("old/crlnumber", "20\n");
    let long_ago = "-crl_lastupdate 20260101000000Z -crl_nextupdate 20260201000000Z";
    sandbox.list("old/crl/a.pem", long_ago);
    sandbox.write("old/crlnumber", "10\n");
    sandbox.list("old/crl/b.pem", "");
    let report = sandbox.imported("--openssl old --dry-run");
    assert_eq!(report["old_list"]["file"], "old/crl/b.pem");
    assert_eq!(report["next_crl_number"], "33");

    // One without a number, signed still later.
    sandbox.replace("old.cnf", "crlnumber = $dir/crlnumber\n", "");
    let later = sandbox
        .run("date", "-u -d +2days +%Y%m%d%H%M%SZ")
        .succeeds();
    sandbox.list(
        "old/crl/c.pem",
        &format!("-crl_lastupdate {}", later.stdout.trim()),
    );
    let report = sandbox.imported("--openssl old --dry-run");
    assert_eq!(
        (
            &report["old_list"]["file"],
            &report["old_list"]["number"],
            &report["next_crl_number"],
        ),
        (&json!("old/crl/c.pem"), &json!(null), &json!("33"))
    );
}

#[test]
fn numbers_without_their_files_go_on_above_those_that_were_seen() {
    let sandbox = Sandbox::with_two_certificates();
    sandbox.list("old/crl.pem", "");
    for name in ["serial", "crlnumber"] {
        fs::remove_file(sandbox.path("old").join(name)).unwrap();
    }
    let run = sandbox.import("--openssl old --dry-run").succeeds();
    let findings = |run: &Transcript| {
        let start = run.stdout.find("2 findings").unwrap();
        run.stdout[start..].to_owned()
    };
    assert_text(
        &findings(&run),
        expect![[r#"
            2 findings
              warning: serial-missing      file serial not found next to old/index.txt: serial numbers continue above 1001, the highest found
              warning: crl-number-missing  file crlnumber not found next to old/index.txt: CRL numbers continue above 15, the highest of the CRLs found
        "#]],
    );
    fs::remove_file(sandbox.path("old/crl.pem")).unwrap();
    let run = sandbox.import("--openssl old --dry-run").succeeds();
    assert_text(
        &findings(&run),
        expect![[r#"
            2 findings
              warning: serial-missing      file serial not found next to old/index.txt: serial numbers continue above 1001, the highest found
              warning: crl-number-missing  file crlnumber not found next to old/index.txt: CRL numbers continue above 0, since no CRL with a number was found
        "#]],
    );
}

/// A certificate that lies in the wrong place and in no line has its number all the same.
#[test]
fn the_serial_of_a_certificate_not_imported_is_not_reused() {
    let sandbox = Sandbox::with_two_certificates();
    let index = sandbox.read("old/index.txt");
    sandbox.write("old/serial", "0F0000000000000000AA\n");
    sandbox
        .old_ca("-notext -extensions client -infiles 0.csr")
        .succeeds();
    let from = sandbox.path("old/newcerts/0F0000000000000000AA.pem");
    fs::rename(from, sandbox.path("old/newcerts/1002.pem")).unwrap();
    sandbox.write("old/index.txt", index);
    sandbox.write("old/serial", "1002\n");
    let report = sandbox.imported("--openssl old --partial --dry-run");
    assert_eq!(report["highest_serial"], "0F0000000000000000AA");
    assert_eq!(report["next_serial"], "0F010000000000000000");
}

/// No number comes twice, not even the last there is.
#[test]
fn a_list_above_the_last_number_is_refused() {
    let sandbox = Sandbox::with_two_certificates();
    let last_but_one = "F".repeat(31) + "E";
    sandbox.write("old/crlnumber", format!("{last_but_one}\n"));
    let report = sandbox.imported("--openssl old");
    assert_eq!(report["next_crl_number"], u128::MAX.to_string());
    sandbox.pki_old("crl --ca old").succeeds();
    let list = fs::read(sandbox.path("pki/crl/old.crl")).unwrap();
    sandbox.pki_old("crl --ca old").refuses(
        1,
        "crl-numbers-exhausted",
        expect![[r#"
            error: CA old has no CRL numbers left
            hint: make a new CA
        "#]],
    );
    assert_eq!(fs::read(sandbox.path("pki/crl/old.crl")).unwrap(), list);
}

#[test]
fn what_only_an_older_list_revokes_is_not_lost() {
    let sandbox = Sandbox::with_two_certificates();
    let before = "-crl_lastupdate 20260101000000Z -crl_nextupdate 20360101000000Z";
    sandbox.list_with_another_entry("old/crl/before.pem", before);
    sandbox.list("old/crl.pem", "");
    sandbox.list_alone_revokes_1001();
}

/// Only a hold can be lifted.
#[test]
fn what_a_list_revokes_for_good_no_row_lifts() {
    let sandbox = Sandbox::with_two_certificates();
    sandbox
        .old_ca("-revoke old/newcerts/1001.pem -crl_reason keyCompromise")
        .succeeds();
    sandbox.list("old/crl.pem", "");
    sandbox.replace("old/index.txt", "Z,keyCompromise\t", "Z,removeFromCRL\t");
    sandbox.list_alone_revokes_1001();
}

#[test]
fn a_part_of_a_list_revokes_and_is_not_the_last() {
    for (name, extension) in PARTS {
        let sandbox = Sandbox::with_two_certificates();
        let configuration = sandbox.read("old.cnf");
        sandbox.write("old.cnf", format!("{configuration}[part]\n{extension}\n"));
        sandbox.list("old/crl.pem", "");
        sandbox.list_with_another_entry("old/crl/part.pem", "-crlexts part");
        let dry = sandbox.import("--format json --openssl old --partial --dry-run");
        let dry = dry.succeeds();
        let report = dry.json();
        assert_eq!(report["old_list"]["file"], "old/crl.pem");
        assert_eq!(errors(&report), Vec::<String>::new());
        assert!(rules(&report, "warning").contains(&"old-list-partial".to_owned()));
        assert!(
            dry.stdout.contains(&format!("part.pem has {name}, so")),
            "{dry}"
        );
        sandbox.list_alone_revokes_1001();
    }
}

/// Also one that is no whole list was out.
#[test]
fn the_first_list_is_dated_before_none_that_was_found() {
    let sandbox = Sandbox::with_two_certificates();
    let configuration = sandbox.read("old.cnf");
    let (_, extension) = PARTS[0];
    sandbox.write("old.cnf", format!("{configuration}[part]\n{extension}\n"));
    sandbox.list("old/crl.pem", "");
    let later = sandbox
        .run("date", "-u -d +2days +%Y%m%d%H%M%SZ")
        .succeeds();
    sandbox.list(
        "old/crl/part.pem",
        &format!("-crlexts part -crl_lastupdate {}", later.stdout.trim()),
    );
    let part = sandbox.list_in("old/crl/part.pem");
    for (store, whole) in [("with", true), ("without", false)] {
        if !whole {
            fs::remove_file(sandbox.path("old/crl.pem")).unwrap();
        }
        let at = format!("--store {store}");
        sandbox.import(&format!("--openssl old {at}")).succeeds();
        sandbox
            .pki_old(&format!("crl --ca old --out {store}-lists {at}"))
            .succeeds();
        let ours = sandbox.list_in(&format!("{store}-lists/old.crl"));
        assert_eq!(ours.this_update, part.this_update);
        assert!(ours.number > part.number);
    }
}

crate::engine::also_in_a_database! {
    a_list_above_the_last_number_is_refused, what_only_an_older_list_revokes_is_not_lost,
    what_a_list_revokes_for_good_no_row_lifts,
}

crate::engine::soak_in_a_database! {
    a_part_of_a_list_revokes_and_is_not_the_last,
}
