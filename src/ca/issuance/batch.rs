//! Many certificates in one go: made in groups on all processors, and durable together.
//!
//! One thread drafts and signs a group and keeps its keys, while another makes the one before durable,
//! records it and hands it on. What a group promises is what [`issue`](crate::ca::issuance::leaf::issue) promises of
//! one: serial numbers are reserved durably before anything is signed, and nothing is recorded before
//! its key is durable. Groups are recorded in the order of their rows.

use crate::ca::error::CaError;
use crate::ca::issuance::draft::Draft;
use crate::ca::issuance::issue::{
    MOST_TRIES, References, Reserved, Signed, Signing, is_overtaken, is_undecided, random_u64,
};
use crate::ca::issuance::issuer::{Issuer, KeyAge};
use crate::ca::issuance::leaf::{Issued, LeafRequest, draft, draft_with, protected};
use crate::ca::notice::Notice;
use crate::ca::parallel::{on_all_cores, on_threads};
use crate::key::{KeyError, KeyType, PrivateKey, PublicKey};
use crate::store::{BatchId, BatchRow, Ca, EntryId, LeafKeys, TableId};
use crate::x509::Serial;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Batch of certificates, one for each row of a table.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) issuer: &'a Issuer,
    /// The table; `None` where what is issued is not a table's.
    pub(crate) id: Option<BatchId>,
    /// Most that a group may cost; see [`TableRow::cost`].
    pub(crate) group: usize,
    /// Whether rows that can't be issued are passed over; else the first of them ends the batch.
    pub(crate) keeps_going: bool,
    /// The time.
    pub(crate) now: OffsetDateTime,
}

/// A row of a table of certificates.
pub(crate) trait TableRow: Send {
    /// Error in a row, with its place.
    type Error: From<CaError> + Send;

    /// The row's number in its table, from 1.
    fn number(&self) -> u64;

    /// Cost, as a multiple of that of a certificate with a new P-256 key.
    fn cost(&self) -> usize;

    /// Returns the certificate that it asks for; called on any thread.
    fn request(&self) -> Result<LeafRequest, Self::Error>;

    /// The entry of a declaration that it is, where it is one.
    fn entry(&self) -> Option<EntryId> {
        None
    }

    /// Why what it asks for can't be issued, as what is wrong with the row.
    fn refused(&self, error: CaError) -> Self::Error;
}

/// Returns the cost of a certificate with a new key of this kind: see [`TableRow::cost`].
pub(crate) fn cost_of(kind: KeyType) -> usize {
    match kind {
        KeyType::Rsa2048 => 32,
        KeyType::Rsa3072 => 96,
        KeyType::Rsa4096 => 256,
        _ => 1,
    }
}

/// A row on its way, and what became of it so far.
pub(crate) struct RowOutcome<R: TableRow, T> {
    pub(crate) row: R,
    pub(crate) outcome: Result<T, R::Error>,
}

struct Drafted {
    draft: Draft,
    key: Option<PrivateKey>,
    key_pem: Option<Zeroizing<Vec<u8>>>,
    notices: Vec<Notice>,
}

/// Certificate that is signed, and recorded next; its key is kept, if it was made here.
struct Made {
    signed: Signed,
    key: Option<PrivateKey>,
    notices: Vec<Notice>,
}

/// Draft and the serial number that is reserved for it.
type Numbered<R> = RowOutcome<R, (Drafted, Reserved)>;

/// The rows of a group that was made, or why it could not be.
type Group<R> = Result<Vec<RowOutcome<R, Made>>, CaError>;

impl Batch<'_> {
    /// Issues a certificate for every row; `each` gets the rows of a group, in their order, when they are
    /// issued. Where it fails, what is being made is given up.
    pub(crate) fn issue<R: TableRow>(
        &self,
        rows: impl Iterator<Item = R> + Send,
        mut each: impl FnMut(Vec<RowOutcome<R, Issued>>) -> Result<(), R::Error>,
    ) -> Result<(), R::Error> {
        let keys = self.issuer.ca().leaf_keys().map_err(CaError::from)?;
        let mut rows = rows.peekable();
        let first = self.next_group(&mut rows);
        if rows.peek().is_none() {
            // Nothing is left that could be made meanwhile.
            if first.is_empty() {
                return Ok(());
            }
            return each(self.record(self.make(first, &keys)?, &keys)?);
        }
        let is_given_up = AtomicBool::new(false);
        let (sender, receiver) = sync_channel(1);
        thread::scope(|scope| {
            scope.spawn(|| {
                let sender = sender;
                let mut group = first;
                while !is_given_up.load(Ordering::Relaxed)
                    && !group.is_empty()
                    && sender.send(self.make(group, &keys)).is_ok()
                {
                    group = self.next_group(&mut rows);
                }
            });
            let outcome = receiver.iter().try_for_each(|group| {
                let group = self.record(group?, &keys)?;
                each(group)
            });
            is_given_up.store(true, Ordering::Relaxed);
            for group in receiver.into_iter().flatten() {
                keys.discard(&serials_with_keys(&group));
            }
            outcome
        })
    }
}

impl Batch<'_> {
    /// Takes as many rows as are made together.
    fn next_group<R: TableRow>(&self, rows: &mut impl Iterator<Item = R>) -> Vec<R> {
        let mut group = Vec::new();
        let mut cost = 0;
        while cost < self.group
            && let Some(row) = rows.next()
        {
            cost += row.cost();
            group.push(row);
        }
        group
    }

    /// Drafts, reserves, signs, and keeps the keys, which are not durable yet.
    fn make<R: TableRow>(&self, rows: Vec<R>, keys: &LeafKeys<'_>) -> Group<R> {
        let mut drafted = on_all_cores(rows, |row| {
            let asked = row.request();
            let draft = |request| self.draft(request).map_err(|error| row.refused(error));
            let outcome = asked.and_then(draft);
            RowOutcome { row, outcome }
        });
        if !self.keeps_going
            && let Some(first) = drafted.iter().position(|row| row.outcome.is_err())
        {
            drafted.truncate(first + 1);
        }
        let sign = |row| {
            let RowOutcome { row, outcome } = row;
            let outcome = match outcome {
                Ok((drafted, reserved)) => Ok(self.sign(&row, drafted, reserved, keys)?),
                Err(error) => Err(error),
            };
            Ok(RowOutcome { row, outcome })
        };
        let numbered = self.reserve(drafted)?;
        let signed = match self.issuer.sessions() {
            Some(count) => on_threads(count, numbered, sign),
            None => on_all_cores(numbered, sign),
        };
        whole(signed, keys)
    }

    fn draft(&self, request: LeafRequest) -> Result<Drafted, CaError> {
        let mut notices = Vec::new();
        let (draft, key) = draft(self.issuer, request, self.now, &mut notices)?;
        Ok(Drafted {
            draft,
            key_pem: protected(self.issuer, key.as_ref())?,
            key,
            notices,
        })
    }

    /// Locks the CA, if it may still sign and the rows may still be issued.
    fn lock<'d>(&self, drafted: impl Iterator<Item = &'d Drafted>) -> Result<Signing<'_>, CaError> {
        let signing = self.issuer.lock()?;
        self.issuer.look_at_leaves(drafted.map(|drafted| {
            let age = match drafted.key {
                Some(_) => KeyAge::New,
                None => KeyAge::Known,
            };
            (&drafted.draft, age)
        }))?;
        Ok(signing)
    }

    /// Reserves a serial number for every row that can be issued.
    fn reserve<R: TableRow>(
        &self,
        drafted: Vec<RowOutcome<R, Drafted>>,
    ) -> Result<Vec<Numbered<R>>, CaError> {
        let sound = drafted.iter().filter(|row| row.outcome.is_ok());
        let random: Vec<u64> = sound.map(|_| random_u64()).collect::<Result<_, _>>()?;
        let serials = if random.is_empty() {
            Vec::new()
        } else {
            self.lock(drafted.iter().filter_map(|row| row.outcome.as_ref().ok()))?
                .reserve(&random)?
        };
        let mut serials = serials.into_iter();
        let numbered = drafted.into_iter().map(|row| {
            let mut numbered = |drafted| {
                let serial = serials.next();
                (drafted, serial.expect("one is reserved for every draft"))
            };
            RowOutcome {
                row: row.row,
                outcome: row.outcome.map(&mut numbered),
            }
        });
        Ok(numbered.collect())
    }

    /// Signs one row's certificate under its serial number, and keeps its key.
    fn sign<R: TableRow>(
        &self,
        row: &R,
        drafted: Drafted,
        reserved: Reserved,
        keys: &LeafKeys<'_>,
    ) -> Result<Made, CaError> {
        let Drafted {
            draft,
            key,
            key_pem,
            notices,
        } = drafted;
        let of_table = |batch| BatchRow {
            batch,
            number: row.number(),
        };
        let references = References {
            renews: None,
            entry: row.entry(),
            row: self.id.map(of_table),
        };
        let signed = Signed::new(&draft, reserved, references, self.issuer.key())?;
        if let Some(pem) = &key_pem {
            keys.store(&signed.issuance.serial, pem)?;
        }
        Ok(Made {
            signed,
            key,
            notices,
        })
    }

    /// Makes a group's keys durable, and then its records.
    fn record<R: TableRow>(
        &self,
        group: Vec<RowOutcome<R, Made>>,
        keys: &LeafKeys<'_>,
    ) -> Result<Vec<RowOutcome<R, Issued>>, CaError> {
        let serials = serials_with_keys(&group);
        let mut signed = Vec::new();
        let mut rows = Vec::with_capacity(group.len());
        for RowOutcome { row, outcome } in group {
            let outcome = outcome.map(|made| {
                signed.push(made.signed);
                (made.key, made.notices)
            });
            rows.push(RowOutcome { row, outcome });
        }
        let recorded = keys.sync(&serials).map_err(CaError::from).and_then(|()| {
            if signed.is_empty() {
                return Ok(());
            }
            let mut recorded = self.issuer.lock()?.record(&mut signed);
            for _ in 0..MOST_TRIES {
                if !recorded.as_ref().is_err_and(is_overtaken) {
                    break;
                }
                recorded = self.issuer.lock()?.record(&mut signed);
            }
            recorded
        });
        if let Err(error) = recorded {
            if !is_undecided(&error) {
                keys.discard(&serials);
            }
            return Err(error);
        }
        let mut signed = signed.into_iter();
        let issued = rows.into_iter().map(|RowOutcome { row, outcome }| {
            let outcome = outcome.map(|(key, notices)| {
                let signed = signed.next().expect("one is signed for each");
                Issued {
                    certificate: signed.certificate,
                    issuance: signed.issuance,
                    key,
                    notices,
                }
            });
            RowOutcome { row, outcome }
        });
        Ok(issued.collect())
    }
}

/// A group all of whose rows came through; where one did not, none counts, and no key stays.
fn whole<R: TableRow>(
    signed: Vec<Result<RowOutcome<R, Made>, CaError>>,
    keys: &LeafKeys<'_>,
) -> Group<R> {
    let mut group = Vec::with_capacity(signed.len());
    let mut failure = None;
    for row in signed {
        match row {
            Ok(row) => group.push(row),
            Err(error) => {
                failure.get_or_insert(error);
            }
        }
    }
    match failure {
        Some(error) => {
            keys.discard(&serials_with_keys(&group));
            Err(error)
        }
        None => Ok(group),
    }
}

fn serials_with_keys<R: TableRow>(group: &[RowOutcome<R, Made>]) -> Vec<Serial> {
    let made = group.iter().filter_map(|row| row.outcome.as_ref().ok());
    made.filter(|made| made.key.is_some())
        .map(|made| made.signed.issuance.serial)
        .collect()
}

/// The last time that certificates were issued from a table, and which rows they are of; `None` where it
/// never was.
pub(crate) fn last_batch(
    ca: &Ca,
    table: TableId,
) -> Result<Option<(BatchId, HashSet<u64>)>, CaError> {
    let mut batches: HashMap<BatchId, HashSet<u64>> = HashMap::new();
    let mut last = None;
    for issuance in ca.issuances_of_table(table)? {
        if let Some(BatchRow { batch, number }) = issuance?.row {
            batches.entry(batch).or_default().insert(number);
            last = Some(batch);
        }
    }
    Ok(last.map(|batch| (batch, batches.remove(&batch).unwrap_or_default())))
}

/// A time that certificates are issued from a table.
pub(crate) fn new_batch(table: TableId) -> Result<BatchId, CaError> {
    Ok(BatchId {
        table,
        run: random_u64()?,
    })
}

/// Holds what is asked for to all that [`Batch::issue`] will hold it to, before anything is issued.
pub(crate) struct DryRun<'a> {
    issuer: &'a Issuer,
    now: OffsetDateTime,
    /// A public key of each kind that was asked for, in the place of all that will be made.
    stand_ins: Mutex<HashMap<KeyType, PublicKey>>,
}

impl<'a> DryRun<'a> {
    pub(crate) fn new(issuer: &'a Issuer, now: OffsetDateTime) -> Self {
        Self {
            issuer,
            now,
            stand_ins: Mutex::default(),
        }
    }

    /// Checks whether a request can be issued; returns what there is to say about it.
    pub(crate) fn check(&self, request: LeafRequest) -> Result<Vec<Notice>, CaError> {
        let mut notices = Vec::new();
        let stand_in = |kind| self.stand_in(kind);
        draft_with(self.issuer, request, stand_in, self.now, &mut notices)?;
        Ok(notices)
    }

    fn stand_in(&self, kind: KeyType) -> Result<PublicKey, KeyError> {
        // Which of the RSA sizes it is makes no difference to any rule, and to the time that it takes.
        let kind = match kind {
            KeyType::Rsa3072 | KeyType::Rsa4096 => KeyType::Rsa2048,
            other => other,
        };
        let mut known = self
            .stand_ins
            .lock()
            .expect("nobody panics while holding it");
        if let Some(public) = known.get(&kind) {
            return Ok(public.clone());
        }
        let public = PrivateKey::generate(kind)?.public().clone();
        known.insert(kind, public.clone());
        Ok(public)
    }
}
