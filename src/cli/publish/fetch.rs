//! Files of a repository, from a directory or over HTTP.

use crate::ca::{FetchError, Fetched, Input, RepositoryError, Size, url_path};
use crate::cli::failure::Failure;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// Seconds for one file.
const TIMEOUT: u64 = 30;

/// Most bytes of a file: more than any CRL has.
const MOST_BYTES: usize = 512 << 20;

/// Most bytes of the headers of an answer.
const MOST_HEADERS: usize = 64 << 10;

/// Place of a repository.
pub(super) enum Place {
    Directory(PathBuf),
    /// Without a slash at its end.
    Url(String),
}

impl Place {
    pub(super) fn of(text: &str) -> Result<Self, Failure> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let directory = PathBuf::from(text);
            return if directory.is_dir() {
                Ok(Self::Directory(directory))
            } else {
                Err(RepositoryError::NotADirectory { path: directory }.into())
            };
        };
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(Failure::usage(format!(
                "{scheme}:// is not supported: give a directory or an http:// URL"
            )));
        }
        let (host, _) = rest.split_once('/').unwrap_or((rest, ""));
        let (name, port) = host.split_once(':').unwrap_or((host, "80"));
        let is_right = !name.is_empty()
            && !rest.contains(['@', '[', ']', '?', '#'])
            && port.parse::<u16>().is_ok_and(|port| port > 0);
        if !is_right {
            return Err(Failure::usage(
                "the URL of --check is http://HOST[:PORT][/PATH], where HOST is a name or an IPv4 address",
            ));
        }
        Ok(Self::Url(format!("http://{}", rest.trim_end_matches('/'))))
    }

    pub(super) fn url(&self) -> Option<String> {
        match self {
            Self::Directory(_) => None,
            Self::Url(url) => Some(url.clone()),
        }
    }

    /// Gets a file; `None` if there is none.
    pub(super) fn fetch(&mut self, path: &str) -> Result<Option<Fetched>, FetchError> {
        match self {
            Self::Directory(directory) => read(&directory.join(path)),
            Self::Url(url) => get(&format!("{url}/{}", url_path(path))),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(directory) => directory.display().fmt(f),
            Self::Url(url) => f.write_str(url),
        }
    }
}

/// Reads a file of a directory. Only regular files are opened, as others may never end.
fn read(path: &Path) -> Result<Option<Fetched>, FetchError> {
    let failed = |problem: &dyn fmt::Display| FetchError::File(problem.to_string());
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(failed(&"it is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    }
    let input = Input::read_of(Size::Any, path).map_err(|error| failed(&error))?;
    Ok(Some(Fetched {
        content: input.into_content(),
        media_type: None,
    }))
}

/// Gets a URL within limits of time and size; redirects are not followed.
fn get(url: &str) -> Result<Option<Fetched>, FetchError> {
    let no_answer = |error: minreq::Error| FetchError::NoAnswer(error.to_string());
    let response = minreq::get(url)
        .with_timeout(TIMEOUT)
        .with_max_headers_size(MOST_HEADERS)
        .with_max_status_line_length(MOST_HEADERS)
        .with_follow_redirects(false)
        .send_lazy()
        .map_err(no_answer)?;
    match response.status_code {
        200 => {}
        404 | 410 => return Ok(None),
        status => {
            return Err(FetchError::File(format!(
                "the server answers {status} {}",
                response.reason_phrase
            )));
        }
    }
    let media_type = response.headers.get("content-type").cloned();
    let mut content = Vec::new();
    for byte in response {
        let (byte, _) = byte.map_err(no_answer)?;
        if content.len() == MOST_BYTES {
            return Err(FetchError::File("it exceeds 512 MiB".into()));
        }
        content.push(byte);
    }
    Ok(Some(Fetched {
        content,
        media_type,
    }))
}
