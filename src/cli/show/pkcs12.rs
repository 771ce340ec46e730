//! PKCS #12 files as `pki show` describes them.

use crate::asn1::oid;
use crate::ca::Pkcs12File;
use crate::cli::describe;
use crate::cli::failure::Failure;
use crate::cli::passphrase::UserPassphrases;
use crate::key::KeyError;
use serde_json::{Value, json};

/// Describes the file, and then its certificates and keys.
pub(super) fn described(
    file: &mut Pkcs12File,
    passphrases: &mut UserPassphrases,
) -> Result<Vec<Value>, Failure> {
    let is_key = |kind| matches!(kind, oid::KEY_BAG | oid::PKCS8_SHROUDED_KEY_BAG);
    let others = file.contents.others.iter().filter(|kind| !is_key(**kind));
    let others: Vec<String> = others.map(oid::called).collect();
    let keys = file.keys(None, passphrases)?;
    let passphrase = match &file.passphrase {
        None => "none",
        Some(passphrase) if passphrase.is_empty() => "empty",
        Some(_) => "given",
    };
    let file_entry = json!({
        "type": "pkcs12",
        "mac": file.has_mac,
        "passphrase": passphrase,
        "certificates": file.contents.certificates.len(),
        "keys": keys.len(),
        "others": others,
    });
    let mut described = vec![file_entry];
    let bags = file.contents.certificates.iter();
    for (certificate, bag) in file.certificates().into_iter().zip(bags) {
        let certificate = certificate.map_err(|unread| unread.into_error(false))?;
        described.push(with_alias(
            describe::certificate(&certificate),
            bag.alias.as_ref(),
        ));
    }
    for key in &keys {
        let mut value = match describe::private_key("PRIVATE KEY", &[], &key.der) {
            Err(KeyError::Unsupported { algorithm }) => json!({
                "type": "private_key",
                "encrypted": key.was_encrypted,
                "subject_public_key_info": { "algorithm": algorithm },
            }),
            described => described.map_err(|error| file.unusable(error))?,
        };
        value["encrypted"] = json!(key.was_encrypted);
        described.push(with_alias(value, key.alias.as_ref()));
    }
    Ok(described)
}

fn with_alias(mut value: Value, alias: Option<&String>) -> Value {
    if let Some(alias) = alias {
        value["alias"] = json!(alias);
    }
    value
}
