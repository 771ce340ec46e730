//! Many that are due: whose files take whose place, and two commands at once.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Child;

use expect_test::expect;

use super::with_ends;
use crate::normalise::normalised;
use crate::run::{Run, assert_same, assert_text};
use crate::sandbox::Sandbox;

/// Serial numbers as dots, behind 0x and in names of files too.
fn without_serials(text: &str) -> String {
    let apart = text.replace("0x", "0x ").replace("ten-", "ten- ");
    let normal = normalised(&apart).replace("[serial]", "…");
    normal.replace("0x ", "0x").replace("ten- ", "ten-")
}

impl Sandbox {
    /// What is due within this time, into `out/`.
    fn renews_due(&self, within: &str) -> Run {
        self.pki("renew --ca intermediate0 --days 90 --out out --no-passphrase --expiring")
            .words(within)
    }

    /// The serials of the certificates in `out/`, by their files' names without them.
    fn serials_in_out(&self) -> Vec<(String, String)> {
        let mut names = self.names_in("out");
        names.retain(|name| name.strip_suffix(".crt").is_some());
        let serial = |name: &String| self.openssl_x509(&format!("out/{name}"), "-serial");
        let of = |name: &String| (without_serials(name), serial(name));
        names.iter().map(of).collect()
    }

    /// The key in the file beside a certificate of `out/` is that of the certificate.
    #[track_caller]
    fn assert_keys_fit(&self) {
        for name in self.names_in("out") {
            if let Some(name) = name.strip_suffix(".crt") {
                let key = format!("pkey -pubout -in out/{name}.key");
                let key = self.run("openssl", &key).succeeds().stdout;
                assert_eq!(
                    key,
                    self.openssl_x509(&format!("out/{name}.crt"), "-pubkey")
                );
            }
        }
    }
}

/// Two machines may have certificates of one name; with --force the files of the one would be gone.
#[test]
fn files_of_two_with_one_name_do_not_replace_each_other() {
    let sandbox = with_ends();
    sandbox
        .pki("issue --ca intermediate0 --cn ten --days 12")
        .succeeds();
    let renewed = sandbox.renews_due("15d").arg("--force").succeeds();
    assert_text(
        &without_serials(&renewed.stderr),
        expect![[r#"
            notice: the certificate of the CA CN=below expires at [time]; `pki ca renew --ca NAME` renews it
            notice: other certificates have the common name of …, so the new files are named ten-…
            notice: other certificates have the common name of …, so the new files are named ten-…
        "#]],
    );
    let made = sandbox.serials_in_out();
    let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ten-….crt", "ten-….crt"]);
    sandbox.assert_keys_fit();
}

/// As a machine's files are replaced every time, and stay under the names that they have.
#[test]
fn each_renewal_replaces_the_files_of_its_predecessor() {
    let sandbox = with_ends();
    for line in [
        "revoke --ca intermediate0 --cn theirs",
        "issue --ca intermediate0 --cn ten --days 10 --out out --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let first = sandbox.serials_in_out();
    sandbox.renews_due("30d").arg("--force").succeeds();
    let second = sandbox.serials_in_out();
    let names = |made: &[(String, String)]| -> Vec<String> {
        made.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&first), ["ten.crt"]);
    assert_eq!(names(&second), ["ten-….crt", "ten.crt", "twenty.crt"]);
    sandbox.renews_due("100d").arg("--force").succeeds();
    let third = sandbox.serials_in_out();
    assert_eq!(names(&third), names(&second));
    for (before, now) in second.iter().zip(&third) {
        assert_ne!(before.1, now.1, "{} is new", now.0);
        let [before, now] = [before, now].map(|(_, line)| {
            let (_, serial) = line.trim().split_once('=').unwrap();
            serial.to_owned()
        });
        assert_eq!(sandbox.entry(&now)["renews"], before.as_str());
    }
    sandbox.assert_keys_fit();
}

/// What the one command wrote is in use when the other one comes.
#[test]
fn a_certificate_in_use_keeps_its_files() {
    let sandbox = with_ends();
    let issue = "issue --ca intermediate0 --cn ten --days 300 --out out --no-passphrase";
    sandbox.pki(issue).succeeds();
    let before = sandbox.read("out/ten.key") + &sandbox.read("out/ten.crt");
    sandbox.renews_due("15d").arg("--force").succeeds();
    assert_same(
        &(sandbox.read("out/ten.key") + &sandbox.read("out/ten.crt")),
        &before,
    );
    assert_eq!(sandbox.serials_in_out().len(), 2);
}

#[test]
fn what_is_somebody_else_s_under_either_name_stays() {
    let sandbox = with_ends();
    let ten = sandbox.pki("--format json list --cn ten").succeeds();
    let serial = ten.json()[0]["serial"].as_str().unwrap().to_owned();
    sandbox.write("out/ten.key", "mine");
    sandbox.write(&format!("out/ten-{serial}.crt"), "mine too");
    let before = sandbox.store_snapshot();
    let refused = sandbox.renews_due("15d").words("--force").ends_with(1);
    let (notice, error) = refused.stderr.split_once("error: ").unwrap();
    assert!(
        notice.starts_with("notice: the certificate of the CA"),
        "{notice}"
    );
    assert_text(
        &without_serials(error),
        expect![[r#"
            certificate … of intermediate0 is not renewed: out/ten-….crt belongs neither to it nor to a certificate that it replaced
            hint: renew it alone: `pki renew --ca intermediate0 --serial 0x… --out DIR --name NAME`
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
    assert_eq!(sandbox.read("out/ten.key"), "mine");
}

#[test]
fn an_error_about_files_says_what_is_not_renewed() {
    let sandbox = Sandbox::with_open_ca();
    let issue = "issue --ca intermediate0 --days 10 --out out --no-passphrase --name x --cn ten";
    sandbox.pki(issue).succeeds();
    std::fs::rename(sandbox.path("out/x.crt"), sandbox.path("out/ten.crt")).unwrap();
    let before = sandbox.store_snapshot();
    let refused = sandbox.renews_due("15d").ends_with(1);
    assert_text(
        &without_serials(&refused.stderr),
        expect![[r#"
            error: certificate … of intermediate0 is not renewed: the new files cannot be written
            caused by: could not create out/ten.crt
            caused by: it already exists
            hint: use another place, or --force to replace it
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
}

/// Both know what is due before either has the CA to itself.
#[test]
fn two_at_once_renew_what_is_due_once() {
    let sandbox = Sandbox::with_open_ca();
    for line in [
        "issue --ca intermediate0 --cn a --days 10",
        "issue --ca intermediate0 --cn b --days 10",
    ] {
        sandbox.pki(line).succeeds();
    }
    let lock = File::open(sandbox.path("pki/intermediate0/lock")).unwrap();
    lock.lock().unwrap();
    let line = "renew --ca intermediate0 --days 90 --expiring 30d";
    let mut both = [0, 1].map(|_| sandbox.pki(line).spawn());
    let stderr = |child: &mut Child| BufReader::new(child.stderr.take().unwrap());
    let mut said = both.each_mut().map(stderr);
    for reader in &mut said {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(
            line.starts_with("notice: waiting for another process"),
            "{line}"
        );
    }
    lock.unlock().unwrap();
    for (child, reader) in both.iter_mut().zip(&mut said) {
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert!(child.wait().unwrap().success(), "{rest}");
        for line in normalised(&rest).lines() {
            assert_text(
                line,
                expect![[r#"
                    notice: another process has renewed [serial]: [serial]
                "#]],
            );
        }
    }
    let journal = sandbox.read("pki/intermediate0/issued.jsonl");
    assert_eq!(journal.matches("\"renews\":").count(), 2, "{journal}");
}

/// The journal says so before the file does, and there may be a power cut in between.
#[test]
fn a_ca_is_renewed_when_it_has_its_new_certificate() {
    let sandbox = Sandbox::with_open_ca();
    let file = "pki/intermediate0/ca.crt";
    let before = sandbox.read(file);
    let renewed = |marked: usize| {
        let listed = sandbox
            .pki("list --expiring 20y --cn intermediate0")
            .succeeds();
        let marks = listed.stdout.matches("(renewed by").count();
        assert_eq!(marks, marked, "{listed}");
    };
    sandbox.pki("ca renew --ca intermediate0").succeeds();
    renewed(1);
    sandbox.write(file, before);
    // The one that it has is not; the one that it never got is of no use, nor is it missed.
    let listed = sandbox.pki("--format json list --expiring 20y --cn intermediate0");
    let listed = listed.succeeds().json();
    let serial = sandbox.openssl_x509(file, "-serial");
    let now = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| serial.trim() == format!("serial={}", entry["serial"].as_str().unwrap()));
    assert_eq!(
        now.unwrap()["renewed_by"],
        serde_json::Value::Null,
        "{listed}"
    );
    sandbox.pki("ca renew --ca intermediate0").succeeds();
    renewed(2);
}

#[test]
fn that_a_renewal_ends_sooner_is_said() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.issued("intermediate0", "a");
    for line in [
        "renew --ca intermediate0 --cn a --days 10",
        "ca renew --ca intermediate0 --days 500",
        "ca renew --ca rootCA --days 600",
    ] {
        let renewed = sandbox.pki(line).succeeds();
        assert_text(
            &normalised(&renewed.stderr),
            expect![[r#"
                notice: the new certificate expires at [time], before the previous one: [time]
            "#]],
        );
    }
}

/// The way out, where the clock was wrong when the root was made or renewed.
#[test]
fn a_root_that_is_not_valid_yet_is_renewed_and_that_is_said() {
    let sandbox = Sandbox::new();
    let line = "root --name rootCA --no-passphrase --days 100";
    sandbox.pki_at("2036-02-01 12:00:00", line).succeeds();
    let now = "2026-02-01 12:00:00";
    let renewed = sandbox.pki_at(now, "ca renew --ca rootCA").succeeds();
    assert_text(
        &renewed.stderr,
        expect![[r#"
            notice: the previous certificate is not valid before 2036-02-01T12:00:00Z: the clock is or was wrong
            notice: the new certificate expires at 2026-05-12T12:00:00Z, before the previous one: 2036-05-11T12:00:00Z
        "#]],
    );
    sandbox.pki_at(now, "issue --ca rootCA --cn a").succeeds();
}

crate::engine::also_in_a_database! {
    files_of_two_with_one_name_do_not_replace_each_other, a_certificate_in_use_keeps_its_files,
    what_is_somebody_else_s_under_either_name_stays, an_error_about_files_says_what_is_not_renewed,
    that_a_renewal_ends_sooner_is_said, a_root_that_is_not_valid_yet_is_renewed_and_that_is_said,
}

crate::engine::soak_in_a_database! {
    each_renewal_replaces_the_files_of_its_predecessor,
}
