//! Form of PEM files: `pki` writes LF, 64 columns, a final newline, and nothing beside the certificates.

use crate::ca::trust_store::targets::{BundleFinding, RelyingParty};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const COLUMNS: usize = 64;

/// Finds forms that readers have failed on, a finding per rule, with its first line.
pub(crate) fn check(content: &[u8], party: Option<&RelyingParty>) -> Vec<BundleFinding> {
    let allows_comments = party.is_some_and(|party| party.comments);
    let mut form = Form::default();
    let text = match content.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => {
            form.found("byte-order-mark", 1, "a byte order mark");
            text
        }
        None => content,
    };
    let lines = text.strip_suffix(b"\n").unwrap_or_else(|| {
        let last = text.split(|byte| *byte == b'\n').count();
        form.found("final-newline", last, "no newline at the end");
        text
    });
    let lines: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
    let mut inside = false;
    for (index, line) in lines.iter().enumerate() {
        let next = lines.get(index + 1).copied().unwrap_or_default();
        form.line(index + 1, line, next, &mut inside, allows_comments);
    }
    form.findings
}

#[derive(Default)]
struct Form {
    findings: Vec<BundleFinding>,
}

impl Form {
    fn found(&mut self, rule: &'static str, line: usize, what: &str) {
        if self.findings.iter().all(|finding| finding.rule != rule) {
            let message = format!("line {line}: {what}");
            self.findings.push(BundleFinding::error(rule, message));
        }
    }

    fn line(
        &mut self,
        number: usize,
        line: &[u8],
        next: &[u8],
        inside: &mut bool,
        allows_comments: bool,
    ) {
        let line = line.strip_suffix(b"\r").map_or(line, |without| {
            self.found("line-endings", number, "it ends with CR LF instead of LF");
            without
        });
        let trimmed = line.trim_ascii();
        if trimmed.is_empty() {
            return self.found("blank-line", number, "it is blank");
        }
        let begins = is_marker(trimmed, b"-----BEGIN ");
        if begins || is_marker(trimmed, b"-----END ") {
            *inside = begins;
        } else if has_marker(trimmed) {
            // The last marker on the line decides the state after it.
            let last = |marker| memchr::memmem::rfind(trimmed, marker);
            *inside = last(b"-----BEGIN ".as_slice()) > last(b"-----END ".as_slice());
            self.found(
                "joined-markers",
                number,
                "a marker is not alone on its line",
            );
        } else if *inside {
            let is_last = next.trim_ascii().starts_with(b"-----");
            if trimmed.len() > COLUMNS || (trimmed.len() < COLUMNS && !is_last) {
                let what = format!("{} columns instead of {COLUMNS}", trimmed.len());
                self.found("columns", number, &what);
            }
        } else if !(allows_comments && trimmed.starts_with(b"#")) {
            return self.found("text-between", number, "text outside the certificates");
        } else if trimmed.contains(&b'-') {
            return self.found("comment-hyphen", number, "a comment with a - in it");
        }
        if trimmed.len() < line.len() {
            self.found("spaces", number, "spaces at its start or end");
        }
    }
}

fn has_marker(line: &[u8]) -> bool {
    let contains = |marker: &str| memchr::memmem::find(line, marker.as_bytes()).is_some();
    contains("-----BEGIN ") || contains("-----END ")
}

/// Returns whether the line is this marker and nothing else.
fn is_marker(line: &[u8], start: &[u8]) -> bool {
    let inside = line.strip_prefix(start);
    let label = inside.and_then(|rest| rest.strip_suffix(b"-----"));
    label.is_some_and(|label| !label.contains(&b'-'))
}
