//! Lists that anyone made, for a party: converted, and held to its rules.

use std::fs;
use std::path::Path;

use expect_test::expect;
use serde_json::Value;

use crate::run::assert_text;
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
    // Where it is, it is DER, which is not what these targets read.
    let is_der = Path::new(file).extension() == Some("crl".as_ref()) && target != "api-gateway";
    let mut judged = errors.to_vec();
    judged.extend(is_der.then_some("list-pem"));
    judged.sort_unstable();
    let status = if judged.is_empty() { 0 } else { 3 };
    assert_eq!(checked.status, Some(status), "{checked}");
    assert_eq!(rules(&checked.json(), "error"), judged, "{checked}");
    let made = sandbox.path("made");
    let converted = sandbox.pki(&line).words("--out made").finish();
    let status = i32::from(!errors.is_empty());
    assert_eq!(converted.status, Some(status), "{converted}");
    assert_eq!(rules(&converted.json(), "error"), errors, "{converted}");
    assert_eq!(made.exists(), errors.is_empty(), "{converted}");
    if errors.is_empty() {
        fs::remove_file(made).unwrap();
    }
    if is_der {
        return converted.json();
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

/// A list with an extension of as many bytes, and the bytes of its DER.
fn padded_list(sandbox: &Sandbox, file: &str, padding: usize) -> usize {
    let text = "a".repeat(padding);
    let extensions = format!("{V2}1.2.3.4 = ASN1:UTF8:{text}\n");
    list(sandbox, "list.pem", "", &extensions, "-crlexts v2");
    let line = format!("crl -in list.pem -outform DER -out {file}");
    sandbox.run("openssl", &line).succeeds();
    let octets = fs::metadata(sandbox.path(file)).unwrap().len();
    octets.try_into().unwrap()
}

/// A list of so many bytes of DER, and one of one more.
fn lists_of_octets(sandbox: &Sandbox, fits: &str, over: &str, octets: usize) {
    let around = padded_list(sandbox, over, octets) - octets;
    assert_eq!(padded_list(sandbox, fits, octets - around), octets);
    assert_eq!(padded_list(sandbox, over, octets + 1 - around), octets + 1);
}

/// As PEM the one has 299,999 bytes and the other 300,003; there is none between them.
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
    assert_text(
        report["findings"][0]["message"].as_str().unwrap(),
        expect![[r#"
            over.crl has 300,003 bytes; the limit is 300,000
        "#]],
    );
}

/// As PEM the one has 52,428,798 bytes and the other 52,428,802.
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
    assert!(message.contains("52,428,800"), "{message}");
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
        (String::new(), "", &["list-number", "list-version"]),
    ] {
        list(&sandbox, "list.pem", "", &extensions, options);
        assert_judged(&sandbox, "list.pem", "rustls", errors);
        assert_judged(&sandbox, "list.pem", "nginx", &[]);
    }
    // Long enough for lengths of two bytes.
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
    // Both are SEQUENCEs with lengths of two bytes.
    for start in [0, 4] {
        assert_eq!(der[start..start + 2], [0x30, 0x82]);
        let length = u16::from_be_bytes([der[start + 2], der[start + 3]]) - 15;
        der[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    der
}

#[test]
fn an_expired_or_future_crl_is_refused_for_every_target() {
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
    assert_text(
        &refused.stdout,
        expect![[r#"
            ended.pem does not fit AWS Application Load Balancer: 1 error
              error: list-valid-now  ended.pem expired at 2025-01-08T00:00:00Z
        "#]],
    );
    assert_text(
        &refused.stderr,
        expect![[r#"
            error: nothing was written: the CRL breaks rules of the target
        "#]],
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
    sandbox.pki("crl --in list.pem --check").refuses(
        2,
        "usage",
        expect![[r#"
            error: --check with --in needs --for TARGET
        "#]],
    );
    let mut said = String::new();
    for target in ["alb", "node", "nginx"] {
        let line = format!("crl --in list.pem --for {target} --to-der --out none");
        said += &sandbox.pki(&line).refusal(2, "usage");
        assert!(!sandbox.path("none").exists());
    }
    assert_text(
        &said,
        expect![[r#"
            error: AWS Application Load Balancer reads PEM: remove --to-der
            error: Node.js reads PEM: remove --to-der
            error: nginx reads PEM: remove --to-der
        "#]],
    );
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
    let written = sandbox.pki(check).words("--out made").ends_with(2);
    assert_eq!(written.error()["code"], "usage", "{written}");
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

/// For every reader, it is not the CRL of all that its CA issued, or not one that may be used.
#[test]
fn what_every_target_refuses_is_named_by_its_rule() {
    let sandbox = foreign_ca();
    let idp =
        |point: &str| format!("{V2}issuingDistributionPoint = critical, @idp\n[idp]\n{point}\n");
    let full = "fullname = URI:http://x.test/a.crl\n";
    for (extensions, rule) in [
        (idp("onlyuser = TRUE"), "partial-list"),
        (idp(&format!("{full}onlyuser = TRUE")), "partial-list"),
        (idp(&format!("{full}onlyCA = TRUE")), "partial-list"),
        (idp(&format!("{full}onlyAA = TRUE")), "partial-list"),
        (
            idp(&format!("{full}onlysomereasons = keyCompromise")),
            "partial-list",
        ),
        (idp(&format!("{full}indirectCRL = TRUE")), "indirect-list"),
        (
            format!("{V2}2.5.29.28 = critical, DER:0500\n"),
            "partial-list",
        ),
        (
            format!("{V2}2.5.29.27 = critical, ASN1:INTEGER:6\n"),
            "delta-list",
        ),
        (format!("{V2}2.5.29.27 = ASN1:INTEGER:6\n"), "delta-list"),
        (
            format!("{V2}1.2.3.4 = critical, ASN1:UTF8:x\n"),
            "critical-extension",
        ),
        (
            format!("{V2}2.5.29.46 = critical, DER:3000\n"),
            "critical-extension",
        ),
    ] {
        list(&sandbox, "list.pem", &index(2), &extensions, "-crlexts v2");
        for target in [
            "alb",
            "roles-anywhere",
            "api-gateway",
            "nginx",
            "haproxy",
            "apache",
            "envoy",
            "node",
            "postgres",
            "java",
            "rustls",
        ] {
            let line = format!("--format json crl --in list.pem --check --for {target}");
            let checked = sandbox.pki(&line).ends_with(3);
            let found = rules(&checked.json(), "error");
            assert!(
                found.iter().any(|found| found == rule),
                "{target} {extensions}: {checked}"
            );
        }
        // OpenSSL, with which most of them verify, does not use it; a delta CRL it takes for a whole one.
        let is_used = ["2.5.29.27", "2.5.29.28"]
            .iter()
            .any(|oid| extensions.contains(oid));
        assert_eq!(openssl_uses(&sandbox, "list.pem"), is_used, "{extensions}");
    }
    for extensions in [
        V2.to_owned(),
        format!("{V2}1.2.3.4 = ASN1:UTF8:x\n"),
        format!("{V2}2.5.29.46 = DER:3000\n"),
    ] {
        list(&sandbox, "list.pem", &index(2), &extensions, "-crlexts v2");
        assert_judged(&sandbox, "list.pem", "nginx", &[]);
        assert!(openssl_uses(&sandbox, "list.pem"), "{extensions}");
    }
}

/// Whether OpenSSL takes the CRL for the CA's own certificate.
fn openssl_uses(sandbox: &Sandbox, list: &str) -> bool {
    let line = format!("verify -crl_check -CAfile ca.crt -CRLfile {list} ca.crt");
    sandbox.run("openssl", &line).finish().status == Some(0)
}

/// It may be all that those certificates need which name the place: this can't be seen in the list.
#[test]
fn a_list_for_a_distribution_point_is_warned_of() {
    let sandbox = foreign_ca();
    let extensions = format!(
        "{V2}issuingDistributionPoint = critical, @idp\n[idp]\nfullname = URI:http://x.test/a.crl\n"
    );
    list(&sandbox, "list.pem", "", &extensions, "-crlexts v2");
    for target in ["nginx", "rustls", "alb"] {
        let report = assert_judged(&sandbox, "list.pem", target, &[]);
        assert_eq!(rules(&report, "warning"), ["partial-list"]);
    }
}

/// The list with another entry: as openssl does not write it.
#[test]
fn entries_with_critical_extensions_are_named() {
    let sandbox = foreign_ca();
    let revoked =
        "R\t360101000000Z\t260101000000Z,keyCompromise\t1000000000000001\tunknown\t/CN=a\n";
    // Long enough for lengths of two bytes.
    let padded = format!("{V2}1.2.3.4 = ASN1:UTF8:{}\n", "a".repeat(300));
    list(&sandbox, "list.pem", revoked, &padded, "-crlexts v2");
    assert_judged(&sandbox, "list.pem", "nginx", &[]);
    let line = "crl -in list.pem -outform DER -out list.crl";
    sandbox.run("openssl", line).succeeds();
    let der = fs::read(sandbox.path("list.crl")).unwrap();
    // The reasonCode, a SEQUENCE of its identifier and its value.
    let reason = [
        0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, 0x01,
    ];
    let at = der
        .windows(reason.len())
        .position(|part| part == reason)
        .unwrap();
    let with = |extension: &[u8]| {
        let mut der = der.clone();
        der.splice(at..at + reason.len(), extension.iter().copied());
        let more = extension.len() - reason.len();
        // The extensions, the entry and the entries have short lengths; the list and what is signed long ones.
        let entries = at - 2 - 15 - 10 - 2 - 2;
        for start in [at - 2, entries + 2, entries] {
            assert_eq!(der[start], 0x30);
            der[start + 1] += u8::try_from(more).unwrap();
        }
        for start in [0, 4] {
            assert_eq!(der[start..start + 2], [0x30, 0x82]);
            let length = u16::from_be_bytes([der[start + 2], der[start + 3]]);
            let length = length + u16::try_from(more).unwrap();
            der[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
        }
        sandbox.write("changed.crl", der);
        let text = sandbox.run("openssl", "crl -in changed.crl -inform DER -noout -text");
        text.succeeds().stdout
    };
    let critical = [
        &[0x30, 0x0d],
        &reason[2..7],
        &[0x01, 0x01, 0xff],
        &reason[7..],
    ]
    .concat();
    assert!(with(&critical).contains("CRL Reason Code: critical"));
    assert_judged(
        &sandbox,
        "changed.crl",
        "api-gateway",
        &["critical-extension"],
    );
    let name: &[u8] = b"\x04\x0e\x30\x0c\x86\x0aurn:a:b:cd";
    let issuer = [b"\x30\x18\x06\x03\x55\x1d\x1d\x01\x01\xff", name].concat();
    assert!(with(&issuer).contains("Certificate Issuer"));
    assert_judged(&sandbox, "changed.crl", "api-gateway", &["indirect-list"]);
}

/// Node throws at DER; Java reads both. What is converted gets the form of its reader.
#[test]
fn der_does_not_fit_who_reads_pem() {
    let sandbox = foreign_ca();
    list(&sandbox, "list.pem", "", V2, "-crlexts v2");
    let line = "crl -in list.pem -outform DER -out list.crl";
    sandbox.run("openssl", line).succeeds();
    let marked = format!("\u{feff}{}", sandbox.read("list.pem"));
    sandbox.write("marked.pem", marked);
    let check = |file: &str, target: &str| {
        let line = format!("--format json crl --in {file} --check --for {target}");
        let checked = sandbox.pki(&line).finish();
        let found = rules(&checked.json(), "error");
        assert_eq!(
            checked.status,
            Some(if found.is_empty() { 0 } else { 3 }),
            "{checked}"
        );
        found.join(" ")
    };
    for target in [
        "alb",
        "nlb",
        "roles-anywhere",
        "nginx",
        "haproxy",
        "apache",
        "envoy",
        "node",
        "postgres",
        "rustls",
    ] {
        assert_eq!(check("list.crl", target), "list-pem", "{target}");
        assert_eq!(check("marked.pem", target), "list-pem", "{target}");
        assert_eq!(check("list.pem", target), "", "{target}");
    }
    for target in ["java", "api-gateway"] {
        assert_eq!(check("list.crl", target), "", "{target}");
    }
    let script = "try{require('tls').createSecureContext({crl:require('fs').readFileSync('list.crl')})}catch(e){process.exit(7)}";
    sandbox.run("node", "-e").arg(script).ends_with(7);
    sandbox
        .pki("crl --in list.crl --for node --out made.pem")
        .succeeds();
    assert_eq!(sandbox.read("made.pem"), sandbox.read("list.pem"));
}
