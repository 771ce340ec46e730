//! Quoting of texts in the configurations of targets.

use std::fmt::Write as _;

/// The language of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// Words, or double quotes in which a backslash stands before a quote and before itself: nginx and
    /// Apache.
    DoubleQuotes,
    /// Words, or single quotes as a shell has them: HAProxy.
    Shell,
    /// Single quotes, doubled inside, and backslashes doubled: PostgreSQL.
    Doubled,
    /// A string of JavaScript.
    JavaScript,
    /// YAML, inside braces: Envoy.
    Yaml,
    /// The rest of the line, as it is: Mosquitto and stunnel.
    Line,
    /// Always double quotes: lighttpd.
    Quoted,
}

impl Grammar {
    /// Quotes a text.
    pub(crate) fn quote(self, text: &str) -> String {
        match self {
            Self::DoubleQuotes | Self::Shell | Self::Yaml if is_word(text) => text.to_owned(),
            Self::Line => text.to_owned(),
            Self::DoubleQuotes | Self::Quoted => format!("\"{}\"", escape(text, '"')),
            Self::Shell => format!("'{}'", text.replace('\'', r"'\''")),
            Self::Doubled => format!("'{}'", text.replace('\\', r"\\").replace('\'', "''")),
            Self::JavaScript => format!("'{}'", without_controls(&escape(text, '\''))),
            Self::Yaml => format!("\"{}\"", without_controls(&escape(text, '"'))),
        }
    }
}

/// Returns whether a text needs no quotes in any grammar.
fn is_word(text: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-".contains(character);
    !text.is_empty() && text.chars().all(plain)
}

fn escape(text: &str, quote: char) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character == quote || character == '\\' {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Writes control characters as `\xHH`, in grammars that know it.
fn without_controls(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_control() {
            write!(plain, "\\x{:02x}", u32::from(character)).expect("a String takes everything");
        } else {
            plain.push(character);
        }
    }
    plain
}
