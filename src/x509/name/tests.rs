//! Names in both notations, and of every string type.

use super::*;

#[test]
fn both_notations_give_the_same_name() {
    let slashes = Name::parse("/C=JP/O=Example/OU=a/OU=b/CN=x").unwrap();
    let commas = Name::parse("CN=x, OU=b, OU=a, O=Example, C=JP").unwrap();
    assert_eq!(slashes, commas);
    assert_eq!(slashes.to_string(), "CN=x,OU=b,OU=a,O=Example,C=JP");
    let components = Name::parse("/DC=com/DC=example/CN=a/b");
    assert!(components.is_err());
    assert_eq!(
        Name::parse("/DC=com/DC=example").unwrap().to_string(),
        "DC=example,DC=com"
    );
}

#[test]
fn what_is_escaped_reads_back() {
    for text in [
        "CN=a\\,b,O=c\\+d",
        "CN=\\ a\\ ",
        "CN=\\#x",
        "CN=a\\\\b",
        "CN=x+UID=u,O=y",
    ] {
        let name = Name::parse(text).unwrap();
        assert_eq!(Name::parse(&name.to_string()).unwrap(), name, "{text}");
    }
    assert_eq!(
        Name::parse("CN=J\\c3\\bcrgen")
            .unwrap()
            .common_name()
            .unwrap(),
        "Jürgen"
    );
}

#[test]
fn what_could_deceive_is_refused_and_never_shown_raw() {
    for value in [
        "a\u{1b}[2Jb",
        "good.test\0.evil.test",
        "a\nb",
        "a\u{202e}b",
        "a\u{200b}b",
    ] {
        assert!(Name::from_common_name(value).is_err(), "{value:?}");
    }
    let hostile = Name(sequence(|name| {
        name.constructed(tag::SET, |rdn| {
            rdn.sequence(|pair| {
                pair.oid(&oid::COMMON_NAME);
                pair.primitive(tag::UTF8_STRING, "a\u{1b}[2J\u{202e}".as_bytes());
            });
        });
    }));
    assert_eq!(hostile.to_string(), "CN=a\\1B[2J\\E2\\80\\AE");
    assert!(hostile.check().is_err());
}

fn from_values(rdns: &[&[(ObjectIdentifier, u8, &[u8])]]) -> Name {
    let der = sequence(|name| {
        for values in rdns {
            name.constructed(tag::SET, |rdn| {
                for (kind, string, value) in *values {
                    rdn.sequence(|pair| {
                        pair.oid(kind);
                        pair.primitive(*string, value);
                    });
                }
            });
        }
    });
    Name::from_der(&der).unwrap()
}

#[test]
fn values_that_other_programs_do_not_read_are_refused() {
    let of = |value: &[u8]| {
        Name::from_der(&sequence(|name| {
            name.constructed(tag::SET, |rdn| {
                rdn.sequence(|pair| {
                    pair.oid(&oid::COMMON_NAME);
                    pair.raw(value);
                });
            });
        }))
    };
    for value in [
        &b"\x13\x01a"[..],
        b"\x12\x011",
        b"\x03\x02\x00a",
        b"\x30\x00",
    ] {
        assert!(of(value).is_ok(), "{value:02x?}");
    }
    for value in [
        &b"\x1a\x01a"[..],
        b"\x1e\x03\0a\0",
        b"\x02\x01\x01",
        b"\x04\x01a",
        b"\x05\x00",
        b"\x80\x01a",
        b"\x0c\x01\xff",
    ] {
        assert!(of(value).is_err(), "{value:02x?}");
    }
}

#[test]
fn attributes_and_names_have_upper_bounds() {
    let unknown = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.7");
    let long = "x".repeat(1_000_000);
    let of = |kind, value: &str| from_values(&[&[(kind, tag::UTF8_STRING, value.as_bytes())]]);
    assert_eq!(of(unknown, &long[..1024]).check(), Ok(()));
    assert_eq!(of(oid::COMMON_NAME, &long[..64]).check(), Ok(()));
    for (kind, length, called) in [
        (unknown, 1025, "1.3.6.1.4.1.99999.7"),
        (unknown, 1_000_000, "1.3.6.1.4.1.99999.7"),
        (oid::COMMON_NAME, 65, "CN"),
        (oid::ORGANIZATION_NAME, 1_000_000, "O"),
    ] {
        for error in [
            of(kind, &long[..length]).check(),
            of(kind, &long[..length]).normalized().map(drop),
        ] {
            let text = error.unwrap_err().to_string();
            assert!(text.contains(called) && text.len() < 300, "{text}");
        }
    }
    let value: &[_] = &[(unknown, tag::UTF8_STRING, &long.as_bytes()[..1024])];
    assert_eq!(from_values(&vec![value; 15]).check(), Ok(()));
    let error = from_values(&vec![value; 16]).check().unwrap_err();
    assert!(error.to_string().contains("1.3.6.1.4.1.99999.7"), "{error}");
}

#[test]
fn other_string_types_are_refused_or_converted() {
    use oid::{COMMON_NAME, COUNTRY_NAME, DOMAIN_COMPONENT, EMAIL_ADDRESS, SERIAL_NUMBER};
    for (kind, string, value, normalized) in [
        (
            COMMON_NAME,
            tag::TELETEX_STRING,
            &b"J\xfcrgen"[..],
            "CN=Jürgen",
        ),
        (COMMON_NAME, tag::BMP_STRING, b"\0J\x65\xe5", "CN=J日"),
        (COMMON_NAME, tag::UNIVERSAL_STRING, b"\0\0\0x", "CN=x"),
        (COMMON_NAME, tag::IA5_STRING, b"a@x", "CN=a@x"),
        (COUNTRY_NAME, tag::UTF8_STRING, b"JP", "C=JP"),
        (SERIAL_NUMBER, tag::UTF8_STRING, b"1", "serialNumber=1"),
        (DOMAIN_COMPONENT, tag::UTF8_STRING, b"test", "DC=test"),
        (EMAIL_ADDRESS, tag::UTF8_STRING, b"a@x", "emailAddress=a@x"),
    ] {
        let name = from_values(&[&[(kind, string, value)]]);
        assert!(name.check().is_err(), "{name}");
        assert_eq!(name.normalized(), Name::parse(normalized));
    }
}

#[test]
fn names_of_common_requests_keep_their_bytes() {
    let name = from_values(&[
        &[(oid::COUNTRY_NAME, tag::PRINTABLE_STRING, b"JP")],
        &[(oid::DOMAIN_COMPONENT, tag::IA5_STRING, b"test")],
        &[(oid::ORGANIZATION_NAME, tag::PRINTABLE_STRING, b"Example")],
        &[(oid::COMMON_NAME, tag::UTF8_STRING, "ü".as_bytes())],
        &[(oid::EMAIL_ADDRESS, tag::IA5_STRING, b"a@x.test")],
    ]);
    assert_eq!(name.check(), Ok(()));
    assert_eq!(name.normalized(), Ok(name));
}

#[test]
fn strings_that_are_not_what_their_type_says_are_refused() {
    let unknown = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.7");
    for (kind, string, value) in [
        (oid::COMMON_NAME, tag::PRINTABLE_STRING, &b"a@b*"[..]),
        (unknown, tag::PRINTABLE_STRING, b"a@b*"),
        (unknown, tag::TELETEX_STRING, b"x"),
        (oid::COMMON_NAME, tag::TELETEX_STRING, b"a\x9b2J"),
        (oid::COUNTRY_NAME, tag::UTF8_STRING, b"jp"),
    ] {
        let name = from_values(&[&[(kind, string, value)]]);
        assert!(name.check().is_err(), "{name}");
        assert!(name.normalized().is_err(), "{name}");
    }
}

#[test]
fn values_of_an_rdn_out_of_order_are_refused_or_sorted() {
    let user: (_, _, &[u8]) = (oid::USER_ID, tag::UTF8_STRING, b"u");
    let common: (_, _, &[u8]) = (oid::COMMON_NAME, tag::UTF8_STRING, b"x");
    let (one, other) = (
        from_values(&[&[user, common]]),
        from_values(&[&[common, user]]),
    );
    let sorted = Name::parse("CN=x+UID=u").unwrap();
    assert!([&one, &other].contains(&&sorted));
    for name in [one, other] {
        assert_eq!(name.check().is_ok(), name == sorted);
        assert_eq!(name.normalized().as_ref(), Ok(&sorted));
    }
}

#[test]
fn the_hexadecimal_form_is_refused() {
    for text in ["CN=#0c0161", "O=x, CN= #0c0161", "CN=a+UID=#0c0161"] {
        let error = Name::parse(text).unwrap_err();
        assert!(error.to_string().contains("hexadecimal"), "{error}");
    }
    assert_eq!(Name::parse("CN=\\#x"), Name::parse("/CN=#x"));
}

/// Some 3 MB; a walk for each of them would take minutes.
#[test]
fn a_name_of_very_many_rdns_is_shown_in_no_time() {
    let value: &[_] = &[(oid::COMMON_NAME, tag::UTF8_STRING, &b"x"[..])];
    let name = from_values(&vec![value; 250_000]);
    let start = std::time::Instant::now();
    assert_eq!(name.to_string().len(), 250_000 * 5 - 1);
    assert!(start.elapsed().as_secs() < 20);
}

#[test]
fn bad_notations_and_types_are_named() {
    assert!(matches!(Name::parse("x"), Err(NameError::Notation { .. })));
    assert!(matches!(Name::parse(""), Err(NameError::Notation { .. })));
    assert!(matches!(
        Name::parse("/XX=y"),
        Err(NameError::UnknownType { .. })
    ));
    assert!(matches!(
        Name::parse("/C=Japan"),
        Err(NameError::Value { .. })
    ));
    assert!(matches!(
        Name::parse(&format!("/CN={}", "a".repeat(65))),
        Err(NameError::Value { .. })
    ));
    assert!(Name::parse(&format!("/CN={}", "ü".repeat(64))).is_ok());
}
