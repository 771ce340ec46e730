//! `pki publish`.

mod fetch;

use super::bundle::{FindingEntry, errors, finding_entries, finding_lines};
use super::context::{Context, quoted};
use super::failure::Failure;
use super::options::{check_belonging, http_url};
use super::report::{Lines, Report};
use crate::ca::{
    FileType, Replacement, Repository, RepositoryFile, RepositoryRequest, check_repository, plural,
    repository, url_path, write_repository,
};
use crate::store::Store;
use clap::Args;
use fetch::Place;
use serde::Serialize;
use std::collections::BTreeMap;
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
    #[arg(long, value_name = "URL", value_parser = base_url)]
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

/// Command lines that copy the files to a bucket or a web server.
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
    elsewhere: Vec<String>,
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
        tell_of_elsewhere(&repository, context);
        for ca in &repository.without_current_crl {
            context.warning(format!(
                "the published CRL of {ca} is not current: `pki crl --ca {ca}` signs another"
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
            copy: copy_commands(&repository, out),
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
        tell_of_elsewhere(&expected, context);
        let findings = check_repository(&expected, &mut |path| place.fetch(path), context.now);
        let report = CheckReport {
            place: place.to_string(),
            count: expected.files.len(),
            elsewhere: expected.elsewhere.clone(),
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

fn tell_of_elsewhere(repository: &Repository, context: &Context) {
    for url in &repository.elsewhere {
        context.notice(format!(
            "certificates name {url}, which is not in this repository"
        ));
    }
}

/// Returns whether certificates name files below a URL.
fn is_named(store: &Store, url: &str) -> bool {
    let cas = store.cas().unwrap_or_default();
    let mut urls = cas.iter().flat_map(|ca| {
        let record = ca.record();
        record.crl_urls.iter().chain(&record.ca_issuers_urls)
    });
    urls.any(|named| {
        let below = named.strip_prefix(url);
        below.is_some_and(|path| path.starts_with('/'))
    })
}

fn base_url(text: &str) -> Result<String, String> {
    let url = http_url(text)?;
    let scheme = url
        .split("://")
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if scheme == "ldap" || url.contains(['?', '#']) {
        return Err("it has to be an http:// or https:// URL without ? and #".into());
    }
    Ok(url)
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

/// Returns which files need a media type that a server can't tell by itself: by their ending if they have one, as
/// `*.crl`, or by their path.
fn patterns(repository: &Repository) -> BTreeMap<String, FileType> {
    let needs_type = |kind| {
        matches!(
            kind,
            FileType::Certificate | FileType::Pkcs7 | FileType::Crl
        )
    };
    let files = repository.files.iter();
    files
        .filter(|(_, file)| needs_type(file.file_type))
        .map(|(path, file)| {
            let ending = ending_of(path).map(|ending| format!("*.{ending}"));
            (ending.unwrap_or_else(|| path.clone()), file.file_type)
        })
        .collect()
}

fn ending_of(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, ending) = name.rsplit_once('.')?;
    let is_plain = ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (!stem.is_empty() && !ending.is_empty() && is_plain).then_some(ending)
}

fn copy_commands(repository: &Repository, out: &Path) -> CopyCommands {
    // A name that begins with a dash, or has a colon, would be read as something else.
    let here = if out.is_absolute() {
        out.to_owned()
    } else {
        Path::new(".").join(out)
    };
    let out = quoted(&here.components().collect::<PathBuf>());
    let word = |text: &str| quoted(Path::new(text));
    let patterns = patterns(repository);
    let mut s3 = Vec::new();
    let mut gcs = vec![format!(
        "gcloud storage rsync --recursive {out} gs://BUCKET"
    )];
    let (mut excluded, mut types, mut locations) = (String::new(), String::new(), Vec::new());
    for (pattern, kind) in &patterns {
        let media_type = kind.media_type();
        let quoted = word(pattern);
        s3.push(format!(
            "aws s3 cp {out} s3://BUCKET --recursive --exclude '*' --include {quoted} --content-type {media_type}"
        ));
        excluded += &[" --exclude ", &quoted].concat();
        let object = if let Some(ending) = pattern.strip_prefix("*.") {
            types += &[" ", media_type, " ", ending, ";"].concat();
            format!("gs://BUCKET/**.{ending}")
        } else {
            let path = url_path(pattern);
            locations.push(format!(
                "nginx: location = /{path} {{ types {{ }} default_type {media_type}; }}"
            ));
            format!("gs://BUCKET/{pattern}")
        };
        gcs.push(format!(
            "gcloud storage objects update {} --content-type={media_type}",
            word(&object)
        ));
    }
    // The page comes last, when the files that it names are there.
    s3.push(format!("aws s3 cp {out} s3://BUCKET --recursive{excluded}"));
    let mut web = vec![
        format!("rsync -a --delete-after {out}/ HOST:/var/www/pki/"),
        format!("nginx: types {{ text/html html; application/json json;{types} }}"),
    ];
    web.append(&mut locations);
    CopyCommands { s3, gcs, web }
}
