//! Servers.

use super::{CRLS_OF_PATH, PLAIN, RelyingParty, VerifyDepth};
use crate::ca::trust_store::targets::Level::Warning;
use crate::ca::trust_store::targets::{CrlRules, Grammar, Key, Limit};

pub(super) const NGINX: RelyingParty = RelyingParty {
    name: "nginx",
    title: "nginx",
    source: "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_depth",
    verify_depth: Some(VerifyDepth {
        setting: "ssl_verify_depth",
        end: ";",
        default: 1,
        counts_root: false,
    }),
    crls: CrlRules {
        source: "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_crl",
        settings: &["ssl_crl FILE;"],
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const HAPROXY: RelyingParty = RelyingParty {
    name: "haproxy",
    title: "HAProxy",
    source: "https://docs.haproxy.org/3.0/configuration.html#5.1-ca-file",
    crls: CrlRules {
        source: "https://docs.haproxy.org/3.0/configuration.html#5.1-crl-file",
        grammar: Grammar::Shell,
        settings: &["crl-file FILE"],
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const APACHE: RelyingParty = RelyingParty {
    name: "apache",
    title: "Apache HTTP Server",
    source: "https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslverifydepth",
    verify_depth: Some(VerifyDepth {
        setting: "SSLVerifyDepth",
        end: "",
        default: 1,
        counts_root: true,
    }),
    crls: CrlRules {
        source: "https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslcarevocationcheck",
        settings: &["SSLCARevocationCheck chain", "SSLCARevocationFile FILE"],
        folder_settings: &[
            "SSLCARevocationCheck chain",
            "SSLCARevocationPath DIRECTORY",
        ],
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const ENVOY: RelyingParty = RelyingParty {
    name: "envoy",
    title: "Envoy",
    source: "https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto",
    crls: CrlRules {
        grammar: Grammar::Yaml,
        settings: &["crl: {filename: FILE}"],
        note: Some("a CRL of one CA requires CRLs of all, unless only_verify_leaf_cert_crl is set"),
        ..CRLS_OF_PATH
    },
    // BoringSSL takes CAs with such keys, and refuses leaves.
    limits: &[(Warning, Limit::NoLeafKeys(&[Key::Ed25519]))],
    ..PLAIN
};

pub(super) const POSTGRES: RelyingParty = RelyingParty {
    name: "postgres",
    title: "PostgreSQL",
    source: "https://www.postgresql.org/docs/current/ssl-tcp.html",
    crls: CrlRules {
        grammar: Grammar::Doubled,
        settings: &["ssl_crl_file = FILE"],
        folder_settings: &["ssl_crl_dir = DIRECTORY"],
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const MOSQUITTO: RelyingParty = RelyingParty {
    name: "mosquitto",
    title: "Eclipse Mosquitto",
    source: "https://mosquitto.org/man/mosquitto-conf-5.html",
    crls: CrlRules {
        grammar: Grammar::Line,
        settings: &["crlfile FILE"],
        note: Some(
            "SIGHUP makes it read the CRLs again; if they are missing or DER then, it lets revoked clients in",
        ),
        ..CRLS_OF_PATH
    },
    notes: &[
        "The server's key must be unencrypted.",
        "A revoked issuing CA is not noticed: take it out of the trust store.",
    ],
    ..PLAIN
};

pub(super) const OPENVPN: RelyingParty = RelyingParty {
    name: "openvpn",
    title: "OpenVPN",
    source: "https://openvpn.net/community-resources/reference-manual-for-openvpn-2-6/",
    crls: CrlRules {
        settings: &["crl-verify FILE"],
        note: Some(
            "a server with many clients reads the file again by itself; one with a single peer does before the next",
        ),
        ..CRLS_OF_PATH
    },
    notes: &["Its option pkcs12 reads `NAME.p12` of either kind."],
    ..PLAIN
};

pub(super) const MARIADB: RelyingParty = RelyingParty {
    name: "mariadb",
    title: "MariaDB",
    source: "https://mariadb.com/kb/en/ssltls-system-variables/",
    crls: CrlRules {
        settings: &["ssl_crl = FILE"],
        folder_settings: &["ssl_crlpath = DIRECTORY"],
        note: Some("FLUSH SSL makes it read the CRLs again"),
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const STUNNEL: RelyingParty = RelyingParty {
    name: "stunnel",
    title: "stunnel",
    source: "https://www.stunnel.org/static/stunnel.html",
    crls: CrlRules {
        grammar: Grammar::Line,
        settings: &["verifyChain = yes", "CRLfile = FILE"],
        folder_settings: &["verifyChain = yes", "CRLpath = DIRECTORY"],
        note: Some("SIGHUP makes it read the CRLs again"),
        ..CRLS_OF_PATH
    },
    notes: &["A revoked issuing CA is not noticed: take it out of the trust store."],
    ..PLAIN
};

pub(super) const DOVECOT: RelyingParty = RelyingParty {
    name: "dovecot",
    title: "Dovecot",
    source: "https://doc.dovecot.org/2.3/configuration_manual/dovecot_ssl_configuration/",
    crls: CrlRules {
        note: Some(
            "ssl_ca names one file: the trust store, and then these CRLs; without CRLs every client is refused",
        ),
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const OPENLDAP: RelyingParty = RelyingParty {
    name: "openldap",
    title: "OpenLDAP, with GnuTLS",
    source: "https://www.openldap.org/doc/admin26/tls.html",
    crls: CrlRules {
        settings: &["TLSCRLFile FILE"],
        note: Some("it reads the file only when it starts, and ignores the dates of a CRL"),
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const LIGHTTPD: RelyingParty = RelyingParty {
    name: "lighttpd",
    title: "lighttpd, with mod_openssl",
    source: "https://redmine.lighttpd.net/projects/lighttpd/wiki/Docs_SSL",
    verify_depth: Some(VerifyDepth {
        setting: "ssl.verifyclient.depth =",
        end: "",
        default: 9,
        counts_root: false,
    }),
    crls: CrlRules {
        grammar: Grammar::Quoted,
        settings: &["ssl.verifyclient.ca-crl-file = FILE"],
        note: Some(
            "SIGUSR1 makes it read the CRLs again; its modules for GnuTLS, Mbed TLS and wolfSSL read none",
        ),
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const REDIS: RelyingParty = RelyingParty {
    name: "redis",
    title: "Redis",
    source: "https://redis.io/docs/latest/operate/oss_and_stack/management/security/encryption/",
    limits: &[(Warning, Limit::ChecksCrls)],
    ..PLAIN
};

pub(super) const CADDY: RelyingParty = RelyingParty {
    name: "caddy",
    title: "Caddy",
    source: "https://caddyserver.com/docs/caddyfile/directives/tls",
    limits: &[(Warning, Limit::ChecksCrls)],
    ..PLAIN
};
