//! Picture of the hierarchy: a line for each CA below its issuing CA, with a bar for its validity and a mark for
//! today on each.

use super::words::Words;
use super::{Html, called, date, shortened};
use crate::ca::repository::contents::ShownCa;
use crate::ca::select::Status;
use std::fmt::Write as _;
use time::OffsetDateTime;

/// Sizes in units of the picture.
const WIDTH: i64 = 420;
const ROW: i64 = 46;
const TOP: i64 = 36;
const INDENT: i64 = 16;
const NAME: i64 = 24;
const BAR: i64 = 12;

/// Deepest level that is indented.
const DEEPEST: usize = 6;

/// Characters of a name.
const MOST_CHARACTERS: usize = 60;

struct Axis {
    from: OffsetDateTime,
    to: OffsetDateTime,
}

impl Axis {
    fn of(cas: &[ShownCa], now: OffsetDateTime) -> Self {
        let validity = cas.iter().map(|ca| ca.certificate.validity());
        let (mut from, mut to) = (now, now);
        for validity in validity {
            from = from.min(validity.not_before);
            to = to.max(validity.not_after);
        }
        Self { from, to }
    }

    fn x(&self, time: OffsetDateTime) -> i64 {
        let whole = (self.to - self.from).whole_seconds().max(1);
        let part = (time - self.from).whole_seconds().clamp(0, whole);
        part * WIDTH / whole
    }
}

pub(super) fn svg(cas: &[ShownCa], words: &Words, now: OffsetDateTime) -> String {
    let rows = rows(cas);
    let axis = Axis::of(cas, now);
    let top = |index: usize| TOP + ROW * i64::try_from(index).unwrap_or_default();
    let label = rows.iter().map(|(_, ca)| labelled(ca, words));
    let label = shortened(&label.collect::<Vec<_>>().join(", "), 400);
    let today = axis.x(now);
    let mut svg = String::new();
    let mut add = |line: std::fmt::Arguments<'_>| {
        writeln!(svg, "{line}").expect("a String takes everything");
    };
    add(format_args!(
        "<svg class=\"picture\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}: {}\">",
        top(rows.len()) + 6,
        words.hierarchy,
        Html(&label)
    ));
    let (from, to) = (date(axis.from), date(axis.to));
    add(format_args!("<text x=\"0\" y=\"14\">{from}</text>"));
    add(format_args!(
        "<text x=\"{WIDTH}\" y=\"14\" text-anchor=\"end\">{to}</text>"
    ));
    for (index, (depth, ca)) in rows.iter().enumerate() {
        let y = top(index);
        let x = INDENT * i64::try_from((*depth).min(DEEPEST)).unwrap_or_default();
        if *depth > 0 {
            let (left, base) = (x - 12, y + 16);
            add(format_args!("<text x=\"{left}\" y=\"{base}\">└</text>"));
        }
        // A picture inside the picture cuts a wide name off at its edge.
        let (left, width) = (x + 2, WIDTH - x - 2);
        let name = shortened(&labelled(ca, words), MOST_CHARACTERS);
        add(format_args!(
            "<svg x=\"{left}\" y=\"{y}\" width=\"{width}\" height=\"{NAME}\"><text x=\"0\" y=\"16\">{}</text></svg>",
            Html(&name)
        ));
        let validity = ca.certificate.validity();
        let (begin, end) = (axis.x(validity.not_before), axis.x(validity.not_after));
        let class = match ca.status {
            Status::Valid => "bar",
            _ => "bar bad",
        };
        let (bar, width) = (y + NAME, (end - begin).max(2));
        add(format_args!(
            "<rect class=\"{class}\" x=\"{begin}\" y=\"{bar}\" width=\"{width}\" height=\"{BAR}\" rx=\"3\"/>"
        ));
        let (mark, length) = (bar - 4, BAR + 8);
        add(format_args!(
            "<path class=\"today\" d=\"M{today} {mark} v{length}\"/>"
        ));
    }
    let anchor = if today > WIDTH - 60 { "end" } else { "start" };
    add(format_args!(
        "<text x=\"{today}\" y=\"28\" text-anchor=\"{anchor}\">{}</text>\n</svg>",
        words.today
    ));
    svg
}

/// Name of a CA, with its status if it is not valid.
fn labelled(ca: &ShownCa, words: &Words) -> String {
    let name = called(ca);
    match ca.status {
        Status::Valid => name,
        status => format!("{} ({})", shortened(&name, 30), words.of_status(status)),
    }
}

/// Returns each CA after its issuing CA, with its depth.
pub(super) fn rows(cas: &[ShownCa]) -> Vec<(usize, &ShownCa)> {
    let mut rows = Vec::new();
    let is_top = |ca: &&ShownCa| match &ca.parent {
        Some(parent) => !cas.iter().any(|other| other.name == *parent),
        None => true,
    };
    for ca in cas.iter().filter(is_top) {
        add_below(cas, ca, 0, &mut rows);
    }
    rows
}

fn add_below<'a>(
    cas: &'a [ShownCa],
    ca: &'a ShownCa,
    depth: usize,
    rows: &mut Vec<(usize, &'a ShownCa)>,
) {
    rows.push((depth, ca));
    // A CA that is above itself is no one's first row.
    if depth < cas.len() {
        for below in cas
            .iter()
            .filter(|other| other.parent.as_ref() == Some(&ca.name))
        {
            add_below(cas, below, depth + 1, rows);
        }
    }
}
