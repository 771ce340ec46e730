//! Mutations of DER that keep the lengths around them right, so that what is changed is reached.

/// Numbers that look random and are the same each time (xorshift).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

/// An element and what is inside it; an OCTET STRING or BIT STRING may hold elements too.
#[derive(Clone)]
struct Node {
    tag: u8,
    /// Bytes before the elements inside: the unused bits of a BIT STRING.
    prefix: Vec<u8>,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Bytes(Vec<u8>),
    Nodes(Vec<Node>),
}

fn parse(mut bytes: &[u8], depth: usize) -> Option<Vec<Node>> {
    let mut nodes = Vec::new();
    while let [tag, first, rest @ ..] = bytes {
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 3))?;
                let length = digits
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                (length, rest)
            }
            _ => return None,
        };
        let (content, behind) = rest.split_at_checked(length)?;
        nodes.push(node(*tag, content, depth));
        bytes = behind;
    }
    bytes.is_empty().then_some(nodes)
}

fn node(tag: u8, content: &[u8], depth: usize) -> Node {
    let skipped = usize::from(tag == 0x03 && content.first() == Some(&0));
    let may_nest = tag & 0x20 != 0 || matches!(tag, 0x03 | 0x04);
    let inside = content.get(skipped..).filter(|inside| !inside.is_empty());
    let nested = inside.filter(|_| may_nest && depth > 0);
    let nested = nested.and_then(|inside| parse(inside, depth - 1));
    match nested {
        Some(nodes) => Node {
            tag,
            prefix: content[..skipped].to_vec(),
            content: Content::Nodes(nodes),
        },
        None => Node {
            tag,
            prefix: Vec::new(),
            content: Content::Bytes(content.to_vec()),
        },
    }
}

fn write(nodes: &[Node], to: &mut Vec<u8>) {
    for node in nodes {
        let mut content = node.prefix.clone();
        match &node.content {
            Content::Bytes(bytes) => content.extend(bytes),
            Content::Nodes(nodes) => write(nodes, &mut content),
        }
        to.push(node.tag);
        let length = content.len().to_be_bytes();
        let used = length.iter().position(|byte| *byte != 0).unwrap_or(7);
        if content.len() >= 0x80 {
            to.push(0x80 | u8::try_from(8 - used).unwrap());
        }
        to.extend(&length[used..]);
        to.extend(content);
    }
}

fn count(nodes: &[Node]) -> usize {
    let inside = |node: &Node| match &node.content {
        Content::Bytes(_) => 0,
        Content::Nodes(nodes) => count(nodes),
    };
    nodes.iter().map(|node| 1 + inside(node)).sum()
}

/// Changes the element with this number, counted from the outside.
fn change(nodes: &mut Vec<Node>, number: &mut usize, random: &mut Random) -> bool {
    for index in 0..nodes.len() {
        if *number == 0 {
            change_one(nodes, index, random);
            return true;
        }
        *number -= 1;
        if let Content::Nodes(inside) = &mut nodes[index].content
            && change(inside, number, random)
        {
            return true;
        }
    }
    false
}

fn change_one(nodes: &mut Vec<Node>, index: usize, random: &mut Random) {
    const TAGS: [u8; 20] = [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x14, 0x17, 0x18, 0x1a, 0x1e,
        0x30, 0x31, 0x80, 0x81, 0xa0,
    ];
    let copy = nodes[index].clone();
    let node = &mut nodes[index];
    match random.below(12) {
        0 => node.tag = TAGS[random.below(TAGS.len())],
        1 => {
            nodes.remove(index);
        }
        2 => nodes.insert(index, copy),
        3 => node.content = Content::Bytes(Vec::new()),
        4 => node.tag ^= 0x20,
        5 => {
            let other = random.below(nodes.len());
            nodes.swap(index, other);
        }
        6 => nodes.insert(
            index + 1,
            Node {
                tag: TAGS[random.below(TAGS.len())],
                prefix: Vec::new(),
                content: Content::Bytes(vec![random.byte(); random.below(3)]),
            },
        ),
        chosen => {
            let mut bytes = Vec::new();
            match &node.content {
                Content::Bytes(content) => bytes.clone_from(content),
                Content::Nodes(inside) => write(inside, &mut bytes),
            }
            match (chosen, bytes.len()) {
                (7, _) => bytes.insert(0, 0),
                (8, _) => bytes.insert(0, 0xff),
                (9, 1..) => {
                    bytes.pop();
                }
                (10, length @ 1..) => bytes[random.below(length)] ^= 1 << random.below(8),
                (_, length @ 1..) => bytes[random.below(length)] = random.byte(),
                _ => bytes.push(random.byte()),
            }
            node.content = Content::Bytes(bytes);
        }
    }
}

/// The structure with one to three changes; of a few, a byte is changed wherever it is.
pub(super) fn mutated(der: &[u8], random: &mut Random) -> Vec<u8> {
    let mut nodes = parse(der, 20).expect("a seed is DER");
    for _ in 0..=random.below(3) {
        let mut number = random.below(count(&nodes));
        change(&mut nodes, &mut number, random);
    }
    let mut mutated = Vec::new();
    write(&nodes, &mut mutated);
    if random.below(8) == 0 && !mutated.is_empty() {
        let at = random.below(mutated.len());
        mutated[at] = random.byte();
    }
    mutated
}
