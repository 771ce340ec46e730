//! Words that users type, and values of their tables: bytes that are not UTF-8 are replaced first.

use super::{NOW, harmless, said};
use crate::ca::Defect;
use crate::key::KeyType;
use crate::store::CaName;
use crate::x509::general_name::GeneralName;
use crate::x509::text::Escaped;
use crate::x509::validity::{Moment, parse_rfc3339, rfc3339};
use crate::x509::verify::Hostname;
use crate::x509::{Name, NameConstraints, Profile, Reason, Serial, Subtree};
use std::str::FromStr;

/// A subject: its DER is read again as the same name, and so is its text, if it can be typed.
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

/// SANs, subtrees of name constraints, and host names.
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

/// A serial number in any notation: its printed form means the same number, and only that.
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

/// Times and durations, and words of closed sets.
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
    word::<Defect>(&text);
}

fn word<T: FromStr<Err: std::error::Error + 'static>>(text: &str) {
    if let Err(error) = text.parse::<T>() {
        said(&error);
    }
}

/// Text from outside, escaped: harmless text is unchanged.
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
    if !text.contains(crate::x509::text::is_deceptive) {
        assert_eq!(escaped, text);
    }
}
