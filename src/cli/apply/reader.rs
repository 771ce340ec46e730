//! Declarations, read from their tables: everything in one that can't be is named at once, before
//! anything is done.

use super::outputs::Outputs;
use super::source::{Named, Place, Sections, Source};
use super::tables::{
    BundleTable, CaTable, CertificateTable, CrlTable, Defaults, Parsed, Pkcs12, RevokedTable, Span,
};
use crate::ca::{
    BundleRequest, CrlForm, CrlRequest, CsrNames, Dating, Declaration, Defect, End, Entry,
    EntryFiles, ExportPlace, KeySource, LeafRequest, Lifetime, Place as CrlPlace, Profiles,
    Verdict, WishedBundle, WishedCa, WishedCrl, safe_file_name,
};
use crate::cli::failure::Failure;
use crate::cli::options::{SubjectArgs, key_source, named_csr};
use crate::store::{CaName, Store};
use crate::x509::validity::Moment;
use crate::x509::{Name, Reason};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};
use toml::Spanned;

/// Problems of a file that are told.
const MOST_NAMED: usize = 100;

pub(super) struct Reader<'a> {
    source: &'a Source,
    /// CAs that there are already.
    known: BTreeSet<String>,
    /// Profiles of the store, and then those of the file too.
    pub(super) profiles: Profiles,
    published_crls: PathBuf,
    /// Whether the store is one of fixtures.
    may_be_defective: bool,
    now: OffsetDateTime,
    problems: Vec<Failure>,
    outputs: Outputs,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        source: &'a Source,
        store: Option<&Store>,
        published_crls: PathBuf,
        now: OffsetDateTime,
    ) -> Result<Self, Failure> {
        let names = match store {
            Some(store) => store.ca_names()?,
            None => Vec::new(),
        };
        Ok(Self {
            source,
            known: names.iter().map(ToString::to_string).collect(),
            profiles: match store {
                Some(store) => Profiles::of_store_if_needed(store),
                None => Profiles::default(),
            },
            published_crls,
            may_be_defective: store.is_some_and(Store::is_fixture),
            now,
            problems: Vec::new(),
            outputs: Outputs::default(),
        })
    }

    pub(super) fn read(mut self) -> Result<Declaration, Failure> {
        let sections = self.source.sections(&mut self.problems);
        let Sections {
            fixture,
            defaults,
            profiles,
            cas,
            certificates,
            lists,
            bundles,
        } = sections;
        profiles
            .into_iter()
            .for_each(|profile| self.profile(profile));
        self.may_be_defective = fixture || self.may_be_defective;
        self.known.extend(cas.iter().map(|ca| ca.name.clone()));
        let cas = self.parents_first(cas);
        let order: Vec<String> = cas.iter().map(|ca| ca.name.clone()).collect();
        let cas = cas.into_iter().filter_map(|ca| self.ca(ca)).collect();
        let certificates = certificates.into_iter();
        let certificates = certificates
            .filter_map(|entry| self.certificate(entry, &defaults))
            .collect();
        let lists = lists.into_iter().filter_map(|list| self.list(list));
        let mut crls: Vec<WishedCrl> = lists.collect();
        let rank: HashMap<&str, usize> = order.iter().map(String::as_str).zip(0..).collect();
        crls.sort_by_key(|list| rank.get(list.ca.as_str()));
        let bundles = bundles.into_iter().filter_map(|bundle| self.bundle(bundle));
        let bundles = bundles.collect();
        if self.problems.is_empty() {
            return Ok(Declaration {
                fixture,
                cas,
                certificates,
                crls,
                bundles,
            });
        }
        let more = self.problems.len().saturating_sub(MOST_NAMED);
        self.problems.truncate(MOST_NAMED);
        let refusal = match more {
            0 => Failure::of_rows(self.problems, 0),
            _ => Failure::of_rows(self.problems, 0).and(Failure::bad_row(format!(
                "the file has {more} more problems"
            ))),
        };
        Err(refusal.hint_at_end("nothing was changed".into()))
    }

    pub(super) fn problem(&mut self, place: &Place, problem: impl std::fmt::Display) {
        self.problems.push(self.source.bad(place, problem));
    }

    /// The value, or a problem at a place.
    pub(super) fn held<T, E: Into<anyhow::Error>>(
        &mut self,
        place: &Place,
        value: Result<T, E>,
    ) -> Option<T> {
        let problem = |error: E| format!("{:#}", error.into());
        value
            .map_err(|error| self.problem(place, problem(error)))
            .ok()
    }

    /// Each CA behind the one above it; those that are above themselves are problems.
    fn parents_first(&mut self, cas: Vec<Named<CaTable>>) -> Vec<Named<CaTable>> {
        let names: HashSet<&str> = cas.iter().map(|ca| ca.name.as_str()).collect();
        let mut below: HashMap<String, Vec<usize>> = HashMap::new();
        let mut free = BTreeSet::new();
        for (index, ca) in cas.iter().enumerate() {
            let parent = ca.table.parent.as_ref().map(Spanned::get_ref);
            match parent.filter(|parent| names.contains(parent.as_str())) {
                Some(parent) => below.entry(parent.clone()).or_default().push(index),
                None => _ = free.insert(index),
            }
        }
        let mut left: Vec<Option<Named<CaTable>>> = cas.into_iter().map(Some).collect();
        let mut ordered: Vec<Named<CaTable>> = Vec::with_capacity(left.len());
        while let Some(next) = free.pop_first() {
            let ca = left[next].take().expect("a CA has one parent");
            free.extend(below.remove(&ca.name).unwrap_or_default());
            ordered.push(ca);
        }
        for ca in left.into_iter().flatten() {
            self.problem(&ca.place, format!("{} is its own ancestor", ca.name));
        }
        ordered
    }

    fn name_of_ca(&mut self, name: &Spanned<String>) -> Option<CaName> {
        let text = name.get_ref();
        if !self.known.contains(text) {
            self.problem(
                &name.span(),
                format!("there is no CA {text:?}, neither in the file nor in the store"),
            );
            return None;
        }
        self.held(&name.span(), text.parse::<CaName>())
    }

    fn subject(&mut self, name: &str, place: &Place, table: &CertificateTable) -> Option<Name> {
        let takes_subject = table.csr.is_some() && csr_names(table) == CsrNames::Add;
        let cn = match (&table.cn, &table.subject) {
            (None, None) if !takes_subject => Some(name.to_owned()),
            (cn, _) => cn.clone(),
        };
        let resolved = SubjectArgs::new(cn, table.subject.clone()).resolve();
        let resolved = resolved.map_err(Failure::into_error);
        self.held(place, resolved).flatten()
    }

    fn end(
        &mut self,
        place: &Place,
        days: Option<NonZeroU32>,
        at: Option<&Parsed<Moment>>,
        field: &str,
    ) -> Option<End> {
        if days.is_some() && at.is_some() {
            self.problem(place, format!("days and {field} exclude each other"));
        }
        let days = days.map(|days| End::Days(days.get()));
        days.or(at.map(|Parsed(moment)| End::At(*moment)))
    }

    fn ca(&mut self, ca: Named<CaTable>) -> Option<WishedCa> {
        let Named { name, place, table } = ca;
        self.end(&place, table.days, table.not_after.as_ref(), "not_after");
        let parent = table.parent.as_ref();
        let parent = parent.map(|parent| self.name_of_ca(parent));
        let ca_name = self.held(&place, name.parse::<CaName>());
        let spec = table.spec();
        let subject = spec.subject(&name).map_err(Failure::into_error);
        self.held(&place, subject)?;
        let new = spec.new_ca(ca_name?).map_err(Failure::into_error);
        Some(WishedCa {
            parent: match parent {
                Some(parent) => Some(parent?),
                None => None,
            },
            new: self.held(&place, new)?,
        })
    }

    fn certificate(
        &mut self,
        entry: Named<CertificateTable>,
        defaults: &Defaults,
    ) -> Option<Entry> {
        let Named { name, place, table } = entry;
        let before = self.problems.len();
        let anywhere = ExportPlace {
            directory: PathBuf::new(),
            overwrite: true,
        };
        self.held(&place, anywhere.check(&safe_file_name(&name), &[]));
        let ca = table.ca.as_ref().or(defaults.ca.as_ref());
        if ca.is_none() {
            self.problem(&place, "the field ca, its issuing CA, is required");
        }
        let ca = ca.and_then(|ca| self.name_of_ca(ca));
        let key = self.key(&place, &table, defaults);
        let end = self.end(&place, table.days, table.not_after.as_ref(), "not_after");
        let usual = defaults.days.map(|days| End::Days(days.get()));
        let lifetime = Lifetime {
            not_before: table.not_before.map(|Parsed(moment)| moment),
            end: end.or(usual),
        };
        let renew_before = self.renew_before(&place, &table, defaults, lifetime);
        let files = self.files(&name, &place, &table, defaults);
        let subject = self.subject(&name, &place, &table);
        let flaw = table.flaw.map(|Parsed(flaw)| flaw);
        let revoked = self.revocation(&place, &table, flaw);
        let profile = table.profile.as_ref().or(defaults.profile.as_ref());
        let profile = self.named_profile(profile);
        if self.problems.len() > before {
            return None;
        }
        let alternative_names = table.san.into_iter();
        let alternative_names = alternative_names
            .flat_map(|Parsed(names)| names.0)
            .collect();
        Some(Entry {
            ca: ca?,
            request: LeafRequest {
                subject,
                alternative_names,
                profile: profile?,
                lifetime,
                key: key?,
            },
            renew_before,
            files,
            flaw,
            revoked,
            name,
        })
    }

    fn revocation(
        &mut self,
        place: &Place,
        table: &CertificateTable,
        flaw: Option<Defect>,
    ) -> Option<Verdict> {
        let revoked = match &table.revoked {
            Some(revoked) => Some(self.verdict(place, revoked)?),
            None => None,
        };
        self.check_defect(place, flaw, table.csr.is_some());
        // A defect that is a revocation is recorded with the certificate, whatever interrupts that.
        let of_defect = (flaw == Some(Defect::Revoked)).then_some(Verdict::Revoke {
            reason: Reason::Unspecified,
            invalidity_date: None,
        });
        revoked.or(of_defect)
    }

    fn verdict(&mut self, place: &Place, revoked: &RevokedTable) -> Option<Verdict> {
        let invalidity_date = match &revoked.invalidity_date {
            Some(Parsed(date)) => {
                let resolved = date.resolve(self.now);
                if resolved.is_none() {
                    self.problem(
                        place,
                        "the invalidity_date is outside the years that a CRL can express",
                    );
                }
                Some(resolved?)
            }
            None => None,
        };
        let reason = revoked.reason.as_ref();
        Some(Verdict::Revoke {
            reason: reason.map_or(Reason::Unspecified, |Parsed(reason)| *reason),
            invalidity_date,
        })
    }

    fn check_defect(&mut self, place: &Place, flaw: Option<Defect>, has_csr: bool) {
        if flaw.is_some() && !self.may_be_defective {
            self.problem(
                place,
                "a defect needs a fixture store: write fixture = true at the top, and use a new store",
            );
        }
        if flaw == Some(Defect::SelfSigned) && has_csr {
            let problem =
                "a self-signed certificate needs its private key, which the csr does not have";
            self.problem(place, problem);
        }
    }

    fn key(
        &mut self,
        place: &Place,
        table: &CertificateTable,
        defaults: &Defaults,
    ) -> Option<KeySource> {
        let csr = if let Some(csr) = &table.csr {
            if table.key_type.is_some() {
                self.problem(place, "the key is that of the csr, and of its type");
            }
            let path = self.source.resolve(csr);
            let request = self.held(place, named_csr(&path))?;
            Some((path, request))
        } else {
            if table.csr_names.is_some() {
                let problem = "csr_names needs a csr";
                self.problem(place, problem);
            }
            None
        };
        let kind = table.key_type.or(defaults.key_type);
        let kind = kind.map(|Parsed(kind)| kind).unwrap_or_default();
        Some(key_source(csr, csr_names(table), kind))
    }

    fn renew_before(
        &mut self,
        place: &Place,
        table: &CertificateTable,
        defaults: &Defaults,
        lifetime: Lifetime,
    ) -> Option<Duration> {
        let Some(Parsed(Span(before))) = table.renew_before else {
            // The usual time may be too long for one that is short-lived on purpose.
            return defaults.renew_before.map(|Parsed(Span(before))| before);
        };
        if let Some(End::Days(days)) = lifetime.end
            && before >= Duration::days(days.into())
        {
            let problem =
                format!("renew_before has to be shorter than the validity of {days} days");
            self.problem(place, problem);
        }
        Some(before)
    }

    fn files(
        &mut self,
        entry: &str,
        place: &Place,
        table: &CertificateTable,
        defaults: &Defaults,
    ) -> Option<EntryFiles> {
        let no_passphrase = table.no_passphrase.or(defaults.no_passphrase);
        let p12 = table.p12.or(defaults.p12);
        let Some(out) = table.out.as_ref().or(defaults.out.as_ref()) else {
            for (is_given, field) in [
                (table.name.is_some(), "name"),
                (table.der.is_some(), "der"),
                (table.p12.is_some(), "p12"),
                (table.no_passphrase.is_some(), "no_passphrase"),
            ] {
                if is_given {
                    self.problem(place, format!("{field} needs out"));
                }
            }
            return None;
        };
        if p12.is_some() && no_passphrase == Some(true) {
            self.problem(
                place,
                "p12 writes a PKCS #12 file, which always has a passphrase",
            );
        }
        if table.p12.is_some() && table.csr.is_some() {
            self.problem(place, "p12 needs a private key, which a csr does not have");
        }
        let files = EntryFiles {
            directory: self.source.resolve(out),
            name: table.name.clone().unwrap_or_else(|| safe_file_name(entry)),
            der: table.der.or(defaults.der).unwrap_or_default(),
            pkcs12: p12.map(|Parsed(Pkcs12(strength))| strength),
            protected: !no_passphrase.unwrap_or_default(),
        };
        let checked = ExportPlace {
            directory: files.directory.clone(),
            overwrite: true,
        };
        if files.name != safe_file_name(entry) {
            self.held(place, checked.check(&files.name, &[]));
        }
        for path in files.paths(table.csr.is_none()) {
            self.claim(place, &path);
        }
        Some(files)
    }

    /// Keeps two things of the file from being written to one place.
    fn claim(&mut self, place: &Place, path: &Path) {
        if let Some(problem) = self.outputs.claim(path) {
            self.problem(place, problem);
        }
    }

    fn list(&mut self, list: Named<CrlTable>) -> Option<WishedCrl> {
        let Named { name, place, table } = list;
        let spanned = Spanned::new(place.clone(), name);
        let ca = self.name_of_ca(&spanned);
        let end = self.end(
            &place,
            table.days,
            table.next_update.as_ref(),
            "next_update",
        );
        let party = table.party.map(|Parsed(target)| target.0);
        let form = party.map(|party| party.crls.form);
        let directory = match &table.out {
            Some(out) => self.source.resolve(out),
            None => self.published_crls.clone(),
        };
        let wished = WishedCrl {
            ca: ca?,
            request: CrlRequest {
                place: CrlPlace {
                    directory,
                    pem: table.to_pem || form.is_some_and(CrlForm::has_pem_files),
                    overwrite: false,
                },
                end,
                if_needed: true,
                dating: Dating::NotBack,
                party,
            },
            chain: table.chain || form == Some(CrlForm::Chain),
        };
        for ending in ["crl", "crl.pem", "chain.crl.pem"] {
            let file = format!("{}.{ending}", wished.ca);
            self.claim(&place, &wished.request.place.directory.join(file));
        }
        Some(wished)
    }

    fn bundle(&mut self, bundle: Named<BundleTable>) -> Option<WishedBundle> {
        let Named { name, place, table } = bundle;
        let named: Vec<Option<CaName>> = table.ca.iter().map(|ca| self.name_of_ca(ca)).collect();
        let out = match &table.out {
            Some(out) => self.source.resolve(out),
            None => self.source.resolve(Path::new(&format!("{name}.pem"))),
        };
        self.claim(&place, &out);
        let add = table.add.iter().map(|path| self.source.resolve(path));
        Some(WishedBundle {
            request: BundleRequest {
                cas: named.into_iter().collect::<Option<_>>()?,
                files: add.collect(),
                given: Vec::new(),
                party: table.party.map(|Parsed(target)| target.0),
            },
            out,
            name,
        })
    }
}

/// Use of the names of an entry's CSR.
fn csr_names(table: &CertificateTable) -> CsrNames {
    table
        .csr_names
        .as_ref()
        .map(|Parsed(names)| *names)
        .unwrap_or_default()
}
