//! The limits of each party, from both sides.

use super::{
    Authority, ED25519, P521, RSA_2048, assert_judged, chain, judged, make, make_one, root, roots,
    rules, targets,
};
use crate::sandbox::Sandbox;

judged! {
    alb_takes_25_certificates: "alb", roots(25) => [];
    alb_refuses_26_certificates: "alb", roots(26) => ["certificate-count"];
    nlb_takes_25_certificates: "nlb", roots(25) => [];
    nlb_refuses_26_certificates: "nlb", roots(26) => ["certificate-count"];
    cloudfront_takes_25_certificates: "cloudfront", roots(25) => [];
    cloudfront_refuses_26_certificates: "cloudfront", roots(26) => ["certificate-count"];
    roles_anywhere_takes_2_certificates: "roles-anywhere", chain(2) => [];
    roles_anywhere_refuses_3_certificates: "roles-anywhere", chain(3) => ["certificate-count"];
    iot_takes_a_root: "iot", roots(1) => [];
    iot_refuses_2_certificates: "iot", roots(2) => ["certificate-count"];
    gcp_takes_200_anchors: "gcp", roots(200) => [];
    gcp_refuses_201_anchors: "gcp", roots(201) => ["certificate-count"];
    gcp_takes_10_certificates_of_one_subject_and_key: "gcp", vec![root("same"); 10] => [];
    gcp_refuses_11_certificates_of_one_subject_and_key: "gcp", vec![root("same"); 11] => ["same-subject-and-key"];
    gcp_takes_10_name_constraints: "gcp", [constrained(10)] => [];
    gcp_refuses_11_name_constraints: "gcp", [constrained(11)] => ["name-constraint-count"];

    alb_takes_a_depth_of_4: "alb", chain(3) => [];
    alb_refuses_a_depth_of_5: "alb", chain(4) => ["path-depth"];
    nlb_takes_a_depth_of_4: "nlb", chain(3) => [];
    nlb_refuses_a_depth_of_5: "nlb", chain(4) => ["path-depth"];
    cloudfront_takes_a_depth_of_4: "cloudfront", chain(3) => [];
    cloudfront_refuses_a_depth_of_5: "cloudfront", chain(4) => ["path-depth"];
    api_gateway_takes_a_depth_of_4: "api-gateway", chain(3) => [];
    api_gateway_refuses_a_depth_of_5: "api-gateway", chain(4) => ["path-depth"];
    roles_anywhere_refuses_a_depth_of_6: "roles-anywhere", chain(5) => ["certificate-count", "path-depth"];

    alb_takes_subjects_of_10_000_octets: "alb", [of_subject("a", 49), of_subject("b", 49)] => [];
    alb_refuses_subjects_of_10_001_octets: "alb", [of_subject("a", 49), of_subject("b", 50)] => ["subject-octets"];
    nlb_takes_subjects_of_10_000_octets: "nlb", [of_subject("a", 49), of_subject("b", 49)] => [];
    nlb_refuses_subjects_of_10_001_octets: "nlb", [of_subject("a", 49), of_subject("b", 50)] => ["subject-octets"];
    cloudfront_takes_subjects_of_10_000_octets: "cloudfront", [of_subject("a", 49), of_subject("b", 49)] => [];
    cloudfront_refuses_subjects_of_10_001_octets: "cloudfront", [of_subject("a", 49), of_subject("b", 50)] => ["subject-octets"];

    envoy_takes_cas_with_ed25519_keys: "envoy", [root("r").key(ED25519)] => [];

    azure_takes_one_chain: "azure", chain(3) => [];
    azure_refuses_two_chains: "azure", roots(2) => ["one-chain"];
    gcp_refuses_anchors_beside_intermediates: "gcp", chain(2) => ["anchors-apart"];
}

/// BoringSSL refuses leaves with such keys.
#[test]
fn envoy_warns_of_ed25519_keys_and_of_no_others() {
    for (key, expected) in [
        (ED25519, &["leaf-key-type"][..]),
        (RSA_2048, &[]),
        (P521, &[]),
    ] {
        let sandbox = Sandbox::new();
        let pem = make(&sandbox, &[root("r").key(key)]);
        let report = assert_judged(&sandbox, "--for envoy", &pem, &[]);
        assert_eq!(rules(&report, "warning"), expected, "{key}");
    }
}

/// A root with as many permitted subtrees.
fn constrained(count: usize) -> Authority {
    let subtrees = (0..count).map(|number| format!("permitted;DNS:h{number}.example.test"));
    let subtrees = subtrees.collect::<Vec<_>>().join(",");
    root("r").extension(&format!("nameConstraints = critical,{subtrees}"))
}

/// A root with a subject of 5,000 bytes where `last` is 49, and of one more for each one more.
fn of_subject(name: &str, last: usize) -> Authority {
    let ou = |length: usize| format!("/OU={}", "x".repeat(length));
    let subject = format!("/CN={name}{}{}{}", ou(64).repeat(65), ou(38), ou(last));
    root(name).options(&format!("-subj {subject}"))
}

/// A root with as many bytes in a comment; the key's signatures are of one length.
fn padded(octets: usize) -> Authority {
    let comment = "x".repeat(octets);
    let root = root("padded").key(RSA_2048).options("-set_serial 1");
    root.extension(&format!("nsComment = \"{comment}\""))
}

/// A root whose DER has so many bytes.
#[track_caller]
fn of_octets(sandbox: &Sandbox, octets: usize) -> String {
    // Lengths from 256 to 65,535 take three bytes.
    let der_octets = |pem: &str| {
        sandbox.write("measured.pem", pem);
        let line = "x509 -in measured.pem -outform DER -out measured.der";
        sandbox.run("openssl", line).succeeds();
        usize::try_from(sandbox.path("measured.der").metadata().unwrap().len()).unwrap()
    };
    let rest = der_octets(&make_one(sandbox, &padded(1_000))) - 1_000;
    let pem = make_one(sandbox, &padded(octets - rest));
    assert_eq!(der_octets(&pem), octets);
    pem
}

#[test]
fn a_certificate_of_16_384_bytes_fits_and_16_385_do_not() {
    let sandbox = Sandbox::new();
    let fits = of_octets(&sandbox, 16_384);
    let too_large = of_octets(&sandbox, 16_385);
    for target in ["alb", "nlb", "cloudfront"] {
        let target = format!("--for {target}");
        assert_judged(&sandbox, &target, &fits, &[]);
        assert_judged(&sandbox, &target, &too_large, &["certificate-octets"]);
    }
}

/// The bytes of PEM grow by four with three bytes of DER, and by one more with each line.
fn pem_octets(der: usize) -> usize {
    let base64 = der.div_ceil(3) * 4;
    let markers = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".len();
    markers + base64 + base64.div_ceil(64)
}

#[test]
fn a_file_at_the_targets_size_limit_fits_and_one_above_does_not() {
    for (target, most) in [("iot", 65_536), ("azure", 25 * 1024)] {
        let sandbox = Sandbox::new();
        let fits = |der: &usize| pem_octets(*der) <= most;
        let largest = (1..most).rfind(fits).unwrap();
        let target = format!("--for {target}");
        let fits = of_octets(&sandbox, largest);
        assert!(fits.len() <= most && pem_octets(largest) > most - 5);
        assert_judged(&sandbox, &target, &fits, &[]);
        let too_large = of_octets(&sandbox, largest + 1);
        assert!(too_large.len() > most);
        assert_judged(&sandbox, &target, &too_large, &["file-octets"]);
    }
}

#[test]
fn cloudfront_takes_a_file_of_64_kb_and_no_more() {
    let sandbox = Sandbox::new();
    let pem = make(&sandbox, &roots(1));
    let with_comment = |octets: usize| {
        let marks = "x".repeat(octets - pem.len() - "# \n".len());
        format!("# {marks}\n{pem}")
    };
    let for_cloudfront = "--for cloudfront";
    assert_judged(&sandbox, for_cloudfront, with_comment(65_536), &[]);
    let larger = with_comment(65_537);
    assert_judged(&sandbox, for_cloudfront, larger, &["file-octets"]);
}

#[test]
fn gcp_takes_100_intermediates_and_no_more() {
    let sandbox = Sandbox::new();
    make(&sandbox, &[root("anchor")]);
    let intermediates = |count: usize| {
        let all = (0..count).map(|number| root(&format!("i{number}")).under("anchor"));
        make(&sandbox, &all.collect::<Vec<_>>())
    };
    assert_judged(&sandbox, "--for gcp", intermediates(100), &[]);
    let more = intermediates(101);
    assert_judged(&sandbox, "--for gcp", more, &["intermediate-count"]);
}

#[test]
fn rustls_is_warned_of_p521_and_of_seven_subordinates() {
    let sandbox = Sandbox::new();
    let p521 = make(&sandbox, &[root("r").key(P521)]);
    let report = assert_judged(&sandbox, "--for rustls", p521, &[]);
    assert_eq!(rules(&report, "warning"), ["key-type"]);
    let depth = |cas| {
        let pem = make(&sandbox, &chain(cas));
        let report = assert_judged(&sandbox, "--for rustls", pem, &[]);
        rules(&report, "warning").contains(&"path-depth".to_owned())
    };
    assert!(!depth(7));
    assert!(depth(8));
}

#[test]
fn every_target_but_java_takes_a_root() {
    let sandbox = Sandbox::new();
    let pem = make(&sandbox, &roots(1));
    for target in targets() {
        let refused: &[&str] = if target == "java" { &["pkcs12"] } else { &[] };
        let report = assert_judged(&sandbox, &format!("--for {target}"), &pem, refused);
        let checks_none = ["redis", "caddy"].contains(&&*target);
        let warned: &[&str] = if checks_none { &["no-revocation"] } else { &[] };
        assert_eq!(rules(&report, "warning"), warned, "{target}");
    }
}
