//! What is held to the model after each step.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::faults::judge::{Verdict, assert_tidy, ensure, keys_are_for_their_owner};
use crate::sandbox::STORE;

use super::Engine;
use super::facts::{Fact, documents, text};
use super::known::{Authority, Certificate, HOLD, Known, List, Of, Rows};
use super::order::{Key, TABLES, is_of};
use super::reading::{self, Entry};
use super::world::{Ended, OUT, World, names_in};

impl World {
    /// Holds everything to what was known before, and to what the commands said. That is what is known
    /// from now on.
    pub(super) fn judge(&mut self, before: &Known, runs: &[Ended]) -> Verdict {
        for run in runs {
            let expected = run.order.statuses.as_slice();
            let fits = run.status.is_none_or(|status| expected.contains(&status));
            ensure(fits, || {
                format!("pki {} was to end with {expected:?}", run.order.line)
            })?;
        }
        if runs.iter().any(|run| run.status.is_none()) {
            self.mend()?;
        }
        self.judge_authorities(before, runs)?;
        self.judge_certificates(before, runs)?;
        self.judge_tables(before, runs)?;
        self.judge_lists(before, runs)?;
        self.judge_readers(before, runs)?;
        self.judge_check()?;
        self.judge_files(runs)?;
        self.remember_counters();
        Ok(())
    }

    /// What a killed process left is mended, or of no harm.
    fn mend(&mut self) -> Verdict {
        let mended = self.pki("check --repair").finish();
        ensure(matches!(mended.status, Some(0 | 3)), || mended.to_string())?;
        let copies = match self.engine {
            Engine::Directory => STORE,
            Engine::Database => ".",
        };
        for name in self.sandbox.names_in(copies) {
            if name.starts_with(".repair-") {
                fs::remove_dir_all(self.sandbox.path(copies).join(name)).unwrap();
            }
        }
        for folder in [".", OUT, "declared"] {
            for name in names_in(&self.sandbox.path(folder)) {
                if name.contains(".part") {
                    fs::remove_file(self.sandbox.path(folder).join(name)).unwrap();
                }
            }
        }
        Ok(())
    }

    fn judge_authorities(&mut self, before: &Known, runs: &[Ended]) -> Verdict {
        let makers = |name: &str| {
            let made = runs
                .iter()
                .filter(|run| run.order.makes.as_deref() == Some(name));
            made.filter(|run| run.status != Some(1)).collect::<Vec<_>>()
        };
        let mut cas = BTreeMap::new();
        for name in reading::names_of_cas(&self.sandbox) {
            let known = before.cas.get(&name);
            let authority = reading::authority(&self.sandbox, &name, known)?;
            let makers = makers(&name);
            let is_new = known.is_none_or(|known| known.file != authority.file);
            ensure(!is_new || !makers.is_empty(), || {
                format!("nobody gave {name} a certificate")
            })?;
            if known.is_none() {
                // One of the same name that was lost with a store was another.
                self.given.serials.retain(|(ca, _)| *ca != name);
                self.given.numbers.remove(&name);
            }
            cas.insert(name, authority);
        }
        for name in before.cas.keys() {
            ensure(cas.contains_key(name), || format!("the CA {name} is gone"))?;
        }
        for run in runs.iter().filter(|run| run.is_done()) {
            let Some(name) = &run.order.makes else {
                continue;
            };
            ensure(cas.contains_key(name), || format!("{name} was not made"))?;
            let makers = makers(name).into_iter();
            let makers = makers.filter(|run| run.is_done() && run.order.command() != "ca");
            ensure(makers.count() < 2, || format!("{name} was made twice"))?;
        }
        self.known.cas = cas;
        Ok(())
    }

    /// Everything that `pki list` shows, as it was known before, or is not.
    pub(super) fn listed(&self, before: &Known) -> Result<Vec<Certificate>, String> {
        let listed = self.pki("list").finish();
        ensure(listed.status == Some(0), || listed.to_string())?;
        let entries = documents(&listed.stdout);
        let now = self.now();
        let mut certificates = Vec::new();
        for entry in entries.iter().map(Entry::of) {
            let status = match &entry.reason {
                Some(_) => "revoked",
                None if now > entry.ends => "expired",
                None if now < entry.begins => "not-yet-valid",
                None => "valid",
            };
            ensure(entry.status == status, || {
                format!(
                    "{} is {}, and listed as {}",
                    entry.serial, status, entry.status
                )
            })?;
            let known = before.certificate(&entry.id());
            let is_same = known.is_none_or(|known| known.fingerprint == entry.fingerprint);
            ensure(is_same, || {
                format!("{} is another certificate", entry.serial)
            })?;
            certificates.push(Certificate {
                listed_beyond: known.is_some_and(|known| known.listed_beyond),
                key: known.and_then(|known| known.key.clone()),
                ca: entry.ca,
                serial: entry.serial,
                cn: entry.cn,
                profile: entry.profile,
                fingerprint: entry.fingerprint,
                begins: entry.begins,
                ends: entry.ends,
                revoked: entry.reason,
            });
        }
        Ok(certificates)
    }

    fn judge_certificates(&mut self, before: &Known, runs: &[Ended]) -> Verdict {
        let mut certificates = self.listed(before)?;
        let listed: BTreeSet<Of> = certificates.iter().map(Certificate::id).collect();
        ensure(listed.len() == certificates.len(), || {
            "a serial number twice".into()
        })?;
        for certificate in &before.certificates {
            let is_there = listed.contains(&certificate.id());
            ensure(is_there, || format!("{} is lost", certificate.serial))?;
        }
        let mut said = said_to_be_issued(before, runs)?;
        let mut unsaid = may_be_issued(runs);
        for certificate in &mut certificates {
            let of = certificate.id();
            if before.certificate(&of).is_none() {
                let is_new = self.given.serials.insert(of.clone());
                ensure(is_new, || format!("the serial number {} comes again", of.1))?;
                let key = said.remove(&of).or_else(|| {
                    let is_about = |(ca, cn, _): &(String, String, Key)| {
                        *ca == certificate.ca && *cn == certificate.cn
                    };
                    let found = unsaid.iter().position(is_about)?;
                    Some(unsaid.swap_remove(found).2)
                });
                let key = key.ok_or_else(|| format!("nobody issued {}", of.1))?;
                certificate.key = match key {
                    Key::New => Some(of.1.clone()),
                    Key::Known(key) => Some(key),
                    Key::Unknown => None,
                };
            }
            let allowed = standings(before, certificate, runs);
            ensure(allowed.contains(&certificate.revoked), || {
                let is = &certificate.revoked;
                format!("{} is revoked for {is:?}, and may be {allowed:?}", of.1)
            })?;
        }
        ensure(said.is_empty(), || {
            let lost: Vec<&Of> = said.keys().collect();
            format!("issued, and not listed: {lost:?}")
        })?;
        self.known.certificates = certificates;
        Ok(())
    }

    /// No row of a table is issued twice by runs that go on.
    fn judge_tables(&mut self, before: &Known, runs: &[Ended]) -> Verdict {
        self.known.tables = before.tables.clone();
        let of_tables = runs.iter().filter_map(|run| {
            let (table, goes_on) = run.order.table?;
            let (ca, _, _) = run.order.issues.first()?;
            Some(((ca.clone(), table), goes_on, run))
        });
        let mut by_table: BTreeMap<(String, usize), Vec<(bool, &Ended)>> = BTreeMap::new();
        for (of, goes_on, run) in of_tables.filter(|(_, _, run)| run.status != Some(1)) {
            by_table.entry(of).or_default().push((goes_on, run));
        }
        for (of, runs) in by_table {
            let rows = TABLES[of.1].len();
            let new = |run: &Ended| {
                let facts = run.facts.iter();
                let new = facts.filter(|fact| matches!(fact, Fact::Issued { already: false, .. }));
                new.count()
            };
            let going_on = runs.iter().filter(|(goes_on, _)| *goes_on);
            let by_them: usize = going_on.map(|(_, run)| new(run)).sum();
            let is_certain = runs.iter().all(|(_, run)| run.is_done());
            let all_go_on = runs.iter().all(|(goes_on, _)| *goes_on);
            let fits = match self.known.tables.get(&of) {
                Some(Rows::All) => by_them == 0,
                None if is_certain && all_go_on => by_them == rows,
                _ => by_them <= rows,
            };
            ensure(fits, || format!("runs that go on issued {by_them} rows"))?;
            let rows = if is_certain { Rows::All } else { Rows::Unknown };
            self.known.ran(&of.0, of.1, rows);
        }
        Ok(())
    }

    fn judge_lists(&mut self, before: &Known, runs: &[Ended]) -> Verdict {
        for name in self.known.names() {
            let authority = self.known.cas[&name].clone();
            let list = reading::list(&self.sandbox, &name, authority.list.as_ref())?;
            let highest = self.judge_numbers(&name, runs)?;
            let published = list.as_ref().map(|list| list.number);
            if let Some(number) = highest {
                ensure(published == Some(number), || {
                    format!("list {number} of {name} was to be out, and {published:?} is")
                })?;
            }
            let old = authority.list.as_ref().map(|list| &list.der);
            if let Some(list) = &list
                && Some(&list.der) != old
            {
                ensure(runs.iter().any(|run| run.order.may_publish(&name)), || {
                    format!("nobody published a list of {name}")
                })?;
                self.judge_list(&name, &authority, list, before, runs)?;
            }
            ensure(list.is_some() || old.is_none(), || {
                format!("the list of {name} is gone")
            })?;
            let authority = self.known.cas.get_mut(&name).expect("it is one of them");
            authority.ahead |= runs
                .iter()
                .any(|run| run.order.may_publish(&name) && run.order.line.contains("--ahead"));
            if let Some(list) = &list {
                authority.list_floor = list.this_update.clone();
            }
            authority.list = list;
        }
        self.lists_are_gone &= self.known.cas.values().any(|ca| ca.list.is_none());
        let is_certain = !runs.iter().any(Ended::is_uncertain);
        if is_certain && !self.lists_are_gone {
            self.judge_made_of_lists()?;
        }
        Ok(())
    }

    /// That the numbers which commands named are new and distinct; the highest, where all of them said.
    fn judge_numbers(&mut self, ca: &str, runs: &[Ended]) -> Result<Option<u128>, String> {
        let floor = self.given.numbers.get(ca).copied().unwrap_or(0);
        let (mut highest, mut given, mut numbers) = (None, floor, BTreeSet::new());
        for fact in runs.iter().flat_map(|run| &run.facts) {
            let Fact::List {
                ca: of,
                number,
                signed,
            } = fact
            else {
                continue;
            };
            if of != ca {
                continue;
            }
            highest = highest.max(Some(*number));
            for number in *number..*number + *signed {
                let is_new = number > floor && numbers.insert(number);
                ensure(is_new, || {
                    format!("list number {number} of {ca} comes again")
                })?;
                given = given.max(number);
            }
        }
        self.given.numbers.insert(ca.to_owned(), given);
        let publish = |run: &Ended| run.order.may_publish(ca);
        let all_said = |run: &Ended| !run.is_uncertain() && run.order.command() == "crl";
        let all_said = runs.iter().filter(|run| publish(run)).all(all_said);
        Ok(highest.filter(|_| all_said))
    }

    /// A list that was published in this step.
    fn judge_list(
        &mut self,
        ca: &str,
        authority: &Authority,
        list: &List,
        before: &Known,
        runs: &[Ended],
    ) -> Verdict {
        let number = list.number;
        let last = authority.list.as_ref().map_or(0, |list| list.number);
        ensure(number > last, || {
            format!("list {number} of {ca} after {last}")
        })?;
        let (this_update, floor) = (&list.this_update, &authority.list_floor);
        // A CRL that was signed ahead and is out counts for nothing while its time has not come.
        let now = self.now();
        let counts = !(authority.ahead && *floor > now);
        ensure(this_update >= floor || !counts, || {
            format!("list {number} of {ca} has thisUpdate {this_update} after {floor}")
        })?;
        ensure(list.next_update > *this_update, || {
            format!("list {number} of {ca} ends at {}", list.next_update)
        })?;
        let highest = self.given.numbers.entry(ca.to_owned()).or_default();
        *highest = number.max(*highest);
        let publishers = runs.iter().filter(|run| run.order.may_publish(ca));
        let several = publishers.count() > 1;
        let mut may_be_listed = BTreeSet::new();
        for certificate in self
            .known
            .certificates
            .iter_mut()
            .filter(|one| one.ca == ca)
        {
            let known = before.certificate(&certificate.id());
            let was_revoked = known.is_some_and(|known| known.revoked.is_some());
            let allowed = standings(before, certificate, runs);
            let stays_revoked = allowed.iter().all(Option::is_some);
            let is_listed = list.serials.contains(&certificate.serial);
            // Whoever is released or revoked in this step may be so before or after the list is made.
            // Of several lists in one step the last is seen; what the first had beyond its validity left.
            let is_beyond = *this_update > certificate.ends;
            let has_expired = now > certificate.ends;
            let may_have_left =
                has_expired && (certificate.listed_beyond || (several && is_beyond));
            let must = was_revoked && stays_revoked && !may_have_left;
            let may = was_revoked || allowed.iter().any(Option::is_some);
            ensure(is_listed || !must, || {
                format!("list {number} of {ca} lacks {}", certificate.serial)
            })?;
            if may {
                may_be_listed.insert(certificate.serial.clone());
            }
            certificate.listed_beyond |= (is_listed || (was_revoked && several)) && is_beyond;
        }
        let more: Vec<&String> = list.serials.difference(&may_be_listed).collect();
        ensure(more.is_empty(), || {
            format!("list {number} of {ca} has {more:?}, which is not revoked")
        })
    }

    /// PEM files and chains are of the published lists.
    fn judge_made_of_lists(&self) -> Verdict {
        for name in self.known.names() {
            let der = |ca: &String| {
                self.known.cas[ca]
                    .list
                    .as_ref()
                    .map(|list| list.der.clone())
            };
            let own = [name.clone()].iter().map(der).collect::<Option<Vec<_>>>();
            let chain = self.known.path(&name).iter().map(der).collect();
            for (end, lists) in [("crl.pem", own), ("chain.crl.pem", chain)] {
                let file = format!("pki/crl/{name}.{end}");
                let found = reading::pem_lists(&self.sandbox, &file)?;
                ensure(found.is_none() || found == lists, || {
                    format!("{file} is not made of what is published")
                })?;
            }
        }
        Ok(())
    }

    /// Whoever reads beside writers sees all that was acknowledged before, and nothing wrong.
    fn judge_readers(&self, before: &Known, runs: &[Ended]) -> Verdict {
        for run in runs {
            match (run.order.command(), run.status) {
                ("list", Some(0)) => sees_what_was_there(before, run)?,
                ("check", Some(_)) => {
                    let unknown = self.unexpected(&documents(&run.stdout))?;
                    // It may have met lists that were published in this step.
                    let mut stale = self.stale(before);
                    stale.extend(self.stale(&self.known));
                    let is_known = unknown.is_subset(&stale);
                    ensure(is_known, || format!("a reader found {unknown:?}"))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What `pki check` has to find now.
    fn stale(&self, known: &Known) -> BTreeSet<Finding> {
        let now = self.now();
        let is_stale = |list: &List| list.next_update < now;
        let cas = known.cas.iter();
        let stale = cas.filter(|(_, ca)| ca.list.as_ref().is_some_and(is_stale));
        let stale = stale.map(|(name, _)| ("list-stale".to_owned(), name.clone()));
        let unborn = known.cas.iter().filter(|(_, ca)| ca.begins > now);
        let unborn = unborn.map(|(name, _)| ("ca-not-yet-valid".to_owned(), name.clone()));
        stale.chain(unborn).chain(self.in_future(known)).collect()
    }

    /// Published CRLs that are dated in the future.
    fn in_future(&self, known: &Known) -> BTreeSet<Finding> {
        let now = self.now();
        let cas = known.cas.iter().filter(|_| !self.lists_are_gone);
        let is_future = |list: &List| list.this_update > now;
        let ahead = cas.filter(|(_, ca)| ca.list.as_ref().is_some_and(is_future));
        let ahead = ahead.map(|(name, _)| ("list-future".to_owned(), name.clone()));
        ahead.collect()
    }

    /// The findings of a check, but for notices, and for what disturbances have left.
    fn unexpected(&self, report: &[Value]) -> Result<BTreeSet<Finding>, String> {
        let findings = report
            .first()
            .and_then(|report| report["findings"].as_array());
        let findings = findings.ok_or("a check without findings")?;
        let told = findings
            .iter()
            .filter(|finding| finding["level"] != "notice");
        let named = told.map(|finding| (text(finding, "rule"), text(finding, "ca")));
        let unexpected = named.filter(|(rule, ca)| match rule.as_str() {
            "counter-behind" => !self.behind.contains(ca),
            "list-missing" | "list-copy" | "list-future" => !self.lists_are_gone,
            _ => true,
        });
        Ok(unexpected.collect())
    }

    /// `pki check` finds what the model says is wrong, and nothing else.
    pub(super) fn judge_check(&self) -> Verdict {
        let check = self.pki("check").finish();
        let report = documents(&check.stdout);
        let (found, expected) = (self.unexpected(&report)?, self.stale(&self.known));
        ensure(found == expected, || {
            format!("expected of the store: {expected:?}\n{check}")
        })?;
        let says_no = check.stdout.contains("\"level\": \"error\"")
            || check.stdout.contains("\"level\": \"warning\"");
        let status = if says_no { 3 } else { 0 };
        ensure(check.status == Some(status), || check.to_string())
    }

    /// What was given out is there, and good; keys are for their owner, and nothing is half done.
    fn judge_files(&mut self, runs: &[Ended]) -> Verdict {
        keys_are_for_their_owner(self.sandbox.folder())?;
        assert_tidy(&self.sandbox)?;
        let there = names_in(&self.sandbox.path(OUT));
        let touched = |name: &str| {
            let runs = runs.iter().filter(|run| run.status != Some(1));
            let runs = runs.filter(|run| run.order.gives_out.as_deref() == Some(name));
            runs.collect::<Vec<_>>()
        };
        let names: BTreeSet<&String> = runs
            .iter()
            .filter_map(|run| run.order.gives_out.as_ref())
            .collect();
        let mut expected = self.given_out.clone();
        for name in names {
            let touched = touched(name);
            if touched.iter().any(|run| run.is_uncertain()) {
                // Some of them may be there.
                expected.retain(|file| !is_of(file, name));
                expected.extend(there.iter().filter(|file| is_of(file, name)).cloned());
            } else if !touched.is_empty() {
                let files = ["crt", "chain.pem", "fullchain.pem"];
                expected.extend(files.map(|end| format!("{name}.{end}")));
                let key = format!("{name}.key");
                // What a request spoke for has its key elsewhere.
                expected.extend(there.contains(&key).then_some(key));
            }
            let renews = runs.iter().any(|run| run.order.makes.is_some());
            if let [run] = touched.as_slice()
                && run.is_done()
                && !renews
            {
                self.judge_given_out(name)?;
            }
        }
        ensure(there == expected, || {
            format!("in {OUT} are {there:?}, and there were to be {expected:?}")
        })?;
        self.given_out = there;
        Ok(())
    }

    /// openssl agrees on whether a certificate that was given out is valid now.
    fn judge_given_out(&self, name: &str) -> Verdict {
        let shown = self
            .sandbox
            .run(
                "openssl",
                "x509 -noout -serial -issuer -nameopt sep_multiline,lname -in",
            )
            .arg(format!("{OUT}/{name}.crt"))
            .finish();
        let mut lines = shown.stdout.lines().map(str::trim);
        let mut after = |label: &str| lines.find_map(|line| line.strip_prefix(label));
        let serial = after("serial=").unwrap_or_default().to_owned();
        let ca = after("commonName=").unwrap_or_default().to_owned();
        let certificate = self.known.certificate(&(ca.clone(), serial));
        let certificate = certificate.ok_or_else(|| format!("{name}.crt is of nobody\n{shown}"))?;
        let path = self.known.path(&ca);
        let root = path.last().expect("it has itself");
        let verified = self
            .sandbox
            .run("openssl", "verify -x509_strict -attime")
            .arg(self.timestamp().to_string())
            .words(&format!(
                "-CAfile pki/{root}/ca.crt -untrusted {OUT}/{name}.chain.pem"
            ))
            .arg(format!("{OUT}/{name}.crt"))
            .finish();
        let now = self.now();
        let in_time = certificate.begins <= now && now <= certificate.ends;
        let is_valid = in_time && self.known.is_in_time(&ca, &now);
        ensure((verified.status == Some(0)) == is_valid, || {
            verified.to_string()
        })
    }
}

/// A rule, and the CA that it is about.
type Finding = (String, String);

fn sees_what_was_there(before: &Known, reader: &Ended) -> Verdict {
    let entries = documents(&reader.stdout);
    let entries = entries.iter().map(Entry::of);
    let entries: BTreeMap<Of, Entry> = entries.map(|entry| (entry.id(), entry)).collect();
    for certificate in &before.certificates {
        let entry = entries.get(&certificate.id());
        let is_for_good = certificate.revoked.is_some() && !certificate.is_held();
        let fits = entry.is_some_and(|entry| !is_for_good || entry.reason == certificate.revoked);
        ensure(fits, || format!("a reader missed {}", certificate.serial))?;
    }
    Ok(())
}

/// The certificates that commands have acknowledged, with their keys.
fn said_to_be_issued(before: &Known, runs: &[Ended]) -> Result<BTreeMap<Of, Key>, String> {
    let mut said = BTreeMap::new();
    for run in runs {
        for fact in &run.facts {
            let (of, already) = match fact {
                Fact::Issued {
                    ca,
                    serial,
                    already,
                } => ((ca.clone(), serial.clone()), *already),
                Fact::Authority {
                    name,
                    above,
                    serial,
                } => {
                    let issuer = above.as_ref().unwrap_or(name);
                    ((issuer.clone(), serial.clone()), false)
                }
                _ => continue,
            };
            if already {
                continue;
            }
            let key = run
                .order
                .issues
                .first()
                .map_or(Key::Unknown, |(_, _, key)| key.clone());
            let is_new =
                before.certificate(&of).is_none() && said.insert(of.clone(), key).is_none();
            ensure(is_new, || format!("the serial number {} comes again", of.1))?;
        }
    }
    Ok(said)
}

/// What commands may have issued that could not say so, or not all of it.
fn may_be_issued(runs: &[Ended]) -> Vec<(String, String, Key)> {
    let uncertain = runs.iter().filter(|run| run.is_uncertain());
    uncertain.flat_map(|run| run.order.issues.clone()).collect()
}

/// How a certificate may stand now: as it was, or as commands say, which may have come in any order.
fn standings(
    before: &Known,
    certificate: &Certificate,
    runs: &[Ended],
) -> BTreeSet<Option<String>> {
    let of = certificate.id();
    let known = before
        .certificate(&of)
        .and_then(|known| known.revoked.clone());
    let is_for_good = |reason: &Option<String>| reason.as_deref().is_some_and(|one| one != HOLD);
    if is_for_good(&known) {
        return BTreeSet::from([known]);
    }
    let facts = runs.iter().flat_map(|run| &run.facts);
    let said: BTreeSet<Option<String>> = facts
        .filter_map(|fact| match fact {
            Fact::Stands { ca, serial, reason } if *ca == of.0 && *serial == of.1 => {
                Some(reason.clone())
            }
            _ => None,
        })
        .collect();
    let mut standings = if said.iter().any(is_for_good) {
        said.into_iter().filter(is_for_good).collect()
    } else if said.is_empty() {
        BTreeSet::from([known])
    } else {
        said
    };
    for run in runs.iter().filter(|run| run.is_uncertain()) {
        let records = run.order.records.iter();
        let about = records.filter(|(about, _)| *about == of);
        standings.extend(about.map(|(_, reason)| reason.clone()));
        let named = (of.0.clone(), certificate.cn.clone());
        if let Some((_, reason)) = run
            .order
            .revokes_named
            .as_ref()
            .filter(|(of, _)| *of == named)
        {
            standings.insert(Some((*reason).into()));
        }
    }
    standings
}
