//! URLs of databases.

use postgres::Config;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// URL of a database. It is shown without its password.
#[derive(Clone)]
pub(crate) struct DatabaseUrl(Arc<Parts>);

struct Parts {
    shown: String,
    has_password: bool,
    config: Config,
    tls: TlsFiles,
    passfile: Option<PathBuf>,
}

/// Files for TLS, and whether TLS is used.
#[derive(Debug, Clone, Default)]
pub(super) struct TlsFiles {
    pub(super) mode: Option<String>,
    pub(super) root_certificates: Option<PathBuf>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

/// Error of a URL that names no database. It does not repeat the URL, which may have a password.
#[derive(Debug, thiserror::Error)]
#[error("the URL of the database cannot be used: {0}")]
pub(crate) struct BadUrl(String);

/// Name of a PostgreSQL parameter, and the place for its value.
type Taken<'a> = (&'static str, &'a mut Option<String>);

impl FromStr for DatabaseUrl {
    type Err = BadUrl;

    fn from_str(url: &str) -> Result<Self, BadUrl> {
        let (mut mode, mut roots, mut certificate, mut key, mut passfile) =
            (None, None, None, None, None);
        let rest = without_parameters(
            url,
            &mut [
                ("sslmode", &mut mode),
                ("sslrootcert", &mut roots),
                ("sslcert", &mut certificate),
                ("sslkey", &mut key),
                ("passfile", &mut passfile),
            ],
        )?;
        let config: Config = rest
            .parse()
            .map_err(|error: postgres::Error| BadUrl(reason(&error)))?;
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(BadUrl("it has no name of a database".into()));
        }
        let tls = TlsFiles {
            mode,
            root_certificates: roots.map(PathBuf::from),
            certificate: certificate.map(PathBuf::from),
            key: key.map(PathBuf::from),
        };
        Ok(Self(Arc::new(Parts {
            shown: without_password(url),
            has_password: config.get_password().is_some(),
            config,
            tls,
            passfile: passfile.map(PathBuf::from),
        })))
    }
}

impl DatabaseUrl {
    /// Returns whether a text is the URL of a database.
    pub(crate) fn is_one(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Returns whether the password is in the URL.
    pub(crate) fn has_password(&self) -> bool {
        self.0.has_password
    }

    /// Returns the file with passwords that the URL names.
    pub(crate) fn passfile(&self) -> Option<&Path> {
        self.0.passfile.as_deref()
    }

    /// Returns the same with a user and a password, if the URL has none of its own.
    pub(crate) fn with_login(
        &self,
        user: Option<String>,
        password: Option<&Zeroizing<Vec<u8>>>,
    ) -> Self {
        let mut config = self.0.config.clone();
        if let (None, Some(user)) = (config.get_user(), user) {
            config.user(&user);
        }
        if let (None, Some(password)) = (config.get_password(), password) {
            config.password(password.as_slice());
        }
        Self(Arc::new(Parts {
            shown: self.0.shown.clone(),
            has_password: self.0.has_password,
            config,
            tls: self.0.tls.clone(),
            passfile: self.0.passfile.clone(),
        }))
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(super) fn tls(&self) -> &TlsFiles {
        &self.0.tls
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// Returns the words of the innermost error.
fn reason(error: &postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Takes parameters out of a URL.
fn without_parameters(url: &str, taken: &mut [Taken<'_>]) -> Result<String, BadUrl> {
    let Some((begin, parameters)) = url.split_once('?') else {
        return Ok(url.to_owned());
    };
    let mut kept = Vec::new();
    for parameter in parameters
        .split('&')
        .filter(|parameter| !parameter.is_empty())
    {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match taken.iter_mut().find(|(wanted, _)| *wanted == name) {
            Some((_, place)) => **place = Some(decoded(value)?),
            // The password would be seen in the list of processes, and in messages.
            None if name == "password" => {
                return Err(BadUrl("a password is no parameter of a URL".into()));
            }
            None => kept.push(parameter),
        }
    }
    Ok(kept
        .iter()
        .enumerate()
        .fold(begin.to_owned(), |url, (index, parameter)| {
            let sign = if index == 0 { '?' } else { '&' };
            format!("{url}{sign}{parameter}")
        }))
}

/// Decodes percent-encoding.
fn decoded(text: &str) -> Result<String, BadUrl> {
    let bad = || BadUrl(format!("{text:?} has a percent sign that encodes nothing"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|digit| digit.map(char::from));
        let [Some(high), Some(low)] =
            digits.map(|digit| digit.and_then(|digit| digit.to_digit(16)))
        else {
            return Err(bad());
        };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| bad())?);
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

/// Returns a URL without the password before the host.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let Some((user, hosts)) = authority.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{hosts}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> DatabaseUrl {
        url.parse().unwrap()
    }

    #[test]
    fn a_url_is_shown_without_its_password() {
        let shown = |url: &str| parsed(url).to_string();
        assert_eq!(
            shown("postgres://ca:secret@a,b:5433/pki?target_session_attrs=read-write"),
            "postgres://ca@a,b:5433/pki?target_session_attrs=read-write"
        );
        assert_eq!(
            shown("postgres://ca:se%40cret@h/pki"),
            "postgres://ca@h/pki"
        );
        assert_eq!(
            shown("postgresql:///pki?host=/run/pg"),
            "postgresql:///pki?host=/run/pg"
        );
        assert!(!format!("{:?}", parsed("postgres://ca:secret@h/pki")).contains("secret"));
    }

    #[test]
    fn files_for_tls_are_taken_out_of_the_url() {
        let url =
            parsed("postgres://h/pki?sslmode=verify-full&sslrootcert=%2Fetc%2Fa.pem&sslkey=k");
        assert_eq!(url.tls().root_certificates, Some("/etc/a.pem".into()));
        assert_eq!(url.tls().key, Some("k".into()));
        assert_eq!(url.tls().mode.as_deref(), Some("verify-full"));
    }

    #[test]
    fn unusable_urls_are_refused_without_repeating_them() {
        for url in [
            "postgres://ca:secret@h",
            "postgres://ca:secret@h/pki?sslmdoe=disable",
            "postgres://ca:secret@h/pki?passfile=%zz",
            "postgres://ca@h/pki?password=secret",
            "postgres://ca:secret@h:port/pki",
        ] {
            let error = url.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
