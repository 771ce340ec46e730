//! Servers with what `--for` made for them.

use crate::run::Transcript;
use crate::sandbox::Sandbox;
use crate::server::Server;

/// Three CAs one below the other, the lowest with a server and a client in `out/`.
fn three_tiers() -> Sandbox {
    let sandbox = Sandbox::with_three_tiers();
    for line in [
        "issue --ca intermediate2 --out out --cn deep --no-passphrase",
        "issue --ca intermediate0 --out out --cn other --no-passphrase",
        "issue --ca intermediate2 --out out --cn www.example.test --profile server --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
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

fn nginx(sandbox: &Sandbox, setting: &str) -> Server {
    Server::nginx(
        sandbox,
        &format!(
            "ssl_certificate ../out/www.example.test.fullchain.pem;
            ssl_certificate_key ../out/www.example.test.key;
            ssl_client_certificate ../truststore.pem;
            ssl_verify_client on;
            {setting}
            location / {{ return 200 \"hello $ssl_client_s_dn\\n\"; }}"
        ),
    )
}

/// The client sends its certificate alone: the whole path is in the trust store.
#[test]
fn nginx_lets_in_the_deepest_client_with_the_setting_that_was_said_and_not_without() {
    let sandbox = three_tiers();
    let said = sandbox.pki("bundle --for nginx").succeeds().stderr;
    let (_, setting) = said.trim_end().split_once("paths so long: ").unwrap();
    let server = nginx(&sandbox, setting);
    assert_eq!(curl(&sandbox, &server, "deep").stdout, "hello CN=deep\n");
    assert_eq!(curl(&sandbox, &server, "other").stdout, "hello CN=other\n");
    drop(server);
    let server = nginx(&sandbox, "");
    assert_eq!(curl(&sandbox, &server, "other").stdout, "hello CN=other\n");
    let refused = curl(&sandbox, &server, "deep").stdout;
    assert!(
        refused.contains("400 The SSL certificate error"),
        "{refused}"
    );
    // How OpenSSL says that it may not look for one more.
    server.assert_logs("unable to get issuer certificate");
}

#[test]
fn haproxy_lets_in_the_deepest_client_without_a_word() {
    let sandbox = three_tiers();
    let line = "bundle --for haproxy --ca intermediate2";
    assert_eq!(sandbox.pki(line).succeeds().stderr, "");
    let served = sandbox.read("out/www.example.test.fullchain.pem");
    sandbox.write(
        "server.pem",
        served + &sandbox.read("out/www.example.test.key"),
    );
    let server = Server::haproxy(
        &sandbox,
        "crt server.pem ca-file truststore.pem verify required",
    );
    assert_eq!(curl(&sandbox, &server, "deep").stdout, "hello deep\n");
    assert_ne!(curl(&sandbox, &server, "other").status, Some(0));
}
