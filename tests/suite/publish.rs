//! `pki publish`: the repository that it writes, and how it is checked.

mod served;
mod soak;

use std::fmt::Write as _;
use std::fs;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::assert_text;
use crate::sandbox::Sandbox;
use crate::snapshot::Snapshot;

/// `rootCA` over `below`, which issued `a`; the CRLs are published, and certificates lead to three of the files.
fn with_urls() -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --crl-url http://pki.example.test/crl/rootCA.crl --ca-issuers-url http://pki.example.test/aia/root%20CA.p7c",
        "subordinate --ca rootCA --name below --no-passphrase --crl-url http://pki.example.test/lists/below.crl",
        "issue --ca below --cn a --days 20",
        "crl",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

#[test]
fn a_repository_has_what_certificates_lead_to() {
    let sandbox = with_urls();
    let mut said = String::new();
    let mut run = |line: &str| {
        let run = sandbox.pki(line).finish();
        write!(said, "$ pki {line}\n{}{}", run.stdout, run.stderr).unwrap();
    };
    run("publish --out public --base-url http://pki.example.test/");
    run("publish --check public");
    run("publish --check public --format json");
    run("publish --out public --with-issued -q");
    let elsewhere = "publish --out elsewhere --base-url http://other.example.test";
    said += &sandbox.pki(elsewhere).succeeds().stderr;
    assert_text(
        &normalised(&said),
        expect![[r#"
            $ pki publish --out public --base-url http://pki.example.test/
            published 12 files of 2 CAs in public
                SHA256SUMS
                aia/root CA.p7c
                ca/below.cer
                ca/below.p7c
                ca/rootCA.cer
                ca/rootCA.p7c
                crl/below.crl
                crl/rootCA.crl
                index.html
                lists/below.crl
                status.json
                truststore.pem
            copy to S3:
              aws s3 cp ./public s3://BUCKET --recursive --exclude '*' --include '*.cer' --content-type application/pkix-cert
              aws s3 cp ./public s3://BUCKET --recursive --exclude '*' --include '*.crl' --content-type application/pkix-crl
              aws s3 cp ./public s3://BUCKET --recursive --exclude '*' --include '*.p7c' --content-type application/pkcs7-mime
              aws s3 cp ./public s3://BUCKET --recursive --exclude '*.cer' --exclude '*.crl' --exclude '*.p7c'
            copy to GCS:
              gcloud storage rsync --recursive ./public gs://BUCKET
              gcloud storage objects update 'gs://BUCKET/**.cer' --content-type=application/pkix-cert
              gcloud storage objects update 'gs://BUCKET/**.crl' --content-type=application/pkix-crl
              gcloud storage objects update 'gs://BUCKET/**.p7c' --content-type=application/pkcs7-mime
            copy to a web server:
              rsync -a --delete-after ./public/ HOST:/var/www/pki/
              nginx: types { text/html html; application/json json; application/pkix-cert cer; application/pkix-crl crl; application/pkcs7-mime p7c; }
            $ pki publish --check public
            public is complete and current: 12 files
            $ pki publish --check public --format json
            {
              "place": "public",
              "count": 12,
              "elsewhere": [],
              "findings": []
            }
            $ pki publish --out public --with-issued -q
            notice: certificates name http://pki.example.test/lists/below.crl, which is not in this repository
            notice: certificates name http://pki.example.test/aia/root%20CA.p7c, which is not in this repository
            notice: certificates name http://pki.example.test/crl/rootCA.crl, which is not in this repository
        "#]],
    );
    let folder = sandbox.path("public");
    let summed = sandbox.run("env", "-C public sha256sum --quiet --strict -c SHA256SUMS");
    summed.succeeds();
    assert_eq!(
        fs::read(folder.join("aia/root CA.p7c")).unwrap(),
        fs::read(folder.join("ca/rootCA.p7c")).unwrap()
    );
}

#[test]
fn the_status_tells_programs_of_cas_and_crls() {
    let sandbox = with_urls();
    sandbox.pki("publish --out public").succeeds();
    assert_text(
        &normalised(&sandbox.read("public/status.json")),
        expect![[r#"
            {
              "generated_at": "[time]",
              "base_url": null,
              "cas": [
                {
                  "ca": "below",
                  "parent": "rootCA",
                  "subject": "CN=below",
                  "status": "valid",
                  "not_before": "[time]",
                  "not_after": "[time]",
                  "fingerprint_sha256": "[fingerprint]",
                  "certificate": "ca/below.cer",
                  "pkcs7": "ca/below.p7c",
                  "crl": {
                    "file": "crl/below.crl",
                    "number": "1",
                    "this_update": "[time]",
                    "next_update": "[time]",
                    "entries": 0,
                    "state": "current"
                  }
                },
                {
                  "ca": "rootCA",
                  "parent": null,
                  "subject": "CN=rootCA",
                  "status": "valid",
                  "not_before": "[time]",
                  "not_after": "[time]",
                  "fingerprint_sha256": "[fingerprint]",
                  "certificate": "ca/rootCA.cer",
                  "pkcs7": "ca/rootCA.p7c",
                  "crl": {
                    "file": "crl/rootCA.crl",
                    "number": "1",
                    "this_update": "[time]",
                    "next_update": "[time]",
                    "entries": 0,
                    "state": "current"
                  }
                }
              ]
            }
        "#]],
    );
}

/// On file systems that can't exchange two names, which strace plays here.
#[test]
fn without_an_exchange_there_are_two_steps_and_a_notice() {
    let sandbox = with_urls();
    sandbox.pki("publish --out public").succeeds();
    sandbox.pki("crl").succeeds();
    let published = sandbox
        .run("strace", "-f -qq -o strace.log -e trace=renameat2")
        .words("-e inject=renameat2:error=EINVAL")
        .arg(env!("CARGO_BIN_EXE_pki"))
        .words("publish --out public --format json")
        .succeeds();
    assert_eq!(published.json()["replaced"], "in-two-steps");
    assert_text(
        &published.stderr,
        expect![[r#"
        {"notice":"the file system can't exchange two directories, so for a moment there was none"}
    "#]],
    );
    sandbox.pki("publish --check public").succeeds();
    assert_eq!(sandbox.names_in("."), ["pki", "public", "strace.log"]);
}

#[test]
fn files_of_others_are_named_and_kept() {
    let sandbox = with_urls();
    sandbox.write("public/mine", "mine");
    sandbox.write("public/crl/old.crl", "old");
    let before = Snapshot::of(&sandbox.path("public"));
    let publish = "publish --out public";
    sandbox.refused(
        sandbox.pki(publish),
        1,
        "file-foreign",
        expect![[r#"
        error: public has files that are not of a repository: crl/old.crl, mine
        hint: use another directory, or move these files away
    "#]],
    );
    before.assert_unchanged(&sandbox.path("public"));
    fs::remove_dir_all(sandbox.path("public")).unwrap();
    sandbox.write("public", "a file");
    sandbox.refused(
        sandbox.pki(publish),
        1,
        "not-a-directory",
        expect![[r#"
        error: public is not a directory
        hint: use another directory
    "#]],
    );
}

/// Other directories have lists of hashes too.
#[test]
fn a_list_of_hashes_alone_makes_no_repository() {
    let sandbox = with_urls();
    sandbox.write("images/a.iso", "a");
    let summed = sandbox.run("env", "-C images sha256sum a.iso").succeeds();
    sandbox.write("images/SHA256SUMS", summed.stdout);
    let before = Snapshot::of(&sandbox.path("images"));
    sandbox.refusal(sandbox.pki("publish --out images"), 1, "file-foreign");
    before.assert_unchanged(&sandbox.path("images"));
}

#[test]
fn files_that_were_changed_or_added_to_the_list_are_kept() {
    let sandbox = with_urls();
    let publish = "publish --out public/";
    sandbox.pki(publish).succeeds();
    sandbox.pki(publish).succeeds();
    let page = sandbox.read("public/index.html");
    sandbox.write("public/index.html", "my page");
    sandbox.refusal(sandbox.pki(publish), 1, "file-foreign");
    sandbox.write("public/index.html", page);
    sandbox.write("public/mine", "mine");
    let sums = sandbox.read("public/SHA256SUMS");
    let zeros = "0".repeat(64);
    sandbox.write("public/SHA256SUMS", format!("{sums}{zeros}  mine\n"));
    sandbox.refusal(sandbox.pki(publish), 1, "file-foreign");
    assert_eq!(sandbox.read("public/mine"), "mine");
}

/// It is published all the same: an old CRL is better than none.
#[test]
fn revocations_that_no_crl_has_are_told() {
    let sandbox = with_urls();
    sandbox.pki("revoke --ca below --cn a").succeeds();
    let published = sandbox.pki("publish --out public").succeeds();
    assert_text(
        &published.stderr,
        expect![[r#"
        warning: the published CRL of below is not current: `pki crl --ca below` signs another
    "#]],
    );
    let checked = sandbox.pki("publish --check public").ends_with(3);
    assert_text(
        &checked.stdout,
        expect![[r#"
        public is not current: 1 error
          error: crl-needed  the published CRL of below is not current: it has expired, or later revocations are not in it; sign another, and publish again
    "#]],
    );
}

#[test]
fn files_without_usual_endings_get_their_media_types() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --crl-url http://x.example.test/list --ca-issuers-url http://x.example.test/root.crt",
        "crl",
    ] {
        sandbox.pki(line).succeeds();
    }
    let published = sandbox.pki("publish --format json --out -p").finish();
    assert_eq!(published.status, Some(2));
    let published = sandbox.pki("publish --format json --out=-p").succeeds();
    let copy = serde_json::to_string_pretty(&published.json()["copy"]).unwrap();
    assert_text(
        &copy,
        expect![[r#"
        {
          "s3": [
            "aws s3 cp ./-p s3://BUCKET --recursive --exclude '*' --include '*.cer' --content-type application/pkix-cert",
            "aws s3 cp ./-p s3://BUCKET --recursive --exclude '*' --include '*.crl' --content-type application/pkix-crl",
            "aws s3 cp ./-p s3://BUCKET --recursive --exclude '*' --include '*.crt' --content-type application/pkix-cert",
            "aws s3 cp ./-p s3://BUCKET --recursive --exclude '*' --include '*.p7c' --content-type application/pkcs7-mime",
            "aws s3 cp ./-p s3://BUCKET --recursive --exclude '*' --include list --content-type application/pkix-crl",
            "aws s3 cp ./-p s3://BUCKET --recursive --exclude '*.cer' --exclude '*.crl' --exclude '*.crt' --exclude '*.p7c' --exclude list"
          ],
          "gcs": [
            "gcloud storage rsync --recursive ./-p gs://BUCKET",
            "gcloud storage objects update 'gs://BUCKET/**.cer' --content-type=application/pkix-cert",
            "gcloud storage objects update 'gs://BUCKET/**.crl' --content-type=application/pkix-crl",
            "gcloud storage objects update 'gs://BUCKET/**.crt' --content-type=application/pkix-cert",
            "gcloud storage objects update 'gs://BUCKET/**.p7c' --content-type=application/pkcs7-mime",
            "gcloud storage objects update gs://BUCKET/list --content-type=application/pkix-crl"
          ],
          "web": [
            "rsync -a --delete-after ./-p/ HOST:/var/www/pki/",
            "nginx: types { text/html html; application/json json; application/pkix-cert cer; application/pkix-crl crl; application/pkix-cert crt; application/pkcs7-mime p7c; }",
            "nginx: location = /list { types { } default_type application/pkix-crl; }"
          ]
        }
    "#]],
    );
}

#[test]
fn what_cannot_be_published_is_refused() {
    let sandbox = Sandbox::new();
    let publish = "publish --out public";
    for (line, code) in [
        ("root --name rootCA --no-passphrase", "crl-not-published"),
        (
            "root --name dots --no-passphrase --crl-url http://x.example.test/%2e%2e/dots.crl",
            "invalid-url",
        ),
        (
            "root --name same --no-passphrase --crl-url http://x.example.test/crl/rootCA.crl",
            "path-in-use",
        ),
    ] {
        let sandbox = sandbox.copy();
        sandbox.pki(line).succeeds();
        if code != "crl-not-published" {
            sandbox.pki("root --name rootCA --no-passphrase").succeeds();
            sandbox.pki("crl").succeeds();
        }
        sandbox.refusal(sandbox.pki(publish), 1, code);
        assert!(!sandbox.path("public").exists());
    }
    sandbox.refused(
        sandbox.pki("publish"),
        2,
        "usage",
        expect![[r#"
        error: the following required arguments were not provided: --out <DIR>
        hint: pki publish --format <FORMAT> --out <DIR>
    "#]],
    );
    let misplaced = "publish --check public --with-issued";
    sandbox.refused(
        sandbox.pki(misplaced),
        2,
        "usage",
        expect![[r#"
        error: the argument '--check <DIR|URL>' cannot be used with '--with-issued'
        hint: pki publish --check <DIR|URL> --format <FORMAT>
    "#]],
    );
    let scheme = "publish --check https://pki.example.test";
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    for place in [
        "http://",
        "http://a:b@c",
        "http://[::1]",
        "http://a:0",
        "http://a/?b",
    ] {
        let check = sandbox.pki("publish --check").arg(place);
        sandbox.refusal(check, 2, "usage");
    }
    let ldap = "publish --out public --base-url ldap://a";
    sandbox.refusal(sandbox.pki(ldap), 2, "usage");
    let nowhere = "publish --check nowhere";
    sandbox.refusal(sandbox.pki(nowhere), 1, "not-a-directory");
    sandbox.refused(
        sandbox.pki(scheme),
        2,
        "usage",
        expect![[r#"
        error: https:// is not supported: give a directory or an http:// URL
    "#]],
    );
}

#[test]
fn a_check_finds_what_is_missing_wrong_or_old() {
    let sandbox = with_urls();
    sandbox.pki("publish --out public").succeeds();
    let other = Sandbox::with_open_ca();
    other.pki("crl").succeeds();
    let path = |name: &str| sandbox.path("public").join(name);
    fs::remove_file(path("ca/below.cer")).unwrap();
    fs::write(path("ca/rootCA.cer"), "no certificate").unwrap();
    fs::write(path("truststore.pem"), "").unwrap();
    fs::write(path("index.html"), "my page").unwrap();
    fs::copy(other.path("pki/crl/rootCA.crl"), path("crl/rootCA.crl")).unwrap();
    sandbox.pki("crl --ca below").succeeds();
    let checked = sandbox.pki("publish --check public").ends_with(3);
    assert_text(
        &normalised(&checked.stdout),
        expect![[r#"
            public is not current: 7 errors
              error: file-missing     ca/below.cer is missing
              error: file-unreadable  ca/rootCA.cer: it ends in the middle of a value
              error: crl-outdated     crl/below.crl is CRL number 1, and the store has 2: publish again
              error: crl-signature    crl/rootCA.crl is not signed by CN=rootCA
              error: crl-outdated     lists/below.crl is CRL number 1, and the store has 2: publish again
              error: file-outdated    truststore.pem differs from the store: publish again
              error: file-outdated    index.html is not the one that SHA256SUMS lists: publish again
        "#]],
    );
}

/// In the status, and on the page in both languages.
#[test]
fn a_revoked_ca_is_shown_as_revoked() {
    let sandbox = with_urls();
    sandbox.pki("revoke --ca rootCA --cn below").succeeds();
    sandbox.pki("crl --ca rootCA").succeeds();
    sandbox.pki("publish --out public").succeeds();
    let status: serde_json::Value =
        serde_json::from_str(&sandbox.read("public/status.json")).unwrap();
    assert_eq!(status["cas"][0]["status"], "revoked");
    assert_eq!(status["cas"][1]["status"], "valid");
    let page = sandbox.read("public/index.html");
    for status in ["revoked", "失効済み"] {
        assert!(page.contains(&format!("<span class=\"bad\">{status}</span>")));
    }
}

/// Neither names nor subjects become markup.
#[test]
fn hostile_names_are_text() {
    let sandbox = Sandbox::with_open_ca();
    let hostile = "<script>alert(1)</script>&\"'";
    let subject = r#"CN=\<script\>alert(1)\</script\>&\"',O=\</title\>\<b\>"#;
    let root = sandbox.pki("root --name hostile --no-passphrase --subject");
    root.arg(subject).succeeds();
    let issued = sandbox.pki("issue --ca intermediate0 --days 20 --cn");
    issued.arg(hostile).succeeds();
    sandbox.pki("crl").succeeds();
    sandbox.pki("publish --out public --with-issued").succeeds();
    let page = sandbox.read("public/index.html");
    for markup in ["<script", "<b>", "</title><", "\"'"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;"));
    assert!(
        !page.contains("http:") && !page.contains("https:"),
        "nothing is fetched from elsewhere"
    );
}

crate::engine::also_in_a_database! {
    a_repository_has_what_certificates_lead_to, the_status_tells_programs_of_cas_and_crls,
    files_of_others_are_named_and_kept, a_list_of_hashes_alone_makes_no_repository,
    revocations_that_no_crl_has_are_told, files_without_usual_endings_get_their_media_types,
    a_check_finds_what_is_missing_wrong_or_old, a_revoked_ca_is_shown_as_revoked, hostile_names_are_text,
}

crate::engine::soak_in_a_database! {
    files_that_were_changed_or_added_to_the_list_are_kept, what_cannot_be_published_is_refused,
}
