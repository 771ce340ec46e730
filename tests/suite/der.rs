//! Writer of DER for structures that no library makes: broken or hostile ones.

/// Object identifier in dotted notation.
pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    let oid = const_oid::ObjectIdentifier::new_unwrap(dotted);
    tlv(0x06, oid.as_bytes())
}

/// Tag, length and value.
pub(crate) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut element = vec![tag];
    match length {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        long => {
            element.push(0x80 | u8::try_from(long.len()).unwrap());
            element.extend(long);
        }
    }
    element.extend(value);
    element
}

pub(crate) fn sequence(elements: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &elements.concat())
}

/// Context tag of this number around an element.
pub(crate) fn explicit(number: u8, element: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, element)
}

/// INTEGER that is not negative, of big-endian bytes.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let magnitude = &bytes[zeros..];
    let needs_zero = magnitude.first().is_none_or(|first| *first >= 0x80);
    let padding: &[u8] = if needs_zero { &[0] } else { &[] };
    tlv(0x02, &[padding, magnitude].concat())
}

pub(crate) fn octet_string(value: &[u8]) -> Vec<u8> {
    tlv(0x04, value)
}

/// BIT STRING of whole bytes.
pub(crate) fn bit_string(value: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], value].concat())
}

/// Name of one attribute, a UTF8String.
pub(crate) fn name(attribute: &str, value: &str) -> Vec<u8> {
    let pair = sequence(&[&oid(attribute), &tlv(0x0c, value.as_bytes())]);
    sequence(&[&tlv(0x31, &pair)])
}

/// PEM object of this label.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    pem::encode(&pem::Pem::new(label, der))
}
