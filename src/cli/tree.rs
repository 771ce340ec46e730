//! `pki tree`.

use super::context::Context;
use super::failure::Failure;
use super::report::Report;
use crate::ca::Status;
use crate::key::KeyUri;
use crate::store::{Ca, PendingCa, StoreError};
use crate::x509::text::Escaped;
use crate::x509::validity::rfc3339;
use clap::Args;
use serde::Serialize;
use std::fmt::Write;
use time::OffsetDateTime;

/// Show the CAs of the store as a tree
#[derive(Args)]
pub(super) struct TreeArgs {}

#[derive(Serialize)]
struct Node {
    ca: String,
    subject: String,
    not_before: Option<String>,
    not_after: Option<String>,
    key_type: String,
    key_here: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_uri: Option<KeyUri>,
    path_length: Option<u32>,
    status: &'static str,
    /// Whether the store is a fixture store.
    fixture: bool,
    subordinates: Vec<Node>,
}

impl TreeArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self {} = self;
        let store = context.open_store()?;
        let cas = store.cas()?;
        // What has no parent in the store is shown at the top, so that every CA is shown.
        let is_top = |ca: &&Ca| match &ca.record().parent {
            Some(parent) => !cas.iter().any(|other| other.name() == parent),
            None => true,
        };
        let tops: Vec<&Ca> = cas.iter().filter(is_top).collect();
        let mut nodes: Vec<Node> = tops
            .into_iter()
            .map(|ca| node(ca, &cas, store.is_fixture(), context.now))
            .collect::<Result<_, _>>()?;
        let waiting = store.pending_cas()?;
        let waiting = waiting.iter();
        nodes.extend(waiting.map(|ca| waiting_node(ca, store.is_fixture())));
        let mut text = String::new();
        if store.is_fixture() {
            text.push_str("fixture store: its certificates may have defects\n");
        }
        for node in &nodes {
            draw(node, "", "", &mut text);
        }
        Ok(Report::new(&nodes, text).answer())
    }
}

fn node(ca: &Ca, all: &[Ca], fixture: bool, now: OffsetDateTime) -> Result<Node, StoreError> {
    let certificate = ca.certificate();
    let validity = certificate.validity();
    let children = all
        .iter()
        .filter(|other| other.record().parent.as_ref() == Some(ca.name()));
    Ok(Node {
        ca: ca.name().to_string(),
        subject: certificate.subject().to_string(),
        not_after: Some(rfc3339(validity.not_after)),
        key_type: certificate.public_key().algorithm().to_string(),
        key_here: ca.has_key()?,
        key_uri: ca.record().key_uri.clone(),
        path_length: certificate
            .basic_constraints()
            .and_then(|basic| basic.path_length),
        not_before: Some(rfc3339(validity.not_before)),
        status: Status::at(validity.not_before, validity.not_after, now).as_str(),
        fixture,
        subordinates: children
            .map(|child| node(child, all, fixture, now))
            .collect::<Result<_, _>>()?,
    })
}

fn waiting_node(waiting: &PendingCa, fixture: bool) -> Node {
    let request = waiting.request();
    Node {
        ca: waiting.name().to_string(),
        subject: request.subject().to_string(),
        not_before: None,
        not_after: None,
        key_type: request.public_key().algorithm().to_string(),
        key_here: true,
        key_uri: waiting.record().key_uri.clone(),
        path_length: None,
        status: "waiting",
        fixture,
        subordinates: Vec::new(),
    }
}

fn draw(node: &Node, lead: &str, branch: &str, text: &mut String) {
    let mut facts = vec![node.key_type.clone()];
    facts.extend(
        node.not_after
            .as_ref()
            .map(|end| format!("until {}", &end[..10])),
    );
    match node.status {
        "valid" => {}
        "waiting" => facts.push("pending, without a certificate".to_owned()),
        "not-yet-valid" => facts.extend(
            node.not_before
                .as_ref()
                .map(|begin| format!("not valid before {begin}")),
        ),
        status => facts.push(status.to_owned()),
    }
    if let Some(length) = node.path_length {
        facts.push(format!("path length {length}"));
    }
    if let Some(uri) = &node.key_uri {
        facts.push(format!("key {uri}"));
    }
    if !node.key_here {
        facts.push("key not in this store".to_owned());
    }
    let subject = Escaped(&node.subject);
    writeln!(
        text,
        "{lead}{branch}{}  {subject}  ({})",
        node.ca,
        facts.join(", ")
    )
    .expect("a String takes everything");
    let lead = format!(
        "{lead}{}",
        match branch {
            "" => "",
            "└─ " => "   ",
            _ => "│  ",
        }
    );
    for (index, child) in node.subordinates.iter().enumerate() {
        let last = index + 1 == node.subordinates.len();
        draw(child, &lead, if last { "└─ " } else { "├─ " }, text);
    }
}
