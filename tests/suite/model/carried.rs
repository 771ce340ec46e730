//! The store at the end of a case, carried to both engines by a backup.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Deserializer, Value};

use crate::faults::judge::{Verdict, ensure, files_in};
use crate::sandbox::Sandbox;

use super::world::World;

/// Files of a backup, by their paths.
type Files = BTreeMap<String, Vec<u8>>;

/// Endings of what a restore changes: where numbers go on, and the record of it.
const RAISED: [&str; 4] = ["/serial", "/crlnumber", "/ca.json", "/changes.jsonl"];

impl World {
    /// A backup that is restored on either engine gives the same archive there, with all that the first had.
    pub(super) fn is_carried_to_both_engines(&mut self) -> Verdict {
        let archive = self.sandbox.path("end.tar").display().to_string();
        self.succeeds(&self.sandbox, &format!("backup {archive}"))?;
        let before = files_of(&self.sandbox, &archive)?;
        let other = self.engine.other().sandbox();
        self.succeeds(&other, &format!("restore {archive}"))?;
        self.sandbox.lose_store();
        self.succeeds(&self.sandbox, &format!("restore {archive}"))?;
        let [here, there] = [&self.sandbox, &other].map(|sandbox| {
            self.succeeds(sandbox, "backup again.tar")?;
            files_of(sandbox, "again.tar")
        });
        let (here, there) = (here?, there?);
        are_equal(&here, &there, &[])?;
        are_equal(&before, &there, &RAISED)?;
        self.take_over()?;
        self.judge_check()
    }

    fn succeeds(&self, sandbox: &Sandbox, line: &str) -> Verdict {
        let ended = self.pki_of(sandbox, line).finish();
        ensure(ended.status == Some(0), || ended.to_string())
    }
}

/// Reads the files of an archive, but for published CRLs, which are beside a database.
fn files_of(sandbox: &Sandbox, archive: &str) -> Result<Files, String> {
    let place = sandbox.path("archive");
    fs::create_dir(&place).unwrap();
    let extracted = sandbox
        .run("tar", "--extract --directory archive --file")
        .arg(archive)
        .arg("store")
        .finish();
    ensure(extracted.status == Some(0), || extracted.to_string())?;
    let paths = files_in(&place).into_iter();
    let files = paths.map(|path| {
        let name = path.strip_prefix(&place).expect("it is in there");
        (name.display().to_string(), fs::read(&path).unwrap())
    });
    let files: Files = files.collect();
    fs::remove_dir_all(&place).unwrap();
    let kept = files
        .keys()
        .filter(|path| !path.starts_with("store/crl/"))
        .map(|path| (path.clone(), comparable(&files, path)));
    Ok(kept.collect())
}

/// A file; of a journal the records, without what depends on how it was appended to. What a list covers are
/// bytes of another journal, and so its lines.
fn comparable(files: &Files, path: &str) -> Vec<u8> {
    let content = &files[path];
    match path.rsplit_once('/') {
        Some((ca, "crls.jsonl")) => {
            let revoked = &files[&format!("{ca}/revoked.jsonl")];
            records(content, |record| {
                if let Some(length) = record["covers"]["length"].as_u64() {
                    let length = usize::try_from(length).unwrap().min(revoked.len());
                    let covered = String::from_utf8_lossy(&revoked[..length]);
                    record["covers"] = covered.lines().count().into();
                }
            })
        }
        Some((_, name)) if name.split('.').nth(1) == Some("jsonl") => records(content, |_| {}),
        _ => content.clone(),
    }
}

fn records(journal: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    let records = Deserializer::from_slice(journal).into_iter::<Value>();
    let records = records.map(|record| {
        let mut record = record.expect("a line of a journal");
        change(&mut record);
        let fields = record.as_object_mut().expect("an object");
        fields.retain(|name, _| !["check", "append_start"].contains(&name.as_str()));
        record.to_string() + "\n"
    });
    records.collect::<String>().into_bytes()
}

fn are_equal(one: &Files, other: &Files, but: &[&str]) -> Verdict {
    let paths = one.keys().chain(other.keys());
    for path in paths.filter(|path| !but.iter().any(|end| path.ends_with(end))) {
        let [left, right] = [one, other].map(|files| {
            let content = files.get(path);
            content.map(|bytes| String::from_utf8_lossy(bytes))
        });
        ensure(left == right, || {
            format!("{path} differs:\n--- one\n{left:#?}\n--- other\n{right:#?}")
        })?;
    }
    Ok(())
}
