//! Table of targets: programs and services that read trust stores and CRLs, with their limits.

use crate::ca::trust_store::targets::Level::{self, Error, Warning};
use crate::ca::trust_store::targets::{
    BundleFinding, CrlForm, CrlLimit, CrlRules, Grammar, Hash, Judged, Key, Limit,
};
use crate::key::Curve::{P256, P384, P521};

/// A program or service that reads trust stores.
#[derive(Debug)]
pub(crate) struct RelyingParty {
    /// Name on the command line.
    pub(crate) name: &'static str,
    /// Name in messages and docs.
    pub(crate) title: &'static str,
    /// Source of its rules.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "docs/targets.md is generated from it")
    )]
    pub(crate) source: &'static str,
    pub(crate) form: Form,
    /// Whether it takes lines that start with `#`, and have no `-`, beside the certificates.
    pub(crate) comments: bool,
    pub(crate) limits: &'static [(Level, Limit)],
    /// Setting for the length of paths, if it needs one.
    pub(crate) verify_depth: Option<VerifyDepth>,
    /// Rules for CRLs.
    pub(crate) crls: CrlRules,
    /// Notes for its users.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "docs/targets.md is generated from it")
    )]
    pub(crate) notes: &'static [&'static str],
}

/// Form of the files with certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A PEM file.
    OneFile,
    /// A PEM file of one certificate, whose issuer need not be there.
    OneCertificate,
    /// A PEM file for each CA that has no other below it, with all above it.
    OneChainAFile,
    /// A PEM file of roots, and one of the others.
    AnchorsApart,
    Pkcs12,
}

/// A server's setting for the length of paths.
#[derive(Debug)]
pub(crate) struct VerifyDepth {
    pub(crate) setting: &'static str,
    /// Text after the number.
    pub(crate) end: &'static str,
    /// Value if it is not set.
    pub(crate) default: usize,
    /// Whether the root counts.
    pub(crate) counts_root: bool,
}

impl VerifyDepth {
    /// Returns the line that a server needs for paths of as many CAs, if it needs one.
    pub(crate) fn line(&self, cas: usize) -> Option<String> {
        let depth = cas - usize::from(!self.counts_root && cas > 0);
        let line = || format!("{} {depth}{}", self.setting, self.end);
        (depth > self.default).then(line)
    }
}

pub(crate) fn party(name: &str) -> Option<&'static RelyingParty> {
    PARTIES.iter().find(|party| party.name == name)
}

const KB: usize = 1024;
const MB: usize = 1024 * KB;

const SHA_2: &[Hash] = &[Hash::Sha256, Hash::Sha384, Hash::Sha512];
const NIST_CURVES_AND_RSA: &[Key] = &[
    Key::Rsa(2048, 8192),
    Key::Ec(P256),
    Key::Ec(P384),
    Key::Ec(P521),
];
const COMMON_KEYS: &[Key] = &[
    Key::Rsa(2048, 2048),
    Key::Rsa(3072, 3072),
    Key::Rsa(4096, 4096),
    Key::Ec(P256),
    Key::Ec(P384),
];
const LOAD_BALANCER: &[(Level, Limit)] = &[
    (Error, Limit::Certificates(25)),
    (Error, Limit::CertificateBytes(16 * KB)),
    (Error, Limit::SubjectBytes(10_000)),
    (Error, Limit::Depth(4)),
    (Error, Limit::Keys(NIST_CURVES_AND_RSA)),
    (Error, Limit::Hashes(SHA_2)),
];

const LOAD_BALANCER_CRLS: CrlRules = CrlRules {
    form: CrlForm::Pem,
    source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html",
    limits: &[
        (Error, CrlLimit::Lists(30)),
        (Error, CrlLimit::Entries(500_000)),
        (Error, CrlLimit::FileBytes(50 * MB)),
    ],
    note: Some("the CRL of the CA that issues the client certificates is enough"),
    ..NO_CRLS
};

/// Base of most rows.
const NO_CRLS: CrlRules = CrlRules {
    form: CrlForm::None,
    reads_der: false,
    source: "",
    limits: &[],
    grammar: Grammar::DoubleQuotes,
    settings: &[],
    folder_settings: &[],
    note: None,
};
const CRLS_OF_PATH: CrlRules = CrlRules {
    form: CrlForm::Chain,
    ..NO_CRLS
};

/// Base of the rows.
const PLAIN: RelyingParty = RelyingParty {
    name: "",
    title: "",
    source: "",
    form: Form::OneFile,
    comments: false,
    limits: &[],
    verify_depth: None,
    crls: NO_CRLS,
    notes: &[],
};

/// Every target; a new target is a new row.
pub(crate) const PARTIES: &[RelyingParty] = &[
    RelyingParty {
        name: "alb",
        title: "AWS Application Load Balancer",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html",
        comments: true,
        limits: LOAD_BALANCER,
        notes: &[
            "A new trust store replaces the old one completely.",
            "s2n-tls alone, if it gets CRLs, needs a trust store with only the root ([revocation.md](revocation.md)). Whether that applies to a load balancer built on it is not documented.",
        ],
        crls: LOAD_BALANCER_CRLS,
        ..PLAIN
    },
    RelyingParty {
        name: "nlb",
        title: "AWS Network Load Balancer",
        source: "assumed to be the same as `alb`",
        comments: true,
        limits: LOAD_BALANCER,
        crls: CrlRules {
            source: "assumed to be the same as `alb`",
            ..LOAD_BALANCER_CRLS
        },
        ..PLAIN
    },
    RelyingParty {
        name: "api-gateway",
        title: "Amazon API Gateway",
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html",
        limits: &[
            (Error, Limit::Depth(4)),
            (
                Error,
                Limit::Keys(&[
                    Key::RsaFrom(2048),
                    Key::Ec(P256),
                    Key::Ec(P384),
                    Key::Ec(P521),
                ]),
            ),
            (Error, Limit::Hashes(SHA_2)),
        ],
        notes: &["Leaves of every CA in the file are accepted."],
        crls: CrlRules {
            form: CrlForm::Der,
            note: Some("it does not check revocation itself: an authorizer reads the CRLs"),
            ..NO_CRLS
        },
        ..PLAIN
    },
    RelyingParty {
        name: "cloudfront",
        title: "Amazon CloudFront",
        source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/trust-stores-certificate-management.html",
        comments: true,
        limits: &[
            (Error, Limit::Certificates(25)),
            (Error, Limit::CertificateBytes(16 * KB)),
            (Error, Limit::FileBytes(64 * KB)),
            (Error, Limit::SubjectBytes(10_000)),
            (Error, Limit::Depth(4)),
            (Error, Limit::Keys(COMMON_KEYS)),
            (Error, Limit::Hashes(SHA_2)),
        ],
        crls: CrlRules {
            note: Some("put the revoked serial numbers into a key-value store"),
            ..NO_CRLS
        },
        ..PLAIN
    },
    RelyingParty {
        name: "roles-anywhere",
        title: "AWS IAM Roles Anywhere",
        source: "https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html",
        limits: &[
            (Error, Limit::Certificates(2)),
            (Error, Limit::Depth(5)),
            (Error, Limit::Hashes(SHA_2)),
            (Error, Limit::KeyCertSign),
        ],
        notes: &[
            "A leaf must be of version 3, must not be a CA, and must have digitalSignature and a subject.",
        ],
        crls: CrlRules {
            form: CrlForm::Pem,
            source: "https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_ImportCrl.html",
            limits: &[
                (Error, CrlLimit::Lists(2)),
                (Error, CrlLimit::FileBytes(300_000)),
            ],
            ..NO_CRLS
        },
        ..PLAIN
    },
    RelyingParty {
        name: "iot",
        title: "AWS IoT Core",
        source: "https://docs.aws.amazon.com/iot/latest/apireference/API_RegisterCACertificate.html",
        form: Form::OneCertificate,
        limits: &[
            (Error, Limit::Certificates(1)),
            (Error, Limit::FileBytes(65_536)),
            (Error, Limit::Keys(&[Key::RsaFrom(2048), Key::AnyEc])),
        ],
        ..PLAIN
    },
    RelyingParty {
        name: "gcp",
        title: "Google Cloud Load Balancing and Certificate Manager",
        source: "https://cloud.google.com/load-balancing/docs/mtls",
        form: Form::AnchorsApart,
        limits: &[
            (Error, Limit::Certificates(200)),
            (Error, Limit::Intermediates(100)),
            (Error, Limit::SameSubjectAndKey(10)),
            (Error, Limit::Depth(10)),
            (Error, Limit::NameConstraints(10)),
            (Error, Limit::Keys(COMMON_KEYS)),
            (Error, Limit::KeyCertSign),
        ],
        notes: &["The extended key usage of a leaf must include clientAuth."],
        ..PLAIN
    },
    RelyingParty {
        name: "azure",
        title: "Azure Application Gateway",
        source: "https://learn.microsoft.com/en-us/azure/application-gateway/mutual-authentication-overview",
        form: Form::OneChainAFile,
        limits: &[(Error, Limit::FileBytes(25 * KB))],
        ..PLAIN
    },
    RelyingParty {
        name: "cloudflare",
        title: "Cloudflare, with your own CA",
        source: "https://developers.cloudflare.com/ssl/client-certificates/byo-ca/",
        limits: &[
            (Error, Limit::Keys(&[Key::RsaFrom(0), Key::AnyEc])),
            (
                Error,
                Limit::Hashes(&[Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512]),
            ),
        ],
        ..PLAIN
    },
    RelyingParty {
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
    },
    RelyingParty {
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
    },
    RelyingParty {
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
    },
    RelyingParty {
        name: "envoy",
        title: "Envoy",
        source: "https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto",
        crls: CrlRules {
            grammar: Grammar::Yaml,
            settings: &["crl: {filename: FILE}"],
            note: Some(
                "a CRL of one CA requires CRLs of all, unless only_verify_leaf_cert_crl is set",
            ),
            ..CRLS_OF_PATH
        },
        // BoringSSL takes CAs with such keys, and refuses leaves.
        limits: &[(Warning, Limit::NoLeafKeys(&[Key::Ed25519]))],
        ..PLAIN
    },
    RelyingParty {
        name: "node",
        title: "Node.js",
        source: "https://nodejs.org/api/tls.html#tlscreatesecurecontextoptions",
        crls: CrlRules {
            form: CrlForm::PemOfPath,
            grammar: Grammar::JavaScript,
            settings: &["crl: [FILE].map((file) => fs.readFileSync(file)),"],
            note: Some("it reads only the first CRL of a text: put several into an array"),
            ..CRLS_OF_PATH
        },
        ..PLAIN
    },
    RelyingParty {
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
    },
    RelyingParty {
        name: "java",
        title: "Java",
        source: "https://docs.oracle.com/en/java/javase/17/docs/specs/man/keytool.html",
        form: Form::Pkcs12,
        notes: &[
            "`keytool -importcert` reads only the first certificate of a PEM file.",
            "A passphrase must be printable ASCII.",
            "Aliases are case-insensitive.",
        ],
        crls: CrlRules {
            reads_der: true,
            source: "https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/security/cert/CertificateFactory.html",
            note: Some("CertificateFactory.generateCRLs reads the whole file"),
            ..CRLS_OF_PATH
        },
        ..PLAIN
    },
    RelyingParty {
        name: "rustls",
        title: "rustls, with rustls-webpki",
        source: "https://docs.rs/rustls-webpki",
        limits: &[
            (Warning, Limit::Depth(8)),
            (
                Warning,
                Limit::Keys(&[
                    Key::Rsa(2048, 8192),
                    Key::Ec(P256),
                    Key::Ec(P384),
                    Key::Ed25519,
                ]),
            ),
        ],
        notes: &[
            "At most six CAs are allowed between a leaf and the trust anchor. P-521 is not supported with *ring*.",
        ],
        crls: CrlRules {
            limits: &[
                (Error, CrlLimit::Version2),
                (Error, CrlLimit::NextUpdate),
                (Error, CrlLimit::Number),
                (Error, CrlLimit::FullName),
                (Warning, CrlLimit::Depth(8)),
            ],
            note: Some("CertificateRevocationListDer::pem_file_iter reads the whole file"),
            ..CRLS_OF_PATH
        },
        ..PLAIN
    },
];

impl Form {
    /// Returns the form for a target; one file without a target.
    pub(crate) fn of(party: Option<&RelyingParty>) -> Self {
        party.map_or(Self::OneFile, |party| party.form)
    }

    /// Finds how a file that was made elsewhere differs from this form.
    pub(crate) fn check(self, judged: &Judged<'_>) -> Option<BundleFinding> {
        let count = judged.certificates.len();
        let roots = (0..count).filter(|node| judged.is_root(*node)).count();
        match self {
            Self::OneFile | Self::OneCertificate | Self::Pkcs12 => None,
            Self::AnchorsApart => (roots > 0 && roots < count).then(|| {
                let message = format!("{roots} of {count} certificates are roots; put roots and others into separate files");
                BundleFinding::error("anchors-apart", message)
            }),
            // A broken path, or a certificate that is there twice, is another finding.
            Self::OneChainAFile => (judged.longest_path() < judged.distinct()).then(|| {
                let message = format!("the {count} certificates are not one chain; put each chain into its own file");
                BundleFinding::error("one-chain", message)
            }),
        }
    }
}
