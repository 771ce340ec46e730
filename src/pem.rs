//! PEM (RFC 7468): written strictly, read as people really have it.
//!
//! Every `-----BEGIN` marker either gives an object or an error; none is passed over.

#![allow(missing_docs)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem::Finder;
use std::io::{self, Read, Write};
use std::sync::LazyLock;
use zeroize::Zeroizing;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PemError {
    #[error("line {line}: the BEGIN marker is cut off")]
    Marker { line: usize },
    #[error("line {line}: {label} has no END marker; the file may be cut off")]
    Unterminated { line: usize, label: String },
    #[error("line {line}: the file has more than {MOST_OBJECTS} PEM objects")]
    TooMany { line: usize },
    #[error("line {line}: {label} is {form}")]
    Altered {
        line: usize,
        label: String,
        form: &'static str,
    },
    #[error("line {line}: {label} is not base64 between its markers")]
    Base64 { line: usize, label: String },
}

#[derive(Clone)]
pub(crate) struct PemObject {
    /// The label of the markers, such as `CERTIFICATE`.
    pub(crate) label: String,
    /// Encapsulated header lines (RFC 1421), which old encrypted keys have.
    pub(crate) headers: Vec<String>,
    /// The decoded contents; wiped when dropped, since they may be a key.
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// Objects over which a file is refused. The largest sets of certificates have some thousand.
const MOST_OBJECTS: usize = 100_000;

/// Header lines over which an object is not read: old encrypted keys have two.
const MOST_HEADERS: usize = 100;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Finders of parts of markers: to make one takes longer than to search a certificate with it.
static BEGINS: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(BEGIN));
static ENDS: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(END));
static ALL_DASHES: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(DASHES));

const LINE: usize = 64;

/// Bytes that are read at a time of a text that is not held in memory.
const BLOCK: usize = 64 * 1024;

/// Returns whether the bytes have a PEM marker anywhere.
pub(crate) fn looks_like_pem(bytes: &[u8]) -> bool {
    BEGINS.find(bytes).is_some()
}

/// Every object in the text, in order.
///
/// A byte order mark, CRLF, text before and between objects, indentation and markers joined on
/// one line are taken as they come.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<PemObject>, PemError> {
    let mut objects = Vec::new();
    let mut lines = LineCounter {
        text,
        counted: 0,
        line: 1,
    };
    let mut at = 0;
    while let Some(found) = BEGINS.find(&text[at..]) {
        let begin = at + found;
        let line = lines.at(begin);
        if objects.len() == MOST_OBJECTS {
            return Err(PemError::TooMany { line });
        }
        let (label, body) = label(text, begin + BEGIN.len()).ok_or(PemError::Marker { line })?;
        let marker = format!("{label}{DASHES}");
        let unterminated = || PemError::Unterminated {
            line,
            label: label.to_owned(),
        };
        // No other marker may stand in front of its own.
        let length = ENDS.find(&text[body..]).ok_or_else(unterminated)?;
        let end = body + length + END.len();
        if !text[end..].starts_with(marker.as_bytes()) {
            return Err(unterminated());
        }
        let content = &text[body..body + length];
        // The dashes that end this BEGIN marker may begin another one.
        let with_dashes = &text[body - DASHES.len()..body + length];
        if ALL_DASHES.find(content).is_some() || with_dashes.starts_with(BEGIN.as_bytes()) {
            return Err(unterminated());
        }
        let (headers, der) = contents(content).ok_or_else(|| not_base64(line, label, content))?;
        objects.push(PemObject {
            label: label.to_owned(),
            headers,
            der,
        });
        // The dashes that end this END marker may begin the next BEGIN marker.
        at = end + label.len();
    }
    Ok(objects)
}

/// The label that starts at `start`, and the start of the contents.
fn label(text: &[u8], start: usize) -> Option<(&str, usize)> {
    let window = &text[start..text.len().min(start + 80)];
    let length = ALL_DASHES.find(window)?;
    let label = std::str::from_utf8(&window[..length]).ok()?;
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'#' | b'.' | b'/');
    (!label.is_empty() && label.bytes().all(plain))
        .then_some((label, start + length + DASHES.len()))
}

/// Header lines and decoded base64 of what stands between two markers.
fn contents(content: &[u8]) -> Option<(Vec<String>, Zeroizing<Vec<u8>>)> {
    let mut headers = Vec::new();
    let mut base64 = Zeroizing::new(Vec::with_capacity(content.len()));
    for line in content.split(|byte| *byte == b'\n') {
        if line.contains(&b':') {
            if headers.len() == MOST_HEADERS {
                return None;
            }
            headers.push(String::from_utf8(line.trim_ascii().to_vec()).ok()?);
        } else {
            base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
    }
    let mut der = Zeroizing::new(vec![0; base64.len() / 4 * 3 + 3]);
    let length = STANDARD.decode_slice(base64.as_slice(), &mut der).ok()?;
    der.truncate(length);
    (length > 0).then_some((headers, der))
}

/// Words the absence of base64 between two markers.
fn not_base64(line: usize, label: &str, content: &[u8]) -> PemError {
    let label = label.to_owned();
    let mut lines = content.split(|byte| *byte == b'\n').skip(1);
    let form = if lines
        .next()
        .is_some_and(|first| first.trim_ascii_start().starts_with(b">"))
    {
        "quoted, as in an e-mail: its lines begin with >"
    } else if content.starts_with(b"\\n") || content.starts_with(b"\\r\\n") {
        "on one line, with \\n instead of line breaks"
    } else {
        return PemError::Base64 { line, label };
    };
    PemError::Altered { line, label, form }
}

/// Returns whether a text is UTF-16, by its byte order mark or, of ASCII characters, by its zeros.
pub(crate) fn is_utf16(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b' '..=b'~', 0, b' '..=b'~', 0, ..]
    ) || matches!(bytes, [0, b' '..=b'~', 0, b' '..=b'~', ..])
}

/// Returns whether a text is the base64 of a SEQUENCE and nothing else.
pub(crate) fn is_bare_base64(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let in_base64 = |byte: &u8| {
        byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=".contains(byte)
    };
    // The first two of its characters are those of the byte 30.
    let is_sequence = text.trim_ascii().starts_with(b"M") && text.trim_ascii().len() > 64;
    is_sequence && text.iter().all(in_base64)
}

/// Tells the line of ever later positions, counting each newline once.
struct LineCounter<'a> {
    text: &'a [u8],
    counted: usize,
    line: usize,
}

impl LineCounter<'_> {
    fn at(&mut self, position: usize) -> usize {
        self.line += memchr::memchr_iter(b'\n', &self.text[self.counted..position]).count();
        self.counted = position;
        self.line
    }
}

/// Returns whether a text has BEGIN markers, all with this label; what is between them is not looked at. Its size
/// does not matter.
pub(crate) fn has_only(label: &str, mut text: impl Read) -> io::Result<bool> {
    let marker = format!("{BEGIN}{label}{DASHES}");
    let mut block = vec![0; BLOCK];
    let (mut held, mut has_any) = (0, false);
    loop {
        let read = match text.read(&mut block[held..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let bytes = &block[..held + read];
        // A marker that is cut off by the end of the block is found with the next one.
        let whole = match read {
            0 => bytes.len(),
            _ => bytes.len().saturating_sub(marker.len() - 1),
        };
        for place in BEGINS.find_iter(bytes).take_while(|place| *place < whole) {
            if !bytes[place..].starts_with(marker.as_bytes()) {
                return Ok(false);
            }
            has_any = true;
        }
        if read == 0 {
            return Ok(has_any);
        }
        held = bytes.len() - whole;
        block.copy_within(whole..whole + held, 0);
    }
}

/// Returns an object as RFC 7468 section 2 writes it: 64 columns, LF, a final newline.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let mut text = Vec::with_capacity(encoded_length(label, der.len()));
    write(&mut text, label, der).expect("a Vec takes everything");
    String::from_utf8(text).expect("base64 is ASCII")
}

/// As [`encode`], for private keys: the text is wiped when dropped.
pub(crate) fn encode_secret(label: &str, der: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(encoded_length(label, der.len())));
    write(&mut *text, label, der).expect("a Vec takes everything");
    text
}

/// Bytes of what [`encode`] makes of as many bytes of DER.
pub(crate) fn encoded_length(label: &str, bytes: usize) -> usize {
    let base64 = bytes.div_ceil(3) * 4;
    base64
        + base64.div_ceil(LINE)
        + 2 * label.len()
        + BEGIN.len()
        + END.len()
        + 2 * DASHES.len()
        + 2
}

/// Writes what [`encode`] gives, line by line, so that a large object is never held as text.
pub(crate) fn write(to: &mut impl Write, label: &str, der: &[u8]) -> io::Result<()> {
    writeln!(to, "{BEGIN}{label}{DASHES}")?;
    let mut line = Zeroizing::new([0; LINE + 1]);
    for chunk in der.chunks(LINE / 4 * 3) {
        let length = STANDARD
            .encode_slice(chunk, &mut *line)
            .expect("a line has room for its base64");
        line[length] = b'\n';
        to.write_all(&line[..=length])?;
    }
    writeln!(to, "{END}{label}{DASHES}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Result<Vec<(String, Vec<u8>)>, PemError> {
        let objects = decode(text.as_bytes())?;
        Ok(objects
            .into_iter()
            .map(|object| (object.label, object.der.to_vec()))
            .collect())
    }

    #[test]
    fn what_is_written_has_64_columns_and_a_final_newline() {
        let text = encode("X", &[0xa5; 49]);
        let lengths: Vec<usize> = text.lines().map(str::len).collect();
        assert_eq!(lengths, [17, 64, 4, 15]);
        assert!(text.ends_with("-----END X-----\n"));
        for bytes in [0, 1, 2, 3, 47, 48, 49, 96, 1000] {
            let text = encode("X", &vec![0; bytes]);
            assert_eq!(text.len(), encoded_length("X", bytes));
        }
    }

    #[test]
    fn markers_with_other_labels_are_found_wherever_a_block_ends() {
        let crl = "-----BEGIN X509 CRL-----\nAQID\n-----END X509 CRL-----\n";
        let has_only = |text: &str| has_only("X509 CRL", text.as_bytes()).unwrap();
        for before in [
            0,
            1,
            BLOCK - 30,
            BLOCK - 20,
            BLOCK - 5,
            BLOCK,
            2 * BLOCK - 12,
        ] {
            let padding = "x".repeat(before);
            assert!(!has_only(&padding), "{before}");
            assert!(has_only(&format!("{padding}{crl}")), "{before}");
            assert!(has_only(&format!("{crl}{padding}{crl}")), "{before}");
            for other in [
                "-----BEGIN KEY-----\n",
                "-----BEGIN X509 CRL\n",
                "-----BEGIN ",
            ] {
                assert!(!has_only(&format!("{padding}{other}")), "{before} {other}");
                assert!(
                    !has_only(&format!("{crl}{padding}{other}")),
                    "{before} {other}"
                );
                assert!(
                    !has_only(&format!("{padding}{other}{crl}")),
                    "{before} {other}"
                );
            }
        }
    }

    #[test]
    fn marks_joins_preambles_and_indentation_lose_nothing() {
        let text = "\u{feff}Certificate:\r\n    Data: x\r\n-----BEGIN A-----\r\nAQID\r\n-----END A----------BEGIN B-----\n  BAU=\n  -----END B-----";
        let expected = vec![
            ("A".to_owned(), vec![1, 2, 3]),
            ("B".to_owned(), vec![4, 5]),
        ];
        assert_eq!(labels(text).unwrap(), expected);
    }

    #[test]
    fn markers_that_share_their_dashes_are_read_or_refused() {
        let text = "\u{feff}text\n-----BEGIN A-----\nAQID\n-----END A-----BEGIN B-----BAU=-----END B-----BEGIN C-----\nBgc=\n-----END C-----";
        let expected = [("A", &[1, 2, 3][..]), ("B", &[4, 5]), ("C", &[6, 7])];
        let expected = expected.map(|(label, der)| (label.to_owned(), der.to_vec()));
        assert_eq!(labels(text).unwrap(), expected);
        let nested = "text\n-----BEGIN A-----BEGIN AQID\n-----END A-----";
        let unterminated = PemError::Unterminated {
            line: 2,
            label: "A".into(),
        };
        assert_eq!(labels(nested), Err(unterminated));
    }

    #[test]
    fn text_around_base64_that_people_add_is_named() {
        for (text, form) in [
            ("> -----BEGIN A-----\n> AQID\n> -----END A-----", "quoted"),
            ("-----BEGIN A-----\n>AQID\n-----END A-----", "quoted"),
            (r"-----BEGIN A-----\nAQID\n-----END A-----\n", "on one line"),
            (
                r"-----BEGIN A-----\r\nAQID\r\n-----END A-----",
                "on one line",
            ),
        ] {
            let error = labels(text).unwrap_err().to_string();
            assert!(
                error.starts_with("line 1: A is") && error.contains(form),
                "{error}"
            );
        }
    }

    #[test]
    fn utf16_and_bare_base64_are_told_from_other_files() {
        let utf16 =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        assert!(is_utf16(&utf16("\u{feff}-----BEGIN A-----")));
        assert!(is_utf16(&utf16("-----BEGIN A-----")));
        assert!(is_utf16(b"\xfe\xff\0-\0-") && is_utf16(b"\0-\0-"));
        assert!(!is_utf16(b"0\x82\x01\0") && !is_utf16(b"") && !is_utf16(b"0\0"));
        let bare = "MIIB".repeat(17) + "\r\n";
        assert!(is_bare_base64(bare.as_bytes()));
        assert!(is_bare_base64(format!("\u{feff}{bare}").as_bytes()));
        assert!(!is_bare_base64(b"MIIB") && !is_bare_base64(b"My words. ".repeat(20).as_slice()));
    }

    #[test]
    fn what_is_cut_off_is_named_with_its_line() {
        let unterminated = PemError::Unterminated {
            line: 2,
            label: "A".into(),
        };
        assert_eq!(
            labels("\n-----BEGIN A-----\nAQID\n"),
            Err(unterminated.clone())
        );
        let nested = "\n-----BEGIN A-----\nAQID\n-----BEGIN A-----\nAQID\n-----END A-----\n";
        assert_eq!(labels(nested), Err(unterminated));
        assert_eq!(labels("-----BEGIN A"), Err(PemError::Marker { line: 1 }));
        let base64 = PemError::Base64 {
            line: 1,
            label: "A".into(),
        };
        assert_eq!(
            labels("-----BEGIN A-----\nAQ*D\n-----END A-----"),
            Err(base64.clone())
        );
        assert_eq!(labels("-----BEGIN A-----\n-----END A-----"), Err(base64));
    }
}
