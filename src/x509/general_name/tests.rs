//! Alternative names as people write them.

use super::*;
use crate::asn1::{Reader, encode};

fn shown(text: &str) -> Result<String, String> {
    GeneralName::parse(text)
        .map(|name| name.to_string())
        .map_err(|error| error.problem)
}

#[test]
fn types_are_detected_or_given() {
    for (text, expected) in [
        ("www.Example.test", "dns:www.example.test"),
        ("*.example.test", "dns:*.example.test"),
        ("localhost", "dns:localhost"),
        ("10.0.0.1", "ip:10.0.0.1"),
        ("IP:10.0.0.1", "ip:10.0.0.1"),
        ("2001:DB8::1", "ip:2001:db8::1"),
        ("ip:[::1]", "ip:::1"),
        ("a@example.test", "email:a@example.test"),
        ("https://example.test/x", "uri:https://example.test/x"),
        ("spiffe://trust.test/ns/a", "uri:spiffe://trust.test/ns/a"),
        (
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "uri:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        ),
        ("münchen.test", "dns:xn--mnchen-3ya.test"),
        ("email:a@münchen.test", "email:a@xn--mnchen-3ya.test"),
        ("My_Host", "dns:my_host"),
        (
            "_sip._tcp.münchen.test",
            "dns:_sip._tcp.xn--mnchen-3ya.test",
        ),
        (
            "*.my_zone.xn--mnchen-3ya.test",
            "dns:*.my_zone.xn--mnchen-3ya.test",
        ),
        ("jürgen@example.test", "email:jürgen@example.test"),
    ] {
        assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn other_names_are_written_as_they_are_read() {
    for text in [
        "upn:ada@corp.example.test",
        "krb5:ada@EXAMPLE.TEST",
        "krb5:host/www.example.test@EXAMPLE.TEST",
        "rid:1.2.840.113549",
        "dirname:CN=a\\,b,O=Example",
        "other:1.2.3.4;UTF8:größe",
        "other:1.2.3.4;IA5:size",
        "other:1.2.3.4;DER:020105",
    ] {
        assert_eq!(shown(text).as_deref(), Ok(text));
        let name = GeneralName::parse(text).unwrap();
        let der = encode(|encoder| name.encode(encoder));
        let read = GeneralName::decode(&Reader::single(&der).unwrap()).unwrap();
        assert_eq!(read, name, "{text}");
    }
    for text in [
        "upn:",
        "upn:ada",
        "upn:a\u{202e}@b",
        "krb5:ada",
        "krb5:@R",
        "krb5:a//b@R",
        "krb5:a@R@S",
        "krb5:ä@R",
        "rid:1",
        "rid:x",
        "dirname:",
        "dirname:x",
        "other:1.2.3",
        "other:1.2.3;UTF8:",
        "other:1.2.3;IA5:ä",
        "other:1.2.3;DER:0201",
        "other:1.2.3;DER:02010500",
        "other:1.2.3;BMP:a",
    ] {
        assert!(GeneralName::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_directory_name_is_a_list_of_its_own() {
    let names = GeneralName::parse_list("DirName:CN=a,O=b").unwrap();
    assert_eq!(names.len(), 1);
    let names = GeneralName::parse_list("a.test,dirname:/CN=a/O=b").unwrap();
    assert_eq!(names.len(), 2);
}

#[test]
fn a_colon_is_a_prefix_an_ipv6_address_or_a_uri() {
    for (text, expected) in [
        ("DNS:a.test", "dns:a.test"),
        ("Email:a@b.test", "email:a@b.test"),
        ("URI:mailto:a@b.test", "uri:mailto:a@b.test"),
        ("::1", "ip:::1"),
        ("::ffff:192.0.2.1", "ip:::ffff:192.0.2.1"),
        ("URN:a:b", "uri:URN:a:b"),
        ("ldap://a.test/b", "uri:ldap://a.test/b"),
        ("Spiffe://a.test/b", "uri:Spiffe://a.test/b"),
    ] {
        assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
    }
    for text in [
        "a.test:443",
        "192.0.2.1:443",
        "[2001:db8::1]:443",
        "dsn:a.test",
        "dns :a.test",
        "DNS.1:a.test",
        "mailto:a@b.test",
        "otherName:1.2.3;UTF8:https://a.test",
        "a.test:443/://",
        "00:11:22:33:44:55",
        ":a.test",
        "a:",
    ] {
        assert_eq!(shown(text), Err(NO_PREFIX.to_owned()), "{text}");
    }
}

#[test]
fn what_no_host_can_be_called_is_refused() {
    for text in [
        "",
        "dns:",
        "a..b",
        ".a",
        "a.",
        "-a.test",
        "a-.test",
        "-_b.test",
        "a_b-.test",
        "a_b..test",
        "_*.test",
        "email:a@a_b.test",
        "a\u{ff3f}b\u{ff0f}c.test",
        "dns:1.2.3.4",
        "a b",
        "*",
        "*.*.test",
        "w*.test",
        "a.*.test",
        "dns:a/b",
        "email:a",
        "email:@b.test",
        "email:a@*.test",
        "uri:nothing",
        "uri:http://",
        "uri:http://a b/",
        "ip:1.2.3",
        "a\0.test",
        "a\u{202e}.test",
        "email:a\n@b.test",
    ] {
        assert!(shown(text).is_err(), "{text:?}");
    }
    assert!(shown(&format!("{}.test", "a".repeat(64))).is_err());
    assert!(shown(&format!("{}.test", "a".repeat(63))).is_ok());
}

#[test]
fn an_authority_is_directly_behind_the_scheme() {
    for (uri, expected) in [
        ("https://a.test", Some((None, "a.test", None))),
        (
            "https://u:p@a.test:8443/x?y",
            Some((Some("u:p"), "a.test", Some("8443"))),
        ),
        ("https://[::1]:443/", Some((None, "[::1]", Some("443")))),
        ("https://[::1]", Some((None, "[::1]", None))),
        ("https://a.test?x=@b", Some((None, "a.test", None))),
        ("urn:x//a.test/", None),
        ("urn:a:b", None),
    ] {
        let parts = Authority::of(uri);
        let parts = parts.map(|parts| (parts.user_info, parts.host, parts.port));
        assert_eq!(parts, expected, "{uri}");
    }
}

#[test]
fn uris_that_are_not_well_formed_are_refused() {
    for uri in [
        "https://a.test:x/",
        "https://a.test:+80/",
        "https://a.test:65536/",
        "https://a.test/%",
        "https://a.test/%2",
        "https://a.test/%zz",
        "https://a.test/#a#b",
        "https://[a.test]/",
        "https://[10.0.0.1]/",
        "https://[::1/",
        "https://[::1]x/",
        "https://::1/",
        "https://a.test/[x]",
        "urn:[x]",
        "https://[::1]/?[",
        "https://a@b@c.test/",
        "https://a_b.test/",
        "https://ab--cd.test/",
    ] {
        assert!(GeneralName::uri(uri).is_err(), "{uri}");
    }
    for uri in [
        "https://a.test:8443/%2f?x=@y#z",
        "https://u:p%40@a.test/",
        "https://[2001:db8::1]:443/x",
        "https://192.0.2.1/",
        "https://a.test:/",
        "https://xn--mnchen-3ya.test/",
    ] {
        assert!(GeneralName::uri(uri).is_ok(), "{uri}");
    }
}

#[test]
fn labels_that_only_look_like_a_labels_are_refused() {
    for host in [
        "xn--a.test",
        "xn--.test",
        "xn--zzzzzzzz9999.test",
        "xn--a-ecp.ru--x.test",
        "www.xn--abc-.test",
        "ab--cd.test",
    ] {
        assert!(GeneralName::dns(host).is_err(), "{host}");
    }
    for host in [
        "xn--mnchen-3ya.test",
        "*.XN--mnchen-3ya.test",
        "a-b--c.test",
    ] {
        assert!(GeneralName::dns(host).is_ok(), "{host}");
    }
}

#[test]
fn every_kind_reads_back() {
    for text in [
        "dns:a.test",
        "ip:10.0.0.1",
        "ip:::1",
        "email:a@b.test",
        "email:ü@b.test",
        "uri:urn:a:b",
    ] {
        let name = GeneralName::parse(text).unwrap();
        let der = crate::asn1::encode(|encoder| name.encode(encoder));
        assert_eq!(
            GeneralName::decode(&crate::asn1::Reader::single(&der).unwrap()),
            Ok(name)
        );
    }
}
