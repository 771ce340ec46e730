//! `--hash-names`: the names by which OpenSSL finds lists in a folder.

use std::fs;

use expect_test::expect;

use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

/// The hash that openssl has for the issuer of a list.
#[track_caller]
fn hash(sandbox: &Sandbox, file: &str) -> String {
    let run = sandbox.run("openssl", "crl -noout -hash -in").arg(file);
    run.succeeds().stdout.trim().to_owned()
}

/// The CA's list stands under openssl's name for it, and openssl's own tool agrees.
#[track_caller]
fn assert_named(sandbox: &Sandbox, ca: &str) {
    sandbox
        .pki(&format!("crl --ca {ca} --out lists --to-pem --hash-names"))
        .succeeds();
    let pem = format!("lists/{ca}.crl.pem");
    let name = format!("{}.r0", hash(sandbox, &pem));
    assert_eq!(sandbox.read(format!("lists/{name}")), sandbox.read(&pem));
    fs::create_dir(sandbox.path("rehashed")).unwrap();
    fs::rename(sandbox.path(&pem), sandbox.path("rehashed/list.pem")).unwrap();
    sandbox.run("openssl", "rehash rehashed").succeeds();
    assert!(sandbox.names_in("rehashed").contains(&name));
    fs::remove_dir_all(sandbox.path("rehashed")).unwrap();
    fs::remove_dir_all(sandbox.path("lists")).unwrap();
}

#[test]
fn names_that_pki_makes() {
    for (number, subject) in [
        "/CN=rootCA",
        "/C=JP/O=Example  Two   Blanks/CN= outer ",
        "/DC=Test/DC=Example/CN=MIXED case",
        "/CN=Ünïcode Ä/O=日本語",
        "/CN=x+UID=u+OU=Z/O=multi+L=valued",
        "/emailAddress=CA@Example.TEST/serialNumber=AB 1",
    ]
    .into_iter()
    .enumerate()
    {
        let sandbox = Sandbox::new();
        let name = format!("ca{number}");
        let run = sandbox.pki("root --no-passphrase --name").arg(&name);
        run.arg("--subject").arg(subject).succeeds();
        assert_named(&sandbox, &name);
    }
}

/// A subordinate whose certificate has whatever names its issuer gave it: openssl's string types, as
/// other authorities have them.
#[test]
fn names_of_every_string_type() {
    for (number, (types, subject)) in [
        ("pkix", "CN = Printable  Two\nO = T61 ü"),
        ("default", "CN = Mixed Case\nO = Latin ÄÖ"),
        ("MASK:0x800", "CN = BMP  Ärger\nO = 日本"),
        ("MASK:0x100", "CN = Universal Ö\nO = X Y"),
        ("MASK:0x4", "CN = Teletex Ñ  a\nO = B"),
        (
            "utf8only",
            "CN = ΑΒΓ Greek\n1.O = a\n+1.OU = B b\n+2.UID = c",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let sandbox = Sandbox::new();
        let root = format!("ca{number}");
        sandbox.write(
            "ca.cnf",
            format!(
                "[req]\nprompt = no\nutf8 = yes\nstring_mask = {types}\ndistinguished_name = dn\n\
                 x509_extensions = ca\n[dn]\n{subject}\n[ca]\nbasicConstraints = critical, CA:TRUE\n\
                 keyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n"
            ),
        );
        sandbox
            .run(
                "openssl",
                "req -x509 -config ca.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256",
            )
            .words("-nodes -utf8 -keyout ca.key -out ca.crt -days 30")
            .succeeds();
        install(&sandbox, &root);
        let above = above(&sandbox);
        let key = fs::read(sandbox.path("ca.key")).unwrap();
        sandbox.write(&format!("pki/{above}/ca.key"), key);
        assert_named(&sandbox, &above);
    }
}

/// A CA of the store under `ca.crt`, which comes in with it.
#[track_caller]
fn install(sandbox: &Sandbox, name: &str) {
    let line = format!("subordinate --name {name} --request {name}.csr --no-passphrase");
    sandbox.pki(&line).succeeds();
    sandbox.write(
        "below.cnf",
        "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n\
         subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n",
    );
    sandbox
        .run(
            "openssl",
            "x509 -req -CA ca.crt -CAkey ca.key -extfile below.cnf -days 20",
        )
        .words(&format!("-in {name}.csr -out {name}.crt"))
        .succeeds();
    let line = format!("subordinate --name {name} --install {name}.crt --chain ca.crt");
    sandbox.pki(&line).succeeds();
}

/// The name that the CA above got in the store.
fn above(sandbox: &Sandbox) -> String {
    let tree = sandbox.pki("--format json tree").succeeds().json();
    tree[0]["ca"].as_str().unwrap().to_owned()
}

/// `openssl verify` with a folder alone, for a client.
fn verify(sandbox: &Sandbox, client: &str) -> Run {
    let run = sandbox.run("openssl", "verify -crl_check_all -CApath folder");
    run.arg(format!("out/{client}.crt"))
}

#[test]
fn openssl_finds_certificates_and_lists_in_a_folder() {
    let sandbox = Sandbox::with_clients_below_three_tiers("p256");
    let line = "crl --for apache --hash-names --out folder";
    sandbox.pki(line).succeeds();
    // Certificates have names of the same kind.
    for ca in ["rootCA", "intermediate1", "intermediate2"] {
        let certificate = format!("pki/{ca}/ca.crt");
        let run = sandbox
            .run("openssl", "x509 -noout -hash -in")
            .arg(&certificate);
        let name = format!("folder/{}.0", run.succeeds().stdout.trim());
        sandbox.write(&name, sandbox.read(&certificate));
    }
    verify(&sandbox, "good").succeeds();
    verify(&sandbox, "revoked").succeeds();
    sandbox
        .pki("revoke --ca intermediate2 --cn revoked")
        .succeeds();
    // They are kept up without being asked for, as the other files are.
    sandbox.pki("crl --check --out folder").ends_with(3);
    sandbox.pki("crl --out folder").succeeds();
    sandbox.pki("crl --check --out folder").succeeds();
    verify(&sandbox, "good").succeeds();
    let refused = verify(&sandbox, "revoked").ends_with(2);
    assert!(
        refused.stderr.contains("error 23 at 0 depth lookup"),
        "{refused}"
    );
}

/// Two CAs with one name have one hash.
/// Takes over roots of one subject, which `pki` does not make.
fn cas_of_one_name(sandbox: &Sandbox, names: &[impl AsRef<str>]) {
    for name in names.iter().map(AsRef::as_ref) {
        let folder = format!("foreign-{name}");
        sandbox.write(&format!("{folder}/index.txt"), "");
        sandbox.write(&format!("{folder}/serial"), "01\n");
        fs::create_dir(sandbox.path(format!("{folder}/private"))).unwrap();
        let make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=same -days 3000 \
                    -addext keyUsage=critical,keyCertSign,cRLSign";
        let files = format!("-keyout {folder}/private/cakey.pem -out {folder}/cacert.pem");
        sandbox.run("openssl", make).words(&files).succeeds();
        let import = format!("import --openssl {folder} --name {name} --no-passphrase");
        sandbox.pki(&import).succeeds();
    }
}

#[test]
fn two_cas_of_one_name_have_a_number_each() {
    let sandbox = Sandbox::new();
    cas_of_one_name(&sandbox, &["one", "two"]);
    for name in ["one", "two"] {
        let line = format!("issue --ca {name} --cn client --out {name} --no-passphrase");
        sandbox.pki(&line).succeeds();
    }
    sandbox.pki("revoke --ca two --cn client").succeeds();
    let line = "crl --to-pem --hash-names";
    let names = || {
        let names = sandbox.names_in("pki/crl").into_iter();
        names.filter(|name| name.contains(".r")).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        sandbox.pki(line).succeeds();
        let hash = hash(&sandbox, "pki/crl/one.crl.pem");
        assert_eq!(names(), [format!("{hash}.r0"), format!("{hash}.r1")]);
        for (number, ca) in ["one", "two"].into_iter().enumerate() {
            let named = sandbox.read(format!("pki/crl/{hash}.r{number}"));
            assert_eq!(named, sandbox.read(format!("pki/crl/{ca}.crl.pem")));
        }
    }
    // OpenSSL looks at both.
    let verify = |ca: &str| {
        let run = sandbox.run("openssl", "verify -crl_check -CApath pki/crl -CAfile");
        run.words(&format!("pki/{ca}/ca.crt {ca}/client.crt"))
    };
    verify("one").succeeds();
    let refused = verify("two").ends_with(2);
    assert!(refused.stderr.contains("certificate revoked"), "{refused}");
    // Alone, each keeps its number.
    sandbox.pki("crl --ca two --to-pem --hash-names").succeeds();
    let hash = hash(&sandbox, "pki/crl/two.crl.pem");
    let named = sandbox.read(format!("pki/crl/{hash}.r1"));
    assert_eq!(named, sandbox.read("pki/crl/two.crl.pem"));
}

#[test]
fn a_file_that_is_no_list_stays_and_a_stale_list_goes() {
    let sandbox = Sandbox::with_open_ca();
    let line = "crl --ca rootCA --hash-names";
    sandbox
        .pki("crl --ca rootCA --out other --to-pem")
        .succeeds();
    let name = format!("pki/crl/{}.r0", hash(&sandbox, "other/rootCA.crl.pem"));
    sandbox.write(&name, "mine\n");
    let before = sandbox.store_snapshot();
    let refused = sandbox.pki(line).refusal(1, "file-foreign");
    assert_text(
        &refused.replace(&name, "HASH.r0"),
        expect![[r#"
            error: ./HASH.r0 already exists and is not a CRL
            hint: use another file, or --force to replace it
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
    assert_eq!(sandbox.read(&name), "mine\n");
    sandbox.pki(line).arg("--force").succeeds();
    sandbox.write(&name, sandbox.read("other/rootCA.crl.pem"));
    sandbox.pki(line).succeeds();
    let newest = sandbox.list_in(&name).number;
    assert_eq!(newest, sandbox.published("rootCA").number);
    // Somebody else's list of the same hash is not ours to replace.
    let theirs = Sandbox::new();
    theirs.pki("root --name rootCA --no-passphrase").succeeds();
    theirs.pki("crl --to-pem").succeeds();
    let theirs = theirs.read("pki/crl/rootCA.crl.pem");
    sandbox.write(&name, &theirs);
    sandbox.pki(line).succeeds();
    assert_eq!(sandbox.read(&name), theirs);
    let next = name.replace(".r0", ".r1");
    assert_eq!(
        sandbox.list_in(&next).number,
        sandbox.published("rootCA").number
    );
}

/// A file that somebody put together of several lists is not ours, though one of ours is in it.
#[test]
fn a_file_with_the_lists_of_two_cas_stays() {
    let sandbox = Sandbox::new();
    let theirs = Sandbox::new();
    for store in [&sandbox, &theirs] {
        let line = "root --name one --cn same --no-passphrase";
        store.pki(line).succeeds();
        store.pki("crl --to-pem").succeeds();
    }
    let hash = hash(&sandbox, "pki/crl/one.crl.pem");
    let ours = sandbox.read("pki/crl/one.crl.pem");
    let both = ours + &theirs.read("pki/crl/one.crl.pem");
    sandbox.write(&format!("pki/crl/{hash}.r0"), &both);
    sandbox.pki("crl --hash-names").succeeds();
    assert_eq!(sandbox.read(format!("pki/crl/{hash}.r0")), both);
    let next = sandbox.list_in(&format!("pki/crl/{hash}.r1"));
    assert_eq!(next.number, 2);
}

/// Names are free until somebody has them: of those who look at once each gets one of its own.
#[test]
fn cas_of_one_subject_get_a_hash_name_number_each() {
    const CAS: usize = 8;
    let sandbox = Sandbox::new();
    let cas = (0..CAS).map(|number| format!("ca{number}"));
    let cas = cas.collect::<Vec<_>>();
    cas_of_one_name(&sandbox, &cas);
    for round in 0..5 {
        let folder = format!("folder{round}");
        std::thread::scope(|scope| {
            for name in &cas {
                let line = format!("crl --ca {name} --to-pem --hash-names --out {folder}");
                let run = sandbox.pki(&line);
                scope.spawn(move || run.succeeds());
            }
        });
        let pem = |name: &String| sandbox.read(format!("{folder}/{name}.crl.pem"));
        let mut lists = cas.iter().map(pem).collect::<Vec<_>>();
        let hash = hash(&sandbox, &format!("{folder}/ca0.crl.pem"));
        let named = |number| sandbox.read(format!("{folder}/{hash}.r{number}"));
        let mut found = (0..CAS).map(named).collect::<Vec<_>>();
        lists.sort();
        found.sort();
        assert!(lists == found, "of {folder} a list is missing");
    }
}
