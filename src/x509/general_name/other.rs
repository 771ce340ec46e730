//! Names without a text form of their own in RFC 5280: otherName (UPN, Kerberos principal, any value) and
//! registeredID. Each is held as its DER.

use crate::asn1::{Element, Encoder, Hex, Malformed, Reader, encode, from_hex, oid, tag};
use crate::x509::text::{Escaped, is_deceptive};
use const_oid::ObjectIdentifier;
use std::fmt;

/// Longest text of a name, in bytes.
const MOST_BYTES: usize = 1024;

/// name-type of a Kerberos principal: NT-PRINCIPAL (RFC 4120 section 6.2).
const NT_PRINCIPAL: [u8; 1] = [1];

/// Tag of a GeneralString.
const GENERAL_STRING: u8 = 0x1b;

/// Encodes the user principal name of Windows: `user@domain` as a UTF8String.
pub(super) fn user_principal_name(text: &str) -> Result<Vec<u8>, &'static str> {
    check_text(text)?;
    match text.rsplit_once('@') {
        Some((user, domain)) if !user.is_empty() && !domain.is_empty() => {}
        _ => return Err("it is not user@domain"),
    }
    Ok(of_type(&oid::USER_PRINCIPAL_NAME, |value| {
        value.primitive(tag::UTF8_STRING, text.as_bytes());
    }))
}

/// Encodes a Kerberos principal, `name@REALM` or `service/host@REALM`, as a KRB5PrincipalName (RFC 4556 section
/// 3.2.2). Its characters are those of a VisibleString.
pub(super) fn kerberos_principal(text: &str) -> Result<Vec<u8>, &'static str> {
    check_text(text)?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('\\') {
        return Err("it has characters other than visible ASCII, or a backslash");
    }
    let parts = text
        .split_once('@')
        .filter(|(principal, realm)| !principal.is_empty() && is_plain(realm));
    let (principal, realm) = parts.ok_or("it is not name@REALM or service/host@REALM")?;
    if principal.split('/').any(str::is_empty) {
        return Err("a component of it is empty");
    }
    Ok(of_type(&oid::KERBEROS_PRINCIPAL, |value| {
        value.sequence(|name| {
            name.explicit(0, |name| name.primitive(GENERAL_STRING, realm.as_bytes()));
            name.explicit(1, |name| {
                name.sequence(|name| {
                    name.explicit(0, |kind| kind.unsigned(&NT_PRINCIPAL));
                    name.explicit(1, |parts| {
                        parts.sequence(|parts| {
                            for part in principal.split('/') {
                                parts.primitive(GENERAL_STRING, part.as_bytes());
                            }
                        });
                    });
                });
            });
        });
    }))
}

fn is_plain(realm: &str) -> bool {
    !realm.is_empty() && !realm.contains(['@', '/'])
}

/// Encodes a registeredID: an object identifier in dots.
pub(super) fn registered_id(text: &str) -> Result<Vec<u8>, &'static str> {
    let identifier = object_identifier(text)?;
    Ok(encode(|name| {
        name.primitive(tag::context(8), identifier.as_bytes());
    }))
}

/// Encodes `OID;UTF8:text`, `OID;IA5:text` or `OID;DER:hex`: an otherName of any type.
pub(super) fn of_any_type(text: &str) -> Result<Vec<u8>, &'static str> {
    const FORM: &str = "write other:OID;UTF8:text, other:OID;IA5:text or other:OID;DER:hex";
    let (kind, value) = text.split_once(';').ok_or(FORM)?;
    let kind = object_identifier(kind)?;
    if kind == oid::SMTP_UTF8_MAILBOX {
        return Err("write email: for an e-mail address");
    }
    let (form, value) = value.split_once(':').ok_or(FORM)?;
    let value = match form.to_ascii_uppercase().as_str() {
        "UTF8" => {
            check_text(value)?;
            encode(|text| text.primitive(tag::UTF8_STRING, value.as_bytes()))
        }
        "IA5" => {
            check_text(value)?;
            if !value.is_ascii() {
                return Err("an IA5String is ASCII");
            }
            encode(|text| text.primitive(tag::IA5_STRING, value.as_bytes()))
        }
        "DER" => from_hex(value)
            .filter(|der| is_one_value(der))
            .ok_or("it is not the hex of one DER value")?,
        _ => return Err(FORM),
    };
    Ok(of_type(&kind, |name| name.raw(&value)))
}

/// Returns whether bytes are one DER value and nothing else. The contents of a constructed value are not read.
pub(crate) fn is_one_value(der: &[u8]) -> bool {
    Reader::single(der).is_ok_and(|value| value.check_value().is_ok())
}

pub(crate) fn object_identifier(text: &str) -> Result<ObjectIdentifier, &'static str> {
    ObjectIdentifier::new(text).map_err(|_| "the object identifier is not valid: write 1.2.3")
}

fn check_text(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > MOST_BYTES {
        return Err("it is empty or longer than 1024 bytes");
    }
    if text.chars().any(is_deceptive) {
        return Err("it has characters that are not visible");
    }
    Ok(())
}

/// Returns whether a value, if it is text, has no characters that are not visible.
pub(super) fn has_plain_text(value: &Element<'_>) -> bool {
    match (value.tag, std::str::from_utf8(value.content)) {
        (tag::UTF8_STRING | tag::IA5_STRING, Ok(text)) => check_text(text).is_ok(),
        (tag::UTF8_STRING | tag::IA5_STRING, Err(_)) => false,
        _ => true,
    }
}

/// Encodes an otherName: `[0] IMPLICIT SEQUENCE { type-id, value [0] EXPLICIT }`.
fn of_type(kind: &ObjectIdentifier, value: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    encode(|name| {
        name.constructed(tag::explicit(0), |name| {
            name.oid(kind);
            name.explicit(0, value);
        });
    })
}

/// Returns the type and the value of an otherName; `None` for names of other kinds.
pub(super) fn parts(der: &[u8]) -> Option<(ObjectIdentifier, Element<'_>)> {
    let name = Reader::single(der).ok()?;
    if name.tag != tag::explicit(0) {
        return None;
    }
    read(&name).ok()
}

/// Reads an otherName.
pub(super) fn read<'a>(name: &Element<'a>) -> Result<(ObjectIdentifier, Element<'a>), Malformed> {
    let mut reader = name.reader();
    let kind = reader.oid("the type of an otherName")?;
    let value = reader.expect(tag::explicit(0), "the value of an otherName")?;
    reader.end()?;
    let value = Reader::single(value.content)?;
    value.check_value()?;
    Ok((kind, value))
}

/// Writes a name in the form that [`GeneralName::parse`](super::GeneralName::parse) reads, if it has one; else
/// `other:` and its DER in hex.
pub(super) fn describe(der: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(identifier) = identifier(der) {
        return write!(f, "rid:{identifier}");
    }
    let Some((kind, value)) = parts(der) else {
        return write!(f, "other:{:x}", Hex(der));
    };
    let text = std::str::from_utf8(value.content).ok();
    if kind == oid::KERBEROS_PRINCIPAL
        && let Some(principal) = principal(der, &value)
    {
        return write!(f, "krb5:{principal}");
    }
    match (value.tag, text) {
        (tag::UTF8_STRING, Some(text)) if kind == oid::USER_PRINCIPAL_NAME => {
            write!(f, "upn:{}", Escaped(text))
        }
        (tag::UTF8_STRING, Some(text)) => write!(f, "other:{kind};UTF8:{}", Escaped(text)),
        (tag::IA5_STRING, Some(text)) if text.is_ascii() => {
            write!(f, "other:{kind};IA5:{}", Escaped(text))
        }
        _ => write!(f, "other:{kind};DER:{:x}", Hex(value.whole)),
    }
}

/// Returns the object identifier of a registeredID.
fn identifier(der: &[u8]) -> Option<ObjectIdentifier> {
    let name = Reader::single(der).ok()?;
    let is_one = name.tag == tag::context(8);
    is_one.then(|| ObjectIdentifier::from_bytes(name.content).ok())?
}

/// Returns the text of a Kerberos principal, if that text gives these very bytes.
fn principal(der: &[u8], value: &Element<'_>) -> Option<String> {
    let mut name = Reader::sequence_of(value.whole, "a KRB5PrincipalName").ok()?;
    let realm = name.expect(tag::explicit(0), "a realm").ok()?;
    let realm = std::str::from_utf8(Reader::single(realm.content).ok()?.content).ok()?;
    let name = name.expect(tag::explicit(1), "a principal name").ok()?;
    let mut name = Reader::sequence_of(name.content, "a PrincipalName").ok()?;
    name.expect(tag::explicit(0), "a name type").ok()?;
    let strings = name.expect(tag::explicit(1), "name strings").ok()?;
    let mut strings = Reader::sequence_of(strings.content, "name strings").ok()?;
    let mut parts = Vec::new();
    while !strings.is_empty() {
        parts.push(std::str::from_utf8(strings.any().ok()?.content).ok()?);
    }
    let text = format!("{}@{realm}", parts.join("/"));
    (kerberos_principal(&text).as_deref() == Ok(der)).then_some(text)
}
