//! `pki-key-pkcs11 list`: tokens and keys, for people and scripts.

use crate::devices::Devices;
use crate::list as listing;
use crate::message::{Code, ListedKey, Problem};
use crate::problem::{Failure, Result, is_deceptive, one_line};
use crate::token::Token;
use crate::uri::Uri;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Args)]
pub(crate) struct ListArgs {
    /// URI of a token or a key; all by default
    #[arg(default_value = "pkcs11:", hide_default_value = true)]
    uri: String,
    /// PKCS #11 module: a path, or the name of an installed one [default: PKI_PKCS11_MODULE, else p11-kit's]
    #[arg(long, value_name = "PATH")]
    module: Option<PathBuf>,
    /// Source of the PIN: prompt, file:PATH or env:VAR; without it only what needs no PIN is shown
    #[arg(long, value_name = "SRC")]
    pub(crate) passin: Option<String>,
    /// Format of the list
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

#[derive(Clone)]
pub(crate) enum PinSource {
    Prompt,
    File(PathBuf),
    Env(String),
}

impl FromStr for PinSource {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "prompt" => Ok(Self::Prompt),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            // The text may be the PIN, so it is not repeated.
            _ => {
                let message = "--passin is not one of prompt, file:PATH or env:VAR";
                Err(Failure::new(Code::Failed, message))
            }
        }
    }
}

impl PinSource {
    fn read(&self, token: &Token) -> Result<Zeroizing<String>> {
        let unread = |place: &str, error: &dyn std::fmt::Display| {
            Failure::new(Code::Failed, format!("{place} cannot be read: {error}"))
        };
        match self {
            Self::Prompt => {
                let question = format!("PIN of the token {}: ", one_line(&token.identity.label));
                let typed = rpassword::prompt_password(question).map(Zeroizing::new);
                typed.map_err(|error| unread("the PIN", &error))
            }
            Self::File(path) => {
                let line = File::open(path).and_then(first_line);
                line.map_err(|error| unread(&format!("the file {}", path.display()), &error))
            }
            Self::Env(name) => {
                let value = std::env::var(name).map(Zeroizing::new);
                value.map_err(|error| unread(&format!("the variable {name}"), &error))
            }
        }
    }
}

fn first_line(file: File) -> io::Result<Zeroizing<String>> {
    const MOST: u64 = 4096;
    let mut line = Zeroizing::new(String::with_capacity(4096));
    BufReader::with_capacity(1, file)
        .take(MOST)
        .read_line(&mut line)?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}

#[derive(Serialize)]
struct Report {
    tokens: Vec<ListedToken>,
}

#[derive(Serialize)]
struct ListedToken {
    label: String,
    manufacturer: String,
    model: String,
    serial: String,
    uri: String,
    /// Whether keys that need a PIN are left out.
    needs_pin: bool,
    keys: Vec<ListedKey>,
}

/// Prints the tokens that fit, and their keys.
pub(crate) fn print_list(args: &ListArgs, pin: Option<&PinSource>, to: &mut File) -> Result<()> {
    let mut uri = Uri::parse(&args.uri)?;
    let names_module = uri.module_path.is_some() || uri.module_name.is_some();
    if let Some(module) = args.module.as_ref().filter(|_| !names_module) {
        // The URIs in the list name it too.
        match module.to_str() {
            Some(name) if !name.contains('/') => uri.module_name = Some(name.to_owned()),
            _ => uri.module_path = Some(absolute(module)?),
        }
    }
    let default = std::env::var_os("PKI_PKCS11_MODULE").filter(|path| !path.is_empty());
    let devices = Devices::new(default.map(PathBuf::from));
    let report = report(&devices, &uri, pin);
    devices.finish();
    let report = report?;
    let text = match args.format {
        Format::Text => text_of(&report),
        Format::Json => {
            let json = serde_json::to_string_pretty(&report).expect("reports have no maps");
            harmless(&json) + "\n"
        }
    };
    let written = to.write_all(text.as_bytes());
    written.map_err(|error| Failure::new(Code::Failed, format!("standard output: {error}")))
}

/// JSON in which characters that steer a terminal are escaped: it means the same.
fn harmless(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || !is_deceptive(character) {
            safe.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(safe, "\\u{unit:04x}").expect("a String takes everything");
        }
    }
    safe
}

fn absolute(path: &std::path::Path) -> Result<PathBuf> {
    let failed = |error| Failure::new(Code::Failed, format!("{}: {error}", path.display()));
    std::path::absolute(path).map_err(failed)
}

fn report(devices: &Devices, uri: &Uri, pin: Option<&PinSource>) -> Result<Report> {
    if let Some(source) = pin {
        let token = devices.token(uri)?;
        if token.is_locked() {
            token.log_in(&source.read(&token)?)?;
        }
    }
    let all = devices.all_tokens(uri)?;
    let listed = |token: &Arc<Token>| {
        let of_token = listing::token_uri(token, &all, uri);
        let identity = token.identity.clone();
        Ok(ListedToken {
            keys: listing::keys(token, uri, &of_token)?,
            label: identity.label,
            manufacturer: identity.manufacturer,
            model: identity.model,
            serial: identity.serial,
            uri: of_token.to_string(),
            needs_pin: token.is_locked(),
        })
    };
    let found = devices.tokens(uri)?;
    let tokens = found.iter().map(listed).collect::<Result<_>>()?;
    Ok(Report { tokens })
}

/// Text in which URIs are quoted for a shell.
fn text_of(report: &Report) -> String {
    let mut text = String::new();
    for token in &report.tokens {
        let heading = format!(
            "token {} ({} {}, serial {})",
            token.label, token.manufacturer, token.model, token.serial
        );
        let mut line = |line: String| writeln!(text, "{line}").expect("a String takes everything");
        line(one_line(&heading));
        for key in &token.keys {
            let kind = key.key_type.as_deref().unwrap_or("other");
            let use_ = if key.can_sign { "signs" } else { "public" };
            line(format!("  {kind:<8} {use_:<7} '{}'", key.uri));
        }
        if token.keys.is_empty() {
            line("  no keys".into());
        }
        if token.needs_pin {
            line(format!(
                "  private keys need the PIN: pki-key-pkcs11 list '{}' --passin prompt",
                token.uri
            ));
        }
    }
    text
}

/// Error on standard error, as `pki` writes it.
pub(crate) fn complain(failure: Failure, format: Format) {
    let Problem { code, message } = failure.into_problem();
    let line = match format {
        Format::Text => format!("error: {message}"),
        Format::Json => {
            let error = serde_json::json!({ "code": code, "message": message, "causes": [] });
            serde_json::json!({ "error": error }).to_string()
        }
    };
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let key = |uri: &str, key_type: Option<&str>, can_sign| ListedKey {
            uri: uri.into(),
            key_type: key_type.map(str::to_owned),
            can_sign,
        };
        Report {
            tokens: vec![ListedToken {
                label: "a\u{202e}b".into(),
                manufacturer: "m".into(),
                model: "n".into(),
                serial: "1".into(),
                uri: "pkcs11:token=a".into(),
                needs_pin: true,
                keys: vec![
                    key("pkcs11:object=x", Some("p256"), true),
                    key("pkcs11:object=y", None, false),
                ],
            }],
        }
    }

    #[test]
    fn uris_are_quoted_for_a_shell() {
        let lines = [
            "token a\\u{202e}b (m n, serial 1)",
            "  p256     signs   'pkcs11:object=x'",
            "  other    public  'pkcs11:object=y'",
            "  private keys need the PIN: pki-key-pkcs11 list 'pkcs11:token=a' --passin prompt\n",
        ];
        assert_eq!(text_of(&report()), lines.join("\n"));
    }

    #[test]
    fn json_means_the_same_when_it_is_harmless() {
        let json = serde_json::to_string_pretty(&report()).unwrap();
        let safe = harmless(&json);
        assert!(safe.contains("a\\u202eb"));
        let value = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&json), value(&safe));
    }

    #[test]
    fn a_pin_in_place_of_its_source_is_not_repeated() {
        for text in ["1234", "pass:1234", "file:", "env:", "stdin"] {
            let problem = text.parse::<PinSource>().err().expect(text).into_problem();
            assert!(!problem.message.contains("1234"), "{text}");
        }
        assert!("prompt".parse::<PinSource>().is_ok());
        assert!("file:a:b".parse::<PinSource>().is_ok());
    }
}
