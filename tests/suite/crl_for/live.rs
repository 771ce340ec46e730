//! Servers and libraries with what `--for` made, and with the settings that it said: the good client is
//! let in, the revoked one is not.

use std::fs;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, OwnedCertRevocationList,
    RevocationCheckDepth, RevocationOptionsBuilder,
};

use super::settings;
use crate::run::Transcript;
use crate::sandbox::Sandbox;
use crate::server::Server;

/// Three CAs one below the other, and a list for this target on which one of two clients is; gives the
/// settings that were said.
fn revoked_for(target: &str) -> (Sandbox, Vec<String>) {
    revoked_for_in(target, "pki/crl")
}

/// The same, published in a folder of this name.
fn revoked_for_in(target: &str, folder: &str) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::with_clients_below_three_tiers("p256");
    for line in [
        "revoke --ca intermediate2 --cn revoked --reason keyCompromise",
        "bundle --out truststore.pem",
    ] {
        sandbox.pki(line).succeeds();
    }
    let done = sandbox.pki("crl --ca intermediate2 --for").arg(target);
    let done = done.arg("--out").arg(folder);
    let said = settings(&done.succeeds());
    (sandbox, said)
}

fn curl(sandbox: &Sandbox, server: &Server, client: &str) -> Transcript {
    let to = format!("www.example.test:443:127.0.0.1:{}", server.port);
    sandbox
        .run(
            "curl",
            "--silent --show-error --noproxy * --cacert pki/rootCA/ca.crt",
        )
        .arg("--connect-to")
        .arg(to)
        .words(&format!("--cert out/{client}.crt --key out/{client}.key"))
        .arg("https://www.example.test/")
        .finish()
}

fn nginx_with(sandbox: &Sandbox, settings: &str) -> Server {
    Server::nginx(
        sandbox,
        &format!(
            "ssl_certificate ../out/www.example.test.fullchain.pem;
            ssl_certificate_key ../out/www.example.test.key;
            ssl_client_certificate ../truststore.pem;
            ssl_verify_client on;
            ssl_verify_depth 3;
            {settings}
            location / {{ return 200 \"hello $ssl_client_s_dn\\n\"; }}"
        ),
    )
}

#[test]
fn nginx() {
    let (sandbox, said) = revoked_for("nginx");
    let server = nginx_with(&sandbox, &said.join("\n"));
    assert_eq!(curl(&sandbox, &server, "good").stdout, "hello CN=good\n");
    let refused = curl(&sandbox, &server, "revoked").stdout;
    assert!(refused.contains("The SSL certificate error"), "{refused}");
    server.assert_logs("client SSL certificate verify error: (23:certificate revoked)");
}

/// nginx takes one file: those of two CAs behind each other, with the list of the root in both.
#[test]
fn nginx_with_the_files_of_two_paths_in_one() {
    let sandbox = Sandbox::with_three_tiers();
    for line in [
        "issue --ca intermediate0 --cn near --out out --no-passphrase",
        "issue --ca intermediate2 --cn deep --out out --no-passphrase",
        "issue --ca intermediate2 --cn revoked --out out --no-passphrase",
        "issue --ca intermediate0 --cn www.example.test --profile server --out out --no-passphrase",
        "revoke --ca intermediate2 --cn revoked",
        "bundle --out truststore.pem",
    ] {
        sandbox.pki(line).succeeds();
    }
    let said = settings(&sandbox.pki("crl --for nginx").succeeds());
    let files = said.iter().map(|line| {
        let (_, file) = line.split_once(" ssl_crl ").unwrap();
        fs::read_to_string(file.trim_end_matches(';')).unwrap()
    });
    let files = files.collect::<Vec<_>>();
    assert_eq!(files.len(), 2, "{said:?}");
    sandbox.write("both.pem", files.concat());
    let server = nginx_with(&sandbox, "ssl_crl ../both.pem;");
    assert_eq!(curl(&sandbox, &server, "near").stdout, "hello CN=near\n");
    assert_eq!(curl(&sandbox, &server, "deep").stdout, "hello CN=deep\n");
    let refused = curl(&sandbox, &server, "revoked").stdout;
    assert!(refused.contains("The SSL certificate error"), "{refused}");
    server.assert_logs("client SSL certificate verify error: (23:certificate revoked)");
}

#[test]
fn haproxy() {
    let (sandbox, said) = revoked_for("haproxy");
    let served = sandbox.read("out/www.example.test.fullchain.pem");
    sandbox.write(
        "server.pem",
        served + &sandbox.read("out/www.example.test.key"),
    );
    let bind = format!(
        "crt server.pem ca-file truststore.pem verify required {}",
        said.join(" ")
    );
    let server = Server::haproxy(&sandbox, &bind);
    assert_eq!(curl(&sandbox, &server, "good").stdout, "hello good\n");
    assert_ne!(curl(&sandbox, &server, "revoked").status, Some(0));
    server.assert_logs("refused: error 23, of a CA 0\n");
}

#[test]
fn node() {
    let (sandbox, said) = revoked_for("node");
    // The files between the quotes.
    let files = said[0].split('\'').skip(1).step_by(2).collect::<Vec<_>>();
    assert_eq!(files.len(), 3, "{said:?}");
    let with = [
        "out/www.example.test.fullchain.pem",
        "out/www.example.test.key",
        "truststore.pem",
    ];
    let server = Server::node(&sandbox, "crl-server.js", &[&with[..], &files].concat());
    assert_eq!(curl(&sandbox, &server, "good").stdout, "hello good\n");
    assert_ne!(curl(&sandbox, &server, "revoked").status, Some(0));
    server.assert_logs("refused: CERT_REVOKED");
    // The line itself is JavaScript.
    sandbox.write(
        "setting.js",
        format!(
            "const fs = require('fs'); const o = {{ {} }}; console.log(o.crl.length);",
            said[0]
        ),
    );
    assert_eq!(sandbox.run("node", "setting.js").succeeds().stdout, "3\n");
}

/// Whatever the folder is called, each takes the setting as it was said.
const ODD: &str = r#"it's "a" b; c\d #e $f, {g}: [h]"#;

#[test]
fn nginx_with_a_folder_of_an_odd_name() {
    let (sandbox, said) = revoked_for_in("nginx", ODD);
    let server = nginx_with(&sandbox, &said.join("\n"));
    let refused = curl(&sandbox, &server, "revoked").stdout;
    assert!(refused.contains("The SSL certificate error"), "{refused}");
    server.assert_logs("client SSL certificate verify error: (23:certificate revoked)");
}

#[test]
fn haproxy_with_a_folder_of_an_odd_name() {
    let (sandbox, said) = revoked_for_in("haproxy", ODD);
    let both = ["fullchain.pem", "key"];
    let both = both.map(|file| sandbox.read(format!("out/www.example.test.{file}")));
    sandbox.write("server.pem", both.concat());
    let bind = "crt server.pem ca-file truststore.pem verify required";
    let server = Server::haproxy(&sandbox, &format!("{bind} {}", said.join(" ")));
    assert_ne!(curl(&sandbox, &server, "revoked").status, Some(0));
    server.assert_logs("refused: error 23, of a CA 0\n");
}

#[test]
fn apache_with_a_folder_of_an_odd_name() {
    let (sandbox, said) = revoked_for_in("apache", ODD);
    let server = Server::apache(
        &sandbox,
        &format!(
            "SSLCertificateFile ../out/www.example.test.fullchain.pem
            SSLCertificateKeyFile ../out/www.example.test.key
            SSLCACertificateFile ../truststore.pem
            SSLVerifyDepth 3
            {}",
            said.join("\n")
        ),
    );
    assert_ne!(curl(&sandbox, &server, "revoked").stdout, "hello revoked\n");
    server.assert_logs("Certificate Verification: Error (23): certificate revoked");
}

/// It does not start where it can't read the list.
#[test]
fn postgres_with_a_folder_of_an_odd_name() {
    let (sandbox, said) = revoked_for_in("postgres", &format!("postgres/{ODD}"));
    let server = Server::postgres(&sandbox, &said.join("\n"), &[]);
    server.assert_logs("database system is ready to accept connections");
}

#[test]
fn node_with_a_folder_of_an_odd_name() {
    let (sandbox, said) = revoked_for_in("node", ODD);
    sandbox.write(
        "setting.js",
        format!(
            "const fs = require('fs'); const o = {{ {} }}; console.log(o.crl.length);",
            said[0]
        ),
    );
    assert_eq!(sandbox.run("node", "setting.js").succeeds().stdout, "3\n");
}

/// A string of JSON is one of YAML.
#[test]
fn envoy_with_a_folder_of_an_odd_name() {
    let (sandbox, said) = revoked_for_in("envoy", ODD);
    let text = said[0].strip_prefix("crl: {filename: ").unwrap();
    let file: String = serde_json::from_str(text.strip_suffix('}').unwrap()).unwrap();
    let lists = fs::read_to_string(file).unwrap();
    let published = sandbox.path(ODD).join("intermediate2.chain.crl.pem");
    assert_eq!(lists, fs::read_to_string(published).unwrap());
}

#[test]
fn rustls() {
    let (sandbox, _) = revoked_for("rustls");
    let file = sandbox.path("pki/crl/intermediate2.chain.crl.pem");
    let lists = CertificateRevocationListDer::pem_file_iter(file).unwrap();
    let lists = lists.map(|list| {
        let list = OwnedCertRevocationList::from_der(&list.unwrap());
        CertRevocationList::from(list.unwrap())
    });
    let lists = lists.collect::<Vec<_>>();
    assert_eq!(lists.len(), 3);
    assert_eq!(webpki_verdict(&sandbox, "good", &lists), Ok(()));
    let revoked = Err(webpki::Error::CertRevoked);
    assert_eq!(webpki_verdict(&sandbox, "revoked", &lists), revoked);
}

fn webpki_verdict(
    sandbox: &Sandbox,
    client: &str,
    lists: &[CertRevocationList<'_>],
) -> Result<(), webpki::Error> {
    let certificate = |file: String| CertificateDer::from_pem_file(sandbox.path(file)).unwrap();
    let tiers = ["rootCA", "intermediate1", "intermediate2"];
    let [root, between @ ..] = tiers.map(|ca| certificate(format!("pki/{ca}/ca.crt")));
    let client = certificate(format!("out/{client}.crt"));
    let lists = lists.iter().collect::<Vec<_>>();
    // Whatever is not said here is as rustls has it.
    let revocation = RevocationOptionsBuilder::new(&lists)
        .unwrap()
        .with_depth(RevocationCheckDepth::Chain)
        .with_expiration_policy(ExpirationPolicy::Enforce)
        .build();
    EndEntityCert::try_from(&client)?
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &[webpki::anchor_from_trusted_cert(&root)?],
            &between,
            UnixTime::now(),
            KeyUsage::client_auth(),
            Some(revocation),
            None,
        )
        .map(|_| ())
}

#[test]
fn java() {
    let (sandbox, _) = revoked_for("java");
    let run = sandbox.java("CheckPath.java").arg("pki/rootCA/ca.crt");
    let run = run.arg("pki/crl/intermediate2.chain.crl.pem");
    let judged = run.words("out/good.fullchain.pem out/revoked.fullchain.pem");
    assert_eq!(
        judged.succeeds().stdout,
        "out/good.fullchain.pem: good\nout/revoked.fullchain.pem: REVOKED\n"
    );
}

/// A load balancer reads the list of the CA that issued the client; openssl does so with -crl_check.
#[test]
fn openssl_with_the_list_for_a_load_balancer() {
    let (sandbox, _) = revoked_for("alb");
    let pem = fs::read_to_string(sandbox.path("pki/crl/intermediate2.crl.pem")).unwrap();
    assert_eq!(pem.matches("BEGIN X509 CRL").count(), 1);
    let verify = |client: &str| {
        sandbox
            .run(
                "openssl",
                "verify -crl_check -CAfile truststore.pem -CRLfile",
            )
            .words(&format!("pki/crl/intermediate2.crl.pem out/{client}.crt"))
    };
    verify("good").succeeds();
    let refused = verify("revoked").ends_with(2);
    assert!(refused.stderr.contains("certificate revoked"), "{refused}");
}
