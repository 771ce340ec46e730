//! Connecting to a database, on settings under which what is committed is durable.

use super::tls::Tls;
use super::url::DatabaseUrl;
use crate::store::error::StoreError;
use crate::store::location::Location;
use postgres::config::{Host, SslMode};
use postgres::{Client, NoTls, SimpleQueryMessage, SimpleQueryRow};
use std::time::Duration;

/// Seconds after which a statement stops waiting for others; see [`SETTINGS`].
pub(super) const PATIENCE: u64 = 60;

/// Time for a connection to one host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// First version of PostgreSQL that is supported, as `server_version_num` has it.
const FIRST_VERSION: u32 = 150_000;

/// Settings of a connection: what they are, and their values. A transaction that waits for nobody, as of a process
/// that was stopped, keeps nobody waiting for long.
const SETTINGS: [(&str, &str); 6] = [
    ("lock_timeout", "60s"),
    ("statement_timeout", "600s"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("client_min_messages", "warning"),
    ("TimeZone", "UTC"),
    ("search_path", ""),
];

/// Settings of the server on which the promises of a store depend.
const NEEDED: [&str; 5] = [
    "server_version_num",
    "synchronous_commit",
    "fsync",
    "full_page_writes",
    "server_encoding",
];

/// Returns the statements that set the ones and ask for the others.
fn settings() -> String {
    let set = SETTINGS.map(|(name, value)| format!("SET {name} = '{value}'; "));
    let asked = NEEDED.map(|name| format!(", current_setting('{name}') AS {name}"));
    format!("{}SELECT 1{}", set.concat(), asked.concat())
}

/// Connects, and refuses a server that would lose what it acknowledged.
pub(super) fn connect(url: &DatabaseUrl) -> Result<Client, StoreError> {
    let location = Location::in_database(&url.to_string(), "");
    let failed = |source: postgres::Error| StoreError::Connection {
        path: location.clone(),
        source,
    };
    let mut config = url.config().clone();
    if config.get_application_name().is_none() {
        config.application_name("pki");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    config.keepalives_idle(Duration::from_secs(30));
    config.tcp_user_timeout(Duration::from_secs(PATIENCE));
    let is_local = config
        .get_hosts()
        .iter()
        .all(|host| matches!(host, Host::Unix(_)));
    let client = if is_local || url.tls().mode.as_deref() == Some("disable") {
        config.ssl_mode(SslMode::Disable);
        config.connect(NoTls)
    } else {
        let tls = Tls::new(url.tls()).map_err(|problem| StoreError::Tls {
            path: location.clone(),
            source: problem,
        })?;
        config.ssl_mode(SslMode::Require);
        config.connect(tls)
    };
    let mut client = client.map_err(failed)?;
    let rows = client.simple_query(&settings()).map_err(failed)?;
    let found = rows.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    match found.and_then(unsuitable) {
        Some(problem) => Err(StoreError::Unsuitable {
            path: location,
            problem,
        }),
        None => Ok(client),
    }
}

/// Returns why a server cannot keep a store.
fn unsuitable(row: &SimpleQueryRow) -> Option<&'static str> {
    let setting = |name: &str| row.get(name).unwrap_or_default();
    let version: u32 = setting("server_version_num").parse().unwrap_or(0);
    if version < FIRST_VERSION {
        return Some("is older than PostgreSQL 15");
    }
    if setting("synchronous_commit") == "off" {
        return Some("loses what it acknowledged: synchronous_commit is off");
    }
    if setting("fsync") == "off" {
        return Some("loses what it acknowledged: fsync is off");
    }
    if setting("full_page_writes") == "off" {
        return Some("loses what it acknowledged: full_page_writes is off");
    }
    if setting("server_encoding") != "UTF8" {
        return Some("has another encoding than UTF8");
    }
    None
}
