//! What is nested deep, or repeated often: each some ten kilobytes, more than any parser that calls
//! itself has a stack for.

const DEPTH: usize = 6_000;

/// All of them, each for every target.
pub(super) fn nests() -> Vec<Vec<u8>> {
    let texts = [
        "[".repeat(DEPTH),
        format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH)),
        "{\"a\":".repeat(DEPTH),
        format!("{{\"name\":{}1", "[".repeat(DEPTH)),
        format!("a = {}{}\n", "[".repeat(DEPTH), "]".repeat(DEPTH)),
        format!("a = {}1{}\n", "{a=".repeat(DEPTH), "}".repeat(DEPTH)),
        format!("[{}a]\n", "a.".repeat(DEPTH)),
        format!("{}a = 1\n", "a.".repeat(DEPTH)),
        "/CN=a".repeat(DEPTH),
        "CN=a+".repeat(DEPTH),
        "\\".repeat(DEPTH),
        "dns:a.example,".repeat(DEPTH),
        "1".repeat(5 * DEPTH),
        "1d".repeat(DEPTH),
        "\"".repeat(DEPTH),
        "\u{202e}\u{1b}".repeat(DEPTH),
        "-----BEGIN A-----\n".repeat(DEPTH),
        "-----BEGIN A-----\nAA==\n-----END A-----\n".repeat(DEPTH / 4),
        format!(
            "-----BEGIN X-----\n{}\n-----END X-----",
            "A:B\n".repeat(DEPTH)
        ),
        "V\t270918025602Z\t\t1001\tunknown\t/CN=a\n".repeat(DEPTH / 40),
        "a,b,c\n".repeat(DEPTH / 40),
    ];
    let mut all: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    all.push(vec![0; 10 * DEPTH]);
    all.push(vec![0xff; 10 * DEPTH]);
    all.push([0x30, 0x80].repeat(DEPTH));
    all.push([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff].repeat(DEPTH));
    all.extend([0x30, 0x31, 0xa0, 0x24].map(elements_inside_each_other));
    all
}

/// Elements of DER, each the content of the one around it.
fn elements_inside_each_other(tag: u8) -> Vec<u8> {
    let mut headers = Vec::new();
    let mut length = 0_usize;
    for _ in 0..DEPTH {
        let mut header = vec![tag];
        if length < 128 {
            header.push(u8::try_from(length).unwrap());
        } else {
            let octets = u32::try_from(length).unwrap().to_be_bytes();
            let zeros = octets.iter().take_while(|octet| **octet == 0).count();
            header.push(0x80 | u8::try_from(4 - zeros).unwrap());
            header.extend_from_slice(&octets[zeros..]);
        }
        length += header.len();
        headers.push(header);
    }
    headers.into_iter().rev().flatten().collect()
}
