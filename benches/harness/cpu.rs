//! Processor time of child processes and of this one.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// User and system time of all children that have ended so far (getrusage(2), `RUSAGE_CHILDREN`).
pub fn of_children() -> Result<Duration> {
    of(UsageWho::RUSAGE_CHILDREN)
}

/// User and system time of this process so far.
pub fn of_this_process() -> Result<Duration> {
    of(UsageWho::RUSAGE_SELF)
}

fn of(who: UsageWho) -> Result<Duration> {
    let usage = getrusage(who)?;
    Ok(duration(usage.user_time())? + duration(usage.system_time())?)
}

fn duration(time: TimeVal) -> Result<Duration> {
    let seconds = u64::try_from(time.tv_sec()).context("negative processor time")?;
    let microseconds = u64::try_from(time.tv_usec()).context("negative processor time")?;
    Ok(Duration::from_secs(seconds) + Duration::from_micros(microseconds))
}
