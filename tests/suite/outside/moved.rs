//! Keys that move out of the store, and CAs that come with a key outside.

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::{PASSPHRASE, Sandbox};

fn with_ca_inside() -> Sandbox {
    let sandbox = Sandbox::with_helper();
    sandbox.write("ca.pass", format!("{PASSPHRASE}\n"));
    sandbox
        .pki("root --name rootCA --passout file:ca.pass")
        .succeeds();
    sandbox
        .pki("issue --ca rootCA --cn before --passin file:ca.pass")
        .succeeds();
    sandbox
}

const MOVE: &str = "ca move-key --ca rootCA --key-uri test:root --passin file:ca.pass";

#[test]
fn a_key_moves_out_and_its_file_is_removed() {
    let sandbox = with_ca_inside();
    let moved = sandbox.outside(MOVE).words("--passout file:pin").succeeds();
    assert_text(
        &moved.stdout,
        expect![[r#"
            moved the key of rootCA to test:root
        "#]],
    );
    assert!(!sandbox.path("pki/rootCA/ca.key").exists());
    assert_eq!(sandbox.read("pki/store.json"), "{\"format\":5}\n");
    let log = sandbox.pki("log --format json").succeeds().stdout;
    assert!(log.contains("\"key-moved\""), "{log}");
    let again = sandbox.outside(MOVE).words("--passout file:pin").succeeds();
    assert_text(
        &again.stdout,
        expect![[r#"
            the key of rootCA is already test:root
        "#]],
    );
    sandbox
        .outside("issue --ca rootCA --cn after --passin file:pin --no-passphrase --out out")
        .succeeds();
    sandbox
        .run("openssl", "verify -CAfile pki/rootCA/ca.crt out/after.crt")
        .succeeds();
    // Keys of leaves stay under the passphrase that they had.
    sandbox
        .outside("export --ca rootCA --cn before --passin file:ca.pass --no-passphrase --out out")
        .succeeds();
    let run = sandbox.outside("ca move-key --ca rootCA --key-uri test:other --passin file:pin");
    sandbox.refusal(run, 1, "key-outside-store");
}

#[test]
fn a_key_that_cannot_move_stays() {
    let sandbox = with_ca_inside();
    sandbox
        .run("openssl", "genpkey -algorithm EC -out keys/other.pem")
        .words("-pkeyopt ec_paramgen_curve:P-256")
        .succeeds();
    let refused = |fault: &str, line: &str, code: &str| {
        let run = sandbox.outside(line).words("--passout file:pin");
        sandbox.refusal(run.env("KEY_HELPER_FAULT", fault), 1, code);
    };
    refused("no-import", MOVE, "key-operation-refused");
    let other = MOVE.replace("test:root", "test:other");
    refused("", &other, "ca-key-mismatch");
    let run = sandbox.outside(MOVE).words("--passout file:wrong.pin");
    sandbox.refusal(run, 1, "pin-wrong");
    // The key there has the right public part, and signs with another.
    refused("other-signature", MOVE, "invalid-signature");
    assert!(sandbox.path("pki/rootCA/ca.key").exists());
}

/// The file is removed last; what is left of an interrupted move is found, and removed by the same command.
#[test]
fn an_interrupted_move_is_found_and_completed() {
    let sandbox = with_ca_inside();
    let key = sandbox.read("pki/rootCA/ca.key");
    sandbox.outside(MOVE).words("--passout file:pin").succeeds();
    sandbox.write("pki/rootCA/ca.key", key);
    sandbox.run("chmod", "600 pki/rootCA/ca.key").succeeds();
    let found = sandbox.outside("check").ends_with(3);
    assert!(found.stdout.contains("key-left"), "{found}");
    sandbox.outside(MOVE).words("--passout file:pin").succeeds();
    assert!(!sandbox.path("pki/rootCA/ca.key").exists());
    sandbox.outside("check").succeeds();
}

#[test]
fn of_two_moves_at_once_to_two_places_one_wins() {
    let sandbox = with_ca_inside();
    let started = ["test:a", "test:b"].map(|uri| {
        let line = MOVE.replace("test:root", uri);
        let run = sandbox.outside(&line).words("--passout file:pin");
        // Both keys are there and sign before one of them counts.
        let run = run.env("KEY_HELPER_FAULT", "meet@sign");
        run.words("--format json").spawn()
    });
    let ended = started.map(|child| child.wait_with_output().unwrap());
    let mut codes = ended.each_ref().map(|output| output.status.code());
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(1)], "{ended:?}");
    let loser = ended.iter().find(|output| !output.status.success());
    let said = String::from_utf8_lossy(&loser.unwrap().stderr);
    assert!(said.contains("\"keys-changed\""), "{said}");
    assert!(!sandbox.path("pki/rootCA/ca.key").exists());
    sandbox
        .outside("issue --ca rootCA --cn after --passin file:pin --no-passphrase")
        .succeeds();
    sandbox.outside("check").succeeds();
}

/// The key is outside now, unless the machine fails: exit code 4, as of everything that is done and not durable.
#[test]
fn a_move_that_is_not_durable_is_completed_by_the_same_command() {
    let sandbox = with_ca_inside();
    sandbox
        .run("strace", "-o /dev/null -e trace=fsync -P")
        .arg(sandbox.path("pki/rootCA"))
        .words("-e inject=fsync:error=EIO:when=1")
        .arg(env!("CARGO_BIN_EXE_pki"))
        .words(MOVE)
        .words("--passout file:pin")
        .env("PKI_KEY_HELPERS", sandbox.path("helpers"))
        .env("KEY_HELPER_KEYS", sandbox.path("keys"))
        .ends_with(4);
    assert!(sandbox.path("pki/rootCA/ca.key").exists());
    sandbox.outside(MOVE).words("--passout file:pin").succeeds();
    assert!(!sandbox.path("pki/rootCA/ca.key").exists());
    sandbox.outside("check").succeeds();
}

#[test]
fn a_ca_is_imported_with_its_key_outside() {
    let sandbox = Sandbox::with_helper();
    sandbox.write("old/.keep", "");
    sandbox
        .run("openssl", "req -x509 -newkey rsa:2048 -nodes -subj /CN=old")
        .words("-days 100 -keyout keys/old.pem -out old/ca.crt")
        .words("-addext keyUsage=critical,keyCertSign,cRLSign")
        .succeeds();
    sandbox
        .run("openssl", "genpkey -algorithm ED25519 -out keys/other.pem")
        .succeeds();
    let import = "import --openssl old --name old --passin file:pin --key-uri";
    let other = sandbox.outside(import).arg("test:other");
    other.refuses(
        1,
        "ca-key-mismatch",
        expect![[r#"
            error: the key test:other does not match the certificate old/ca.crt
            hint: give the matching ones with --cert, and --key or --key-uri
        "#]],
    );
    sandbox.outside(import).arg("test:old").succeeds();
    sandbox
        .outside("issue --ca old --cn a --passin file:pin --no-passphrase --out out")
        .succeeds();
    sandbox
        .run("openssl", "verify -CAfile old/ca.crt out/a.crt")
        .succeeds();
}

crate::engine::also_in_a_database! {
    a_ca_is_imported_with_its_key_outside,
}

crate::engine::soak_in_a_database! {
    a_key_moves_out_and_its_file_is_removed, a_key_that_cannot_move_stays,
}
