//! Passphrases in memory.

use zeroize::Zeroizing;

/// A passphrase; wiped when dropped.
#[derive(Clone)]
pub(crate) struct Passphrase(Zeroizing<String>, Emptiness);

/// Form of an empty passphrase in PKCS #12; others have one form.
#[derive(Clone, Copy)]
enum Emptiness {
    /// A BMPString of nothing but its NUL.
    Terminated,
    /// No byte at all.
    Absent,
}

impl Passphrase {
    pub(crate) fn new(text: Zeroizing<String>) -> Self {
        Self(text, Emptiness::Terminated)
    }

    /// Returns the two forms of an empty passphrase: programs differ in the one that they use for PKCS #12.
    pub(crate) fn empty() -> [Self; 2] {
        let empty = |form| Self(Zeroizing::default(), form);
        [Emptiness::Terminated, Emptiness::Absent].map(empty)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether it is printable ASCII: Java opens nothing else.
    pub(crate) fn is_printable_ascii(&self) -> bool {
        self.0.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    }

    /// The passphrase as PKCS #12 wants it: a BMPString with a NUL behind (RFC 7292 appendix B.1).
    pub(super) fn bmp_string(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * self.0.len() + 2));
        bytes.extend(self.0.encode_utf16().flat_map(u16::to_be_bytes));
        if !matches!(self.1, Emptiness::Absent) {
            bytes.extend([0, 0]);
        }
        bytes
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}
