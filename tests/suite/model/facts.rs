//! What commands said: every line of it is an acknowledgement.

use serde_json::{Deserializer, Value};

/// Something that a command has acknowledged.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    /// A CA was made, or has another certificate of its key.
    Authority {
        name: String,
        above: Option<String>,
        serial: String,
    },
    /// A certificate was issued; by an earlier run, where it is known already.
    Issued {
        ca: String,
        serial: String,
        already: bool,
    },
    /// A certificate is revoked, or with no reason released.
    Stands {
        ca: String,
        serial: String,
        reason: Option<String>,
    },
    /// A list is published. So many were signed now, from this number on.
    List {
        ca: String,
        number: u128,
        signed: u128,
    },
}

/// Which of the forms of output it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Authority,
    Issued,
    Stands,
    Lists,
    Steps,
    /// Nothing that has to be remembered.
    Nothing,
}

/// The documents on a standard output; where a process was killed, the whole ones.
pub(super) fn documents(stdout: &str) -> Vec<Value> {
    let stream = Deserializer::from_str(stdout).into_iter::<Value>();
    let documents = stream.map_while(Result::ok);
    documents
        .flat_map(|document| match document {
            Value::Array(all) => all,
            one => vec![one],
        })
        .collect()
}

pub(super) fn facts(says: Says, stdout: &str) -> Vec<Fact> {
    let documents = documents(stdout);
    documents
        .iter()
        .flat_map(|document| facts_of(says, document))
        .collect()
}

pub(super) fn text(document: &Value, field: &str) -> String {
    document[field].as_str().unwrap_or_default().to_owned()
}

fn facts_of(says: Says, document: &Value) -> Vec<Fact> {
    let named = |field| text(document, field);
    let (ca, serial) = (named("ca"), named("serial"));
    match says {
        Says::Nothing => Vec::new(),
        Says::Authority => vec![Fact::Authority {
            name: ca,
            above: document["parent"].as_str().map(str::to_owned),
            serial,
        }],
        Says::Issued => {
            let superseded = (document["superseded"] == true).then(|| Fact::Stands {
                ca: ca.clone(),
                serial: named("renews"),
                reason: Some("superseded".into()),
            });
            let already = document["already"] == true;
            let issued = Fact::Issued {
                ca,
                serial,
                already,
            };
            std::iter::once(issued).chain(superseded).collect()
        }
        Says::Stands => vec![Fact::Stands {
            ca,
            serial,
            reason: document["reason"].as_str().map(str::to_owned),
        }],
        Says::Lists => {
            let ahead = document["ahead"]["lists"].as_u64().unwrap_or(0);
            let signed = document["signed"] == true;
            vec![Fact::List {
                ca,
                number: named("number").parse().unwrap_or(0),
                signed: u128::from(signed) * (1 + u128::from(ahead)),
            }]
        }
        // A revocation that an entry asks for is always for the one reason that it names.
        Says::Steps => match (document["kind"].as_str(), document["action"].as_str()) {
            (Some("certificate"), Some("issue" | "reissue" | "renew")) => vec![Fact::Issued {
                ca,
                serial,
                already: false,
            }],
            (Some("certificate"), Some("revoke")) => vec![Fact::Stands {
                ca,
                serial,
                reason: Some("superseded".into()),
            }],
            _ => Vec::new(),
        },
    }
}
