//! Numbers of things in messages.

use crate::x509::Serial;

pub(crate) fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

pub(crate) fn first_few(serials: &[Serial]) -> String {
    const FEW: usize = 10;
    let mut shown: Vec<String> = serials.iter().take(FEW).map(ToString::to_string).collect();
    if serials.len() > FEW {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}
