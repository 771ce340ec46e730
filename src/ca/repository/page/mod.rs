//! Page for people: one file without scripts in two languages, which fetches nothing.

mod picture;
mod words;

use crate::ca::repository::address::url_path;
use crate::ca::repository::contents::{CrlState, Repository, ShownCa};
use crate::ca::select::Status;
use crate::store::{CaName, Issuance};
use crate::x509::text::Escaped;
use crate::x509::validity::rfc3339;
use std::fmt::{self, Write as _};
use time::{Duration, OffsetDateTime};
use words::{ENGLISH, JAPANESE, Words};

/// Style sheet: light and dark, for screens and paper. Colours keep a contrast of 4.5 to their background.
const STYLE: &str = include_str!("page.css");

/// Text as HTML has it: neither markup, nor characters that deceive a reader.
pub(super) struct Html<'a>(pub(super) &'a str);

impl fmt::Display for Html<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in Escaped(self.0).to_string().chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Makes the page.
pub(super) fn html(repository: &Repository, now: OffsetDateTime) -> String {
    let title = title(repository);
    let title = Html(&title);
    // The one in Japanese comes first: if it is the target of the URL, the style hides the one behind it.
    let japanese = Section::new(repository, &JAPANESE, now).html();
    let english = Section::new(repository, &ENGLISH, now).html();
    format!(
        "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>{title}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<nav aria-label=\"Language\"><a href=\"#en\" lang=\"en\">English</a> <a href=\"#ja\" lang=\"ja\">日本語</a></nav>
</header>
<main>
<div id=\"ja\" lang=\"ja\">
{japanese}</div>
<div id=\"en\">
{english}</div>
</main>
</body>
</html>
"
    )
}

/// Names of the roots.
fn title(repository: &Repository) -> String {
    let roots = repository.cas.iter().filter(|ca| ca.parent.is_none());
    let names = roots.map(called).collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        return "PKI".into();
    }
    shortened(&names, 80)
}

fn called(ca: &ShownCa) -> String {
    let subject = ca.certificate.subject();
    subject.common_name().unwrap_or_else(|| ca.name.to_string())
}

/// Returns at most so many characters of a text.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn date(time: OffsetDateTime) -> String {
    rfc3339(time).chars().take("2027-01-31".len()).collect()
}

/// The page in one language.
struct Section<'a> {
    repository: &'a Repository,
    words: &'a Words,
    now: OffsetDateTime,
    html: String,
}

impl<'a> Section<'a> {
    fn new(repository: &'a Repository, words: &'a Words, now: OffsetDateTime) -> Self {
        Self {
            repository,
            words,
            now,
            html: String::new(),
        }
    }

    fn html(mut self) -> String {
        let words = self.words;
        self.line(format_args!(
            "<p>{} {}</p>",
            words.generated,
            rfc3339(self.now)
        ));
        self.heading(words.hierarchy);
        self.html += &picture::svg(&self.repository.cas, words, self.now);
        self.heading(words.authorities);
        for (_, ca) in picture::rows(&self.repository.cas) {
            self.authority(ca);
        }
        self.heading(words.install);
        self.install();
        if let Some(expiring) = &self.repository.expiring {
            self.expiring(expiring);
        }
        self.heading(words.files);
        self.files();
        self.html
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.html, "{line}").expect("a String takes everything");
    }

    fn heading(&mut self, text: &str) {
        self.line(format_args!("<h2>{text}</h2>"));
    }

    fn fact(&mut self, name: &str, value: impl fmt::Display) {
        self.line(format_args!("<dt>{name}</dt><dd>{value}</dd>"));
    }

    fn authority(&mut self, ca: &ShownCa) {
        let words = self.words;
        let validity = ca.certificate.validity();
        let name = called(ca);
        self.line(format_args!("<article>\n<h3>{}</h3>\n<dl>", Html(&name)));
        let subject = ca.certificate.subject().to_string();
        self.fact(words.subject, Html(&subject));
        match &ca.parent {
            Some(parent) => {
                let issuer = self
                    .repository
                    .cas
                    .iter()
                    .find(|other| other.name == *parent);
                let issuer = issuer.map_or_else(|| parent.to_string(), called);
                self.fact(words.issuer, Html(&issuer));
            }
            None => self.fact(words.issuer, words.itself),
        }
        let class = if ca.status == Status::Valid {
            "ok"
        } else {
            "bad"
        };
        let status = words.of_status(ca.status);
        let validity = format!(
            "<span class=\"{class}\">{status}</span>: {} – {}",
            date(validity.not_before),
            date(validity.not_after)
        );
        self.fact(words.validity, validity);
        let crl = self.freshness(ca);
        self.fact(words.crl, crl);
        let fingerprint = grouped(&ca.certificate.fingerprint().to_string());
        self.fact(
            words.fingerprint,
            format_args!("<code>{fingerprint}</code>"),
        );
        let downloads = self.downloads(ca);
        self.fact(words.downloads, downloads);
        self.line(format_args!("</dl>\n</article>"));
    }

    /// Returns the state of a CRL in words and in colour.
    fn freshness(&self, ca: &ShownCa) -> String {
        let words = self.words;
        let Some(crl) = &ca.crl else {
            return format!("<span class=\"bad\">{}</span>", words.no_crl);
        };
        let (class, state) = match crl.state(self.now) {
            CrlState::Current => ("ok", words.current),
            CrlState::ExpiresSoon => ("soon", words.expires_soon),
            CrlState::Expired => ("bad", words.crl_expired),
        };
        let number = crl
            .number
            .map_or_else(String::new, |number| format!(" {number}"));
        let until = crl.next_update.map_or_else(|| "–".to_owned(), rfc3339);
        format!(
            "<span class=\"{class}\">{state}</span>: {}{number}, {} <span class=\"whole\">{until}</span>, {}: {}",
            words.number, words.next_update, words.entries, crl.entries
        )
    }

    fn downloads(&self, ca: &ShownCa) -> String {
        let name = called(ca);
        let mut files = vec![
            (&ca.certificate_path, self.words.certificate),
            (&ca.pkcs7_path, self.words.pkcs7),
        ];
        files.extend(ca.crl_path.as_ref().map(|path| (path, self.words.crl)));
        let links = files.into_iter().map(|(path, what)| {
            let (name, url) = (Html(&name), url_path(path));
            format!("<a href=\"{url}\">{what}<span class=\"hidden\"> ({name})</span></a>")
        });
        links.collect::<Vec<_>>().join(" · ")
    }

    /// Commands that make programs trust the roots.
    fn install(&mut self) {
        let words = self.words;
        self.line(format_args!("<p>{}</p>", words.compare));
        let roots = self.repository.cas.iter();
        let roots = roots.filter(|ca| ca.parent.is_none() && ca.status == Status::Valid);
        for ca in roots {
            self.line(format_args!("<h3>{}</h3>", Html(&called(ca))));
            let name = ca.name.as_str();
            let file = format!("{name}.cer");
            let fetch = self.repository.base_url.as_ref().map(|base| {
                let base = base.trim_end_matches('/');
                format!("curl -O {base}/{}", url_path(&ca.certificate_path))
            });
            if let Some(fetch) = fetch {
                self.command(words.fetch, &fetch);
            }
            self.command(
                "Debian, Ubuntu",
                &format!("openssl x509 -inform DER -in {file} -out /usr/local/share/ca-certificates/{name}.crt && update-ca-certificates"),
            );
            self.command(
                "Fedora, RHEL",
                &format!("cp {file} /etc/pki/ca-trust/source/anchors/ && update-ca-trust"),
            );
            self.command(
                "macOS",
                &format!("security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {file}"),
            );
            self.command("Windows", &format!("certutil -addstore Root {file}"));
            self.command(
                "Firefox",
                &format!("certutil -A -d sql:PROFILE -n {name} -t C,, -i {file}"),
            );
            self.command(
                "Java",
                &format!("keytool -importcert -cacerts -noprompt -alias {name} -file {file}"),
            );
        }
    }

    fn command(&mut self, system: &str, command: &str) {
        let (system, command) = (Html(system), Html(command));
        self.line(format_args!("<h4>{system}</h4>\n<pre>{command}</pre>"));
    }

    fn expiring(&mut self, expiring: &[(CaName, Issuance)]) {
        let words = self.words;
        let month = self.now + Duration::days(30);
        let (soon, later): (Vec<_>, Vec<_>) = expiring
            .iter()
            .partition(|(_, issuance)| issuance.not_after <= month);
        for (heading, leaves) in [(words.within_30, soon), (words.within_90, later)] {
            self.heading(heading);
            if leaves.is_empty() {
                self.line(format_args!("<p>{}</p>", words.none));
                continue;
            }
            self.line(format_args!("<ul>"));
            for (ca, issuance) in leaves {
                let subject = match issuance.subject.as_str() {
                    "" => issuance.sans.first().cloned().unwrap_or_default(),
                    subject => subject.to_owned(),
                };
                let (until, subject, ca) =
                    (date(issuance.not_after), Html(&subject), Html(ca.as_str()));
                self.line(format_args!("<li>{until} {subject} ({ca})</li>"));
            }
            self.line(format_args!("</ul>"));
        }
    }

    fn files(&mut self) {
        self.line(format_args!("<ul>"));
        for path in self.repository.files.keys() {
            let (url, path) = (url_path(path), Html(path));
            self.line(format_args!("<li><a href=\"{url}\">{path}</a></li>"));
        }
        self.line(format_args!("</ul>"));
    }
}

/// Hex digits in groups of four, to be compared by phone.
fn grouped(hex: &str) -> String {
    let groups = hex.as_bytes().chunks(4).map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_neither_markup_nor_deceptive() {
        let hostile = "<script>\"&'\u{202e}\u{0}";
        let html = Html(hostile).to_string();
        assert_eq!(html, "&lt;script&gt;&quot;&amp;&#39;\\u{202e}\\u{0}");
        assert_eq!(url_path("a b/\"x\".crl"), "a%20b/%22x%22.crl");
        assert_eq!(grouped("0123456789"), "0123 4567 89");
    }
}
