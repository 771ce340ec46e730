//! A proxy between `pki` and the server that cuts the connection after each message of the server.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{Cluster, Site};

/// Type of the message that says that the server is ready, first after the log-in.
const READY: u8 = b'Z';

/// Passes on what a client says, and of the answers so many messages after the log-in; a part of the next one if
/// `is_torn`.
fn serve(listener: &TcpListener, port: u16, messages: usize, is_torn: bool, passed: &AtomicUsize) {
    let (client, _) = listener.accept().unwrap();
    let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    let upward = thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut from_server, mut to_client) = (server, client);
    let mut is_logged_in = false;
    let mut left = messages;
    while !is_logged_in || left > 0 {
        let mut head = [0; 5];
        if from_server.read_exact(&mut head).is_err() {
            break;
        }
        let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize - 4;
        let mut body = vec![0; length];
        if from_server.read_exact(&mut body).is_err()
            || to_client.write_all(&[&head[..], &body].concat()).is_err()
        {
            break;
        }
        if is_logged_in {
            left -= 1;
            passed.fetch_add(1, Ordering::SeqCst);
        }
        is_logged_in |= head[0] == READY;
    }
    if is_torn {
        let mut part = [0; 3];
        if from_server.read_exact(&mut part).is_ok() {
            let _ = to_client.write_all(&part);
        }
    }
    let _ = to_client.shutdown(Shutdown::Both);
    // What the client has sent reaches the server all the same.
    let _ = from_server.shutdown(Shutdown::Read);
    upward.join().unwrap();
}

/// Distance of the cuts in tests that are always run; those of `make soak` cut at every message.
const STEP: usize = 4;

/// Runs a command through proxies that cut after growing numbers of messages, until it is done before the cut.
/// `count` is a statement whose result tells whether the command has had its effect.
#[track_caller]
fn cut_at_every(step: usize, site: &Site, command: impl Fn(usize) -> String, count: &str) {
    let port = site.cluster.server.port;
    // A lease ends by itself; a test does not wait for it.
    let counted = || {
        let release = "UPDATE pki.crl_counter SET lease = NULL, leased_until = NULL";
        site.psql(&format!("{release}; {count}"))
    };
    let mut before = counted();
    for messages in (0..).step_by(step) {
        assert!(messages < 400, "the command never ends");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let url = format!(
            "postgres://ca@127.0.0.1:{own}/{}?sslmode=disable",
            site.database
        );
        let passed = AtomicUsize::new(0);
        let ran = thread::scope(|scope| {
            scope.spawn(|| serve(&listener, port, messages, messages / step % 2 == 1, &passed));
            let run = site.pki(&command(messages)).env("PKI_STORE", url);
            run.env("PGPASSWORD", "pw").finish()
        });
        let after = counted();
        let changed = after != before;
        before = after;
        match ran.status {
            Some(0) => assert!(changed, "{messages}: acknowledged, and not there: {ran}"),
            Some(1) => assert!(!changed, "{messages}: refused, and there: {ran}"),
            Some(4) => assert!(ran.stderr.contains("error"), "{ran}"),
            _ => panic!("{messages}: {ran}"),
        }
        if ran.status == Some(0) && passed.load(Ordering::SeqCst) < messages {
            return;
        }
    }
}

fn site() -> Site {
    let site = Site::on(Arc::new(Cluster::own("")));
    site.psql("CREATE ROLE ca LOGIN SUPERUSER PASSWORD 'pw'");
    site.pki("root --name rootCA --no-passphrase").succeeds();
    site
}

fn issuing(step: usize) {
    let site = site();
    let command = |number| format!("issue --ca rootCA --cn c{number}");
    cut_at_every(step, &site, command, "SELECT count(*) FROM pki.certificate");
    assert_eq!(
        site.psql("SELECT count(*) = count(DISTINCT counter) FROM pki.certificate"),
        "t"
    );
    site.pki("check").finish();
}

fn revoking(step: usize) {
    let site = site();
    let rows: Vec<String> = (0..120).map(|number| format!("c{number}")).collect();
    site.sandbox
        .write("table.csv", format!("cn\n{}\n", rows.join("\n")));
    site.pki("issue --ca rootCA --from table.csv").succeeds();
    let command = |number| format!("revoke --ca rootCA --cn c{number}");
    cut_at_every(step, &site, command, "SELECT count(*) FROM pki.revocation");
    assert_eq!(
        site.psql("SELECT max(number) = count(*) FROM pki.revocation"),
        "t"
    );
}

fn signing(step: usize) {
    let site = site();
    let command = |number| format!("crl --ca rootCA --out crl{number}");
    cut_at_every(step, &site, command, "SELECT count(*) FROM pki.crl");
    assert_eq!(
        site.psql("SELECT count(*) = count(DISTINCT number) FROM pki.crl"),
        "t"
    );
}

#[test]
fn issuing_through_a_cut_says_what_happened() {
    issuing(STEP);
}

#[test]
fn revoking_through_a_cut_says_what_happened() {
    revoking(STEP);
}

#[test]
fn signing_a_crl_through_a_cut_says_what_happened() {
    signing(STEP);
}

mod soak {
    use super::{issuing, revoking, signing};

    #[test]
    #[ignore = "make soak runs it"]
    fn every_command_through_every_cut_says_what_happened() {
        issuing(1);
        revoking(1);
        signing(1);
    }
}
