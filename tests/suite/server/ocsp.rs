//! OpenSSL as an OCSP responder.

use rustix::process::Signal;

use super::daemons::spawned;
use super::{Kind, Server, in_sbin_too, on_a_free_port};
use crate::sandbox::Sandbox;

const OPENSSL: Kind = Kind {
    name: "openssl",
    reload: Signal::HUP,
    reloaded: "",
};

impl Server {
    /// `openssl ocsp` with these options beside, until it is ended.
    #[track_caller]
    pub(crate) fn openssl_ocsp(sandbox: &Sandbox, options: &str) -> Self {
        on_a_free_port(
            |port| {
                let mut command = in_sbin_too("openssl");
                command.args(["ocsp", "-ignore_err", "-port"]);
                command.arg(port.to_string());
                command.args(options.split_whitespace());
                spawned(&OPENSSL, sandbox, &mut command, port)
            },
            "waiting for OCSP client connections",
        )
    }
}
