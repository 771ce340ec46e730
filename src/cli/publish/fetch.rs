//! Files of a repository, from a directory or over HTTP.

use crate::ca::{Fetched, Input, Size, url_path};
use crate::cli::failure::Failure;
use std::fmt;
use std::path::PathBuf;

/// Seconds for one file.
const TIMEOUT: u64 = 30;

/// Most bytes of a file: more than any CRL has.
const MOST_BYTES: usize = 512 << 20;

/// Most bytes of the headers of an answer.
const MOST_HEADERS: usize = 64 << 10;

/// Where a repository is.
pub(super) enum Place {
    Directory(PathBuf),
    /// Without a slash at its end.
    Url(String),
}

impl Place {
    pub(super) fn of(text: &str) -> Result<Self, Failure> {
        match text.split_once("://") {
            Some(("http", _)) => Ok(Self::Url(text.trim_end_matches('/').to_owned())),
            Some((scheme, _)) => Err(Failure::usage(format!(
                "{scheme}:// is not supported: give a directory or an http:// URL"
            ))),
            None => Ok(Self::Directory(text.into())),
        }
    }

    pub(super) fn url(&self) -> Option<String> {
        match self {
            Self::Directory(_) => None,
            Self::Url(url) => Some(url.clone()),
        }
    }

    /// Gets a file; `None` if there is none.
    pub(super) fn fetch(&mut self, path: &str) -> Result<Option<Fetched>, String> {
        match self {
            Self::Directory(directory) => {
                let path = directory.join(path);
                if !path.is_file() {
                    return Ok(None);
                }
                let input = Input::read_of(Size::Any, &path).map_err(|error| error.to_string())?;
                Ok(Some(Fetched {
                    content: input.into_content(),
                    media_type: None,
                }))
            }
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

/// Gets a URL within limits of time and size; redirects are not followed.
fn get(url: &str) -> Result<Option<Fetched>, String> {
    let response = minreq::get(url)
        .with_timeout(TIMEOUT)
        .with_max_headers_size(MOST_HEADERS)
        .with_max_status_line_length(MOST_HEADERS)
        .with_follow_redirects(false)
        .send_lazy()
        .map_err(|error| error.to_string())?;
    match response.status_code {
        200 => {}
        404 | 410 => return Ok(None),
        status => {
            return Err(format!(
                "the server answers {status} {}",
                response.reason_phrase
            ));
        }
    }
    let media_type = response.headers.get("content-type").cloned();
    let mut content = Vec::new();
    for byte in response {
        let (byte, _) = byte.map_err(|error| error.to_string())?;
        if content.len() == MOST_BYTES {
            return Err("it exceeds 512 MiB".into());
        }
        content.push(byte);
    }
    Ok(Some(Fetched {
        content,
        media_type,
    }))
}
