//! The user for whom a command runs.

use super::notice::Notice;
use crate::x509::validity::rfc3339;
use nix::unistd::{User, getuid};
use std::sync::{Arc, OnceLock};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// User for whom a command runs: is told what the store does, and is named in what it records.
#[derive(Clone)]
pub(crate) struct Operator {
    moment: OffsetDateTime,
    listener: Arc<dyn Fn(&Notice) + Send + Sync>,
    stamp: Arc<OnceLock<String>>,
}

impl Operator {
    pub(crate) fn new(
        moment: OffsetDateTime,
        listener: impl Fn(&Notice) + Send + Sync + 'static,
    ) -> Self {
        Self {
            moment,
            listener: Arc::new(listener),
            stamp: Arc::default(),
        }
    }

    pub(crate) fn tell(&self, notice: &Notice) {
        (self.listener)(notice);
    }

    /// Returns the same user with another listener.
    pub(crate) fn heard_by(&self, listener: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Self {
            listener: Arc::new(listener),
            ..self.clone()
        }
    }

    /// Returns the fields that each record ends with: the time of recording, and `USER@HOST`.
    pub(super) fn stamp(&self) -> &str {
        self.stamp.get_or_init(|| {
            // With its fractions: records of several CAs have an order within a second too.
            let moment = self
                .moment
                .replace_nanosecond(self.moment.microsecond() * 1000);
            let at = moment.unwrap_or(self.moment).format(&Rfc3339);
            let at = at.unwrap_or_else(|_| rfc3339(self.moment));
            let by = serde_json::Value::from(format!("{}@{}", user(), host()));
            format!(",\"at\":\"{at}\",\"by\":{by}")
        })
    }
}

/// Returns the name of the user who runs the process, or the number of one without a name.
fn user() -> String {
    let id = getuid();
    match User::from_uid(id) {
        Ok(Some(user)) => user.name,
        _ => id.to_string(),
    }
}

fn host() -> String {
    let system = rustix::system::uname();
    system.nodename().to_string_lossy().into_owned()
}
