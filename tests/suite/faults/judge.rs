//! Whether a store is whole, and has all that was acknowledged.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::run::Run;
use crate::sandbox::Sandbox;

/// The CAs that every sandbox begins with.
pub(super) const CAS: [&str; 2] = ["rootCA", "intermediate0"];

/// Their journals.
const JOURNALS: [&str; 6] = [
    "pki/rootCA/issued.jsonl",
    "pki/rootCA/revoked.jsonl",
    "pki/rootCA/crls.jsonl",
    "pki/intermediate0/issued.jsonl",
    "pki/intermediate0/revoked.jsonl",
    "pki/intermediate0/crls.jsonl",
];

/// What a point found wrong.
pub(crate) type Verdict = Result<(), String>;

pub(crate) fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(problem()) }
}

/// A list as openssl reads it, once it has verified its signature.
#[derive(Clone)]
struct List {
    der: Vec<u8>,
    number: u128,
    this_update: String,
    text: String,
}

/// What was acknowledged, and what the counters and lists said, at some moment.
pub(super) struct Standing {
    journals: Vec<Vec<u8>>,
    listed: BTreeSet<String>,
    lists: Vec<List>,
    counters: Vec<u128>,
}

impl Standing {
    /// Reads it from a sandbox in which nothing has gone wrong yet.
    pub(super) fn of(sandbox: &Sandbox) -> Result<Self, String> {
        let lists = CAS.map(|ca| verified(sandbox, &format!("pki/crl/{ca}.crl"), ca));
        Ok(Self {
            journals: JOURNALS.map(|path| whole_lines(sandbox, path)).to_vec(),
            listed: listed(sandbox)?,
            lists: lists.into_iter().collect::<Result<_, _>>()?,
            counters: counters(sandbox)?,
        })
    }

    /// That nothing which was acknowledged is gone, nothing goes back, and nothing is half; and how
    /// things stand now.
    pub(super) fn kept(&self, sandbox: &Sandbox) -> Result<Self, String> {
        let now = Self {
            journals: JOURNALS.map(|path| whole_lines(sandbox, path)).to_vec(),
            listed: listed(sandbox)?,
            lists: self.lists_kept(sandbox)?,
            counters: counters(sandbox)?,
        };
        let journals = self.journals.iter().zip(&now.journals);
        for ((before, now), path) in journals.zip(JOURNALS) {
            let kept = now.starts_with(before);
            ensure(kept, || format!("{path} does not go on from what it was"))?;
        }
        let lost = &self.listed - &now.listed;
        ensure(lost.is_empty(), || format!("`pki list` lost {lost:?}"))?;
        let mut counters = self.counters.iter().zip(&now.counters);
        let rise = counters.all(|(before, now)| now >= before);
        ensure(rise, || {
            format!("counters: {:?}, then {:?}", self.counters, now.counters)
        })?;
        keys_are_for_their_owner(sandbox.folder())?;
        Ok(now)
    }

    fn lists_kept(&self, sandbox: &Sandbox) -> Result<Vec<List>, String> {
        let mut lists = Vec::new();
        for (ca, before) in CAS.iter().zip(&self.lists) {
            let file = format!("pki/crl/{ca}.crl");
            let der = fs::read(sandbox.path(&file)).map_err(|error| format!("{file}: {error}"))?;
            if der == before.der {
                lists.push(before.clone());
            } else {
                let now = verified(sandbox, &file, ca)?;
                ensure(now.number > before.number, || format!("{file}: its number"))?;
                let forward = now.this_update >= before.this_update;
                ensure(forward, || format!("{file}: thisUpdate"))?;
                for serial in revoked(sandbox, ca) {
                    let line = format!("Serial Number: {serial}\n");
                    ensure(now.text.contains(&line), || {
                        format!("{file} lacks {serial}")
                    })?;
                }
                lists.push(now);
            }
            assert_pem_whole(sandbox, &format!("{file}.pem"), &[ca])?;
        }
        assert_pem_whole(sandbox, "pki/crl/rootCA.chain.crl.pem", &["rootCA"])?;
        assert_pem_whole(
            sandbox,
            "pki/crl/intermediate0.chain.crl.pem",
            &["intermediate0", "rootCA"],
        )?;
        Ok(lists)
    }
}

/// A file of whole PEM lists, each signed by its CA.
fn assert_pem_whole(sandbox: &Sandbox, file: &str, cas: &[&str]) -> Verdict {
    let Ok(text) = fs::read_to_string(sandbox.path(file)) else {
        return Err(format!("{file} is gone"));
    };
    let parts: Vec<&str> = text.split_inclusive("-----END X509 CRL-----\n").collect();
    ensure(parts.len() == cas.len(), || {
        format!("{file} has {} lists", parts.len())
    })?;
    for (part, ca) in parts.iter().zip(cas) {
        // Most often it is the one that stands beside it, which has been judged.
        let der = sandbox.path(format!("pki/crl/{ca}.crl"));
        if decoded(part) == fs::read(der).ok() {
            continue;
        }
        sandbox.write("part.pem", part);
        let verdict = verified(sandbox, "part.pem", ca);
        fs::remove_file(sandbox.path("part.pem")).unwrap();
        verdict.map_err(|problem| format!("{file}: {problem}"))?;
    }
    Ok(())
}

fn decoded(pem: &str) -> Option<Vec<u8>> {
    let body = pem.strip_prefix("-----BEGIN X509 CRL-----\n")?;
    let body = body.strip_suffix("-----END X509 CRL-----\n")?;
    STANDARD.decode(body.replace('\n', "")).ok()
}

/// Has openssl verify and read a list.
fn verified(sandbox: &Sandbox, file: &str, ca: &str) -> Result<List, String> {
    let read = sandbox
        .run(
            "openssl",
            "crl -noout -text -lastupdate -dateopt iso_8601 -in",
        )
        .words(&format!("{file} -CAfile pki/{ca}/ca.crt"))
        .finish();
    let is_good = read.status == Some(0) && read.stderr.contains("verify OK");
    ensure(is_good, || format!("{file} is no list of {ca}: {read}"))?;
    let after = |label: &str| {
        let (_, rest) = read.stdout.split_once(label)?;
        Some(rest.trim_start().lines().next()?.trim().to_owned())
    };
    let number = after("X509v3 CRL Number:").and_then(|number| number.parse().ok());
    Ok(List {
        der: fs::read(sandbox.path(file)).unwrap_or_default(),
        number: number.ok_or_else(|| format!("{file} has no number"))?,
        this_update: after("lastUpdate=").ok_or_else(|| format!("{file} has no thisUpdate"))?,
        text: read.stdout,
    })
}

fn whole_lines(sandbox: &Sandbox, path: &str) -> Vec<u8> {
    let mut bytes = fs::read(sandbox.path(path)).unwrap_or_default();
    // Of an append with a hole nothing behind the first zero was acknowledged.
    let hole = bytes.iter().position(|byte| *byte == 0);
    bytes.truncate(hole.unwrap_or(bytes.len()));
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    bytes.truncate(end.map_or(0, |end| end + 1));
    bytes
}

fn records(sandbox: &Sandbox, path: &str) -> Vec<Value> {
    let lines = whole_lines(sandbox, path);
    let lines = lines.split(|byte| *byte == b'\n').skip(1);
    lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

/// The serials that a CA has recorded as revoked.
fn revoked(sandbox: &Sandbox, ca: &str) -> Vec<String> {
    let lines = records(sandbox, &format!("pki/{ca}/revoked.jsonl"));
    let serials = lines.iter().filter_map(|line| line["serial"].as_str());
    serials.map(str::to_owned).collect()
}

/// What `pki list` acknowledges: that a certificate is there, and that it is revoked.
fn listed(sandbox: &Sandbox) -> Result<BTreeSet<String>, String> {
    let list = sandbox.pki("--format json list").finish();
    ensure(list.status == Some(0), || list.to_string())?;
    let entries = list.json();
    let entries = entries.as_array().ok_or("`pki list` gave no array")?;
    let mut facts = BTreeSet::new();
    for entry in entries {
        if !CAS.iter().any(|ca| entry["ca"] == *ca) {
            continue;
        }
        let fact = |what: &str| format!("{} of {} is {what}", entry["serial"], entry["ca"]);
        facts.insert(fact("there"));
        facts.extend((entry["status"] == "revoked").then(|| fact("revoked")));
    }
    Ok(facts)
}

fn counters(sandbox: &Sandbox) -> Result<Vec<u128>, String> {
    let of = |ca: &str| ["serial", "crlnumber"].map(|name| format!("pki/{ca}/{name}"));
    let paths = [of("rootCA"), of("intermediate0")].concat();
    let numbers = paths
        .iter()
        .map(|path| sandbox.read(path).trim().parse::<u128>());
    numbers
        .collect::<Result<_, _>>()
        .map_err(|error| format!("a counter: {error}"))
}

/// Every file in a folder and below.
pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files_in(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Whoever holds key bytes, under whatever name, has mode 0600.
pub(crate) fn keys_are_for_their_owner(folder: &Path) -> Verdict {
    for path in files_in(folder) {
        let name = path.file_name().unwrap().to_string_lossy();
        let is_key = name.split('.').any(|part| part == "key") || {
            let content = fs::read(&path).unwrap_or_default();
            content.windows(11).any(|part| part == b"PRIVATE KEY")
        };
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        ensure(!is_key || mode == 0o600, || {
            format!("{}: {mode:o}", path.display())
        })?;
    }
    Ok(())
}

/// That `pki check` finds nothing wrong that `--repair` does not mend, and that this touches no record.
pub(super) fn is_sound_or_mended(sandbox: &Sandbox) -> Verdict {
    let journals = || JOURNALS.map(|path| whole_lines(sandbox, path));
    let before = journals();
    let check = sandbox.pki("check --repair").finish();
    ensure(check.status == Some(0), || format!("not sound: {check}"))?;
    ensure(journals() == before, || "--repair changed a record".into())
}

/// That nothing unfinished is left in a sandbox.
pub(crate) fn assert_tidy(sandbox: &Sandbox) -> Verdict {
    for path in files_in(sandbox.folder()) {
        let parts = path
            .components()
            .map(|part| part.as_os_str().to_string_lossy());
        let left = parts
            .into_iter()
            .any(|part| part.starts_with(".new-") || part.ends_with(".part"));
        ensure(!left, || format!("{} is left", path.display()))?;
    }
    Ok(())
}

/// That no serial number and no list number was given twice.
pub(super) fn assert_unique(sandbox: &Sandbox) -> Verdict {
    for ca in CAS {
        let field = |journal: &str, name: &str| {
            let records = records(sandbox, &format!("pki/{ca}/{journal}.jsonl"));
            let values = records.iter().filter_map(|record| record[name].as_str());
            values.map(str::to_owned).collect::<Vec<_>>()
        };
        let serials = field("issued", "serial");
        // The counter comes before sixteen random digits.
        let counters: BTreeSet<u128> = serials.iter().map(|serial| counter(serial)).collect();
        ensure(counters.len() == serials.len(), || {
            format!("a counter twice: {serials:?}")
        })?;
        let revoked: BTreeSet<String> = field("revoked", "serial").into_iter().collect();
        let twice = revoked.len() != field("revoked", "serial").len();
        ensure(!twice, || format!("revoked twice: {revoked:?}"))?;
        let numbers = field("crls", "number");
        let distinct: BTreeSet<&String> = numbers.iter().collect();
        ensure(distinct.len() == numbers.len(), || {
            format!("a number twice: {numbers:?}")
        })?;
    }
    Ok(())
}

/// That another program reads every line of the journals.
pub(super) fn assert_jq_reads(sandbox: &Sandbox) -> Verdict {
    for ca in CAS {
        let paths = JOURNALS.iter().filter(|path| path.contains(ca));
        let read = paths
            .clone()
            .fold(sandbox.run("jq", "-c .check"), Run::arg)
            .finish();
        ensure(read.status == Some(0), || read.to_string())?;
        let lines = paths.map(|path| sandbox.read(path).lines().count());
        let (lines, checks) = (lines.sum::<usize>(), read.stdout.lines().count());
        ensure(checks == lines, || {
            format!("jq reads {checks} of {lines} lines")
        })?;
    }
    Ok(())
}

/// The highest counter that is in a serial of the CA: in its journal, or a key's name.
pub(super) fn highest_counter(sandbox: &Sandbox, ca: &str) -> u128 {
    let issued = records(sandbox, &format!("pki/{ca}/issued.jsonl"));
    let recorded = issued
        .iter()
        .filter_map(|line| Some(counter(line["serial"].as_str()?)));
    let keys = files_in(&sandbox.path(format!("pki/{ca}/keys")));
    let keys = keys.iter().filter_map(|path| path.file_stem()?.to_str());
    recorded.chain(keys.map(counter)).max().unwrap_or(0)
}

fn counter(serial: &str) -> u128 {
    let digits = serial.len().saturating_sub(16);
    u128::from_str_radix(&serial[..digits], 16).unwrap_or(0)
}
