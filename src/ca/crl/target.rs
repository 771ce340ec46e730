//! CRLs for a target: findings about those that are published, or about to be.

use crate::ca::crl::entries::gather_entries;
use crate::ca::crl::place::Place;
use crate::ca::crl::presigned::Ahead;
use crate::ca::crl::published::PublishedCrl;
use crate::ca::crl::request::CrlRequest;
use crate::ca::crl::state::State;
use crate::ca::error::CaError;
use crate::ca::trust_store::targets::{
    BundleFinding, CrlForm, JudgedCrl, Level, RelyingParty, judge_crls, missing_crl, outdated_crl,
};
use crate::store::{Ca, Store, file};
use crate::x509::crl::Crl;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Findings about CRLs for a target, and further CRLs that it needs.
pub(crate) struct Preview {
    /// Errors first.
    pub(crate) findings: Vec<BundleFinding>,
    /// CAs above the chosen ones whose CRLs are needed and missing or no longer good, and can be published here.
    pub(crate) also: Vec<Ca>,
}

/// Judges CRLs before any of them is signed; needs no key. `ahead` is whether CRLs of the chosen CAs
/// are pre-signed.
pub(crate) fn preview_crls(
    store: &Store,
    chosen: &[Ca],
    request: &CrlRequest,
    party: &RelyingParty,
    ahead: bool,
    now: OffsetDateTime,
) -> Result<Preview, CaError> {
    let mut judged = Vec::new();
    let mut findings = Vec::new();
    let mut also = Vec::new();
    if party.crls.form == CrlForm::None {
        return Ok(Preview {
            findings: judge_crls(&judged, party, now),
            also,
        });
    }
    let above = others_above(store, chosen, party)?;
    for (index, ca) in chosen.iter().chain(&above).enumerate() {
        let is_chosen = index < chosen.len();
        let state = Considered::read(store, ca, &request.place, now)?;
        if !is_chosen && state.is_good()? {
            judged.extend(state.published()?);
        } else if (is_chosen && ahead) || state.state.can_publish()? {
            judged.push(state.foresee(request, is_chosen && ahead)?);
            if !is_chosen {
                also.push(ca.clone());
            }
        } else {
            let (crl, stuck) = state.remaining()?;
            judged.extend(crl);
            findings.extend(stuck);
        }
    }
    findings.extend(judge_crls(&judged, party, now));
    findings.sort_by_key(|finding| finding.level);
    Ok(Preview { findings, also })
}

/// Judges published CRLs, and checks the files that the target reads; `cas` are those that
/// [`cas_read`] returns for the chosen ones.
pub(crate) fn judge_published(
    store: &Store,
    chosen: &[Ca],
    cas: &[Ca],
    place: &Place,
    party: &RelyingParty,
    now: OffsetDateTime,
) -> Result<Vec<BundleFinding>, CaError> {
    let mut judged = Vec::new();
    let mut findings = Vec::new();
    for ca in cas {
        match Considered::read(store, ca, place, now)?.published()? {
            Some(crl) => judged.push(crl),
            None => findings.push(missing(ca, &place.der(ca))),
        }
    }
    for (ca, path) in files_read(store, chosen, cas, place, party)? {
        if !file::stands(&path)? && file::stands(&place.der(ca))? {
            findings.push(missing(ca, &path));
        }
    }
    findings.extend(judge_crls(&judged, party, now));
    findings.sort_by_key(|finding| finding.level);
    Ok(findings)
}

/// Returns the chosen CAs, and those above them if the target needs their CRLs too.
pub(crate) fn cas_read(
    store: &Store,
    chosen: Vec<Ca>,
    party: Option<&RelyingParty>,
) -> Result<Vec<Ca>, CaError> {
    let above = match party {
        Some(party) => others_above(store, &chosen, party)?,
        None => Vec::new(),
    };
    Ok(chosen.into_iter().chain(above).collect())
}

/// Returns the CAs above the chosen ones, if the target needs their CRLs too.
fn others_above(store: &Store, chosen: &[Ca], party: &RelyingParty) -> Result<Vec<Ca>, CaError> {
    let mut others: Vec<Ca> = Vec::new();
    if party.crls.form.is_of_path() {
        for ca in chosen {
            for above in store.ancestors(ca)? {
                let mut known = chosen.iter().chain(&others);
                if known.all(|known| known.name() != above.name()) {
                    others.push(above);
                }
            }
        }
    }
    Ok(others)
}

fn missing(ca: &Ca, path: &Path) -> BundleFinding {
    missing_crl(format!(
        "CRL of {} not found at {}",
        ca.name(),
        path.display()
    ))
}

/// Returns the files that the target reads besides the DER: chain files of the lowest CAs.
fn files_read<'a>(
    store: &Store,
    chosen: &'a [Ca],
    cas: &'a [Ca],
    place: &Place,
    party: &RelyingParty,
) -> Result<Vec<(&'a Ca, PathBuf)>, CaError> {
    Ok(match party.crls.form {
        CrlForm::None | CrlForm::Der => Vec::new(),
        CrlForm::Pem | CrlForm::PemOfPath => cas.iter().map(|ca| (ca, place.pem(ca))).collect(),
        CrlForm::Chain => {
            let lowest = above_no_other(store, chosen)?.into_iter();
            lowest.map(|ca| (ca, place.chain(ca))).collect()
        }
    })
}

/// Returns those of the CAs that are above no other of them.
pub(crate) fn above_no_other<'a>(store: &Store, cas: &'a [Ca]) -> Result<Vec<&'a Ca>, CaError> {
    let mut above = Vec::new();
    for ca in cas {
        above.extend(store.ancestors(ca)?);
    }
    let is_above = |ca: &&Ca| above.iter().any(|above| above.name() == ca.name());
    Ok(cas.iter().filter(|ca| !is_above(ca)).collect())
}

/// A CA whose CRL a target reads.
struct Considered<'a> {
    store: &'a Store,
    ca: &'a Ca,
    place: &'a Place,
    now: OffsetDateTime,
    state: State<'a>,
}

impl<'a> Considered<'a> {
    fn read(
        store: &'a Store,
        ca: &'a Ca,
        place: &'a Place,
        now: OffsetDateTime,
    ) -> Result<Self, CaError> {
        Ok(Self {
            store,
            ca,
            place,
            now,
            state: State::read(ca, place, now)?,
        })
    }

    /// Returns whether the published CRL is still good, or is the pre-signed one that is due.
    fn is_good(&self) -> Result<bool, CaError> {
        if let Ahead::Due { crl, .. } = self.state.ahead() {
            let published = self.state.published()?;
            return Ok(published.and_then(PublishedCrl::number) >= Some(crl.number));
        }
        Ok(self.state.still_good()?.is_some())
    }

    /// Judges the published CRL, if there is one.
    fn published(&self) -> Result<Option<JudgedCrl>, CaError> {
        let published = self.state.published()?;
        published
            .map(|published| self.judged(&published.crl()))
            .transpose()
    }

    fn judged(&self, crl: &Crl<'_>) -> Result<JudgedCrl, CaError> {
        self.on_path(JudgedCrl::read(called(self.ca), crl))
    }

    /// Adds the CA, and the number of CAs on the path from it to its root.
    fn on_path(&self, crl: JudgedCrl) -> Result<JudgedCrl, CaError> {
        let path = self.store.ancestors(self.ca)?.len() + 1;
        Ok(crl.of(self.ca.certificate(), path))
    }

    /// Returns the published CRL of a CA of which no other can be published here, and its problem.
    fn remaining(&self) -> Result<(Option<JudgedCrl>, Option<BundleFinding>), CaError> {
        let Some(published) = self.state.published()? else {
            return Ok((None, Some(missing(self.ca, &self.place.der(self.ca)))));
        };
        let judged = self.judged(&published.crl())?;
        // Being outside of its time is another finding.
        if judged.is_outside(self.now).is_some() {
            return Ok((Some(judged), None));
        }
        let is_known = self.state.record_without_news(published)?.is_some();
        // Of a CA that never signed a CRL here none is on record.
        let stuck = if is_known || self.state.recent.is_empty() {
            let third = judged.validity().unwrap_or_default() / 3;
            judged.ends_within(third, Level::Warning, self.now)
        } else {
            Some(outdated_crl(format!(
                "{} lacks later revocations or releases",
                called(self.ca)
            )))
        };
        let stuck = stuck.map(|mut finding| {
            finding.message.push_str(", and its key is not here");
            finding
        });
        Ok((Some(judged), stuck))
    }

    /// Judges the CRL that will be published.
    fn foresee(&self, request: &CrlRequest, signs_ahead: bool) -> Result<JudgedCrl, CaError> {
        let (ca, state) = (self.ca, &self.state);
        if !signs_ahead {
            if let Some(crl) = state.due(request)? {
                let der = ca.presigned_crl(&crl)?;
                let crl = Crl::from_der(&der).expect("it was signed here");
                return self.judged(&crl);
            }
            if request.if_needed
                && let Some((_, published)) = state.still_good()?
            {
                return self.judged(&published.crl());
            }
        }
        // Revocations that the journal has lost are recorded again when it is signed, or nothing is.
        let last = state.recent.first();
        let is_covered = last.map_or(Ok(true), |last| ca.still_covers(&last.covers))?;
        let predecessor = state.published()?.filter(|_| is_covered);
        let predecessor = predecessor.map(PublishedCrl::crl);
        let (recent, covers) = (&state.recent, &state.covers);
        let entries = gather_entries(ca, predecessor.as_ref(), recent, covers, self.now, self.now)?;
        let (count, bytes) = (entries.len(), entries.least_bytes());
        self.on_path(JudgedCrl::to_be_signed(
            called(ca),
            ca.certificate(),
            count,
            bytes,
        ))
    }
}

fn called(ca: &Ca) -> String {
    format!("the CRL of {}", ca.name())
}
