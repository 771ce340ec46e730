//! `pki ocsp`.

mod report;

use super::context::Context;
use super::failure::Failure;
use super::options::{SelectorArgs, check_belonging, is_standard_output};
use super::passphrase::{PassinArgs, PassoutArgs, Protecting, UserPassphrases};
use super::progress::Progress;
use super::report::Report;
use crate::ca::{
    CaError, OcspRequest, Selector, Session, SignerChoice, check_responses, check_single,
    is_answered_for, publish_responses, publish_single, write_index,
};
use crate::key::KeyType;
use crate::store::{Ca, CaName, Store};
use crate::x509::ocsp::CertIdHash;
use crate::x509::validity::parse_duration;
use clap::Args;
use std::cell::OnceCell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use time::Duration;

/// Sign OCSP responses in advance, for web servers and for stapling
///
/// Signs a response for each unexpired certificate of each CA named, or of every CA whose key or responder is here. They
/// are written to DIR/CA under the paths of GET requests, and to DIR/CA/staple/SERIAL.ocsp. A web server that serves DIR
/// answers the GET requests of OCSP clients. The directory of a CA is replaced in one step. The signer is a responder:
/// a certificate of profile ocsp, which the command issues and replaces before it expires. With --cn or --serial, the
/// response of one certificate is written to DIR/NAME.ocsp.
#[derive(Args)]
pub(super) struct OcspArgs {
    /// A CA of the store; repeatable [default: every CA whose key or responder is here]
    #[arg(long, value_name = "NAME")]
    ca: Vec<CaName>,
    #[command(flatten)]
    selector: SelectorArgs,
    /// The directory to write, with a directory for each CA; with --cn or --serial, for NAME.ocsp
    #[arg(long, value_name = "DIR", required_unless_present = "index")]
    out: Option<PathBuf>,
    /// Days until a response expires
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// Hash algorithm of the CertIDs: sha1 or sha256; repeatable [default: both; with --cn or --serial, sha1]
    #[arg(long, value_name = "HASH")]
    cert_id: Vec<CertIdHash>,
    /// Sign only what is missing, differs from the record, is older than a revocation, or has less than a third of its validity left
    #[arg(long)]
    if_needed: bool,
    /// Sign with the CA's key instead of a responder's
    #[arg(long, conflicts_with = "key_type")]
    by_ca: bool,
    /// The key type of a new responder [default: p256]
    #[arg(long, value_name = "TYPE")]
    key_type: Option<KeyType>,
    /// Sign nothing; exit with 3 if a response is missing, invalid, outdated, expired or expires soon
    #[arg(long, conflicts_with_all = ["days", "if_needed", "by_ca", "key_type", "force"])]
    check: bool,
    /// With --check: responses that expire within this time are findings, as in 24h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    within: Option<Duration>,
    /// Write only the index that `openssl ocsp -index` reads, of one CA
    #[arg(long, value_name = "FILE", conflicts_with_all = ["days", "out", "cn", "serial", "cert_id", "if_needed", "by_ca", "key_type", "check"])]
    index: Option<PathBuf>,
    /// With --cn or --serial: replace a file that is not an OCSP response
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passin: PassinArgs,
    #[command(flatten)]
    passout: PassoutArgs,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a duration such as 24h".into())
}

impl OcspArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let (within, is_one) = (self.within.is_some(), self.selector.is_given());
        check_belonging(&[
            ("--within", within, "--check", self.check),
            (
                "--force",
                self.force,
                "--cn, --serial or --index",
                is_one || self.index.is_some(),
            ),
        ])?;
        let store = context.open_store()?;
        if let Some(index) = &self.index {
            return self.index(&store, index, context);
        }
        let Some(out) = &self.out else {
            return Err(Failure::usage("--out is required"));
        };
        if is_standard_output(out) {
            return Err(Failure::usage("--out has to be a directory, not -"));
        }
        let request = self.request(out)?;
        if let Some(selector) = self.selector.selector()? {
            return self.single(&store, &selector, &request, context);
        }
        let cas = self.selected(&store, context)?;
        if self.check {
            return self.check(&cas, &request, context);
        }
        self.publish(&store, cas, &request, context)
    }

    fn request(&self, out: &Path) -> Result<OcspRequest, Failure> {
        let mut hashes = self.cert_id.clone();
        hashes.sort_unstable();
        hashes.dedup();
        match (self.selector.is_given(), hashes.len()) {
            (false, 0) => hashes.extend(CertIdHash::ALL),
            (true, 0) => hashes.push(CertIdHash::Sha1),
            (true, 2) => {
                return Err(Failure::usage(
                    "the response of one certificate has one CertID: give one --cert-id",
                ));
            }
            _ => {}
        }
        Ok(OcspRequest {
            out: out.to_owned(),
            lifetime: Duration::days(self.days.into()),
            hashes,
            if_needed: self.if_needed,
            overwrite: self.force,
            signer: if self.by_ca {
                SignerChoice::Ca
            } else {
                SignerChoice::Responder(self.key_type.unwrap_or_default())
            },
        })
    }

    fn selected(&self, store: &Store, context: &Context) -> Result<Vec<Ca>, Failure> {
        let mut selected = Vec::new();
        if self.ca.is_empty() {
            for ca in store.cas()? {
                if is_answered_for(&ca, context.now)? {
                    selected.push(ca);
                }
            }
            if selected.is_empty() {
                return Err(Failure::plain(
                    "key-not-in-store",
                    "the store has no CA whose key or responder is here",
                )
                .hint("choose one with --ca"));
            }
        }
        for name in &self.ca {
            selected.push(store.ca(name)?);
        }
        Ok(selected)
    }

    /// Returns the one CA that is named.
    fn one_ca(&self, store: &Store, option: &str) -> Result<Ca, Failure> {
        match self.ca.as_slice() {
            [name] => Ok(store.ca(name)?),
            _ => Err(Failure::usage(format!("{option} needs one --ca"))),
        }
    }

    fn passphrases(&self, cas: &[Ca], context: &Context) -> Result<UserPassphrases, Failure> {
        let is_outside = |ca: &Ca| ca.record().key_uri.is_some();
        if self.passout.is_given() && (self.by_ca || !cas.iter().any(is_outside)) {
            return Err(Failure::usage(
                "--passout and --no-passphrase are for a responder of a CA whose key is outside the store",
            )
            .hint("the responder's key stays in the store under the CA's passphrase"));
        }
        let (passin, passout) = (Some(&self.passin), Some(&self.passout));
        UserPassphrases::new(context, passin, passout, Protecting::Export)
    }

    fn index(&self, store: &Store, path: &Path, context: &Context) -> Result<Report, Failure> {
        if is_standard_output(path) {
            return Err(Failure::usage(
                "--index has to be a file, not -: its attributes are written to FILE.attr",
            ));
        }
        let ca = self.one_ca(store, "--index")?;
        let count = write_index(&ca, path, self.force, context.now)?;
        Ok(report::index(&ca, path, count))
    }

    fn single(
        &self,
        store: &Store,
        selector: &Selector,
        request: &OcspRequest,
        context: &Context,
    ) -> Result<Report, Failure> {
        let ca = self.one_ca(store, "--cn or --serial")?;
        if self.check {
            let within = self.within.unwrap_or(Duration::ZERO);
            let mut notices = Vec::new();
            let checked = check_single(&ca, selector, request, within, context.now, &mut notices)?;
            context.notices(&notices);
            return Ok(report::checked_single(&ca, &checked));
        }
        let mut passphrases = self.passphrases(std::slice::from_ref(&ca), context)?;
        let mut session = Session::new(store, &mut passphrases, context.now);
        let published = publish_single(&mut session, &ca, selector, request);
        context.notices(&session.notices);
        Ok(report::single(&ca, &published?))
    }

    fn check(
        &self,
        cas: &[Ca],
        request: &OcspRequest,
        context: &Context,
    ) -> Result<Report, Failure> {
        let within = self.within.unwrap_or(Duration::ZERO);
        let checked = cas.iter().map(|ca| {
            let check = check_responses(ca, request, within, context.now)?;
            Ok((ca, check))
        });
        Ok(report::checked(
            &checked.collect::<Result<Vec<_>, CaError>>()?,
        ))
    }

    /// One CA that fails does not stop the others; the exit code tells.
    fn publish(
        &self,
        store: &Store,
        cas: Vec<Ca>,
        request: &OcspRequest,
        context: &Context,
    ) -> Result<Report, Failure> {
        let mut passphrases = self.passphrases(&cas, context)?;
        let mut session = Session::new(store, &mut passphrases, context.now);
        let mut failures: Vec<CaError> = Vec::new();
        let mut published = Vec::new();
        for ca in cas {
            let bar = Mutex::new(OnceCell::new());
            let progress = |done: usize, all: usize| {
                let bar = bar.lock().expect("nobody panics while holding it");
                let bar = bar.get_or_init(|| Progress::of_rows(context, "signing", all as u64));
                bar.advance(done);
            };
            let done = publish_responses(&mut session, &ca, request, &progress);
            drop(bar);
            context.notices(session.notices.drain(..));
            match done {
                Ok(done) => published.push((ca, done)),
                Err(error) => failures.push(error),
            }
        }
        let any_signed = published
            .iter()
            .any(|(_, done)| done.signed > 0 || done.has_new_signer);
        let report = report::published(&published);
        Ok(
            match Failure::of_several(failures, any_signed, &self.again()) {
                Some(failure) => report.failing(failure),
                None => report,
            },
        )
    }

    /// Returns the hint for the other CAs.
    fn again(&self) -> String {
        let mut line = "run `pki ocsp --if-needed".to_owned();
        if let Some(out) = &self.out {
            write!(line, " --out {}", super::context::quoted(out)).expect("a String takes it");
        }
        line + "` again"
    }
}
