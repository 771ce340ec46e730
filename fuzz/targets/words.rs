//! What users type, and others put into their tables: whatever is not UTF-8 is replaced first.

use super::{NOW, harmless, said};
use pki::ca::Flaw;
use pki::key::KeyType;
use pki::store::CaName;
use pki::x509::general_name::GeneralName;
use pki::x509::text::Escaped;
use pki::x509::validity::{Moment, parse_rfc3339, rfc3339};
use pki::x509::verify::Hostname;
use pki::x509::{Name, NameConstraints, Profile, Reason, Serial, Subtree};
use std::str::FromStr;

/// A subject: its DER is read again as the same name, and so is what is written of it where it was typed.
pub fn name(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(name) = text.parse::<CaName>() {
        assert_eq!(name.as_str(), text);
    }
    for name in [Name::parse(&text), Name::from_common_name(&text)] {
        let name = match name {
            Ok(name) => name,
            Err(error) => {
                said(&error);
                continue;
            }
        };
        let again = Name::from_der(name.der()).expect("what is written is read");
        assert_eq!(again, name);
        let _ = (name.openssl_hash(), name.check(), name.common_name());
        let shown = name.to_string();
        harmless(&Escaped(&shown).to_string());
        if let Ok(reread) = Name::parse(&shown) {
            assert_eq!(reread.to_string(), shown, "{text:?}");
        }
    }
}

/// Alternative names, the subtrees of constraints, and hosts.
pub fn alternative_name(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match GeneralName::parse_list(&text) {
        Ok(names) => {
            for name in names {
                let again = GeneralName::parse(&name.to_string());
                assert_eq!(again.as_ref(), Ok(&name), "{text:?}");
            }
        }
        Err(error) => said(&error),
    }
    match text.parse::<Subtree>() {
        Ok(subtree) => {
            let constraints = NameConstraints {
                permitted: vec![subtree],
                excluded: Vec::new(),
            };
            let read = NameConstraints::from_der(&constraints.to_der());
            assert_eq!(read.expect("what is written is read"), constraints);
        }
        Err(error) => said(&error),
    }
    let _ = text.parse::<Hostname>();
}

/// A serial number in any notation: what is printed means the same number, and in one way only.
pub fn serial(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let readings = match Serial::readings(&text) {
        Ok(readings) => readings,
        Err(error) => return said(&error),
    };
    for serial in std::iter::once(readings.first).chain(readings.other) {
        let printed = serial.to_string();
        assert_eq!(printed.parse(), Ok(serial));
        let with_mark = Serial::readings(&format!("0x{printed}"));
        let with_mark = with_mark.expect("what is printed is read");
        assert_eq!((with_mark.first, with_mark.other), (serial, None));
    }
}

/// Times and durations, and the words of which there are few.
pub fn moment(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match text.parse::<Moment>() {
        Ok(moment) => {
            if let Some(time) = moment.resolve(NOW) {
                assert_eq!(parse_rfc3339(&rfc3339(time)), Some(time));
            }
        }
        Err(error) => said(&error),
    }
    word::<KeyType>(&text);
    word::<Profile>(&text);
    word::<Reason>(&text);
    word::<Flaw>(&text);
}

fn word<T: FromStr<Err: std::error::Error + 'static>>(text: &str) {
    if let Err(error) = text.parse::<T>() {
        said(&error);
    }
}

/// Text from others, made harmless; and all that was harmless is as it was.
pub fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let escaped = Escaped(&text).to_string();
    harmless(&escaped);
    assert!(!escaped.contains('\n'));
    let invisible = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    assert!(!escaped.contains(invisible), "{escaped:?}");
    if !text.contains(pki::x509::text::is_deceptive) {
        assert_eq!(escaped, text);
    }
}
