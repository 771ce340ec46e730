//! Terminals: width and colours of standard output and standard error.

use rustix::io::ioctl_fionread;
use rustix::termios::{LocalModes, OptionalActions, QueueSelector};
use rustix::termios::{tcflush, tcgetattr, tcgetwinsize, tcsetattr};
use std::borrow::Cow;
use std::env;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use unicode_width::UnicodeWidthChar;

/// Width of a terminal that reports none.
const DEFAULT_WIDTH: usize = 80;

/// Terminal on which a stream is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    width: usize,
    has_colour: bool,
}

/// Colour of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    Red,
    Yellow,
    Green,
    Cyan,
}

impl Terminal {
    /// Returns the terminal of standard output, if it is one.
    pub(super) fn of_output() -> Option<Self> {
        Self::of(&io::stdout())
    }

    /// Returns the terminal of standard error, if it is one.
    pub(super) fn of_errors() -> Option<Self> {
        Self::of(&io::stderr())
    }

    fn of(stream: &(impl AsFd + IsTerminal)) -> Option<Self> {
        if !stream.is_terminal() {
            return None;
        }
        let size = tcgetwinsize(stream).ok();
        let width = size.map(|size| usize::from(size.ws_col));
        Some(Self {
            width: width.filter(|width| *width > 0).unwrap_or(DEFAULT_WIDTH),
            has_colour: allows_colour(|name| env::var_os(name)?.into_string().ok()),
        })
    }

    pub(super) fn width(self) -> usize {
        self.width
    }

    /// Colours a status, if it has a colour.
    pub(super) fn status(self, text: &str) -> Cow<'_, str> {
        match colour_of(text.trim_end().trim_end_matches(':')) {
            Some(colour) if self.has_colour => colour.paint(text).into(),
            _ => text.into(),
        }
    }

    /// Colours the label at the start of each line: `error:`, `warning:`, `hint:`.
    pub(super) fn labels(self, text: &str) -> Cow<'_, str> {
        self.lines(text, |line| {
            let (label, rest) = line.split_at(line.find(':')? + 1);
            let colour = match label {
                "error:" | "caused by:" => Colour::Red,
                "warning:" => Colour::Yellow,
                "hint:" | "notice:" => Colour::Cyan,
                _ => return None,
            };
            Some(colour.paint(label) + rest)
        })
    }

    /// Colours the status in each line of a report: `valid: …`, `rootCA: stale …`, `status  revoked`.
    pub(super) fn report(self, text: &str) -> Cow<'_, str> {
        self.lines(text, |line| {
            let first = line.len() - line.trim_start().len();
            let end_of = |start: usize| {
                let end = line[start..].find(' ');
                end.map_or(line.len(), |end| start + end)
            };
            let end = end_of(first);
            let second = end + line[end..].len() - line[end..].trim_start().len();
            let end_of_second = end_of(second);
            let label = &line[first..end];
            let is_value = label.ends_with(':') || label == "status";
            for (range, is_status) in [(first..end, false), (second..end_of_second, is_value)] {
                let word = &line[range.clone()];
                let colour = colour_of(word.trim_end_matches(':'));
                if let Some(colour) = colour.filter(|_| is_status || word.ends_with(':')) {
                    let (before, after) = (&line[..range.start], &line[range.end..]);
                    return Some(format!("{before}{}{after}", colour.paint(word)));
                }
            }
            None
        })
    }

    fn lines(self, text: &str, paint: impl Fn(&str) -> Option<String>) -> Cow<'_, str> {
        if !self.has_colour {
            return text.into();
        }
        let lines = text.split('\n');
        let painted = lines.map(|line| paint(line).map_or(Cow::Borrowed(line), Cow::Owned));
        painted.collect::<Vec<_>>().join("\n").into()
    }
}

/// Returns whether the environment allows colour; see <https://no-color.org> and <https://bixense.com/clicolors>.
fn allows_colour(variable: impl Fn(&str) -> Option<String>) -> bool {
    let refuses = variable("NO_COLOR").is_some_and(|value| !value.is_empty())
        || variable("CLICOLOR").is_some_and(|value| value == "0");
    let terminal = variable("TERM").unwrap_or_default();
    !refuses && !terminal.is_empty() && terminal != "dumb"
}

fn colour_of(status: &str) -> Option<Colour> {
    Some(match status {
        "valid" | "ok" | "fresh" => Colour::Green,
        "error" | "invalid" | "revoked" | "expired" | "missing" | "stale" | "outdated" => {
            Colour::Red
        }
        "warning" | "not-yet-valid" | "pending" => Colour::Yellow,
        "notice" => Colour::Cyan,
        _ => return None,
    })
}

impl Colour {
    fn paint(self, text: &str) -> String {
        let code = match self {
            Self::Red => 31,
            Self::Yellow => 33,
            Self::Green => 32,
            Self::Cyan => 36,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Discards what was typed before a prompt: it is not an answer. Returns whether there was anything.
pub(super) fn discard_input() -> io::Result<bool> {
    let terminal = File::open("/dev/tty")?;
    let before = tcgetattr(&terminal)?;
    // Only without lines of its own does the terminal count a line that has no end yet.
    let mut raw = before.clone();
    raw.local_modes.remove(LocalModes::ICANON);
    tcsetattr(&terminal, OptionalActions::Now, &raw)?;
    let pending = ioctl_fionread(&terminal);
    let flushed = tcflush(&terminal, QueueSelector::IFlush);
    tcsetattr(&terminal, OptionalActions::Now, &before)?;
    flushed?;
    Ok(pending? > 0)
}

/// Columns that a text takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

fn width_of(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// Cuts a text to a width; a text that is cut ends in `…`.
pub(super) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if width(text) <= most {
        return text.into();
    }
    let mut left = most.saturating_sub(1);
    let fitting = text.chars().take_while(|character| {
        let fits = left.checked_sub(width_of(*character));
        left = fits.unwrap_or(0);
        fits.is_some()
    });
    let mut cut: String = fitting.collect();
    if most > 0 {
        cut.push('…');
    }
    cut.into()
}
