//! Lists that anyone made, for a party: converted, and held to its rules.

use std::fs;

use serde_json::Value;

use crate::run::assert_same;
use crate::sandbox::Sandbox;
use crate::targets::rules;

/// A CA of openssl's with a key of a kind whose signatures are all of one length.
fn foreign_ca() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .run(
            "openssl",
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key",
        )
        .words("-out ca.crt -subj /CN=big -days 30")
        .succeeds();
    sandbox.write("crlnumber", "07\n");
    sandbox
}

/// A list that openssl makes of an index, with these extensions; valid from and until as told.
#[track_caller]
fn list(sandbox: &Sandbox, file: &str, index: &str, extensions: &str, options: &str) {
    sandbox.write("index.txt", index);
    // With a number it is of version 2, whatever else is in it.
    let number = match extensions {
        "" => "",
        _ => "crlnumber = crlnumber\n",
    };
    sandbox.write(
        "ca.cnf",
        format!(
            "[ca]\ndefault_ca = x\n[x]\ndatabase = index.txt\n{number}\
             default_md = sha256\ndefault_crl_days = 7\n{extensions}"
        ),
    );
    let run = sandbox.run("openssl", "ca -gencrl -config ca.cnf -cert ca.crt");
    let run = run.words(&format!("-keyfile ca.key -out {file} {options}"));
    run.succeeds();
}

const V2: &str = "[v2]\nauthorityKeyIdentifier = keyid:always\n";

fn index(count: u64) -> String {
    let row =
        |number: u64| format!("R\t360101000000Z\t260101000000Z\t10{number:014X}\tunknown\t/CN=a\n");
    (0..count).map(row).collect()
}

/// Judged where it is, and converted or not: these errors and no others.
#[track_caller]
fn assert_judged(sandbox: &Sandbox, file: &str, target: &str, errors: &[&str]) -> Value {
    let line = format!("--format json crl --in {file} --for {target}");
    let checked = sandbox.pki(&line).arg("--check").finish();
    let status = if errors.is_empty() { 0 } else { 3 };
    assert_eq!(checked.status, Some(status), "{checked}");
    assert_eq!(rules(&checked.json(), "error"), errors, "{checked}");
    let made = sandbox.path("made");
    let converted = sandbox.pki(&line).words("--out made").finish();
    let status = i32::from(!errors.is_empty());
    assert_eq!(converted.status, Some(status), "{converted}");
    assert_eq!(rules(&converted.json(), "error"), errors, "{converted}");
    assert_eq!(made.exists(), errors.is_empty(), "{converted}");
    if errors.is_empty() {
        fs::remove_file(made).unwrap();
    }
    checked.json()
}

#[test]
fn alb_takes_a_list_of_500_000_entries_and_no_more() {
    let sandbox = foreign_ca();
    list(&sandbox, "fits.pem", &index(500_000), V2, "-crlexts v2");
    assert_judged(&sandbox, "fits.pem", "alb", &[]);
    list(&sandbox, "over.pem", &index(500_001), V2, "-crlexts v2");
    assert_judged(&sandbox, "over.pem", "alb", &["entry-count"]);
}

/// A list with an extension of as many octets, and the octets of its DER.
fn padded_list(sandbox: &Sandbox, file: &str, padding: usize) -> usize {
    let text = "a".repeat(padding);
    let extensions = format!("{V2}1.2.3.4 = ASN1:UTF8:{text}\n");
    list(sandbox, "list.pem", "", &extensions, "-crlexts v2");
    let line = format!("crl -in list.pem -outform DER -out {file}");
    sandbox.run("openssl", &line).succeeds();
    let octets = fs::metadata(sandbox.path(file)).unwrap().len();
    octets.try_into().unwrap()
}

/// A list of so many octets of DER, and one of one more.
fn lists_of_octets(sandbox: &Sandbox, fits: &str, over: &str, octets: usize) {
    let around = padded_list(sandbox, over, octets) - octets;
    assert_eq!(padded_list(sandbox, fits, octets - around), octets);
    assert_eq!(padded_list(sandbox, over, octets + 1 - around), octets + 1);
}

/// As PEM the one has 299,999 octets and the other 300,003; there is none between them.
#[test]
fn roles_anywhere_takes_a_list_of_300_000_octets_and_no_more() {
    let sandbox = foreign_ca();
    lists_of_octets(&sandbox, "fits.crl", "over.crl", 221_502);
    sandbox
        .pki("crl --in fits.crl --for roles-anywhere --out revoke_list.pem")
        .succeeds();
    assert_eq!(sandbox.read("revoke_list.pem").len(), 299_999);
    assert_judged(&sandbox, "fits.crl", "roles-anywhere", &[]);
    let report = assert_judged(&sandbox, "over.crl", "roles-anywhere", &["list-octets"]);
    assert_eq!(
        report["findings"][0]["message"],
        "over.crl has 300,003 octets; at most 300,000 are taken"
    );
}

/// As PEM the one has 52,428,798 octets and the other 52,428,802.
#[test]
fn alb_takes_a_list_of_50_mb_and_no_more() {
    let sandbox = foreign_ca();
    lists_of_octets(&sandbox, "fits.crl", "over.crl", 38_716_614);
    sandbox
        .pki("crl --in fits.crl --for alb --out list.pem")
        .succeeds();
    let octets = sandbox.read("list.pem").len();
    assert!(octets <= 50 * 1024 * 1024, "{octets}");
    let report = assert_judged(&sandbox, "over.crl", "alb", &["list-octets"]);
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(
        message.ends_with(" octets; at most 52,428,800 are taken"),
        "{message}"
    );
    assert!(octets + 4 > 50 * 1024 * 1024, "{octets}");
}

#[test]
fn what_rustls_does_not_take_is_named_each_by_its_rule() {
    let sandbox = foreign_ca();
    let idp =
        |point: &str| format!("{V2}issuingDistributionPoint = critical, @idp\n[idp]\n{point}\n");
    for (extensions, options, errors) in [
        (V2.to_owned(), "-crlexts v2", &[][..]),
        (
            idp("fullname = URI:http://x.test/a.crl"),
            "-crlexts v2",
            &[],
        ),
        (
            idp("relativename = rdn\n[rdn]\nCN = x"),
            "-crlexts v2",
            &["distribution-point"],
        ),
        (
            idp("fullname = URI:http://x.test/a.crl\nonlysomereasons = keyCompromise"),
            "-crlexts v2",
            &["distribution-point"],
        ),
        (
            idp("fullname = URI:http://x.test/a.crl\nindirectCRL = TRUE"),
            "-crlexts v2",
            &["distribution-point"],
        ),
        (
            idp("onlyuser = TRUE"),
            "-crlexts v2",
            &["distribution-point"],
        ),
        (
            format!("{V2}2.5.29.27 = critical, ASN1:INTEGER:6\n"),
            "-crlexts v2",
            &["delta-list"],
        ),
        (String::new(), "", &["list-number", "list-version"]),
    ] {
        list(&sandbox, "list.pem", "", &extensions, options);
        assert_judged(&sandbox, "list.pem", "rustls", errors);
        assert_judged(&sandbox, "list.pem", "nginx", &[]);
    }
    // Long enough for lengths of two octets.
    let padded = format!("{V2}1.2.3.4 = ASN1:UTF8:{}\n", "a".repeat(300));
    list(&sandbox, "list.pem", "", &padded, "-crlexts v2");
    let der = sandbox.run("openssl", "crl -in list.pem -outform DER -out list.crl");
    der.succeeds();
    let der = fs::read(sandbox.path("list.crl")).unwrap();
    sandbox.write("unended.crl", without_next_update(&der));
    assert_judged(&sandbox, "unended.crl", "rustls", &["next-update"]);
    assert_judged(&sandbox, "unended.crl", "nginx", &[]);
}

/// The same list without nextUpdate: its signature is another's then, at which nobody looks here.
fn without_next_update(der: &[u8]) -> Vec<u8> {
    let time = der
        .windows(15)
        .position(|part| part.starts_with(&[0x17, 13]));
    let next = time.unwrap() + 15;
    assert!(der[next..].starts_with(&[0x17, 13]));
    let mut der = der.to_vec();
    der.drain(next..next + 15);
    // Both are SEQUENCEs with lengths of two octets.
    for start in [0, 4] {
        assert_eq!(der[start..start + 2], [0x30, 0x82]);
        let length = u16::from_be_bytes([der[start + 2], der[start + 3]]) - 15;
        der[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    der
}

#[test]
fn a_list_that_has_ended_or_not_begun_is_refused_whoever_reads_it() {
    let sandbox = foreign_ca();
    list(
        &sandbox,
        "ended.pem",
        "",
        V2,
        "-crlexts v2 -crl_lastupdate 20250101000000Z -crl_nextupdate 20250108000000Z",
    );
    list(
        &sandbox,
        "early.pem",
        "",
        V2,
        "-crlexts v2 -crl_lastupdate 20900101000000Z -crl_nextupdate 20900108000000Z",
    );
    for target in ["alb", "nginx", "node", "java"] {
        for file in ["ended.pem", "early.pem"] {
            assert_judged(&sandbox, file, target, &["list-valid-now"]);
        }
    }
    let refused = sandbox
        .pki("crl --in ended.pem --for alb --out made")
        .ends_with(1);
    assert_same(
        &refused.stdout,
        "ended.pem does not fit AWS Application Load Balancer: 1 error\n  \
         error: list-valid-now  ended.pem ended at 2025-01-08T00:00:00Z\n",
    );
    assert_same(
        &refused.stderr,
        "error: nothing was written: the list breaks rules\n",
    );
}

#[test]
fn the_form_is_that_of_the_target_unless_another_is_asked_for() {
    let sandbox = foreign_ca();
    list(&sandbox, "list.pem", "", V2, "-crlexts v2");
    let openssl = |form: &str| {
        let line = format!("crl -in list.pem -outform {form} -out made.{form}");
        sandbox.run("openssl", &line).succeeds();
        fs::read(sandbox.path(format!("made.{form}"))).unwrap()
    };
    for (options, form) in [
        ("--for alb", "PEM"),
        ("--for nginx", "PEM"),
        ("--for api-gateway", "DER"),
        ("--for api-gateway --to-pem", "PEM"),
    ] {
        let line = format!("crl --in list.pem {options} --out made --force");
        sandbox.pki(&line).succeeds();
        let made = fs::read(sandbox.path("made")).unwrap();
        assert_eq!(made, openssl(form), "{options}");
    }
    sandbox
        .pki("crl --in list.pem --check")
        .refuses(2, "error: --check with --in needs --for: by whose rules\n");
    for target in ["alb", "node", "nginx"] {
        let line = format!("crl --in list.pem --for {target} --to-der --out none");
        let refused = sandbox.pki(&line).ends_with(2);
        let says = " reads PEM: leave --to-der away\n";
        assert!(refused.stderr.ends_with(says), "{refused}");
        assert!(!sandbox.path("none").exists());
    }
    let unsupported = sandbox.pki("--format json crl --in list.pem --for gcp --out none");
    let report = unsupported.ends_with(1).json();
    assert_eq!(rules(&report, "error"), ["lists-unsupported"]);
    assert!(report["file"].is_null());
    assert!(!sandbox.path("none").exists());
}

/// It looks ahead as far as a check of the store's own lists, and has no use for what says how to write.
#[test]
fn a_check_heeds_every_option_or_refuses_it() {
    let sandbox = foreign_ca();
    list(&sandbox, "list.pem", "", V2, "-crlexts v2");
    let check = "--format json crl --in list.pem --for nginx --check";
    sandbox.pki(check).words("--within 6d").succeeds();
    let soon = sandbox.pki(check).words("--within 8d").ends_with(3);
    assert_eq!(rules(&soon.json(), "error"), ["list-ends-soon"]);
    let says = "error: --check with --in writes nothing: leave --out away\n";
    sandbox.pki(check).words("--out made").refuses(2, says);
    sandbox.pki(check).arg("--force").ends_with(2);
    assert!(!sandbox.path("made").exists());
    // What has ended already is told once.
    list(
        &sandbox,
        "ended.pem",
        "",
        V2,
        "-crlexts v2 -crl_lastupdate 20250101000000Z -crl_nextupdate 20250108000000Z",
    );
    let check = "--format json crl --in ended.pem --for nginx --check --within 1d";
    let ended = sandbox.pki(check).ends_with(3);
    assert_eq!(rules(&ended.json(), "error"), ["list-valid-now"]);
}
