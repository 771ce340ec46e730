//! Name constraints, and what slips past none of them.

use super::subtree::address_range;
use super::*;

fn allowed(permitted: &[&str], excluded: &[&str], subject: &str, names: &[&str]) -> bool {
    let subtrees = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    let constraints = NameConstraints {
        permitted: subtrees(permitted),
        excluded: subtrees(excluded),
    };
    let read = NameConstraints::from_der(&constraints.to_der());
    assert!(read == Ok(constraints.clone()) || constraints.is_empty());
    let names: Vec<_> = names
        .iter()
        .map(|name| GeneralName::parse(name).unwrap())
        .collect();
    constraints
        .check(&Name::parse(subject).unwrap(), &names)
        .is_ok()
}

#[test]
fn a_permitted_subtree_holds_names_of_its_kind_only() {
    let permitted = [
        "dns:example.test",
        "ip:10.0.0.0/8",
        "email:example.test",
        "uri:.example.test",
    ];
    for (name, expected) in [
        ("example.test", true),
        ("a.b.example.test", true),
        ("badexample.test", false),
        ("*.example.test", true),
        ("*.test", false),
        ("10.255.0.1", true),
        ("11.0.0.1", false),
        ("::1", false),
        ("a@example.test", true),
        ("a@b.example.test", false),
        ("https://a.example.test/", true),
        ("https://example.test/", false),
        ("urn:a:b", false),
    ] {
        assert_eq!(
            allowed(&permitted, &[], "/O=x", &[name]),
            expected,
            "{name}"
        );
    }
}

#[test]
fn ipv4_mapped_addresses_are_held_to_the_constraints_of_ipv4() {
    for (permitted, excluded, name, expected) in [
        (&[][..], &["ip:10.0.0.0/8"][..], "::ffff:10.0.0.1", false),
        (&[], &["ip:10.0.0.0/8"], "::ffff:11.0.0.1", true),
        (&[], &["ip:::ffff:10.0.0.0/104"], "10.1.2.3", false),
        (&[], &["ip:::ffff:10.0.0.0/104"], "11.1.2.3", true),
        (&["ip:::/0"], &["ip:10.0.0.1"], "::ffff:10.0.0.1", false),
        (&["ip:::/0"], &[], "::ffff:10.0.0.1", true),
        (&["ip:::/0", "ip:10.0.0.0/8"], &[], "::ffff:10.0.0.1", true),
        (&["ip:::/0", "ip:10.0.0.0/8"], &[], "::ffff:11.0.0.1", false),
        (&["ip:10.0.0.0/8"], &[], "::ffff:10.0.0.1", false),
        (&["ip:::ffff:0:0/96"], &[], "::ffff:10.0.0.1", true),
        (&[], &["ip:0.0.0.0/0"], "2001:db8::1", true),
        (&[], &["ip:0.0.0.0/0"], "::10.0.0.1", true),
    ] {
        assert_eq!(
            allowed(permitted, excluded, "/O=x", &[name]),
            expected,
            "{name}"
        );
    }
    assert!(!allowed(
        &[],
        &["ip:10.0.0.0/8"],
        "/CN=::ffff:10.0.0.1",
        &[]
    ));
}

#[test]
fn mailboxes_that_are_not_well_formed_meet_every_constraint() {
    let verdict = |permitted: &[&str], excluded: &[&str], address: &str| {
        let subtrees = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let constraints = NameConstraints {
            permitted: subtrees(permitted),
            excluded: subtrees(excluded),
        };
        let names = [GeneralName::Email(address.to_owned())];
        constraints
            .check(&Name::parse("/O=x").unwrap(), &names)
            .is_ok()
    };
    for address in [
        "a@b@example.test",
        "@example.test",
        "example.test",
        "",
        "a b@example.test",
        "a@",
        "a..b@example.test",
        "\"a\"b\"@example.test",
        "\"a\\\"@example.test",
        "a@[192.0.2.1]",
        "<a@example.test>",
        "a@example.test ",
    ] {
        assert!(!verdict(&["email:example.test"], &[], address), "{address}");
        assert!(!verdict(&[], &["email:other.test"], address), "{address}");
        assert!(verdict(&["dns:example.test"], &[], address), "{address}");
    }
    for address in [
        "a@example.test",
        "\"a b\"@example.test",
        "\"a@b\"@example.test",
    ] {
        assert!(verdict(
            &["email:example.test"],
            &["email:other.test"],
            address
        ));
        assert!(!verdict(&["email:other.test"], &[], address), "{address}");
        assert!(!verdict(&[], &["email:example.test"], address), "{address}");
    }
}

#[test]
fn constraints_without_content_or_with_a_minimum_are_refused() {
    let subtree = |minimum: &[u8]| {
        sequence(|constraints| {
            constraints.explicit(0, |list| {
                list.sequence(|general| {
                    general.primitive(tag::context(2), b"example.test");
                    general.raw(minimum);
                });
            });
        })
    };
    assert!(NameConstraints::from_der(&subtree(&[])).is_ok());
    // The default in so many words.
    assert!(NameConstraints::from_der(&subtree(&[0x80, 1, 0])).is_ok());
    let mailbox = sequence(|constraints| {
        constraints.explicit(1, |list| {
            list.sequence(|general| general.primitive(tag::context(1), b"a@b@example.test"));
        });
    });
    for wrong in [
        subtree(&[0x80, 1, 1]),
        subtree(&[0x81, 1, 0]),
        subtree(&[0x80, 2, 0, 0]),
        mailbox,
        b"\x30\x00".to_vec(),
        b"\x30\x02\xa0\x00".to_vec(),
        b"\x30\x04\xa0\x00\xa1\x00".to_vec(),
    ] {
        assert!(NameConstraints::from_der(&wrong).is_err(), "{wrong:02x?}");
    }
}

#[test]
fn wildcards_uris_and_common_names_do_not_slip_past() {
    assert!(!allowed(
        &[],
        &["dns:secret.example.test"],
        "/O=x",
        &["*.example.test"]
    ));
    assert!(!allowed(
        &[],
        &["dns:example.test"],
        "/O=x",
        &["*.a.example.test"]
    ));
    assert!(allowed(
        &[],
        &["dns:secret.example.test"],
        "/O=x",
        &["a.example.test"]
    ));
    assert!(!allowed(
        &["dns:example.test"],
        &[],
        "/CN=www.other.test",
        &[]
    ));
    assert!(!allowed(
        &["email:example.test"],
        &[],
        "/emailAddress=a@other.test",
        &[]
    ));
    assert!(!allowed(
        &["email:example.test"],
        &[],
        "/CN=a@other.test",
        &[]
    ));
    assert!(!allowed(&["ip:10.0.0.0/8"], &[], "/CN=192.0.2.1", &[]));
    assert!(allowed(&["dns:example.test"], &[], "/CN=localclient", &[]));
    assert!(!allowed(&[], &["uri:example.test"], "/O=x", &["urn:a:b"]));
    assert!(!allowed(&["dirname:/O=x"], &[], "/O=y/CN=z", &[]));
    assert!(allowed(&["dirname:/O=x"], &[], "/O=x/CN=z", &[]));
}

#[test]
fn every_common_name_is_held_to_the_constraints_of_hosts() {
    for name in [
        "/CN=www.other.test/CN=localclient",
        "/CN=www.other.test/CN=www.example.test",
        "/CN=a_b.other.test",
        "/CN=other.test.",
        "/CN=a_b.x..other.test",
        "/CN=w*.other.test",
        "/CN=ü_x。other。test",
        "/CN=v1.2",
    ] {
        assert!(!allowed(&["dns:example.test"], &[], name, &[]), "{name}");
    }
    for name in [
        "/CN=a_b.other.test",
        "/CN=other.test.",
        "/CN=w*.other.test",
        "/CN=x/CN=OTHER.test/CN=y",
    ] {
        assert!(!allowed(&[], &["dns:other.test"], name, &[]), "{name}");
    }
    assert!(!allowed(
        &[],
        &["dns:www.other.test"],
        "/CN=w*.other.test",
        &[]
    ));
    assert!(!allowed(
        &["email:example.test"],
        &[],
        "/CN=a b@other.test",
        &[]
    ));
    for name in [
        "/CN=a_b.example.test",
        "/CN=J. R. Smith",
        "/CN=Example Corp.",
    ] {
        assert!(allowed(&["dns:example.test"], &[], name, &[]), "{name}");
    }
}

#[test]
fn a_wildcard_is_under_its_parent() {
    assert!(allowed(&["dns:.good.test"], &[], "/O=x", &["*.good.test"]));
    assert!(allowed(
        &["dns:.good.test"],
        &[],
        "/O=x",
        &["*.a.good.test"]
    ));
    assert!(!allowed(&["dns:.good.test"], &[], "/O=x", &["*.test"]));
    assert!(!allowed(&["dns:.good.test"], &[], "/O=x", &["good.test"]));
}

#[test]
fn directory_names_match_regardless_of_case_and_string_type() {
    for name in ["/O=ACME  inc/CN=z", "/O=acme Inc /CN=z", "/O= Acme\tINC"] {
        let name = name.replace('\t', " ");
        assert!(
            !allowed(&[], &["dirname:/O=Acme Inc"], &name, &[]),
            "{name}"
        );
        assert!(allowed(&["dirname:/O=Acme Inc"], &[], &name, &[]), "{name}");
    }
    assert!(!allowed(&[], &["dirname:/O=Straße"], "/O=STRASSE", &[]));
    assert!(allowed(&[], &["dirname:/O=Acme Inc"], "/O=AcmeInc", &[]));
    assert!(allowed(&[], &["dirname:/O=Acme"], "/OU=Acme", &[]));

    let printable = sequence(|name| {
        name.constructed(tag::SET, |rdn| {
            rdn.sequence(|pair| {
                pair.oid(&crate::asn1::oid::ORGANIZATION_NAME);
                pair.primitive(tag::PRINTABLE_STRING, b"acme");
            });
        });
    });
    let excluded = NameConstraints {
        permitted: Vec::new(),
        excluded: vec!["dirname:/O=Acme".parse().unwrap()],
    };
    let subject = Name::from_der(&printable).unwrap();
    assert!(excluded.check(&subject, &[]).is_err());
}

#[test]
fn uris_without_a_clear_host_are_refused_under_constraints() {
    for uri in [
        "urn:x//a.example.test/",
        "https://user@a.example.test/",
        "https://192.0.2.1/",
        "https://[2001:db8::1]/",
    ] {
        assert!(allowed(&["dns:example.test"], &[], "/O=x", &[uri]), "{uri}");
        assert!(
            !allowed(&["uri:.example.test"], &[], "/O=x", &[uri]),
            "{uri}"
        );
        assert!(!allowed(&[], &["uri:.other.test"], "/O=x", &[uri]), "{uri}");
    }
}

/// Every prefix of both kinds of addresses, as the bytes that RFC 5280 section 4.2.1.10 asks for.
#[test]
fn a_prefix_is_an_address_and_a_mask_of_as_many_bits() {
    let ones = |bits: u32, length: u32| {
        let all = u128::MAX >> (128 - length);
        all & !all.checked_shr(bits).unwrap_or(0)
    };
    for (address, length) in [
        ("255.255.255.255", 32),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128),
    ] {
        for bits in 0..=length {
            let subtree: Subtree = format!("ip:{address}/{bits}").parse().unwrap();
            let expected = ones(bits, length).to_be_bytes();
            let expected = &expected[16 - length as usize / 8..];
            let der = crate::asn1::encode(|encoder| subtree.encode(encoder));
            // The bits of the address that do not count are zero, as in the mask.
            assert_eq!(der[2..], [expected, expected].concat(), "{address}/{bits}");
            assert_eq!(
                address_range(&der[2..])
                    .unwrap()
                    .to_string()
                    .split('/')
                    .nth(1)
                    .unwrap(),
                bits.to_string()
            );
        }
    }
}

#[test]
fn a_mask_with_holes_or_of_another_length_is_no_range() {
    for bytes in [
        &[10, 0, 0, 0, 255, 0, 255, 0][..],
        &[10, 0, 0, 0, 0, 255, 255, 255],
        &[10, 0, 0, 0, 255, 0xfd, 0, 0],
        &[10, 0, 0, 0, 0, 0, 0, 1],
        &[10, 0, 0, 255, 255, 255],
        &[10, 0, 0, 0],
        &[10, 0, 0, 0, 255, 255, 255, 0, 0],
        &[],
    ] {
        assert_eq!(address_range(bytes), None, "{bytes:?}");
    }
}

#[test]
fn what_is_no_subtree_is_refused() {
    for text in [
        "example.test",
        "dns:",
        "ip:10.0.0.0/33",
        "ip:x/8",
        "dns:*.a",
        "foo:bar",
        "email:",
        "email:ü@x.test",
    ] {
        assert!(text.parse::<Subtree>().is_err(), "{text}");
    }
}
