//! DER of certificates: every element, in order, with the bytes of every extension.

use super::{NOW, URLS};
use crate::run::assert_same;
use crate::sandbox::Sandbox;

impl Sandbox {
    /// Depth, type and value of every element that `openssl asn1parse` finds.
    #[track_caller]
    pub(super) fn parsed(&self, input: &str) -> String {
        let parsed = self.run("openssl", "asn1parse").words(input).succeeds();
        let lines = parsed.stdout.lines().map(|line| {
            let (depth, rest) = line.split_once(":d=").unwrap().1.split_once(' ').unwrap();
            let (_, element) = rest.split_once(": ").unwrap();
            let element = element.replace("[HEX DUMP]", "");
            let (kind, value) = match element.split_once(':') {
                Some((kind, value)) => (kind, format!(":{}", value.trim_end())),
                None => (&*element, String::new()),
            };
            format!("{depth} {}{value}\n", kind.trim())
        });
        lines.collect()
    }

    /// The same of a certificate, in front of its outer signature algorithm, with random bits and key
    /// identifiers replaced.
    #[track_caller]
    fn parsed_certificate(&self, file: &str, issuer: &str) -> String {
        let parsed = self.parsed(&format!("-in {file}"));
        let (contents, _) = parsed.rsplit_once("1 SEQUENCE\n").unwrap();
        let serial = self.run("openssl", "x509 -noout -serial -in").arg(file);
        let serial = serial.succeeds().stdout;
        let serial = serial.trim();
        let identifier = |file: &str| self.key_identifier(file).replace(':', "");
        contents
            .replace(&serial[serial.len() - 16..], "[random]")
            .replace(&identifier(file), "[own key]")
            .replace(&identifier(issuer), "[issuer's key]")
    }
}

const HEAD: &str = "0 SEQUENCE
1 SEQUENCE
2 cont [ 0 ]
3 INTEGER:02
";

const ALGORITHM: &str = "2 SEQUENCE\n3 OBJECT:ecdsa-with-SHA256\n";

const P256: &str = "2 SEQUENCE
3 SEQUENCE
4 OBJECT:id-ecPublicKey
4 OBJECT:prime256v1
3 BIT STRING
2 cont [ 3 ]
3 SEQUENCE
";

/// A name of one common name.
fn name(cn: &str) -> String {
    format!("2 SEQUENCE\n3 SET\n4 SEQUENCE\n5 OBJECT:commonName\n5 UTF8STRING:{cn}\n")
}

fn extension(oid: &str, critical: bool, value: &str) -> String {
    let critical = if critical { "5 BOOLEAN:255\n" } else { "" };
    format!("4 SEQUENCE\n5 OBJECT:{oid}\n{critical}5 OCTET STRING:{value}\n")
}

/// Text as hex.
fn hex(text: &str) -> String {
    let bytes = text.bytes().map(|byte| format!("{byte:02X}"));
    bytes.collect::<Vec<_>>().concat()
}

/// A DER element whose contents are hex, shorter than 256 bytes.
fn element(tag: &str, contents: &[String]) -> String {
    let contents = contents.concat();
    let length = contents.len() / 2;
    let long = if length < 128 { "" } else { "81" };
    format!("{tag}{long}{length:02X}{contents}")
}

fn identifiers() -> String {
    extension("X509v3 Subject Key Identifier", false, "0414[own key]")
        + &extension(
            "X509v3 Authority Key Identifier",
            false,
            "30168014[issuer's key]",
        )
}

/// [`URLS`] as extensions.
fn pointers() -> String {
    let uri = |url: &str| element("86", &[hex(url)]);
    let urls = [uri("http://one.test/a.crl"), uri("http://two.test/b.crl")];
    let point = element("30", &[element("A0", &[element("A0", &urls)])]);
    let access = |method: &str, url: &str| {
        let method = format!("06082B060105050730{method}");
        element("30", &[method, uri(url)])
    };
    let locations = [
        access("01", "http://ocsp.test/o"),
        access("02", "http://ca.test/c.crt"),
    ];
    extension(
        "X509v3 CRL Distribution Points",
        false,
        &element("30", &[point]),
    ) + &extension(
        "Authority Information Access",
        false,
        &element("30", &locations),
    )
}

fn made(options: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .pki_at(NOW, "root --name rootCA --no-passphrase")
        .words(options)
        .succeeds();
    sandbox
}

#[test]
fn a_root_by_its_der() {
    let sandbox = made("--path-len 200 --not-after 2055-06-07T08:09:10Z");
    assert_same(
        &sandbox.parsed_certificate("pki/rootCA/ca.crt", "pki/rootCA/ca.crt"),
        &[
            HEAD,
            "2 INTEGER:01[random]\n",
            ALGORITHM,
            &name("rootCA"),
            "2 SEQUENCE\n3 UTCTIME:260301120000Z\n3 GENERALIZEDTIME:20550607080910Z\n",
            &name("rootCA"),
            P256,
            &extension("X509v3 Basic Constraints", true, "30070101FF020200C8"),
            &extension("X509v3 Key Usage", true, "03020186"),
            &extension("X509v3 Subject Key Identifier", false, "0414[own key]"),
        ]
        .concat(),
    );
}

#[test]
fn a_constrained_subordinate_by_its_der() {
    let sandbox = made(URLS);
    sandbox
        .pki_at(NOW, "subordinate --ca rootCA --name sub --no-passphrase --path-len 0")
        .words("--permit dns:a.test --permit ip:10.16.0.0/12 --exclude email:b.test --exclude uri:.c.test")
        .words("--exclude dirname:/O=D")
        .succeeds();
    let directory = "A40E300C310A3008060355040A0C0144";
    let permitted = [
        "3008".to_owned() + "8206" + &hex("a.test"),
        "300A87080A100000FFF00000".into(),
    ];
    let excluded = [
        "3008".to_owned() + "8106" + &hex("b.test"),
        "3009".to_owned() + "8607" + &hex(".c.test"),
        element("30", &[directory.to_owned()]),
    ];
    let constraints = element("30", &[element("A0", &permitted), element("A1", &excluded)]);
    assert_same(
        &sandbox.parsed_certificate("pki/sub/ca.crt", "pki/rootCA/ca.crt"),
        &[
            HEAD,
            "2 INTEGER:02[random]\n",
            ALGORITHM,
            &name("rootCA"),
            "2 SEQUENCE\n3 UTCTIME:260301120000Z\n3 UTCTIME:360227120000Z\n",
            &name("sub"),
            P256,
            &extension("X509v3 Basic Constraints", true, "30060101FF020100"),
            &extension("X509v3 Key Usage", true, "03020186"),
            &extension("X509v3 Name Constraints", true, &constraints),
            &pointers(),
            &identifiers(),
        ]
        .concat(),
    );
}

#[test]
fn a_leaf_by_its_der() {
    let sandbox = made(URLS);
    sandbox
        .pki_at(
            NOW,
            "issue --ca rootCA --profile peer --cn w.test --out out --no-passphrase",
        )
        .words(
            "--san 192.0.2.7,2001:db8::7,email:a@x.test,uri:https://x.test/longer,*.w.test,bücher.test",
        )
        .words("--san email:ü@x.test,w.test,longer.test")
        .succeeds();
    let mailbox = element("0C", &[hex("ü@x.test")]);
    let mailbox = ["06082B06010505070809".to_owned(), element("A0", &[mailbox])];
    let names = element(
        "30",
        &[
            element("82", &[hex("w.test")]),
            "8704C0000207".to_owned(),
            "871020010DB8000000000000000000000007".to_owned(),
            element("81", &[hex("a@x.test")]),
            element("86", &[hex("https://x.test/longer")]),
            element("82", &[hex("*.w.test")]),
            element("82", &[hex("xn--bcher-kva.test")]),
            element("A0", &mailbox),
            element("82", &[hex("longer.test")]),
        ],
    );
    let purposes = "301406082B0601050507030106082B06010505070302";
    assert_same(
        &sandbox.parsed_certificate("out/w.test.crt", "pki/rootCA/ca.crt"),
        &[
            HEAD,
            "2 INTEGER:02[random]\n",
            ALGORITHM,
            &name("rootCA"),
            "2 SEQUENCE\n3 UTCTIME:260301120000Z\n3 UTCTIME:270301120000Z\n",
            &name("w.test"),
            P256,
            &extension("X509v3 Basic Constraints", true, "3000"),
            &extension("X509v3 Key Usage", true, "03020780"),
            &extension("X509v3 Extended Key Usage", false, purposes),
            &extension("X509v3 Subject Alternative Name", false, &names),
            &pointers(),
            &identifiers(),
        ]
        .concat(),
    );
}

#[test]
fn a_responder_by_its_der() {
    let sandbox = made("");
    sandbox
        .pki_at(
            NOW,
            "issue --ca rootCA --profile ocsp --cn r --out out --no-passphrase --key-type rsa2048",
        )
        .succeeds();
    let parsed = sandbox.parsed_certificate("out/r.crt", "pki/rootCA/ca.crt");
    let (_, extensions) = parsed.split_once("2 cont [ 3 ]\n3 SEQUENCE\n").unwrap();
    assert_same(
        extensions,
        &[
            &extension("X509v3 Basic Constraints", true, "3000"),
            &extension("X509v3 Key Usage", true, "03020780"),
            &extension(
                "X509v3 Extended Key Usage",
                false,
                "300A06082B06010505070309",
            ),
            &extension("OCSP No Check", false, "0500"),
            &*identifiers(),
        ]
        .concat(),
    );
}
