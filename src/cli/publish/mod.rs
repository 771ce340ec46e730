//! `pki publish`.

mod fetch;

use super::bundle::{FindingEntry, errors, finding_entries, finding_lines};
use super::context::{Context, quoted};
use super::failure::Failure;
use super::options::{check_belonging, http_url};
use super::report::{Lines, Report};
use crate::ca::{
    FileType, Replacement, Repository, RepositoryFile, RepositoryRequest, check_repository, plural,
    repository, write_repository,
};
use crate::store::Store;
use clap::Args;
use fetch::Place;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Publish CRLs and CA certificates as a static repository, with a page for people
///
/// The directory holds the published CRL and the certificate of every CA at the paths that certificates name, a trust
/// store, SHA256SUMS, status.json and index.html. It is replaced in one step. No key is needed: `pki crl` signs the
/// CRLs first.
#[derive(Args)]
pub(super) struct PublishArgs {
    /// The directory to write
    #[arg(long, value_name = "DIR", required_unless_present = "check")]
    out: Option<PathBuf>,
    /// URL under which the directory is served [default: the host of each URL in the certificates]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    base_url: Option<String>,
    /// List certificates that expire within 90 days on the page, with their subjects
    #[arg(long)]
    with_issued: bool,
    /// Check a published directory, or the URL that serves it (http); exit with 3 if a file is missing, wrong or not current
    #[arg(long, value_name = "DIR|URL", conflicts_with_all = ["out", "with_issued"])]
    check: Option<String>,
}

#[derive(Serialize)]
struct PublishReport {
    out: String,
    files: Vec<FileEntry>,
    elsewhere: Vec<String>,
    replaced: &'static str,
    copy: CopyCommands,
}

#[derive(Serialize)]
struct FileEntry {
    path: String,
    media_type: &'static str,
}

/// Command lines that copy the files to where they are served.
#[derive(Serialize)]
struct CopyCommands {
    s3: Vec<String>,
    gcs: Vec<String>,
    web: Vec<String>,
}

#[derive(Serialize)]
struct CheckReport {
    place: String,
    count: usize,
    findings: Vec<FindingEntry>,
}

impl PublishArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        check_belonging(&[(
            "--with-issued",
            self.with_issued,
            "--out",
            self.out.is_some(),
        )])?;
        match (&self.check, &self.out) {
            (Some(place), _) => self.check(place, context),
            (None, Some(out)) => self.publish(out, context),
            (None, None) => Err(Failure::usage("--out or --check is required")),
        }
    }

    fn request(&self) -> RepositoryRequest {
        RepositoryRequest {
            base_url: self.base_url.clone(),
            with_issued: self.with_issued,
        }
    }

    fn publish(&self, out: &Path, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let repository = repository(&store, &self.request(), context.now)?;
        for url in &repository.elsewhere {
            context.notice(format!(
                "certificates name {url}, which is not in this repository"
            ));
        }
        let replaced = write_repository(&repository, out)?;
        if replaced == Replacement::Moved {
            context.notice(
                "the file system can't exchange two directories, so for a moment there was none",
            );
        }
        let report = PublishReport {
            out: out.display().to_string(),
            files: file_entries(&repository),
            elsewhere: repository.elsewhere.clone(),
            replaced: match replaced {
                Replacement::New => "nothing",
                Replacement::Exchanged => "in-one-step",
                Replacement::Moved => "in-two-steps",
            },
            copy: copy_commands(&repository, &quoted(out)),
        };
        let text = text(&report, &repository);
        Ok(Report::new(&report, text).committed("`pki publish` can be run again"))
    }

    fn check(&self, place: &str, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let mut place = Place::of(place)?;
        let mut request = self.request();
        if request.base_url.is_none() {
            request.base_url = place.url().filter(|url| is_named(&store, url));
        }
        let expected = repository(&store, &request, context.now)?;
        let findings = check_repository(
            &store,
            &expected,
            &mut |path| place.fetch(path),
            context.now,
        )?;
        let report = CheckReport {
            place: place.to_string(),
            count: expected.files.len(),
            findings: finding_entries(&findings),
        };
        let fits = findings.is_empty();
        let heading = match errors(&findings) {
            0 if fits => format!(
                "{place} is complete and current: {}",
                plural(report.count, "file")
            ),
            0 => format!("{place} works: {}", plural(findings.len(), "warning")),
            count => format!("{place} is not current: {}", plural(count, "error")),
        };
        Ok(Report::new(&report, finding_lines(&findings).under(&heading)).verdict(fits))
    }
}

/// Returns whether certificates name files below a URL.
fn is_named(store: &Store, url: &str) -> bool {
    let cas = store.cas().unwrap_or_default();
    let mut urls = cas.iter().flat_map(|ca| {
        let record = ca.record();
        record.crl_urls.iter().chain(&record.ca_issuers_urls)
    });
    urls.any(|named| named.starts_with(url))
}

fn file_entries(repository: &Repository) -> Vec<FileEntry> {
    let entry = |(path, file): (&String, &RepositoryFile)| FileEntry {
        path: path.clone(),
        media_type: file.file_type.media_type(),
    };
    repository.files.iter().map(entry).collect()
}

fn text(report: &PublishReport, repository: &Repository) -> String {
    let cas = plural(repository.cas.len(), "CA");
    let heading = format!(
        "published {} of {cas} in {}",
        plural(report.files.len(), "file"),
        report.out
    );
    let mut lines = Lines::default();
    for file in &report.files {
        lines = lines.row("", &file.path);
    }
    let copies = [
        ("copy to S3", &report.copy.s3),
        ("copy to GCS", &report.copy.gcs),
        ("copy to a web server", &report.copy.web),
    ];
    let mut text = lines.under(&heading);
    for (what, commands) in copies {
        text += what;
        text += ":\n";
        for command in commands {
            text += "  ";
            text += command;
            text += "\n";
        }
    }
    text
}

/// Types of files that a server can't tell from others by itself, by the end of their names.
const ENDINGS: [(&str, FileType); 3] = [
    ("crl", FileType::Crl),
    ("cer", FileType::Certificate),
    ("p7c", FileType::Pkcs7),
];

fn copy_commands(repository: &Repository, out: &str) -> CopyCommands {
    let used = |ending: &str| {
        let end = format!(".{ending}");
        repository.files.keys().any(|path| path.ends_with(&end))
    };
    let endings: Vec<(&str, FileType)> = ENDINGS
        .into_iter()
        .filter(|(ending, _)| used(ending))
        .collect();
    let excluded: String = endings
        .iter()
        .map(|(ending, _)| format!(" --exclude '*.{ending}'"))
        .collect::<Vec<_>>()
        .concat();
    // The page and the lists come last: they tell of files that are there by then.
    let mut s3: Vec<String> = endings
        .iter()
        .map(|(ending, kind)| {
            format!(
                "aws s3 cp {out} s3://BUCKET --recursive --exclude '*' --include '*.{ending}' --content-type {}",
                kind.media_type()
            )
        })
        .collect();
    s3.push(format!("aws s3 cp {out} s3://BUCKET --recursive{excluded}"));
    let mut gcs = vec![format!(
        "gcloud storage rsync --recursive {out} gs://BUCKET"
    )];
    gcs.extend(endings.iter().map(|(ending, kind)| {
        format!(
            "gcloud storage objects update 'gs://BUCKET/**.{ending}' --content-type={}",
            kind.media_type()
        )
    }));
    let types: String = endings
        .iter()
        .map(|(ending, kind)| format!(" {} {ending};", kind.media_type()))
        .collect::<Vec<_>>()
        .concat();
    let web = vec![
        format!("rsync -a --delete-after {out}/ HOST:/var/www/pki/"),
        format!("nginx: types {{ text/html html; application/json json;{types} }}"),
    ];
    CopyCommands { s3, gcs, web }
}
