//! The tables, on standard output and in the documentation.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use time::OffsetDateTime;

use super::comparison::{Measured, Row};
use super::figure::Ratio;
use super::machine;
use super::statistics::Spread;

/// The Markdown that a benchmark produces, growing table by table.
pub struct Report {
    name: &'static str,
    head: String,
    ratios: String,
    times: String,
}

impl Report {
    /// A report that begins with date, machine and the programs' versions; `directory` is where they
    /// work.
    pub fn new(name: &'static str, directory: &Path, versions: &[String]) -> Result<Self> {
        let date = OffsetDateTime::now_utc().date();
        let machine = machine::described(directory)?;
        let versions = versions.join(" · ");
        Ok(Self {
            name,
            head: format!("{date} · {machine}  \n{versions}\n"),
            ratios: String::new(),
            times: String::new(),
        })
    }

    /// Adds the ratios and the times of a comparison, and prints them.
    pub fn add(&mut self, measured: &Measured) {
        let ratios: String = measured.ratios.iter().map(ratio_line).collect();
        let times = table(measured);
        println!("\n{RATIOS}{ratios}{times}");
        self.ratios.push_str(&ratios);
        self.times.push_str(&times);
    }

    /// Replaces what stands between this benchmark's markers in `docs/performance.md`.
    pub fn write(&self) -> Result<()> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
        let page = fs::read_to_string(&path).context("docs/performance.md is not to be read")?;
        let opening = format!("<!-- bench:{} -->", self.name);
        let closing = format!("<!-- /bench:{} -->", self.name);
        let Self {
            head,
            ratios,
            times,
            ..
        } = self;
        let inside = format!("{head}\n{RATIOS}{ratios}{times}");
        let replaced = replaced_between(&page, &opening, &closing, &inside)
            .with_context(|| format!("docs/performance.md has no {opening} … {closing}"))?;
        fs::write(&path, replaced).context("docs/performance.md is not to be written")
    }
}

fn replaced_between(page: &str, opening: &str, closing: &str, inside: &str) -> Option<String> {
    let (before, rest) = page.split_once(opening)?;
    let (_, after) = rest.split_once(closing)?;
    Some(format!("{before}{opening}\n\n{inside}\n{closing}{after}"))
}

/// Head of the table of ratios.
const RATIOS: &str = "\
| figure | measured against | ratio, median | min – max | goal | what bounds it |
| --- | --- | ---: | ---: | ---: | --- |
";

fn ratio_line(ratio: &Ratio) -> String {
    let Ratio {
        figure,
        floor,
        spread,
        at_most,
        bound,
    } = ratio;
    let goal = at_most.map_or_else(String::new, |most| format!("≤ {most}×"));
    format!(
        "| {figure} | {floor} | **{}** | {} | {goal} | {bound} |\n",
        times(spread.median),
        range(spread, times),
    )
}

fn table(measured: &Measured) -> String {
    let is_weighed = measured.rows.iter().any(|row| row.memory().is_some());
    let (head, rule) = if is_weighed {
        (" memory, median |", " ---: |")
    } else {
        ("", "")
    };
    let mut table = format!(
        "\n**{}** ({})\n\n\
         | | wall time, median | min – max | CPU time, median | syncs |{head}\n\
         | --- | ---: | ---: | ---: | ---: |{rule}\n",
        measured.title,
        plural(measured.rounds, "round"),
    );
    for row in &measured.rows {
        let wall = row.wall();
        let memory = if is_weighed {
            memory(row)
        } else {
            String::new()
        };
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} |{memory}",
            row.name,
            milliseconds(wall.median),
            range(&wall, milliseconds),
            milliseconds(row.cpu().median),
            row.syncs
                .map_or_else(|| "–".to_owned(), |count| count.to_string()),
        );
    }
    table
}

fn memory(row: &Row) -> String {
    let shown = |memory: Spread| format!(" {} MB |", three_digits(memory.median / 1e6));
    row.memory().map_or_else(|| " – |".to_owned(), shown)
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn range(spread: &Spread, shown: fn(f64) -> String) -> String {
    format!("{} – {}", shown(spread.min), shown(spread.max))
}

fn milliseconds(seconds: f64) -> String {
    format!("{} ms", three_digits(seconds * 1e3))
}

fn times(ratio: f64) -> String {
    format!("{}×", three_digits(ratio))
}

/// More digits than three are noise.
fn three_digits(number: f64) -> String {
    match number {
        _ if number < 0.1 => format!("{number:.3}"),
        _ if number < 10.0 => format!("{number:.2}"),
        _ if number < 100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}
