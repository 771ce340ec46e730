//! New output in the text blocks of a page, for `make snapshots`.

use super::fits;

/// Returns a page with other contents in its text blocks: `output` gets the index of the command's block and the
/// content.
pub(super) fn with_outputs(page: &str, output: impl Fn(usize, &str) -> String) -> String {
    let mut updated = String::new();
    let mut commands = 0;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        updated += line;
        updated.push('\n');
        let Some(fence) = line.strip_prefix("```") else {
            continue;
        };
        let content = lines
            .by_ref()
            .take_while(|line| *line != "```")
            .fold(String::new(), |content, line| content + line + "\n");
        let (language, info) = fence.split_once(' ').unwrap_or((fence, ""));
        if language == "text" && commands > 0 {
            updated += &output(commands - 1, &content);
        } else {
            updated += &content;
        }
        updated += "```\n";
        commands += usize::from(language == "sh" || info.starts_with("file="));
    }
    updated
}

/// One step from the lines wanted to those printed.
#[derive(Clone, Copy)]
enum Step {
    /// Keeps a line that fits, or an ellipsis of lines.
    Keep,
    /// Takes the printed line in the place of a similar one.
    Replace,
    Insert,
    Delete,
    /// Leaves a printed line to the ellipsis.
    Skip,
}

/// Returns the lines wanted with those of them replaced that are not printed.
///
/// The cheapest sequence of steps, so that ellipses stay where they are.
pub(super) fn updated(wanted: &str, printed: &str) -> String {
    let wanted: Vec<_> = wanted.lines().collect();
    let printed: Vec<_> = printed.lines().collect();
    let steps = cheapest_steps(&wanted, &printed);
    let mut lines: Vec<String> = Vec::new();
    let (mut from, mut to) = (0, 0);
    while (from, to) != (wanted.len(), printed.len()) {
        match steps[from][to] {
            Step::Keep => {
                lines.push(wanted[from].to_owned());
                to += usize::from(wanted[from] != "…");
                from += 1;
            }
            Step::Replace => {
                lines.push(masked(printed[to]));
                (from, to) = (from + 1, to + 1);
            }
            Step::Insert => {
                lines.push(masked(printed[to]));
                to += 1;
            }
            Step::Delete => from += 1,
            Step::Skip => to += 1,
        }
    }
    lines.dedup_by(|line, before| line == "…" && before == "…");
    lines.into_iter().map(|line| line + "\n").collect()
}

fn cheapest_steps(wanted: &[&str], printed: &[&str]) -> Vec<Vec<Step>> {
    let mut steps = vec![vec![Step::Insert; printed.len() + 1]; wanted.len() + 1];
    let mut costs = vec![vec![0_usize; printed.len() + 1]; wanted.len() + 1];
    for from in (0..=wanted.len()).rev() {
        for to in (0..=printed.len()).rev() {
            let mut options = Vec::new();
            let old = wanted.get(from);
            let new = printed.get(to);
            if let Some(old) = old {
                options.push((Step::Delete, 100 + costs[from + 1][to]));
                if *old == "…" {
                    options.push((Step::Keep, costs[from + 1][to]));
                }
            }
            if new.is_some() {
                options.push((Step::Insert, 100 + costs[from][to + 1]));
            }
            if let (Some(old), Some(new)) = (old, new) {
                if *old == "…" {
                    options.push((Step::Skip, 20 + costs[from][to + 1]));
                } else if fits(old, new) {
                    options.push((Step::Keep, costs[from + 1][to + 1]));
                } else {
                    let cost = 120 - likeness(old, new);
                    options.push((Step::Replace, cost + costs[from + 1][to + 1]));
                }
            }
            if let Some((step, cost)) = options.into_iter().min_by_key(|(_, cost)| *cost) {
                (steps[from][to], costs[from][to]) = (step, cost);
            }
        }
    }
    steps
}

/// Returns the share of words that are in both lines, in percent.
fn likeness(old: &str, new: &str) -> usize {
    let old: Vec<_> = old.split_whitespace().collect();
    let new: Vec<_> = new.split_whitespace().collect();
    let shared = old.iter().filter(|word| new.contains(word)).count();
    100 * shared / old.len().max(new.len()).max(1)
}

/// Returns a line with ellipses for serial numbers, fingerprints and times.
fn masked(line: &str) -> String {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-:.+".contains(character);
    let mut masked = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        masked += if is_volatile(word) { "…" } else { word };
        let length = behind.find(is_part).unwrap_or(behind.len());
        let (between, next) = behind.split_at(length);
        masked += between;
        rest = next;
    }
    masked
}

fn is_volatile(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_hex = word.len() >= 16
        && word
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b':');
    let mut parts = word.splitn(3, '-');
    let is_date = parts
        .next()
        .is_some_and(|year| year.len() == 4 && digits(year))
        && parts.next().is_some_and(digits)
        && parts.next().is_some();
    is_hex || is_date
}

#[test]
fn changed_lines_are_replaced_and_ellipses_stay() {
    let wanted = "one\nmade the CA x\n  serial …\n…\nlast\n";
    let printed =
        "one\ncreated the CA x\n  serial 01\nfoo\nbar\nlast\n  expires 2027-01-01T00:00:00Z\n";
    assert_eq!(
        updated(wanted, printed),
        "one\ncreated the CA x\n  serial …\n…\nlast\n  expires …\n"
    );
    assert_eq!(masked("a 01AA023B6A5FD57FBB of b"), "a … of b");
}
