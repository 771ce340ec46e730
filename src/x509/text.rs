//! Text from certificates, CSRs and CRLs, made harmless to show.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// Shows text that came from outside: control, bidirectional and zero-width characters are
/// written as `\u{…}`, so that they neither steer a terminal nor hide or reorder what is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if is_deceptive(character) {
                write!(f, "\\u{{{:x}}}", u32::from(character))?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// Text of at most some 1,000 characters: of a longer one its beginning and its end.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    const MOST: usize = 1000;
    const BEGINNING: usize = 600;
    const END: usize = 300;
    let count = text.chars().count();
    if count <= MOST {
        return Cow::Borrowed(text);
    }
    let beginning: String = text.chars().take(BEGINNING).collect();
    let end: String = text.chars().skip(count - END).collect();
    Cow::Owned(format!("{beginning} … {end}"))
}

/// Text with line breaks, in which nothing else steers a terminal.
pub(crate) fn harmless(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| Escaped(line).to_string())
        .collect();
    lines.join("\n")
}

/// JSON in which what [`Escaped`] would escape is escaped as RFC 8259 section 7 has it: it means the same.
pub(crate) fn harmless_json(json: String) -> String {
    // Outside of strings there are no such characters but line breaks.
    let is_harmful = |character| character != '\n' && is_deceptive(character);
    if !json.contains(is_harmful) {
        return json;
    }
    let mut units = [0; 2];
    let mut safe = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        if is_harmful(character) {
            for unit in character.encode_utf16(&mut units) {
                write!(safe, "\\u{unit:04x}").expect("a String takes everything");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Returns whether a character changes how the text around it is shown, or is not seen itself.
pub(crate) fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
