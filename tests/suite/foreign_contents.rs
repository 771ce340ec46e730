//! Contents of certificates that others made, as `pki` reads them: every extension is shown as what it
//! is, and every bit of a keyUsage counts for the purposes that RFC 5280 gives it.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

impl Sandbox {
    /// `NAME.crt`, signed with its own key, with these lines of openssl's extension files.
    fn self_signed(&self, name: &str, extensions: &str) {
        let config = format!("[req]\ndistinguished_name=dn\nprompt=no\n[dn]\n[x]\n{extensions}\n");
        self.write("made.cnf", config);
        self.run(
            "openssl",
            "req -x509 -newkey ec -nodes -config made.cnf -extensions x",
        )
        .words("-pkeyopt ec_paramgen_curve:P-256 -set_serial 0x80FF -subj /C=JP/O=E/CN=x")
        .words(&format!("-keyout {name}.key -out {name}.crt"))
        .succeeds();
    }

    #[track_caller]
    fn shown(&self, file: &str) -> Value {
        self.pki("--format json show").arg(file).succeeds().json()
    }
}

#[test]
fn every_extension_is_shown_as_what_it_is() {
    let sandbox = Sandbox::new();
    sandbox.self_signed(
        "all",
        "basicConstraints=critical,CA:true,pathlen:3
keyUsage=nonRepudiation,dataEncipherment,keyCertSign,decipherOnly
extendedKeyUsage=critical,serverAuth,clientAuth,codeSigning,emailProtection,timeStamping,OCSPSigning,1.2.3.4
subjectKeyIdentifier=00:01:02
subjectAltName=DNS:a.test,IP:192.0.2.1,IP:2001:db8::1,email:a@x.test,URI:https://x.test/,dirName:d
nameConstraints=critical,permitted;DNS:a.test,permitted;email:.x.test,excluded;IP:10.16.0.0/255.240.0.0
crlDistributionPoints=URI:http://a.test/1,URI:http://b.test/2
authorityInfoAccess=OCSP;URI:http://o.test/,caIssuers;URI:http://c.test/
certificatePolicies=1.2.3.4,2.5.29.32.0
tlsfeature=status_request
[d]
O=Dir",
    );
    let shown = sandbox.shown("all.crt");
    for (field, value) in [
        ("version", json!(3)),
        ("serial_number", json!("80FF")),
        ("signature", json!("ecdsa-with-SHA256")),
        ("issuer", json!("CN=x,O=E,C=JP")),
        ("subject", json!("CN=x,O=E,C=JP")),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    let extension = |name: &str, critical: bool, value: Value| json!({ "extn_id": name, "critical": critical, "extn_value": value });
    let expected = [
        extension(
            "basicConstraints",
            true,
            json!({ "ca": true, "path_len_constraint": 3 }),
        ),
        extension(
            "keyUsage",
            false,
            json!([
                "contentCommitment",
                "dataEncipherment",
                "keyCertSign",
                "decipherOnly"
            ]),
        ),
        extension(
            "extKeyUsage",
            true,
            json!([
                "serverAuth",
                "clientAuth",
                "codeSigning",
                "emailProtection",
                "timeStamping",
                "OCSPSigning",
                "1.2.3.4"
            ]),
        ),
        extension("subjectKeyIdentifier", false, json!("000102")),
        extension(
            "subjectAltName",
            false,
            json!([
                "dns:a.test",
                "ip:192.0.2.1",
                "ip:2001:db8::1",
                "email:a@x.test",
                "uri:https://x.test/",
                "dirname:O=Dir"
            ]),
        ),
        extension(
            "nameConstraints",
            true,
            json!({
                "permitted_subtrees": ["dns:a.test", "email:.x.test"],
                "excluded_subtrees": ["ip:10.16.0.0/12"]
            }),
        ),
        extension(
            "cRLDistributionPoints",
            false,
            json!(["http://a.test/1", "http://b.test/2"]),
        ),
        extension(
            "authorityInfoAccess",
            false,
            json!([
                { "access_method": "ocsp", "access_location": "uri:http://o.test/" },
                { "access_method": "caIssuers", "access_location": "uri:http://c.test/" }
            ]),
        ),
        extension(
            "certificatePolicies",
            false,
            json!(["1.2.3.4", "anyPolicy"]),
        ),
        extension("tlsFeature", false, json!("3003020105")),
    ];
    assert_eq!(shown["extensions"], json!(expected));
}

/// The bits of keyUsage, as openssl and RFC 5280 name them.
const BITS: [(&str, &str); 9] = [
    ("digitalSignature", "digitalSignature"),
    ("nonRepudiation", "contentCommitment"),
    ("keyEncipherment", "keyEncipherment"),
    ("dataEncipherment", "dataEncipherment"),
    ("keyAgreement", "keyAgreement"),
    ("keyCertSign", "keyCertSign"),
    ("cRLSign", "cRLSign"),
    ("encipherOnly", "encipherOnly"),
    ("decipherOnly", "decipherOnly"),
];

#[test]
fn every_bit_of_a_key_usage_is_shown_by_its_name() {
    let sandbox = Sandbox::new();
    for (bit, name) in BITS {
        sandbox.self_signed("one", &format!("keyUsage=critical,{bit}"));
        let shown = sandbox.shown("one.crt");
        let usage = json!({ "extn_id": "keyUsage", "critical": true, "extn_value": [name] });
        assert!(
            shown["extensions"].as_array().unwrap().contains(&usage),
            "{shown}"
        );
    }
}

/// Purposes, the extKeyUsage that each needs, and the bits of which one suffices (RFC 5280 section
/// 4.2.1.12; for both ends of TLS those that a client has).
const PURPOSES: [(&str, &str, &[&str]); 7] = [
    (
        "client",
        "clientAuth",
        &["digitalSignature", "keyAgreement"],
    ),
    (
        "server",
        "serverAuth",
        &["digitalSignature", "keyEncipherment", "keyAgreement"],
    ),
    (
        "peer",
        "serverAuth,clientAuth",
        &["digitalSignature", "keyAgreement"],
    ),
    (
        "email",
        "emailProtection",
        &[
            "digitalSignature",
            "nonRepudiation",
            "keyEncipherment",
            "keyAgreement",
        ],
    ),
    ("code-signing", "codeSigning", &["digitalSignature"]),
    (
        "ocsp",
        "OCSPSigning",
        &["digitalSignature", "nonRepudiation"],
    ),
    (
        "timestamp",
        "critical,timeStamping",
        &["digitalSignature", "nonRepudiation"],
    ),
];

#[test]
fn a_purpose_needs_its_extended_key_usage_and_one_of_its_bits() {
    let sandbox = Sandbox::new();
    sandbox.self_signed(
        "root",
        "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash",
    );
    sandbox
        .run(
            "openssl",
            "req -new -newkey ec -nodes -subj /CN=leaf -keyout leaf.key",
        )
        .words("-pkeyopt ec_paramgen_curve:P-256 -out leaf.csr")
        .succeeds();
    let judged = |purpose: &str, extended: &str, usage: &str| {
        let usage = match usage {
            "" => String::new(),
            bit => format!("keyUsage=critical,{bit}\n"),
        };
        sandbox.write(
            "leaf.cnf",
            format!("basicConstraints=critical,CA:false\n{usage}extendedKeyUsage={extended}\n"),
        );
        sandbox
            .run(
                "openssl",
                "x509 -req -days 9 -extfile leaf.cnf -in leaf.csr",
            )
            .words("-CA root.crt -CAkey root.key -out leaf.crt")
            .succeeds();
        let judged = sandbox.pki(&format!(
            "verify leaf.crt --bundle root.crt --purpose {purpose}"
        ));
        judged.finish()
    };
    for (purpose, extended, suffice) in PURPOSES {
        for (bit, name) in BITS {
            let judged = judged(purpose, extended, bit);
            let is_valid = suffice.contains(&bit);
            assert_eq!(
                judged.status,
                Some(if is_valid { 0 } else { 3 }),
                "{bit} {judged}"
            );
            let why = format!("not valid: CN=leaf is not for {purpose}: its keyUsage is {name}\n");
            assert!(is_valid || judged.stdout == why, "{judged}");
        }
        // Without the extension the key is for everything.
        assert_eq!(judged(purpose, extended, "").status, Some(0), "{purpose}");
        for (other, other_extended, _) in PURPOSES {
            let has_all =
                extended == other_extended || (other == "peer" && extended.ends_with("Auth"));
            let judged = judged(purpose, other_extended, "digitalSignature");
            assert_eq!(
                judged.status == Some(0),
                has_all,
                "{purpose} {other}: {judged}"
            );
        }
    }
}
