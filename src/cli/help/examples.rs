//! Examples of the commands, as help and the manual pages show them.

/// Examples of each command.
pub(in crate::cli) const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "pki root --name rootCA",
            "pki subordinate --ca rootCA --name intermediate0",
            "pki issue --ca intermediate0 --cn localclient --out .",
        ],
    ),
    (
        "root",
        &[
            "pki root --name rootCA",
            "pki root --name rootCA --subject '/C=JP/O=Example/CN=Example Root' --days 7300",
            "pki root --name rootCA --key-uri 'pkcs11:token=root;object=rootCA'",
        ],
    ),
    (
        "subordinate",
        &[
            "pki subordinate --ca rootCA --name intermediate0 --path-len 0",
            "pki subordinate --name intermediate0 --request intermediate0.csr",
            "pki subordinate --ca rootCA --csr intermediate0.csr --out intermediate0.crt",
        ],
    ),
    (
        "issue",
        &[
            "pki issue --ca intermediate0 --cn localclient",
            "pki issue --ca intermediate0 --cn www.example.test --profile server --out .",
        ],
    ),
    (
        "request",
        &[
            "pki request --cn www.example.test --san www.example.test",
            "pki request --subject /O=Example/CN=device --key-type p384 --out keys",
        ],
    ),
    (
        "renew",
        &[
            "pki renew --ca intermediate0 --cn localclient --out . --force",
            "pki renew --ca intermediate0 --expiring 30d",
        ],
    ),
    (
        "ca renew",
        &[
            "pki ca renew --ca intermediate0 --days 1825",
            "pki ca renew --ca intermediate0 --request again.csr",
        ],
    ),
    (
        "ca rekey",
        &[
            "pki ca rekey --ca intermediate0 --name intermediate1",
            "pki ca rekey --ca rootCA --name root2 --key-type p384",
        ],
    ),
    (
        "ca cross-sign",
        &["pki ca cross-sign --ca rootCA --with root2"],
    ),
    (
        "ca move-key",
        &["pki ca move-key --ca rootCA --key-uri 'pkcs11:token=root;object=rootCA'"],
    ),
    (
        "ca remove",
        &["pki ca remove --ca intermediate0 --backup before.tar"],
    ),
    (
        "passphrase",
        &[
            "pki passphrase --ca rootCA",
            "pki passphrase localclient.key --passout file:new.pass",
        ],
    ),
    (
        "export",
        &[
            "pki export --ca intermediate0 --cn localclient --out .",
            "pki export --ca intermediate0 --cn localclient --out . --p12 modern",
            "pki export --ca rootCA --out .",
        ],
    ),
    (
        "bundle",
        &[
            "pki bundle --out truststore.pem",
            "pki bundle --ca intermediate0 --for alb --out truststore.pem",
            "pki bundle --check truststore.pem --for alb",
        ],
    ),
    (
        "revoke",
        &[
            "pki revoke --ca intermediate0 --cn localclient --reason keyCompromise",
            "pki revoke --ca intermediate0 --serial 0x1A2B",
            "pki revoke --cert localclient.crt --reason superseded",
        ],
    ),
    (
        "crl",
        &[
            "pki crl --to-pem",
            "pki crl --if-needed --to-pem --on-change 'systemctl reload nginx'",
            "pki crl --check --within 24h",
        ],
    ),
    (
        "ocsp",
        &[
            "pki ocsp --out ocsp",
            "pki ocsp --out ocsp --if-needed",
            "pki ocsp --ca intermediate0 --cn www.example.test --out staple",
        ],
    ),
    (
        "publish",
        &[
            "pki publish --out public --base-url http://pki.example.test",
            "pki publish --check http://pki.example.test",
        ],
    ),
    (
        "list",
        &[
            "pki list --ca intermediate0 --status valid",
            "pki list --expiring 30d",
            "pki --format json list --cn localclient",
        ],
    ),
    (
        "log",
        &["pki log --since 30d", "pki --format json log --ca rootCA"],
    ),
    (
        "show",
        &[
            "pki show --ca intermediate0 --cn localclient",
            "pki show server.crt",
        ],
    ),
    ("tree", &["pki tree", "pki --format json tree"]),
    (
        "verify",
        &[
            "pki verify localclient.crt --purpose client",
            "pki verify server.crt --purpose server --hostname www.example.test",
            "pki verify server.crt --bundle truststore.pem --crl rootCA.crl",
        ],
    ),
    (
        "check",
        &["pki check", "pki check --keys", "pki check --repair"],
    ),
    (
        "import",
        &[
            "pki import --openssl demoCA --name demoCA --dry-run",
            "pki import --easy-rsa easy-rsa/pki --name vpn",
        ],
    ),
    (
        "apply",
        &[
            "pki apply --example",
            "pki apply hierarchy.toml --dry-run",
            "pki apply hierarchy.toml",
        ],
    ),
    (
        "profile add",
        &[
            "pki profile add profiles.toml",
            "pki profile add profiles.toml --force",
        ],
    ),
    (
        "profile list",
        &["pki profile list", "pki --format json profile list"],
    ),
    (
        "profile show",
        &[
            "pki profile show vpn-server",
            "pki --format json profile show server",
        ],
    ),
    ("backup", &["pki backup store.tar", "pki backup -"]),
    ("restore", &["pki --store restored restore store.tar"]),
    ("completions", &["pki completions bash"]),
    ("man", &["pki man /usr/local/share/man/man1"]),
];
