//! The Apache HTTP Server.

use std::fs;
use std::process::Stdio;

use rustix::process::Signal;

use super::{Kind, Server, give_to_nobody, in_sbin_too, on_a_free_port};
use crate::sandbox::Sandbox;

const APACHE: Kind = Kind {
    name: "apache",
    reload: Signal::HUP,
    reloaded: "resuming normal operations",
};

/// The page greets every client by its name.
const PAGE: &str = "hello <!--#echo var=\"SSL_CLIENT_S_DN_CN\" -->\n";

impl Server {
    /// Apache with this inside its one virtual host, where the engine is on and
    /// certificates are required already.
    #[track_caller]
    pub(crate) fn apache(sandbox: &Sandbox, settings: &str) -> Self {
        sandbox.write("apache/pages/index.html", PAGE);
        give_to_nobody(sandbox, &sandbox.path("apache"));
        on_a_free_port(|port| start(sandbox, settings, port), APACHE.reloaded)
    }
}

fn start(sandbox: &Sandbox, settings: &str, port: u16) -> Server {
    let modules = ["mpm_event", "authz_core", "dir", "include", "ssl"];
    let modules = modules
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"));
    sandbox.write(
        "apache/apache.conf",
        format!(
            "{}DefaultRuntimeDir .
PidFile apache.pid
User nobody
Group nogroup
ServerName www.example.test
ErrorLog error.log
LogLevel info
DocumentRoot pages
DirectoryIndex index.html
SetOutputFilter INCLUDES
Listen 127.0.0.1:{port} https
<Directory {}>
    Options +Includes
</Directory>
<VirtualHost *>
    SSLEngine on
    SSLOptions +StdEnvVars
    SSLVerifyClient require
    {settings}
</VirtualHost>
",
            modules.concat(),
            sandbox.path("apache/pages").display()
        ),
    );
    sandbox.write("apache/error.log", "");
    let log = sandbox.path("apache/error.log");
    // What it says before it has read where its log is goes there too.
    let stderr = fs::OpenOptions::new().append(true).open(&log);
    let process = in_sbin_too("apache2")
        .arg("-d")
        .arg(sandbox.path("apache"))
        .args(["-f", "apache.conf", "-D", "FOREGROUND"])
        .current_dir(sandbox.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr.unwrap())
        .spawn()
        .expect("apache2 runs");
    Server {
        kind: &APACHE,
        process,
        log,
        port,
    }
}
