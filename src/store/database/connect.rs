//! Connecting to a database, and the settings under which what is committed is durable.

use super::tls::Tls;
use super::url::DatabaseUrl;
use crate::store::error::StoreError;
use crate::store::location::Location;
use postgres::config::{Host, SslMode};
use postgres::{Client, NoTls};
use std::time::Duration;

/// Seconds after which a statement stops waiting for others; see [`SETTINGS`].
pub(super) const PATIENCE: u64 = 60;

/// Time for a connection to one host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// First version of PostgreSQL that is supported, as `server_version_num` has it.
const FIRST_VERSION: u32 = 150_000;

/// Settings of a connection. A transaction that waits for nobody, as of a process that was stopped, keeps nobody
/// waiting for long.
const SETTINGS: &str = "-c lock_timeout=60s -c statement_timeout=600s \
    -c idle_in_transaction_session_timeout=60s -c client_min_messages=warning -c bytea_output=hex -c search_path=";

/// Connects.
pub(super) fn connect(url: &DatabaseUrl) -> Result<Client, StoreError> {
    let location = Location::in_database(&url.to_string(), "");
    let failed = |source: postgres::Error| StoreError::Connection {
        path: location.clone(),
        source,
    };
    let mut config = url.config().clone();
    let own = config.get_options().map(|own| format!("{SETTINGS} {own}"));
    config.options(own.as_deref().unwrap_or(SETTINGS));
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
    client.map_err(failed)
}

/// Returns why a server with a setting cannot keep a store.
pub(super) fn unsuitable(name: &str, setting: &str) -> Option<&'static str> {
    match (name, setting) {
        ("server_version_num", version) if version.parse().unwrap_or(0) < FIRST_VERSION => {
            Some("is older than PostgreSQL 15")
        }
        ("synchronous_commit", "off") => {
            Some("loses what it acknowledged: synchronous_commit is off")
        }
        ("fsync", "off") => Some("loses what it acknowledged: fsync is off"),
        ("full_page_writes", "off") => Some("loses what it acknowledged: full_page_writes is off"),
        ("server_encoding", encoding) if encoding != "UTF8" => {
            Some("has another encoding than UTF8")
        }
        _ => None,
    }
}
