//! A PostgreSQL server for the benchmark, and the floors of what talks to it.

mod server;
mod slow;

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};
use postgres::{Client, NoTls};

use crate::harness::{Contender, of_this_process};

pub use server::Server;
pub use slow::slow_path;

/// Makes this program a floor.
const FLOOR: &str = "database-floor";

/// Returns whether this process was started as a floor, and has now done its work.
pub fn is_asked() -> Result<bool> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [FLOOR, url, count] = words.as_slice() else {
        if words.first() == Some(&FLOOR) {
            bail!("a URL and a number of round trips are required");
        }
        return Ok(false);
    };
    let count: u32 = count.parse()?;
    let cpu = of_this_process()?;
    let start = Instant::now();
    let mut client = Client::connect(url, NoTls)?;
    let (start, cpu) = if count == 0 {
        (start, cpu)
    } else {
        (Instant::now(), of_this_process()?)
    };
    for _ in 0..count {
        client.simple_query("SELECT 1")?;
    }
    let wall = start.elapsed();
    let cpu = of_this_process()?.saturating_sub(cpu);
    println!("{} {}", wall.as_nanos(), cpu.as_nanos());
    Ok(true)
}

/// A connection, and nothing else.
pub fn connection(called: &str, url: &str) -> Contender {
    floor(called, url, 0)
}

/// Statements without work, on a connection.
pub fn round_trips(called: &str, url: &str, count: u32) -> Contender {
    floor(called, url, count)
}

fn floor(called: &str, url: &str, count: u32) -> Contender {
    // A parameter of libpq that the library does not know: there is no TLS here.
    let url = url.replace("?sslmode=disable", "");
    Contender::new(called, move |_| {
        let mut floor = Command::new(std::env::current_exe()?);
        floor.args([FLOOR, &url, &count.to_string()]);
        Ok(vec![floor])
    })
    .timing_itself()
}
