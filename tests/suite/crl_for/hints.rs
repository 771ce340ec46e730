//! What is said where lists can't be published, or only some of them.

use std::collections::BTreeSet;
use std::fs;

use expect_test::expect;

use super::settings;
use crate::normalise::normalised;
use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// What is no list is found before anything is signed, whichever of the files it is in the place of.
#[test]
fn a_file_in_the_way_of_any_that_a_target_reads_is_found_first() {
    let mut said = BTreeSet::new();
    for (target, file) in [
        ("nginx --hash-names", "HASH.r0"),
        ("nginx", "intermediate0.chain.crl.pem"),
        ("nginx", "rootCA.crl"),
        ("node", "intermediate0.crl.pem"),
        ("node", "rootCA.crl.pem"),
    ] {
        let sandbox = Sandbox::with_open_ca();
        // The list of the root is there already, and stays.
        let file = match file {
            "HASH.r0" => {
                sandbox.pki("crl --ca rootCA --hash-names").succeeds();
                let names = sandbox.names_in("pki/crl");
                names.into_iter().find(|name| name.contains(".r")).unwrap()
            }
            "rootCA.crl" => file.to_owned(),
            _ => {
                sandbox.pki("crl --ca rootCA").succeeds();
                file.to_owned()
            }
        };
        sandbox.write(&format!("pki/crl/{file}"), "mine\n");
        let line = format!("crl --ca intermediate0 --for {target}");
        let refused = sandbox.refusal(sandbox.pki(&line), 1, "file-foreign");
        said.insert(refused.replace(&file, "FILE"));
        sandbox.pki(&line).arg("--force").succeeds();
    }
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: ./pki/crl/FILE already exists and is not a CRL
            hint: use another file, or --force to replace it
            notice: Node.js: it reads only the first CRL of a text: put several into an array
            error: ./pki/crl/FILE already exists and is not a CRL
            hint: use another file, or --force to replace it
            notice: nginx also needs the CRL of rootCA, which is due
            error: ./pki/crl/FILE already exists and is not a CRL of this CA
            hint: use another file, or --force to replace it
        "#]],
    );
}

/// Without a target one CA that fails does not stop the others; of it nothing is signed.
#[test]
fn a_chain_in_the_way_keeps_its_own_ca_back_alone() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("pki/crl/intermediate0.chain.crl.pem", "mine\n");
    let half = sandbox.pki("crl --chain").ends_with(4);
    // The new list of the root belongs into it too.
    assert_text(
        &normalised(&half.stderr),
        expect![[r#"
            error: ./pki/crl/intermediate0.chain.crl.pem already exists and is not a CRL
            hint: use another file, or --force to replace it
            error: the new CRL is committed to the store, but a later step failed
            caused by: ./pki/crl/intermediate0.chain.crl.pem already exists and is not a CRL
            hint: `pki crl --chain --if-needed --force` replaces it and writes the other files
        "#]],
    );
    assert_text(
        &normalised(&half.stdout),
        expect![[r#"
            signed the CRL of rootCA
              number       1
              entries      0
              next update  [time]
              der          ./pki/crl/rootCA.crl
              chain        ./pki/crl/rootCA.chain.crl.pem
        "#]],
    );
    assert!(!sandbox.path("pki/crl/intermediate0.crl").exists());
}

#[test]
fn the_command_for_the_rest_is_the_one_that_was_given() {
    let sandbox = Sandbox::with_open_ca();
    fs::rename(sandbox.path("pki/rootCA/ca.key"), sandbox.path("root.key")).unwrap();
    let half = sandbox
        .pki("crl --ca intermediate0 --chain --to-pem --out")
        .arg("my lists")
        .ends_with(4);
    assert_text(
        &normalised(&half.stderr),
        expect![[r#"
            error: the new CRL is committed to the store, but a later step failed
            caused by: CRL of rootCA not found at my lists/rootCA.crl
            hint: `pki crl --ca intermediate0 --out 'my lists' --to-pem --chain --if-needed` writes the chain file once the other CRLs exist
        "#]],
    );
}

/// The chain of a CA below is in the way, at which nobody looks before the list above is signed.
#[test]
fn a_file_that_is_found_after_signing_is_replaced_by_force() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    sandbox.write("pki/crl/intermediate0.chain.crl.pem", "mine\n");
    let half = sandbox.pki("crl --ca rootCA --for nginx").ends_with(4);
    assert_text(
        &normalised(&half.stderr),
        expect![[r#"
            error: the new CRL is committed to the store, but a later step failed
            caused by: ./pki/crl/intermediate0.chain.crl.pem already exists and is not a CRL
            hint: `pki crl --ca rootCA --for nginx --if-needed --force` replaces it and writes the other files
        "#]],
    );
}

#[test]
fn settings_are_said_until_what_they_name_is_there() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    let line = "crl --for nginx --ca intermediate0 --if-needed";
    let first = settings(&sandbox.pki(line).succeeds());
    assert_eq!(first.len(), 1);
    assert_eq!(settings(&sandbox.pki(line).succeeds()), [""; 0]);
    let signed = sandbox.pki("crl --for nginx --ca intermediate0").succeeds();
    assert_eq!(settings(&signed), first);
}

crate::engine::also_in_a_database! {
    a_file_that_is_found_after_signing_is_replaced_by_force, settings_are_said_until_what_they_name_is_there,
}
