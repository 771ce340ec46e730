//! Certificates, requests, CRLs, OCSP responses and keys as data, by the field names of their RFCs, and as text
//! made of that data.

use crate::asn1::{Hex, Malformed, Reader, oid};
use crate::key::{KeyError, KeyFile, PublicKey};
use crate::store::Issuance;
use crate::x509::certificate::{algorithm_name, serial_hex};
use crate::x509::crl::{Crl, ReadEntry};
use crate::x509::extension::{Extension, key_usage_names};
use crate::x509::ocsp::{CertStatus, OcspResponse, ReadSingle, ResponderId};
use crate::x509::text::Escaped;
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, CertificationRequest, Fingerprint, GeneralName, NameConstraints};
use const_oid::ObjectIdentifier;
use serde_json::{Map, Value, json};
use std::fmt::Write;

pub(super) fn certificate(certificate: &Certificate) -> Value {
    let validity = certificate.validity();
    let serial = certificate.serial().map_or_else(
        |error| format!("{} ({error})", hex(certificate.serial_bytes())),
        |serial| serial.to_string(),
    );
    json!({
        "type": "certificate",
        "version": certificate.version(),
        "serial_number": serial,
        "signature": algorithm_name(certificate.inner_algorithm()),
        "issuer": certificate.issuer().to_string(),
        "validity": {
            "not_before": rfc3339(validity.not_before),
            "not_after": rfc3339(validity.not_after),
        },
        "subject": certificate.subject().to_string(),
        "subject_public_key_info": public_key(certificate.public_key()),
        "extensions": extensions(certificate.extensions()),
        "fingerprint_sha256": certificate.fingerprint().to_string(),
    })
}

/// Record of a certificate that the store does not have.
pub(super) fn record(issuance: &Issuance) -> Value {
    json!({
        "type": "certificate",
        "serial_number": issuance.serial.to_string(),
        "validity": {
            "not_before": rfc3339(issuance.not_before),
            "not_after": rfc3339(issuance.not_after),
        },
        "subject": issuance.subject,
        "certificate": "not in the store",
    })
}

pub(super) fn request(request: &CertificationRequest) -> Value {
    let attributes: Vec<String> = request.other_attributes().iter().map(oid_name).collect();
    json!({
        "type": "certification_request",
        "subject": request.subject().to_string(),
        "subject_public_key_info": public_key(request.public_key()),
        "extensions": extensions(request.extensions()),
        "other_attributes": attributes,
        "signature_algorithm": request.algorithm_name(),
        "signature_verifies": request.verify().is_ok(),
        "fingerprint_sha256": Fingerprint::of(request.der()).to_string(),
    })
}

/// A revocation list: its fields, and how many entries it has.
pub(super) fn list(list: &Crl<'_>) -> Result<Value, Malformed> {
    let mut entries = 0;
    for entry in list.entries() {
        entry?;
        entries += 1;
    }
    Ok(json!({
        "type": "certificate_list",
        "version": list.version(),
        "signature": algorithm_name(list.algorithm()),
        "issuer": list.issuer().to_string(),
        "this_update": rfc3339(list.this_update()),
        "next_update": list.next_update().map(rfc3339),
        "crl_extensions": extensions(list.extensions()),
        "entries": entries,
        "fingerprint_sha256": Fingerprint::of(list.der()).to_string(),
    }))
}

/// Returns an entry of a CRL.
pub(super) fn crl_entry(entry: &ReadEntry<'_>) -> Value {
    let serial = entry
        .serial()
        .map_or_else(|| hex(entry.serial), |serial| serial.to_string());
    let mut value = json!({
        "user_certificate": serial,
        "revocation_date": rfc3339(entry.revoked_at),
    });
    if let Some(reason) = entry.reason {
        value["reason_code"] = json!(reason.as_str());
    }
    if let Some(date) = entry.invalidity_date {
        value["invalidity_date"] = json!(rfc3339(date));
    }
    value
}

/// Returns an OCSP response, by the field names of RFC 6960.
pub(super) fn ocsp(response: &OcspResponse<'_>) -> Value {
    let mut value = json!({
        "type": "ocsp_response",
        "response_status": response.status.as_str(),
    });
    let Some(basic) = &response.basic else {
        return value;
    };
    value["responder_id"] = match &basic.responder {
        ResponderId::Name(name) => json!({ "by_name": name.to_string() }),
        ResponderId::KeyHash(hash) => json!({ "by_key": hex(hash) }),
    };
    value["produced_at"] = json!(rfc3339(basic.produced_at));
    value["responses"] = basic.singles.iter().map(single_response).collect();
    value["response_extensions"] = json!(extensions(&basic.extensions));
    value["signature_algorithm"] = json!(algorithm_name(basic.algorithm()));
    let certificates = basic.certificates.iter();
    value["certs"] = certificates
        .map(|certificate| {
            json!({
                "subject": certificate.subject().to_string(),
                "serial_number": serial_hex(certificate.serial_bytes()),
                "not_after": rfc3339(certificate.validity().not_after),
                "fingerprint_sha256": certificate.fingerprint().to_string(),
            })
        })
        .collect();
    value
}

fn single_response(single: &ReadSingle<'_>) -> Value {
    let mut value = json!({
        "cert_id": {
            "hash_algorithm": oid_name(&single.id.algorithm),
            "issuer_name_hash": hex(single.id.name_hash),
            "issuer_key_hash": hex(single.id.key_hash),
            "serial_number": serial_hex(single.id.serial),
        },
    });
    value["cert_status"] = json!(match single.status {
        CertStatus::Good => "good",
        CertStatus::Revoked { .. } => "revoked",
        CertStatus::Unknown => "unknown",
    });
    if let CertStatus::Revoked { at, reason } = single.status {
        value["revocation_time"] = json!(rfc3339(at));
        value["revocation_reason"] = json!(reason.as_str());
    }
    value["this_update"] = json!(rfc3339(single.this_update));
    value["next_update"] = json!(single.next_update.map(rfc3339));
    value["single_extensions"] = json!(extensions(&single.extensions));
    value
}

/// A private key, of which nothing is shown but what kind it is.
pub(super) fn private_key(label: &str, headers: &[String], der: &[u8]) -> Result<Value, KeyError> {
    if !headers.is_empty() {
        return Ok(json!({ "type": "private_key", "encrypted": true }));
    }
    Ok(
        match KeyFile::parse(&crate::pem::encode_secret(label, der))? {
            KeyFile::Plain(key) => json!({
                "type": "private_key",
                "encrypted": false,
                "subject_public_key_info": public_key(key.public()),
            }),
            KeyFile::Encrypted(_) => json!({ "type": "private_key", "encrypted": true }),
        },
    )
}

pub(super) fn public_key(key: &PublicKey) -> Value {
    json!({
        "algorithm": key.algorithm().to_string(),
        "key_identifier": hex(&key.key_identifier()),
        "sha256": Fingerprint::of(key.spki()).to_string(),
    })
}

fn extensions(extensions: &[Extension]) -> Vec<Value> {
    extensions
        .iter()
        .map(|extension| {
            json!({
                "extn_id": oid_name(&extension.oid),
                "critical": extension.critical,
                "extn_value": extension_value(extension).unwrap_or_else(|| json!(hex(&extension.value))),
            })
        })
        .collect()
}

/// The value as data; `None` where it is unknown or broken, and its bytes have to do.
fn extension_value(extension: &Extension) -> Option<Value> {
    let names = |names: Vec<GeneralName>| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let identifiers = |list: Vec<ObjectIdentifier>| list.iter().map(oid_name).collect::<Vec<_>>();
    Some(match extension.oid {
        oid::BASIC_CONSTRAINTS => {
            let basic = extension.to_basic_constraints().ok()?;
            let mut value = json!({ "ca": basic.ca });
            if let Some(length) = basic.path_length {
                value["path_len_constraint"] = json!(length);
            }
            value
        }
        oid::KEY_USAGE => json!(key_usage_names(extension.to_key_usage().ok()?)),
        oid::EXT_KEY_USAGE => json!(identifiers(extension.to_extended_key_usage().ok()?)),
        oid::SUBJECT_ALT_NAME | oid::ISSUER_ALT_NAME => {
            json!(names(extension.to_general_names().ok()?))
        }
        oid::SUBJECT_KEY_IDENTIFIER => json!(hex(&extension.to_subject_key_identifier().ok()?)),
        oid::AUTHORITY_KEY_IDENTIFIER => {
            json!(hex(&extension.to_authority_key_identifier().ok()?.key?))
        }
        oid::CRL_DISTRIBUTION_POINTS | oid::FRESHEST_CRL => {
            json!(extension.to_distribution_urls().ok()?)
        }
        oid::CERTIFICATE_POLICIES => json!(identifiers(extension.to_policies().ok()?)),
        oid::NAME_CONSTRAINTS => {
            name_constraints(&NameConstraints::from_der(&extension.value).ok()?)
        }
        oid::AUTHORITY_INFO_ACCESS | oid::SUBJECT_INFO_ACCESS => {
            let described = |(method, location): (ObjectIdentifier, GeneralName)| json!({ "access_method": oid_name(&method), "access_location": location.to_string() });
            extension
                .to_access_descriptions()
                .ok()?
                .into_iter()
                .map(described)
                .collect()
        }
        oid::OCSP_NO_CHECK => Value::Null,
        oid::CRL_NUMBER => {
            json!(hex(Reader::single(&extension.value).ok()?.unsigned().ok()?).to_uppercase())
        }
        _ => return None,
    })
}

fn name_constraints(constraints: &NameConstraints) -> Value {
    let texts = |subtrees: &[crate::x509::Subtree]| {
        subtrees.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    json!({
        "permitted_subtrees": texts(&constraints.permitted),
        "excluded_subtrees": texts(&constraints.excluded),
    })
}

fn oid_name(identifier: &ObjectIdentifier) -> String {
    oid::name(identifier).map_or_else(|| identifier.to_string(), str::to_owned)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    format!("{:x}", Hex(bytes))
}

/// The same data as indented lines; what comes from outside is made harmless.
pub(super) fn text(value: &Value) -> String {
    let mut text = String::new();
    if let Value::Object(fields) = value {
        let mut rest = fields.clone();
        if let Some(Value::String(kind)) = rest.shift_remove("type") {
            writeln!(text, "{}", kind.replace('_', " ")).expect("a String takes everything");
        }
        write_fields(&rest, 1, &mut text);
    }
    text
}

fn write_fields(fields: &Map<String, Value>, depth: usize, text: &mut String) {
    let width = fields.keys().map(String::len).max().unwrap_or(0);
    for (name, value) in fields {
        let label = name.replace('_', " ");
        let indent = "  ".repeat(depth);
        if let Some(line) = one_line(value) {
            writeln!(text, "{indent}{label:width$}  {}", Escaped(&line))
                .expect("a String takes everything");
            continue;
        }
        writeln!(text, "{indent}{label}").expect("a String takes everything");
        match value {
            Value::Object(fields) => write_fields(fields, depth + 1, text),
            Value::Array(items) => items
                .iter()
                .for_each(|item| write_item(item, depth + 1, text)),
            _ => {}
        }
    }
}

fn write_item(item: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    if let Some(extension) = extension_line(item) {
        writeln!(text, "{indent}{}", Escaped(&extension)).expect("a String takes everything");
    } else if let Some(line) = one_line(item) {
        writeln!(text, "{indent}{}", Escaped(&line)).expect("a String takes everything");
    } else if let Value::Object(fields) = item {
        write_fields(fields, depth, text);
    }
}

/// An extension reads best on one line: its name, whether it is critical, its value.
fn extension_line(item: &Value) -> Option<String> {
    let name = item.get("extn_id")?.as_str()?;
    let critical = if item.get("critical")?.as_bool()? {
        " (critical)"
    } else {
        ""
    };
    let value = item.get("extn_value")?;
    if value.is_null() {
        return Some(format!("{name}{critical}"));
    }
    Some(format!("{name}{critical}: {}", inline(value)))
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(inline).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .filter(|(_, value)| !value.as_array().is_some_and(Vec::is_empty));
            let parts: Vec<_> = fields
                .map(|(name, value)| format!("{} {}", name.replace('_', " "), inline(value)))
                .collect();
            parts.join(", ")
        }
        other => other.to_string(),
    }
}

fn one_line(value: &Value) -> Option<String> {
    match value {
        Value::Array(items) if items.is_empty() => Some("none".into()),
        Value::Array(items) if items.iter().all(Value::is_string) => Some(inline(value)),
        Value::Array(_) | Value::Object(_) => None,
        Value::Null => Some(String::new()),
        _ => Some(inline(value)),
    }
}
