//! Work on many certificates at once.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{CA, Store, run};
use crate::harness::Contender;

/// A table of so many clients.
pub fn table(file: &Path, count: u32) -> Result<()> {
    let mut table = BufWriter::new(File::create(file)?);
    writeln!(table, "cn,san")?;
    for number in 1..=count {
        writeln!(table, "device-{number},device-{number}.example.test")?;
    }
    Ok(table.flush()?)
}

impl Store {
    /// A certificate for every row, in the store.
    pub fn issue_table(&self, table: PathBuf) -> Contender {
        let store = self.clone();
        Contender::new("**pki issue --from**", move |_| {
            let mut issue = store.command("issue --ca");
            issue.arg(CA).arg("--from").arg(&table);
            Ok(vec![issue])
        })
        .weighed()
    }

    /// The same, with the files of each.
    pub fn issue_table_to_files(&self, table: PathBuf) -> Contender {
        let store = self.clone();
        Contender::new("**pki issue --from --out**", move |_| {
            let mut issue = store.command("issue --out given --no-passphrase --ca");
            issue.arg(CA).arg("--from").arg(&table);
            Ok(vec![issue])
        })
        .weighed()
    }

    /// Serial number of the certificate of a row, counted from 1. A header and the root stand before them.
    pub fn serial(&self, number: usize) -> Result<String> {
        let line = lines(&self.issued())?
            .nth(number + 1)
            .context("no record")??;
        Ok(serial(&line)?.to_owned())
    }

    /// Issues certificates for the rows of a table, off the clock.
    pub fn fill(&self, table: &Path) -> Result<()> {
        run(self.command("issue --ca").arg(CA).arg("--from").arg(table))
    }

    /// A command that only looks.
    pub fn look(&self, words: &str) -> Contender {
        let (store, words) = (self.clone(), words.to_owned());
        Contender::new(format!("**pki {words}**"), move |_| {
            let (command, rest) = words.split_once(' ').context("a command and its options")?;
            Ok(vec![store.command(&format!("{command} --ca {CA} {rest}"))])
        })
        .weighed()
    }

    /// Revokes the next `count` certificates that were issued, by a table of their serial numbers.
    pub fn revoke_table(&self, count: usize) -> Contender {
        let store = self.clone();
        Contender::new(
            format!("**pki revoke --from**, {count} rows"),
            move |round| {
                let file = round.directory().join("serials.csv");
                store.write_serials(&file, count)?;
                let mut revoke = store.command("revoke --ca");
                revoke.arg(CA).arg("--from").arg(file);
                Ok(vec![revoke])
            },
        )
        .weighed()
    }

    /// Revokes one certificate by its common name, another one each round.
    pub fn revoke_one(&self, prefix: &str) -> Contender {
        let (store, prefix) = (self.clone(), prefix.to_owned());
        Contender::new("**pki revoke --cn**", move |round| {
            let mut revoke = store.command("revoke --ca");
            revoke.arg(CA).arg("--cn");
            revoke.arg(format!("{prefix}{:02}", round.number()));
            Ok(vec![revoke])
        })
        .weighed()
    }

    /// The serial numbers of certificates that are not revoked, in the order of issuing.
    fn write_serials(&self, file: &Path, count: usize) -> Result<()> {
        let revoked = lines(&self.revoked())?.count();
        let issued = lines(&self.issued())?;
        let mut table = BufWriter::new(File::create(file)?);
        // The header of a journal, and the root itself, are no rows.
        for line in issued.skip(1 + revoked).take(count) {
            writeln!(table, "{},superseded", serial(&line?)?)?;
        }
        Ok(table.flush()?)
    }

    /// Publishes a list of all that is revoked.
    pub fn list_of_all(&self) -> Contender {
        let store = self.clone();
        Contender::new("**pki crl --to-pem**", move |_| {
            let mut command = store.command("crl --to-pem --ca");
            command.arg(CA);
            Ok(vec![command])
        })
        .weighed()
    }
}

fn serial(line: &str) -> Result<&str> {
    line.strip_prefix("{\"serial\":\"")
        .and_then(|rest| rest.split('"').next())
        .context("a record begins with its serial number")
}

fn lines(file: &Path) -> Result<impl Iterator<Item = std::io::Result<String>> + use<>> {
    let file = File::open(file).with_context(|| file.display().to_string())?;
    Ok(BufReader::new(file).lines())
}
