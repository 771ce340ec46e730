//! Place of the store: a directory, or a database with the user's password for it.

use super::failure::Failure;
use crate::store::{Address, DatabaseUrl, FileError, StoreError, file};
use postgres::config::Host;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const DEFAULT_STORE: &str = "./pki";

/// Port of a server if the URL has none.
const DEFAULT_PORT: u16 = 5432;

/// Returns the value of a variable that is set and not empty.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns the store that is meant: the one that is given, else that of PKI_STORE, else `./pki`.
pub(super) fn store_address(given: Option<PathBuf>) -> Result<Address, Failure> {
    let is_given = given.is_some();
    let from_environment = || variable("PKI_STORE").map(PathBuf::from);
    let store = given
        .or_else(from_environment)
        .unwrap_or_else(|| PathBuf::from(DEFAULT_STORE));
    let Some(scheme) = scheme_of(&store) else {
        return Ok(store.into());
    };
    let Some(text) = store.to_str().filter(|text| DatabaseUrl::is_one(text)) else {
        return Err(Failure::usage(format!(
            "the store is a URL, and {scheme}:// is not supported: give a directory, or postgres://HOST/DATABASE"
        )));
    };
    let url: DatabaseUrl = text.parse().map_err(StoreError::from)?;
    if is_given && url.has_password() {
        return Err(Failure::usage(
            "the URL of the database has a password, which other users can see",
        )
        .hint(
            "put it into ~/.pgpass or the file of passfile=FILE, or set PGPASSWORD or PKI_STORE",
        ));
    }
    let url = url.with_login(user(), None);
    let password = if url.has_password() {
        None
    } else {
        password(&url)?
    };
    Ok(url.with_login(None, password.as_ref()).into())
}

/// Returns whether a variable has the password of a database.
pub(super) fn is_with_password(name: &OsStr) -> bool {
    let has_password = || {
        let url = variable("PKI_STORE").and_then(|url| url.into_string().ok());
        url.and_then(|url| url.parse().ok())
            .is_some_and(|url: DatabaseUrl| url.has_password())
    };
    name == "PGPASSWORD" || (name == "PKI_STORE" && has_password())
}

/// Returns whether the store is the one that is used if none is named.
pub(super) fn is_default(store: &Address) -> bool {
    let directory = store.directory();
    directory.is_some_and(|path| path == Path::new(DEFAULT_STORE) || path == Path::new("pki"))
}

/// The scheme of a store that is given as a URL (RFC 3986 section 3.1), as `postgres`.
fn scheme_of(store: &Path) -> Option<&str> {
    let (scheme, _) = store.to_str()?.split_once("://")?;
    let rest = scheme.strip_prefix(|first: char| first.is_ascii_alphabetic())?;
    let belongs = |character: char| character.is_ascii_alphanumeric() || "+-.".contains(character);
    rest.chars().all(belongs).then_some(scheme)
}

fn user() -> Option<String> {
    let name = variable("PGUSER").or_else(|| variable("USER"))?;
    name.into_string().ok()
}

/// Returns the password of PGPASSWORD, else that of the file of passwords.
fn password(url: &DatabaseUrl) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    if let Some(password) = variable("PGPASSWORD") {
        return Ok(Some(Zeroizing::new(password.into_encoded_bytes())));
    }
    let named = url.passfile().map(Path::to_owned);
    let named = named.or_else(|| variable("PGPASSFILE").map(PathBuf::from));
    let is_named = named.is_some();
    let usual = || Some(PathBuf::from(variable("HOME")?).join(".pgpass"));
    let Some(path) = named.or_else(usual) else {
        return Ok(None);
    };
    let found = match std::fs::metadata(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => return Ok(None),
        Err(error) => return Err(FileError::of("look at", &path)(error).into()),
    };
    if found.mode() & 0o077 != 0 {
        let problem = io::Error::other("others than its owner can read the passwords in it");
        let failure = Failure::from(FileError::of("use", &path)(problem));
        return Err(failure.hint(format!("chmod 600 {}", path.display())));
    }
    let content = Zeroizing::new(file::read(&path)?);
    Ok(password_in(&content, url))
}

/// Finds the password of any of the hosts in a file of passwords.
fn password_in(content: &[u8], url: &DatabaseUrl) -> Option<Zeroizing<Vec<u8>>> {
    let config = url.config();
    let database = config.get_dbname().unwrap_or_default();
    let user = config.get_user().unwrap_or_default();
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(index, host)| {
        let port = ports.get(index).or(ports.first()).copied();
        let name = match host {
            Host::Tcp(name) => name.clone(),
            // As libpq has it for the usual directory of sockets.
            Host::Unix(_) => "localhost".to_owned(),
        };
        (name, port.unwrap_or(DEFAULT_PORT).to_string())
    });
    let hosts: Vec<(String, String)> = hosts.collect();
    let mut lines = content.split(|byte| *byte == b'\n');
    lines.find_map(|line| {
        let fields = fields_of(line.strip_suffix(b"\r").unwrap_or(line));
        let [host, port, of_database, of_user, password] = fields.as_slice() else {
            return None;
        };
        let fits = |field: &[u8], value: &str| field == b"*" || field == value.as_bytes();
        let is_host = hosts
            .iter()
            .any(|(name, number)| fits(host, name) && fits(port, number));
        (is_host && fits(of_database, database) && fits(of_user, user)).then(|| password.clone())
    })
}

/// Splits a line of a file of passwords at its colons; a backslash takes the next byte as it is.
fn fields_of(line: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut fields = Vec::new();
    if line.starts_with(b"#") {
        return fields;
    }
    let mut field = Zeroizing::new(Vec::with_capacity(line.len()));
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => field.extend(bytes.next()),
            b':' if fields.len() < 4 => {
                let next = Zeroizing::new(Vec::with_capacity(line.len()));
                fields.push(std::mem::replace(&mut field, next));
            }
            byte => field.push(byte),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let url: DatabaseUrl = "postgres://ca@a,b:5433/pki".parse().unwrap();
        let found = |content: &str| {
            let found = password_in(content.as_bytes(), &url);
            found.map(|password| String::from_utf8(password.to_vec()).unwrap())
        };
        assert_eq!(
            found("a:5432:pki:ca:one\n*:*:*:*:two\n").as_deref(),
            Some("one")
        );
        assert_eq!(
            found("b:5433:pki:ca:t\\:w\\\\o:x").as_deref(),
            Some("t:w\\o:x")
        );
        assert_eq!(
            found("# a:5432:pki:ca:one\n*:*:pki:*:two\r\n").as_deref(),
            Some("two")
        );
        assert_eq!(
            found("c:5432:pki:ca:one\na:5432:pki:other:one\na:5432:pki\n"),
            None
        );
    }
}
