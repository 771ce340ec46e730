//! nginx that asks nginx: `ssl_ocsp` with the files of `pki ocsp` as the responder's.

use super::{BOTH_TREES, EACH_TREE, assert_let_in, assert_out, nginx_that_asks};
use crate::sandbox::Sandbox;
use crate::server::Server;

/// The files of both CAs, as nginx serves them.
fn publish(sandbox: &Sandbox, web: &Sandbox, options: &str) {
    let run = sandbox.pki("ocsp").words(options).arg("--out");
    run.arg(web.path("public")).succeeds();
}

/// Waits for nothing: what nginx was told about a certificate it does not keep.
fn asks_about_the_whole_chain(sandbox: &Sandbox, web: &Sandbox, server: &Server) {
    assert_let_in(sandbox, server, "good");
    assert_let_in(sandbox, server, "revoked");
    sandbox
        .pki("revoke --ca intermediate0 --cn revoked --reason keyCompromise")
        .succeeds();
    publish(sandbox, web, "--if-needed");
    assert_let_in(sandbox, server, "good");
    assert_out(sandbox, server, "revoked");
    server.assert_logs("certificate revoked");

    // Nothing is known about a new certificate until the next run.
    sandbox
        .pki("issue --ca intermediate0 --out out --cn new --no-passphrase")
        .succeeds();
    assert_out(sandbox, server, "new");
    publish(sandbox, web, "--if-needed");
    assert_let_in(sandbox, server, "new");

    // The intermediate CA is asked about too.
    sandbox
        .pki("revoke --ca rootCA --cn intermediate0")
        .succeeds();
    publish(sandbox, web, "--ca rootCA --if-needed");
    assert_out(sandbox, server, "good");
}

#[test]
fn nginx_asks_the_responder_of_its_settings() {
    let sandbox = Sandbox::with_clients(["", ""]);
    let web = Sandbox::new();
    publish(&sandbox, &web, "");
    let responder = Server::web(&web, BOTH_TREES);
    let settings = format!(
        "ssl_ocsp on;
        ssl_ocsp_responder http://127.0.0.1:{}/;",
        responder.port
    );
    let server = nginx_that_asks(&sandbox, &settings);
    asks_about_the_whole_chain(&sandbox, &web, &server);
}

#[test]
fn nginx_asks_the_responders_that_certificates_name() {
    let web = Sandbox::new();
    web.write("public/.keep", "");
    let responder = Server::web(&web, EACH_TREE);
    let url = |ca: &str| format!("--ocsp-url http://127.0.0.1:{}/{ca}/", responder.port);
    let sandbox = Sandbox::with_clients([&url("rootCA"), &url("intermediate0")]);
    publish(&sandbox, &web, "");
    let server = nginx_that_asks(&sandbox, "ssl_ocsp on;");
    asks_about_the_whole_chain(&sandbox, &web, &server);
}
