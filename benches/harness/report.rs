//! The tables, on standard output and in the documentation.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use time::OffsetDateTime;

use super::comparison::{Measured, Row};
use super::machine;
use super::statistics::Spread;

/// The Markdown that a benchmark produces, growing table by table.
pub struct Report {
    name: &'static str,
    markdown: String,
}

impl Report {
    /// A report that begins with date, machine and the programs' versions; `folder` is where they
    /// work.
    pub fn new(name: &'static str, folder: &Path, versions: &[String]) -> Result<Self> {
        let date = OffsetDateTime::now_utc().date();
        let machine = machine::described(folder)?;
        let versions = versions.join(" · ");
        Ok(Self {
            name,
            markdown: format!("{date} · {machine}  \n{versions}\n"),
        })
    }

    /// Adds a table, and prints it.
    pub fn add(&mut self, measured: &Measured) {
        let table = table(measured);
        println!("{table}");
        self.markdown.push_str(&table);
    }

    /// Replaces what stands between this benchmark's markers in `docs/performance.md`.
    pub fn write(&self) -> Result<()> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
        let page = fs::read_to_string(&path).context("docs/performance.md is not to be read")?;
        let opening = format!("<!-- bench:{} -->", self.name);
        let closing = format!("<!-- /bench:{} -->", self.name);
        let replaced = replaced_between(&page, &opening, &closing, &self.markdown)
            .with_context(|| format!("docs/performance.md has no {opening} … {closing}"))?;
        fs::write(&path, replaced).context("docs/performance.md is not to be written")
    }
}

fn replaced_between(page: &str, opening: &str, closing: &str, inside: &str) -> Option<String> {
    let (before, rest) = page.split_once(opening)?;
    let (_, after) = rest.split_once(closing)?;
    Some(format!("{before}{opening}\n\n{inside}\n{closing}{after}"))
}

fn table(measured: &Measured) -> String {
    let rows = measured.rows();
    let is_weighed = rows.iter().any(|row| row.memory.is_some());
    let (head, rule) = if is_weighed {
        (" memory, median |", " ---: |")
    } else {
        ("", "")
    };
    let mut table = format!(
        "\n**{}** ({} rounds)\n\n\
         | | wall time, median | min – max | CPU time, median | ratio, median | min – max |{head}\n\
         | --- | ---: | ---: | ---: | ---: | ---: |{rule}\n",
        measured.title,
        measured.rounds(),
    );
    for Row {
        name,
        wall,
        cpu,
        ratio,
        memory,
    } in rows
    {
        let memory = memory.map_or_else(String::new, |memory| {
            format!(" {} MB |", three_digits(memory.median / 1e6))
        });
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {} | {} | {} |{memory}",
            milliseconds(wall.median),
            range(&wall, milliseconds),
            milliseconds(cpu.median),
            times(ratio.median),
            range(&ratio, times),
        );
    }
    table
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
        _ if number < 10.0 => format!("{number:.2}"),
        _ if number < 100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}
