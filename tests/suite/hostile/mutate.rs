//! Mutations of inputs: the same ones each time.

/// Numbers that look random and are the same each time (`SplitMix64`).
pub(super) struct Sequence(u64);

impl Sequence {
    /// The sequence of this name.
    pub(super) fn of(name: &str) -> Self {
        let octets = name.bytes();
        Self(octets.fold(0, |seed, octet| seed * 257 % (1 << 40) + u64::from(octet)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one, or zero.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }

    fn octet(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// What parsers take for something else than text.
const TOKENS: &[&[u8]] = &[
    b"\n",
    b"\r\n",
    b"\t",
    b"\0",
    b",",
    b";",
    b":",
    b"=",
    b"/",
    b"+",
    b"#",
    b"\"",
    b"'",
    b"\\",
    b"\\\t",
    b"{",
    b"}",
    b"[",
    b"]",
    b"[[",
    b"null",
    b"-1",
    b"1e999",
    b"340282366920938463463374607431768211455",
    b"18446744073709551616",
    b"0x",
    b"dec:",
    b"-----BEGIN ",
    b"-----END ",
    b"-----",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"\xe2\x80\x8b",
    b"\x1b[2J",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"..",
    b"*.",
    b"9999-12-31T23:59:60Z",
    b"\x30\x80",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x02\x01\x80",
    b"\x02\x00",
    b"\x03\x00",
    b"\x03\x01\x08",
    b"\x05\x00",
    b"\x06\x00",
    b"\x1f\x81\x00",
    b"\x02\x05\x00\x80\x00\x00\x00",
    b"\x18\x0f99991231235959Z",
    b"\x17\x0d500101000000Z",
];

/// Bytes at the ends of ranges.
const EDGES: [u8; 12] = [
    0x00, 0x01, 0x02, 0x20, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xff,
];

/// Bytes that a mutation has at most.
const MOST: usize = 64 * 1024;

/// An input that is much like `seed`, with something of `other` in it.
pub(super) fn mutated(seed: &[u8], other: &[u8], sequence: &mut Sequence) -> Vec<u8> {
    let mut input = seed[..seed.len().min(MOST)].to_vec();
    for _ in 0..=sequence.below(4) {
        change(&mut input, other, sequence);
    }
    input.truncate(MOST);
    input
}

fn change(input: &mut Vec<u8>, other: &[u8], sequence: &mut Sequence) {
    let at = sequence.below(input.len());
    let some = 1 + sequence.below(16);
    let end = (at + some).min(input.len());
    match sequence.below(9) {
        0 if !input.is_empty() => input[at] ^= 1 << sequence.below(8),
        1 if !input.is_empty() => input[at] = EDGES[sequence.below(EDGES.len())],
        2 if !input.is_empty() => input[at] = sequence.octet(),
        3 => drop(input.drain(at..end)),
        4 => {
            let copied = input[at..end].to_vec();
            let to = sequence.below(input.len());
            insert(input, to, &copied);
        }
        5 => input.truncate(at),
        6 => {
            let from = sequence.below(other.len());
            let length = sequence.below(other.len() - from + 1);
            insert(input, at, &other[from..from + length]);
        }
        _ => insert(input, at, TOKENS[sequence.below(TOKENS.len())]),
    }
}

fn insert(input: &mut Vec<u8>, at: usize, octets: &[u8]) {
    input.splice(at..at, octets.iter().copied());
}
