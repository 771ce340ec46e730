//! Mutated certificates, CSRs and CRLs: nothing that libcrypto can't decode is read here, so that it
//! enters no trust store and is not certified.
//!
//! The mutations are the same ones each time; `FUZZ_EXECUTIONS` says how many there are of each seed.

mod mutate;

use std::fs;
use std::io::Write as _;

use mutate::{Random, mutated};
use pki::fuzzing::objects::{takes_certificate, takes_crl, takes_csr};

use crate::sandbox::{Sandbox, repository};

/// Extensions of the seed that `openssl` makes, beside those of the corpus.
const EXTENSIONS: [&str; 9] = [
    "basicConstraints=critical,CA:TRUE,pathlen:3",
    "keyUsage=critical,keyCertSign,cRLSign",
    "extendedKeyUsage=serverAuth,clientAuth",
    "subjectAltName=DNS:a.test,IP:10.0.0.1,email:a@b.test,URI:urn:a:b,RID:1.2.3,\
     otherName:1.2.3;UTF8:x",
    "nameConstraints=critical,permitted;DNS:test,excluded;IP:10.0.0.0/255.0.0.0",
    "subjectKeyIdentifier=hash",
    "crlDistributionPoints=URI:http://a.test/x.crl",
    "certificatePolicies=1.2.3.4",
    "policyConstraints=requireExplicitPolicy:0",
];

/// Kinds and seeds: C for certificates, R for CSRs, L for CRLs.
fn seeds(sandbox: &Sandbox) -> Vec<(u8, Vec<u8>)> {
    let root = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem \
                -subj /C=JP/O=x/CN=ca -outform DER -out ca.der -config /dev/null";
    let extensions = EXTENSIONS.iter();
    let root = extensions.fold(sandbox.run("openssl", root), |run, extension| {
        run.arg("-addext").arg(extension)
    });
    root.succeeds();
    let csr = "req -new -newkey rsa:2048 -nodes -keyout rsa.pem -outform DER -out csr.der \
               -subj /CN=leaf.test/emailAddress=a@b.test -config /dev/null -addext";
    sandbox.run("openssl", csr).arg(EXTENSIONS[3]).succeeds();
    let stored = |kind, folder: &str| {
        let entries = fs::read_dir(repository("fuzz/corpus").join(folder)).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end == "der"));
        paths.sort();
        let read = move |path| (kind, fs::read(path).unwrap());
        paths.into_iter().map(read).collect::<Vec<_>>()
    };
    let made = |kind, name: &str| (kind, fs::read(sandbox.path(name)).unwrap());
    [
        stored(b'C', "certificate"),
        stored(b'R', "request"),
        stored(b'L', "list"),
        vec![made(b'C', "ca.der"), made(b'R', "csr.der")],
    ]
    .concat()
}

fn is_taken(kind: u8, der: &[u8]) -> bool {
    match kind {
        b'C' => takes_certificate(der),
        b'R' => takes_csr(der),
        _ => takes_crl(der),
    }
}

#[test]
fn what_libcrypto_cannot_decode_is_not_taken() {
    let sandbox = Sandbox::new();
    let executions = std::env::var("FUZZ_EXECUTIONS").map_or(3_000, |text| text.parse().unwrap());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut taken, mut count, mut tried) = (Vec::new(), 0_u32, 0_u32);
    for (kind, seed) in seeds(&sandbox) {
        assert!(is_taken(kind, &seed), "a seed is not taken");
        for _ in 0..executions {
            let der = mutated(&seed, &mut random);
            tried += 1;
            if is_taken(kind, &der) {
                count += 1;
                taken.push(kind);
                taken.extend(u32::try_from(der.len()).unwrap().to_be_bytes());
                taken.extend(der);
            }
        }
    }
    sandbox.write("taken", &taken);
    let script = repository("tests/python/libcrypto.py");
    let judged = std::process::Command::new("python3")
        .arg(script)
        .stdin(fs::File::open(sandbox.path("taken")).unwrap())
        .output()
        .expect("python3 is installed");
    let text = String::from_utf8(judged.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (last, found) = lines.split_last().expect("libcrypto judged");
    assert!(judged.status.success() && *last == format!("judged {count}"));
    let first: Vec<_> = found.iter().take(5).collect();
    assert!(found.is_empty(), "{} of {count}: {first:#?}", found.len());
    // Not everything is refused.
    assert!(count > tried / 20, "{count} of {tried} are taken");
    let summary = format!("{tried} mutations, {count} taken, none that libcrypto can't decode");
    writeln!(std::io::stderr().lock(), "{summary}").unwrap();
}
