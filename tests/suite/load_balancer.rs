//! Story 3: a load balancer, of the TLS library that the cloud's are made of,
//! with our trust store and our lists. It says why it refuses a client.

use std::net::{TcpListener, TcpStream};
use std::thread;

use load_balancer::LoadBalancer;

use crate::hierarchy::for_p256_and_rsa;
use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;

const ROOT_LIST: &str = "pki/crl/rootCA.crl.pem";
const ISSUING_LIST: &str = "pki/crl/intermediate0.crl.pem";

/// For a CA old enough to have signed a list that has ended.
const LONG: &str = "--not-before 2024-01-01 --not-after 2044-01-01";

/// The fixtures with keys of one type, of which `certs/server` is the balancer's own.
struct Site {
    sandbox: Sandbox,
    key_type: &'static str,
}

impl Site {
    fn new(key_type: &'static str) -> Self {
        Self {
            sandbox: Sandbox::with_fixtures(key_type),
            key_type,
        }
    }

    /// `pki` making something that has an unencrypted key of the site's type.
    #[track_caller]
    fn make(&self, line: &str) {
        let made = self.sandbox.pki(line).arg("--no-passphrase");
        made.arg("--key-type").arg(self.key_type).succeeds();
    }

    /// A balancer that has read this trust store and these lists as they are now.
    fn balancer(&self, trust_store: &str, lists: &[&str]) -> Result<LoadBalancer, String> {
        let lists = lists.iter().map(|list| self.sandbox.read(list));
        LoadBalancer::new(
            &self.sandbox.read("certs/server.fullchain.pem"),
            &self.sandbox.read("certs/server.key"),
            &self.sandbox.read(trust_store),
            &lists.collect::<Vec<_>>(),
        )
    }

    /// A balancer that checks the path, and one that checks revocation too.
    fn balancers(&self) -> [LoadBalancer; 2] {
        [
            self.balancer("truststore.pem", &[]).unwrap(),
            self.balancer("root.pem", &[ROOT_LIST, ISSUING_LIST])
                .unwrap(),
        ]
    }

    /// What curl with this certificate and key gets, and why the balancer
    /// refused it.
    fn visit(&self, balancer: &LoadBalancer, client: &[&str]) -> (Transcript, Result<(), String>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let run = self
            .sandbox
            .run("curl", "--silent --show-error --noproxy *")
            .words("--cacert pki/rootCA/ca.crt --connect-to")
            .arg(format!("www.example.test:443:{address}"));
        let run = client.iter().fold(run, Run::arg);
        thread::scope(|scope| {
            let visitor = scope.spawn(move || {
                let answer = run.arg("https://www.example.test/").finish();
                // Should curl have ended before it connected, this is who is served.
                drop(TcpStream::connect(address));
                answer
            });
            let served = balancer.serve(&listener.accept().unwrap().0);
            (visitor.join().unwrap(), served)
        })
    }

    /// As [`Self::visit`], of `FOLDER/NAME` with its chain.
    fn visit_of(&self, balancer: &LoadBalancer, client: &str) -> (Transcript, Result<(), String>) {
        let chain = format!("{client}.fullchain.pem");
        let key = format!("{client}.key");
        self.visit(balancer, &["--cert", &chain, "--key", &key])
    }

    #[track_caller]
    fn assert_let_in(&self, balancer: &LoadBalancer, client: &str) {
        let (answer, served) = self.visit_of(balancer, client);
        assert_eq!(served, Ok(()), "{answer}");
        assert_eq!(answer.stdout, "let in", "{answer}");
        assert_eq!(answer.status, Some(0), "{answer}");
    }

    #[track_caller]
    fn assert_refused(&self, balancer: &LoadBalancer, client: &str, why: &str) {
        assert_refusal(&self.visit_of(balancer, client), why);
    }

    #[track_caller]
    fn assert_refused_by_all(&self, client: &str, why: &str) {
        for balancer in self.balancers() {
            self.assert_refused(&balancer, client, why);
        }
    }
}

#[track_caller]
fn assert_refusal((answer, served): &(Transcript, Result<(), String>), why: &str) {
    assert_eq!(served, &Err(why.to_owned()), "{answer}");
    assert!(answer.status.is_some_and(|code| code != 0), "{answer}");
    assert_eq!(answer.stdout, "", "{answer}");
}

fn a_good_client_is_let_in(key_type: &'static str) {
    let site = Site::new(key_type);
    for balancer in site.balancers() {
        site.assert_let_in(&balancer, "certs/good");
    }
}

fn a_revoked_client_is_let_in_until_the_new_list_is_loaded(key_type: &'static str) {
    let site = Site::new(key_type);
    let balancer = || {
        site.balancer("root.pem", &[ROOT_LIST, ISSUING_LIST])
            .unwrap()
    };
    let before = balancer();
    site.assert_let_in(&before, "certs/device");
    for client in ["certs/revoked", "certs/stolen", "certs/on-hold"] {
        site.assert_refused(&before, client, "S2N_ERR_CERT_REVOKED");
    }
    for line in [
        "revoke --ca intermediate0 --cn device-7 --reason keyCompromise",
        "crl --to-pem",
    ] {
        site.sandbox.pki(line).succeeds();
    }
    let after = balancer();
    site.assert_refused(&after, "certs/device", "S2N_ERR_CERT_REVOKED");
    site.assert_let_in(&after, "certs/good");
}

/// Of a CA with other names, of one with the names of ours, and of none.
fn a_client_of_an_unknown_ca_is_refused(key_type: &'static str) {
    let site = Site::new(key_type);
    for client in ["certs/stranger", "certs/other-ca", "certs/self-signed"] {
        site.assert_refused_by_all(client, "S2N_ERR_CERT_UNTRUSTED");
    }
}

fn a_client_outside_its_validity_is_refused(key_type: &'static str) {
    let site = Site::new(key_type);
    site.assert_refused_by_all("certs/expired", "S2N_ERR_CERT_EXPIRED");
    site.assert_refused_by_all("certs/not-yet-valid", "S2N_ERR_CERT_NOT_YET_VALID");
}

fn a_certificate_for_servers_is_refused_as_a_client_s(key_type: &'static str) {
    let site = Site::new(key_type);
    for client in ["certs/server", "certs/wrong-purpose"] {
        site.assert_refused_by_all(client, "S2N_ERR_CERT_INTENT_INVALID");
    }
}

fn a_client_without_a_certificate_is_refused(key_type: &'static str) {
    let site = Site::new(key_type);
    for balancer in site.balancers() {
        let visit = site.visit(&balancer, &[]);
        assert_refusal(&visit, "S2N_ERR_MISSING_CLIENT_CERT");
    }
}

/// s2n-tls takes nobody for good of whose issuer it has no list. Nor can it
/// tie the root's list to a path that ends with the subordinate, as all do
/// where the trust store holds it: with lists, the root alone is for s2n-tls.
fn a_list_of_every_ca_is_asked_for_and_the_root_alone(key_type: &'static str) {
    let site = Site::new(key_type);
    for (trust_store, lists) in [
        ("root.pem", &[ROOT_LIST][..]),
        ("root.pem", &[ISSUING_LIST]),
        ("truststore.pem", &[ROOT_LIST, ISSUING_LIST]),
    ] {
        let balancer = site.balancer(trust_store, lists).unwrap();
        site.assert_refused(&balancer, "certs/good", "S2N_ERR_CRL_LOOKUP_FAILED");
    }
}

fn a_list_that_has_ended_is_not_loaded(key_type: &'static str) {
    let site = Site::new(key_type);
    site.make(&format!("--store old root --name rootCA {LONG}"));
    site.sandbox
        .pki_at("2024-06-01 12:00:00", "--store old crl --to-pem")
        .succeeds();
    let refused = site.balancer("root.pem", &["old/crl/rootCA.crl.pem"]).err();
    assert_eq!(refused.as_deref(), Some("S2N_ERR_CRL_EXPIRED"));
}

/// As `--for alb` says it: RSA from 2048 bits, and the curves of NIST; P-256
/// and RSA 2048 are below.
fn a_good_client_with_any_key_that_is_taken_is_let_in(key_type: &'static str) {
    let site = Site {
        sandbox: Sandbox::new(),
        key_type,
    };
    for line in [
        "root --name rootCA",
        "subordinate --ca rootCA --name intermediate0",
        "issue --ca intermediate0 --cn server --profile server --san www.example.test --out certs",
        "issue --ca intermediate0 --cn good --out certs",
    ] {
        site.make(line);
    }
    let bundle = "bundle --ca intermediate0 --for alb --out truststore.pem";
    site.sandbox.pki(bundle).succeeds();
    let balancer = site.balancer("truststore.pem", &[]).unwrap();
    site.assert_let_in(&balancer, "certs/good");
}

mod a_good_client_with_a_key {
    use super::a_good_client_with_any_key_that_is_taken_is_let_in as check;

    #[test]
    fn p384() {
        check("p384");
    }

    #[test]
    fn p521() {
        check("p521");
    }

    #[test]
    fn rsa4096() {
        check("rsa4096");
    }
}

/// A leaf, two CAs and the root: as long as `--for alb` lets a path be.
fn a_client_at_the_end_of_the_longest_path_is_let_in(key_type: &'static str) {
    let site = Site::new(key_type);
    site.make("subordinate --ca intermediate0 --name intermediate1");
    site.make("issue --ca intermediate1 --cn deep --out out");
    let bundle = |ca: &str| {
        let line = format!("bundle --for alb --ca {ca} --out {ca}.pem");
        site.sandbox.pki(&line)
    };
    bundle("intermediate1").succeeds();
    let balancer = site.balancer("intermediate1.pem", &[]).unwrap();
    site.assert_let_in(&balancer, "out/deep");
    // The path is in the trust store: who sends the certificate alone is let in as well.
    let (answer, served) = site.visit(
        &balancer,
        &["--cert", "out/deep.crt", "--key", "out/deep.key"],
    );
    assert_eq!(served, Ok(()), "{answer}");
    site.assert_let_in(&balancer, "certs/good");
    site.make("subordinate --ca intermediate1 --name intermediate2");
    let refused = bundle("intermediate2").ends_with(1);
    assert!(refused.stdout.contains("path-depth"), "{refused}");
}

/// The clients of the first and of the last of twenty-five CAs.
fn a_trust_store_of_as_many_cas_as_are_taken_lets_the_clients_of_each_in(key_type: &'static str) {
    let site = Site::new(key_type);
    for number in 1..=22 {
        site.make(&format!("subordinate --ca rootCA --name another{number}"));
    }
    for number in [1, 22] {
        site.make(&format!(
            "issue --ca another{number} --cn client{number} --out out"
        ));
    }
    let bundle = || site.sandbox.pki("bundle --for alb --out all.pem");
    bundle().succeeds();
    let count = site.sandbox.read("all.pem").matches("-----BEGIN").count();
    assert_eq!(count, 25);
    let balancer = site.balancer("all.pem", &[]).unwrap();
    for client in ["certs/good", "out/client1", "out/client22"] {
        site.assert_let_in(&balancer, client);
    }
    site.make("subordinate --ca rootCA --name another23");
    let refused = bundle().ends_with(1);
    assert!(refused.stdout.contains("certificate-count"), "{refused}");
}

for_p256_and_rsa! {
    a_client_at_the_end_of_the_longest_path_is_let_in
    a_trust_store_of_as_many_cas_as_are_taken_lets_the_clients_of_each_in
    a_good_client_is_let_in
    a_revoked_client_is_let_in_until_the_new_list_is_loaded
    a_client_of_an_unknown_ca_is_refused
    a_client_outside_its_validity_is_refused
    a_certificate_for_servers_is_refused_as_a_client_s
    a_client_without_a_certificate_is_refused
    a_list_of_every_ca_is_asked_for_and_the_root_alone
    a_list_that_has_ended_is_not_loaded
}
