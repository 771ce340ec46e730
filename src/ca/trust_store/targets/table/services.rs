//! Services of clouds.

use super::{Form, NO_CRLS, PLAIN, RelyingParty};
use crate::ca::trust_store::targets::Level::{self, Error};
use crate::ca::trust_store::targets::{CrlForm, CrlLimit, CrlRules, Hash, Key, Limit};
use crate::key::Curve::{P256, P384, P521};

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

pub(super) const ALB: RelyingParty = RelyingParty {
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
};

pub(super) const NLB: RelyingParty = RelyingParty {
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
};

pub(super) const API_GATEWAY: RelyingParty = RelyingParty {
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
};

pub(super) const CLOUDFRONT: RelyingParty = RelyingParty {
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
};

pub(super) const ROLES_ANYWHERE: RelyingParty = RelyingParty {
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
};

pub(super) const IOT: RelyingParty = RelyingParty {
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
};

pub(super) const GCP: RelyingParty = RelyingParty {
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
};

pub(super) const AZURE: RelyingParty = RelyingParty {
    name: "azure",
    title: "Azure Application Gateway",
    source: "https://learn.microsoft.com/en-us/azure/application-gateway/mutual-authentication-overview",
    form: Form::OneChainAFile,
    limits: &[(Error, Limit::FileBytes(25 * KB))],
    ..PLAIN
};

pub(super) const CLOUDFLARE: RelyingParty = RelyingParty {
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
};
