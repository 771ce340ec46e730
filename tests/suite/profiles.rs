//! Profiles that files define: their rules, the store, and what uses them.

mod readers;
mod rules;

use std::fmt::Write as _;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::assert_text;
use crate::sandbox::{Sandbox, repository};

/// Names of the profiles of the example, each with options that its certificates need.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "smartcard-logon",
        "--cn ada --san upn:ada@corp.example.test",
    ),
    ("wifi-client", "--cn laptop7"),
    ("remote-desktop", "--cn desk1.corp.example.test"),
    ("document-signing", "--cn ada"),
    ("ipsec", "--cn gateway.example.test"),
    ("roles-anywhere", "--cn build"),
    ("vpn-server", "--cn vpn.example.test"),
    ("vpn-client", "--cn ada"),
    ("stapled", "--cn www.example.test"),
];

/// A store with the profiles of the example.
fn with_examples() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    let example = sandbox.pki("profile --example").succeeds();
    sandbox.write("profiles.toml", example.stdout);
    sandbox.pki("profile add profiles.toml").succeeds();
    sandbox
}

/// A store with one profile, `own`.
fn with_profile(fields: &str) -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("own.toml", format!("[profile.own]\n{fields}\n"));
    sandbox.pki("profile add own.toml").succeeds();
    sandbox
}

#[test]
fn every_example_is_issued_recorded_and_linted() {
    let sandbox = with_examples();
    let mut files = String::new();
    for (profile, options) in EXAMPLES {
        let issued = sandbox
            .pki("--format json issue --ca intermediate0 --out . --no-passphrase")
            .words(&format!("--profile {profile} --name {profile} {options}"))
            .succeeds()
            .json();
        assert_eq!(issued["profile"], *profile);
        let shown = sandbox.pki("--format json profile show").arg(profile);
        let shown = shown.succeeds().json();
        assert_eq!(issued["profile_hash"], shown["hash"], "{profile}");
        files += profile;
        files += ".crt\n";
    }
    sandbox.python("lint.py").stdin(files).succeeds();
    let listed = sandbox.pki("--format json list --ca intermediate0");
    let listed = listed.succeeds().json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), EXAMPLES.len());
    assert!(listed.iter().all(|entry| entry["profile_hash"].is_string()));
    sandbox.pki("check").succeeds();
}

#[test]
fn profiles_are_added_once_listed_and_shown() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write(
        "own.toml",
        "# a comment\n[profile.own]\nextended_key_usage = [\"clientAuth\", \"1.2.3.4\"]\npolicies = [{ oid = \"1.2.3\" }]\n",
    );
    let mut said = String::new();
    let mut run = |line: &str| {
        let run = sandbox.pki(line).finish();
        write!(said, "$ pki {line}\n{}{}", run.stdout, run.stderr).unwrap();
    };
    run("profile add own.toml");
    run("profile add own.toml");
    run("profile list");
    run("profile show own");
    run("profile show peer");
    run("profile show none");
    sandbox.write("own.toml", "[profile.own]\ndays = 5\n");
    run("profile add own.toml");
    run("profile add own.toml --force");
    run("profile show own");
    run("profile add own.toml -q");
    assert_text(
        &said,
        expect![[r#"
            $ pki profile add own.toml
            profile own added
            $ pki profile add own.toml
            profile own is in the store already
            $ pki profile list
            NAME          BASE           DAYS  EXTENDED KEY USAGE
            client        -               365  clientAuth
            server        -               365  serverAuth
            peer          -               365  serverAuth, clientAuth
            email         -               365  emailProtection
            code-signing  -               365  codeSigning
            ocsp          -               365  OCSPSigning
            timestamp     -               365  timeStamping
            own           client          365  clientAuth, 1.2.3.4
            $ pki profile show own
            [profile.own]
            extended_key_usage = ["clientAuth", "1.2.3.4"]

            [[profile.own.policies]]
            oid = "1.2.3"
            $ pki profile show peer
            profile peer of pki
              extended key usage  serverAuth, clientAuth
              days                365
            $ pki profile show none
            error: "none" is not a profile; use client, server, peer, email, code-signing, ocsp, timestamp or own
            hint: `pki profile add FILE` adds profiles to the store
            $ pki profile add own.toml
            error: profile own already exists and differs
            hint: replace it with --force, or give the new one another name
            $ pki profile add own.toml --force
            profile own replaced
            $ pki profile show own
            [profile.own]
            days = 5
            $ pki profile add own.toml -q
        "#]],
    );
    let json = sandbox.pki("--format json profile list").succeeds().json();
    let last = json.as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["name"], &last["days"]), (&"own".into(), &5.into()));
}

#[test]
fn a_renewal_says_what_changed_in_the_profile() {
    let sandbox = with_profile("days = 20\npolicies = [{ oid = \"1.2.3\" }]");
    sandbox
        .pki("issue --ca intermediate0 --cn a --profile own")
        .succeeds();
    let mut said = String::new();
    for fields in [
        "days = 20\npolicies = [{ oid = \"1.2.3\" }]",
        "days = 20\nmax_days = 30",
        "days = 9\nmax_days = 9\nextended_key_usage = [\"emailProtection\"]\nmust_staple = true",
    ] {
        sandbox.write("own.toml", format!("[profile.own]\n{fields}\n"));
        sandbox.pki("profile add own.toml --force").succeeds();
        let renewed = sandbox.pki("renew --ca intermediate0 --cn a").succeeds();
        said += &renewed.stderr;
        said += "renewed\n";
    }
    assert_text(
        &normalised(&said),
        expect![[r#"
            renewed
            notice: 2 certificates have the common name "a"; using the newest valid one: [serial]
            notice: profile own has changed since [serial] was issued; extensions that differ: certificatePolicies
            renewed
            notice: 3 certificates have the common name "a"; using the newest valid one: [serial]
            notice: the new certificate expires at [time], before the previous one: [time]
            notice: profile own has changed since [serial] was issued; extensions that differ: extKeyUsage, tlsFeature
            renewed
        "#]],
    );
    sandbox.write("pki/profiles.toml", "");
    sandbox.refused(
        sandbox.pki("renew --ca intermediate0 --cn a"),
        1,
        "profile-not-found",
        expect![[r#"
            error: certificate [serial] of intermediate0 has profile own, which does not exist
            hint: add it with `pki profile add FILE`, or name its file with --profiles
        "#]],
    );
    sandbox
        .pki("renew --ca intermediate0 --cn a --profiles own.toml")
        .succeeds();
}

#[test]
fn tables_and_declarations_use_profiles() {
    let sandbox = with_profile("days = 20");
    sandbox.write("rows.csv", "cn,profile\na,own\nb,client\n");
    sandbox
        .pki("issue --ca intermediate0 --from rows.csv")
        .succeeds();
    sandbox.write("rows.csv", "cn,profile\na,none\n");
    sandbox.refused(
        sandbox.pki("issue --ca intermediate0 --from rows.csv"),
        1,
        "invalid-row",
        expect![[r#"
            error: rows.csv line 2, column profile: "none" is not a profile; use client, server, peer, email, code-signing, ocsp, timestamp or own
            hint: nothing was issued
        "#]],
    );
    let declared = |days: u32| {
        let text = format!(
            "[profile.short]\ndays = {days}\n[certificate.c]\nca = \"intermediate0\"\nprofile = \"short\"\n[certificate.d]\nca = \"intermediate0\"\nprofile = \"own\"\n"
        );
        sandbox.write("all.toml", text);
        let applied = sandbox.pki("apply all.toml").succeeds();
        applied.stdout + &applied.stderr
    };
    let said = declared(3) + &declared(3) + &declared(4);
    assert_text(
        &normalised(&said),
        expect![[r#"
            issued c under intermediate0 as [serial]
            issued d under intermediate0 as [serial]
            2 steps done, 0 unchanged
            nothing to do, 2 unchanged
            reissued c under intermediate0 as [serial]: the entry differs from certificate [serial], which stays valid until [time]
            1 step done, 1 unchanged
        "#]],
    );
    sandbox.write("all.toml", "[profile.short]\nbase = \"x\"\n[certificate.c]\nca = \"intermediate0\"\nprofile = \"none\"\n");
    sandbox.refused(
        sandbox.pki("apply all.toml"),
        1,
        "invalid-row",
        expect![[r#"
            error: all.toml line 2, column 8: "x" is not a profile; use client, server, peer, email, code-signing, ocsp or timestamp (profile-value)
            error: all.toml line 5, column 11: "none" is not a profile; use client, server, peer, email, code-signing, ocsp, timestamp or own
            hint: nothing was changed
        "#]],
    );
}

/// Only a profile that names the type takes an otherName from a CSR.
#[test]
fn a_csr_gives_the_other_names_that_the_profile_allows() {
    let sandbox = with_examples();
    let openssl = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout a.key -out a.csr -subj /CN=ada -addext";
    sandbox
        .run("openssl", openssl)
        .arg("subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:ada@corp.example.test")
        .succeeds();
    let mut said = String::new();
    for profile in ["client", "smartcard-logon"] {
        let run = sandbox
            .pki("issue --ca intermediate0 --csr a.csr --out . --force --profile")
            .arg(profile)
            .succeeds();
        let shown = sandbox.run(
            "openssl",
            "x509 -in ada.crt -noout -subject -ext subjectAltName",
        );
        said += &(run.stderr + &shown.finish().stdout);
    }
    assert_text(
        &said,
        expect![[r#"
            notice: the CSR also requests the SAN upn:ada@corp.example.test, which is ignored
            subject=CN = ada
            subject=DC = test, DC = example, DC = corp, OU = People, CN = ada
            X509v3 Subject Alternative Name: 
                othername: UPN::ada@corp.example.test
        "#]],
    );
}

#[test]
fn openssl_reads_every_kind_of_san() {
    let sandbox = with_profile("other_names = [\"1.2.3.4\"]");
    sandbox
        .pki("issue --ca intermediate0 --cn a --profile own --out . --no-passphrase")
        .words(
            "--san upn:ada@corp.example.test --san krb5:host/a.example.test@EXAMPLE.TEST,rid:1.2.3",
        )
        .words("--san dirname:/C=JP/O=Example,Inc/CN=a --san other:1.2.3.4;UTF8:text")
        .succeeds();
    let shown = sandbox
        .run("openssl", "x509 -in a.crt -noout -ext subjectAltName")
        .succeeds();
    assert_text(
        &shown.stdout,
        expect![[r#"
        X509v3 Subject Alternative Name: 
            othername: UPN::ada@corp.example.test, othername: 1.3.6.1.5.2.2::<unsupported>, Registered ID:1.2.3, DirName:/C=JP/O=Example,Inc/CN=a, othername: 1.2.3.4::text
    "#]],
    );
    let shown = sandbox.pki("show a.crt").succeeds();
    let sans = shown.stdout.lines().filter(|line| line.contains("upn:"));
    assert_eq!(sans.count(), 1, "{shown}");
}

#[test]
fn a_backup_has_the_profiles_and_a_check_reads_them() {
    let sandbox = with_examples();
    sandbox.pki("backup store.tar").succeeds();
    sandbox.pki("--store other restore store.tar").succeeds();
    let both = ["pki", "other"].map(|store| sandbox.read(format!("{store}/profiles.toml")));
    assert_eq!(both[0], both[1]);
    sandbox.write(
        "pki/profiles.toml",
        "[profile.a]\nkey_usage = [\"cRLSign\"]\n[profile.b\n",
    );
    let broken = sandbox.pki("check").ends_with(3);
    assert_text(
        &broken.stdout,
        expect![[r#"
        the store
          error: profiles-invalid  ./pki/profiles.toml line 3, column 11: unclosed table, expected `]`
        1 error
    "#]],
    );
    sandbox.write(
        "pki/profiles.toml",
        "[profile.a]\nkey_usage = [\"cRLSign\"]\n",
    );
    let broken = sandbox.pki("check").ends_with(3);
    assert_text(
        &broken.stdout,
        expect![[r#"
        the store
          error: profiles-invalid  ./pki/profiles.toml line 2, column 14: cRLSign is for CAs only (profile-ca-bits)
        1 error
    "#]],
    );
    // Profiles of pki need no file.
    sandbox.pki("issue --ca intermediate0 --cn a").succeeds();
    sandbox.refused(
        sandbox.pki("issue --ca intermediate0 --cn a --profile a"),
        1,
        "invalid-profile",
        expect![[r#"
            error: the profiles of the store cannot be used: ./pki/profiles.toml line 2, column 14: cRLSign is for CAs only (profile-ca-bits)
            hint: edit or remove the file; `pki check` names every problem in it
        "#]],
    );
}

#[test]
fn the_schema_takes_the_example_and_no_other_field() {
    let sandbox = Sandbox::new();
    let schema = sandbox.pki("profile --schema").succeeds();
    sandbox.write("schema.json", schema.stdout);
    let example = std::fs::read(repository("fixtures/profiles.toml")).unwrap();
    sandbox.write("a.toml", example);
    let judge = || sandbox.python("toml_schema.py").words("schema.json a.toml");
    judge().succeeds();
    sandbox.write(
        "a.toml",
        "[profile.a]\nbase = \"other\"\nkey_usage = [\"keyCertSign\"]\ndays = 0\nx = 1\n",
    );
    let judged = judge().ends_with(1);
    assert_eq!(judged.stdout.lines().count(), 4, "{judged}");
}

crate::engine::also_in_a_database! {
    profiles_are_added_once_listed_and_shown, tables_and_declarations_use_profiles,
    a_csr_gives_the_other_names_that_the_profile_allows, openssl_reads_every_kind_of_san,
}

crate::engine::soak_in_a_database! {
    every_example_is_issued_recorded_and_linted,
}
