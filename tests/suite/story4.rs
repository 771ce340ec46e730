//! The serverless authorizer: a function that fetches the list as DER over HTTP
//! and looks a client's serial number up, as a JavaScript number.

use crate::docs;
use crate::run::{Run, Transcript};
use crate::sandbox::{Sandbox, repository};
use crate::server::Server;

const PAGE: &str = "docs/authorizer.md";

/// A root, `intermediate0` whose list is published and empty, and its clients
/// `good` and `revoked` in `out/`. The first byte of the latter's serial number
/// is 80, which DER puts a zero before, and some readers into their hex.
fn before_the_revocation(key_type: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let make = |line: &str| {
        let line = sandbox.pki(line).words("--no-passphrase --key-type");
        line.arg(key_type).succeeds();
    };
    make("root --name rootCA --subject /O=Example/OU=PKI/CN=rootCA");
    make(
        "subordinate --ca rootCA --name intermediate0 --subject /O=Example/OU=PKI/CN=intermediate0",
    );
    make("issue --ca intermediate0 --out out --subject /O=Example/OU=Devices/CN=good");
    sandbox.write("pki/intermediate0/serial", format!("{:039}\n", 0x7f));
    make("issue --ca intermediate0 --out out --subject /O=Example/OU=Devices/CN=revoked");
    sandbox.pki("crl --ca intermediate0").succeeds();
    sandbox
}

fn revoke_and_publish(sandbox: &Sandbox) {
    let revoked = sandbox.pki("--format json revoke --ca intermediate0 --cn revoked");
    let revoked = revoked.succeeds().json();
    let serial = revoked["serial"].as_str().unwrap();
    assert!(serial.starts_with("80"), "{serial}");
    sandbox.pki("crl --ca intermediate0").succeeds();
}

/// The published lists over HTTP.
fn list_server(sandbox: &Sandbox) -> Server {
    Server::node(sandbox, "file-server.js", &["pki/crl"])
}

fn url(server: &Server) -> String {
    format!("http://127.0.0.1:{}/intermediate0.crl", server.port)
}

fn an_authorizer_that_compares_numbers(key_type: &str, readers: &str) {
    let sandbox = before_the_revocation(key_type);
    revoke_and_publish(&sandbox);
    let server = list_server(&sandbox);
    let judged = sandbox
        .node("authorizer.js")
        .arg(url(&server))
        .words("out/good.crt out/revoked.crt")
        .succeeds();
    assert_eq!(
        judged.stdout,
        format!(
            "out/good.crt: allowed, read by {readers}\n\
             out/revoked.crt: revoked, read by {readers}\n"
        )
    );
}

#[test]
fn an_authorizer_that_compares_numbers_judges_p256() {
    an_authorizer_that_compares_numbers("p256", "node");
}

#[test]
fn an_authorizer_that_compares_numbers_judges_rsa() {
    an_authorizer_that_compares_numbers("rsa2048", "node and forge");
}

#[test]
fn an_authorizer_that_compares_numbers_checks_the_names() {
    let sandbox = before_the_revocation("rsa2048");
    revoke_and_publish(&sandbox);
    for line in [
        "issue --ca intermediate0 --out out --subject /O=Example/OU=People/CN=person --no-passphrase",
        "root --name other --subject /O=Example/OU=Other/CN=other --no-passphrase",
        "issue --ca other --out out --subject /O=Example/OU=Devices/CN=elsewhere --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let server = list_server(&sandbox);
    let judged = sandbox
        .node("authorizer.js")
        .arg(url(&server))
        .words("out/person.crt out/elsewhere.crt")
        .succeeds();
    assert_eq!(
        judged.stdout,
        "out/person.crt: another subject, read by node\n\
         out/elsewhere.crt: another issuer, read by node\n"
    );
}

/// Which is why the one on the page asks first whether there are any.
#[test]
fn an_authorizer_that_was_not_written_for_an_empty_list_throws() {
    let sandbox = before_the_revocation("p256");
    let server = list_server(&sandbox);
    let thrown = sandbox
        .node("authorizer.js")
        .arg(url(&server))
        .arg("out/good.crt")
        .ends_with(1);
    let says = "TypeError: Cannot read properties of undefined (reading 'map')";
    assert!(thrown.stderr.contains(says), "{thrown}");
    assert_eq!(thrown.stdout, "");
}

/// The authorizer that our page shows, asked about a certificate.
fn of_the_page(sandbox: &Sandbox, url: &str, client: &str) -> Run {
    asking(sandbox, sandbox.run("node", "ask.js"), url).arg(client)
}

/// A run of whatever has the files of the page in its folder.
fn asking(sandbox: &Sandbox, run: Run, url: &str) -> Run {
    for file in ["authorizer.js", "ask.js"] {
        sandbox.write(file, docs::file_of(PAGE, file));
    }
    run.env("NODE_PATH", repository("tests/node/node_modules"))
        .env("CRL_URL", url)
        .env("CRL_ISSUER", "pki/intermediate0/ca.crt")
}

#[track_caller]
fn assert_allowed(answer: &Transcript) {
    assert_eq!(answer.stdout, "{ isAuthorized: true }\n", "{answer}");
    assert_eq!(answer.stderr, "", "{answer}");
}

#[track_caller]
fn assert_refused(answer: &Transcript, why: &str) {
    assert_eq!(answer.stdout, "{ isAuthorized: false }\n", "{answer}");
    assert_eq!(answer.stderr, format!("refused: {why}\n"), "{answer}");
}

fn the_authorizer_of_the_page(key_type: &str) {
    let sandbox = before_the_revocation(key_type);
    let server = list_server(&sandbox);
    let ask = |client| of_the_page(&sandbox, &url(&server), client).succeeds();
    assert_allowed(&ask("out/good.crt"));
    assert_allowed(&ask("out/revoked.crt"));
    revoke_and_publish(&sandbox);
    assert_allowed(&ask("out/good.crt"));
    assert_refused(&ask("out/revoked.crt"), "revoked");
}

#[test]
fn the_authorizer_of_the_page_judges_p256() {
    the_authorizer_of_the_page("p256");
}

#[test]
fn the_authorizer_of_the_page_judges_rsa() {
    the_authorizer_of_the_page("rsa2048");
}

#[test]
fn the_authorizer_refuses_other_cas_and_other_names() {
    let sandbox = before_the_revocation("p256");
    for line in [
        "issue --ca intermediate0 --out out --subject /O=Example/OU=People/CN=person --no-passphrase",
        // The same names, and a key of its own.
        "--store strangers root --name rootCA --subject /O=Example/OU=PKI/CN=intermediate0 --no-passphrase",
        "--store strangers issue --ca rootCA --out stranger --subject /O=Example/OU=Devices/CN=good --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let server = list_server(&sandbox);
    let ask = |client| of_the_page(&sandbox, &url(&server), client).succeeds();
    assert_refused(&ask("out/person.crt"), "another subject");
    assert_refused(&ask("stranger/good.crt"), "another CA");
}

#[test]
fn the_authorizer_refuses_everyone_without_a_current_crl() {
    let sandbox = before_the_revocation("p256");
    let server = list_server(&sandbox);
    let base = format!("http://127.0.0.1:{}", server.port);
    let ask = |list: &str| {
        let url = format!("{base}/{list}");
        of_the_page(&sandbox, &url, "out/good.crt").succeeds()
    };
    sandbox.pki("crl --ca rootCA").succeeds();
    assert_refused(
        &ask("rootCA.crl"),
        &format!("{base}/rootCA.crl: not signed by O=Example\nOU=PKI\nCN=intermediate0"),
    );
    assert_refused(&ask("none.crl"), &format!("{base}/none.crl: 404"));

    let mut der = std::fs::read(sandbox.path("pki/crl/intermediate0.crl")).unwrap();
    *der.last_mut().unwrap() ^= 1;
    sandbox.write("pki/crl/forged.crl", der);
    assert_refused(
        &ask("forged.crl"),
        &format!("{base}/forged.crl: not signed by O=Example\nOU=PKI\nCN=intermediate0"),
    );

    assert_allowed(&ask("intermediate0.crl"));
    let ended = sandbox.published("intermediate0").next_update;
    let ended = ended.replace(' ', "T").replace('Z', ".000Z");
    let in_ten_days = sandbox.run("faketime", "-f +10d node ask.js out/good.crt");
    let in_ten_days = asking(&sandbox, in_ten_days, &url(&server));
    assert_refused(
        &in_ten_days.succeeds(),
        &format!("{}: ended at {ended}", url(&server)),
    );
}

#[test]
fn the_authorizer_caches_a_crl_until_it_expires() {
    let sandbox = before_the_revocation("p256");
    let server = list_server(&sandbox);
    let run = sandbox.node("kept-list.js").arg("out/good.crt");
    let told = asking(&sandbox, run, &url(&server)).succeeds();
    assert_eq!(
        told.stdout,
        "at first: true, fetched 1 times\n\
         at once: true, fetched 1 times\n\
         six minutes later: true, fetched 2 times\n\
         without network: true, fetched 3 times\n\
         eight days later: false, fetched 4 times\n"
    );
}

/// Issued from a table, for one key: each key that is kept would cost a sync to disk.
#[test]
fn issued_serial_numbers_differ_as_javascript_numbers() {
    const COUNT: usize = 5_000;
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .run("openssl", "req -new -newkey ec -nodes -subj /CN=x")
        .words("-pkeyopt ec_paramgen_curve:P-256 -keyout x.key -out x.csr")
        .succeeds();
    sandbox.write("rows.csv", "csr\n".to_owned() + &"x.csr\n".repeat(COUNT));
    sandbox
        .pki("issue --ca intermediate0 --from rows.csv")
        .succeeds();
    let listed = sandbox
        .pki("--format json list --ca intermediate0")
        .succeeds();
    let listed = listed.json();
    let lines = listed.as_array().unwrap().iter().map(|entry| {
        let serial = entry["serial"].as_str().unwrap();
        format!("{serial}\n")
    });
    assert_distinct_as_numbers(&lines.collect::<String>(), COUNT);
}

/// Hexadecimal digits of a serial number behind its counter: 64 random bits.
const RANDOM_DIGITS: usize = 16;

/// And those of an issue are of that kind: each has the next counter.
#[test]
fn the_counters_of_issued_serial_numbers_are_in_a_row() {
    let sandbox = Sandbox::with_open_ca();
    let counters = (0..5).map(|_| {
        let serial = sandbox.issued("intermediate0", "client");
        u128::from_str_radix(&serial[..serial.len() - RANDOM_DIGITS], 16).unwrap()
    });
    let counters = counters.collect::<Vec<_>>();
    let first = counters[0];
    assert_eq!(counters, (first..first + 5).collect::<Vec<_>>());
}

/// What the page promises, at its edges.
#[test]
fn random_serial_numbers_differ_as_javascript_numbers() {
    for counter in [1, 0x7f, 0xffff, 1 << 20, 1 << 32, (1 << 53) - 2] {
        let number = |counter: u64, random: u64| format!("{counter:x}{random:0RANDOM_DIGITS$x}");
        let apart = [number(counter, u64::MAX), number(counter + 2, 0)];
        assert_distinct_as_numbers(&format!("{}\n{}\n", apart[0], apart[1]), 2);
        let neighbours = [number(counter, u64::MAX), number(counter + 1, 0)];
        assert_distinct_as_numbers(&format!("{}\n{}\n", neighbours[0], neighbours[1]), 1);
    }
}

#[track_caller]
fn assert_distinct_as_numbers(lines: &str, count: usize) {
    let sandbox = Sandbox::new();
    let counted = sandbox.node("distinct-numbers.js").stdin(lines).succeeds();
    assert_eq!(counted.stdout, format!("{count}\n"));
}
