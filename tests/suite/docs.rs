//! The pages that users follow, followed: their commands are run as they are
//! written, and what they say is printed has to be printed.
//!
//! A page is a shell session in a folder of its own.
//!
//! * ```` ```sh ```` is run, and each of its commands has to succeed; with
//!   `sh exit=N` its last one has to end with that code.
//! * ```` ```text ```` behind it is what it prints. `…` stands for any part of
//!   a line; on a line of its own, for any lines.
//! * ```` ```LANGUAGE file=NAME ```` is a file, and is written.
//!
//! Ports 8443 and 8080 stand for free ones. A block that starts a server with `&`
//! waits until the server answers or ends. Node finds the packages of
//! `tests/node`. `aws` is that of `tests/aws`, and `pki` finds the key helpers that are built with it.

mod ja;
mod update;

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use clap::error::ErrorKind;

use crate::run::Transcript;
use crate::sandbox::{Sandbox, repository};

/// The ports that the pages name, for HTTPS and for HTTP.
const PORTS: [&str; 2] = ["8443", "8080"];

#[test]
fn the_walk_through_of_the_readme_works() {
    follow("README.md");
}

#[test]
fn the_page_about_nginx_works() {
    follow("docs/nginx.md");
}

#[test]
fn the_page_about_node_works() {
    follow("docs/node.md");
}

#[test]
fn the_page_about_curl_works() {
    follow("docs/curl.md");
}

#[test]
fn the_page_about_exports_works() {
    follow("docs/exports.md");
}

#[test]
fn the_page_about_many_certificates_works() {
    follow("docs/batch.md");
}

#[test]
fn the_page_about_csrs_works() {
    follow("docs/csr.md");
}

#[test]
fn the_page_about_publishing_works() {
    follow("docs/publish.md");
}

#[test]
fn the_page_about_profiles_works() {
    follow("docs/profiles.md");
}

#[test]
fn the_page_about_declarations_works() {
    follow("docs/apply.md");
}

#[test]
fn the_page_about_passphrases_works() {
    follow("docs/passphrases.md");
}

#[test]
fn the_page_about_scheduled_crls_works() {
    follow("docs/scheduled.md");
}

#[test]
fn the_page_about_revocation_works() {
    follow("docs/revocation.md");
}

#[test]
fn the_page_about_ocsp_works() {
    follow("docs/ocsp.md");
}

#[test]
fn the_page_about_several_machines_works() {
    follow("docs/machines.md");
}

#[test]
fn the_page_about_renewal_works() {
    follow("docs/renewal.md");
}

#[test]
fn the_page_about_leaving_openssl_works() {
    follow("docs/import.md");
}

#[test]
fn the_page_about_backups_works() {
    follow("docs/backup.md");
}

#[test]
fn the_page_about_verifying_works() {
    follow("docs/verify.md");
}

#[test]
fn the_page_about_checking_works() {
    follow("docs/check.md");
}

#[test]
fn the_page_about_fixtures_works() {
    follow("docs/fixtures.md");
}

#[test]
fn the_page_about_targets_works() {
    follow("docs/targets.md");
}

#[test]
fn the_page_about_the_authorizer_works() {
    follow("docs/authorizer.md");
}

#[test]
fn the_page_about_aws_load_balancers_works() {
    follow("docs/aws-load-balancer.md");
}

#[test]
fn the_page_about_aws_api_gateways_works() {
    follow("docs/aws-api-gateway.md");
}

#[test]
fn the_page_about_aws_certificates_works() {
    follow("docs/aws-certificates.md");
}

#[test]
fn the_page_about_key_helpers_works() {
    follow("docs/key-helpers.md");
}

#[test]
fn the_page_about_tokens_works() {
    follow("docs/tokens.md");
}

#[test]
fn the_page_about_aws_kms_works() {
    follow("docs/aws-kms.md");
}

#[test]
fn the_page_about_the_issuance_cycle_works() {
    follow("docs/issuance-cycle.md");
}

#[test]
fn the_page_about_the_store_works() {
    follow("docs/store-format.md");
}

#[test]
fn the_page_about_databases_works() {
    follow("docs/postgres.md");
}

#[test]
fn the_page_about_databases_has_the_script_that_is_installed() {
    let page = fs::read_to_string(repository("docs/postgres.md")).unwrap();
    let script = fs::read_to_string(repository("packaging/postgres/roles.sql")).unwrap();
    assert!(page.contains(&format!("```sql file=roles.sql\n{script}```\n")));
}

#[test]
fn every_page_with_commands_is_followed() {
    let followed = ["tests/suite/docs.rs", "tests/suite/docs/ja.rs"]
        .map(|file| fs::read_to_string(repository(file)).unwrap())
        .concat();
    for page in pages() {
        let has_commands = blocks(&fs::read_to_string(repository(&page)).unwrap())
            .iter()
            .any(|block| block.language == "sh");
        assert!(
            !has_commands || followed.contains(&format!("follow(\"{page}\");")),
            "{page} has commands, and no test runs them"
        );
    }
}

#[test]
fn every_command_that_a_page_names_is_one_that_pki_knows() {
    for page in pages() {
        for span in spans(&fs::read_to_string(repository(&page)).unwrap()) {
            let is_command = span.starts_with("pki ") && span != "pki --version";
            assert!(!is_command || is_known(words(&span)), "{page}: `{span}`");
        }
    }
}

/// A command may be named without its options, and an option at its end without a value.
fn is_known(words: Vec<String>) -> bool {
    let with_value = words.iter().cloned().chain(["1".to_owned()]).collect();
    [words, with_value].into_iter().any(|words| {
        let parsed = pki::cli::command().try_get_matches_from(words);
        parsed.map_or_else(
            |error| {
                let known = [ErrorKind::MissingRequiredArgument, ErrorKind::DisplayHelp];
                known.contains(&error.kind())
            },
            |_| true,
        )
    })
}

#[test]
fn every_make_target_that_a_page_names_is_in_the_makefile() {
    let makefile = fs::read_to_string(repository("Makefile")).unwrap();
    for page in pages() {
        for span in spans(&fs::read_to_string(repository(&page)).unwrap()) {
            if let Some(target) = span.strip_prefix("make ") {
                let rule = format!("\n{target}:");
                assert!(makefile.contains(&rule), "{page}: `{span}`");
            }
        }
    }
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(repository(&page)).unwrap();
        let folder = repository(&page).parent().unwrap().to_owned();
        for target in links(&text) {
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() {
                repository(&page)
            } else {
                folder.join(path)
            };
            assert!(file.exists(), "{page} links to {target}");
            if !anchor.is_empty() {
                let headings = headings(&fs::read_to_string(file).unwrap());
                assert!(
                    headings.iter().any(|heading| heading == anchor),
                    "{page} links to {target}, and there is no such heading"
                );
            }
        }
    }
}

#[test]
fn a_page_that_is_wrong_is_caught() {
    for (page, complaint) in [
        ("```sh\nfalse\n```", "a command fails"),
        ("```sh\nfalse\ntrue\n```", "a command fails"),
        ("```sh exit=3\nfalse\n```", "a command fails"),
        ("```sh exit=1\ntrue\n```", "a command fails"),
        ("```sh\nfalse &\n```", "nothing waits for"),
        (
            "```sh\nfalse &\ntimeout 60 sh -c \"until false; do kill -0 $! || exit; sleep 0.1; done\"\n```",
            "a command fails",
        ),
        (
            "```sh\necho one\n```\n\n```text\ntwo\n```",
            "it prints something else",
        ),
        (
            "```sh\necho one; echo two\n```\n```text\none\n```",
            "it prints something else",
        ),
        ("```text\none\n```", "no command stands before"),
    ] {
        let problem = play(page, false).expect_err(page);
        assert!(problem.contains(complaint), "{page}\n{problem}");
    }
}

#[test]
fn a_page_that_is_right_passes() {
    let page = "```conf file=a/b.conf\nport 8443\n```
```sh\nexport NAME=value\n```
```sh\necho $NAME; cat a/b.conf | cut -c1-4; seq 9; echo 2027-01-31\n```
```text\nvalue\nport\n1\n…\n9\n2027-…\n```
```sh exit=7\nexit_with() { return $1; }; exit_with 7\n```
```text\n```";
    assert!(play(page, false).is_ok());
}

/// Plays a page of the repository.
#[track_caller]
fn follow(page: &str) {
    let text = fs::read_to_string(repository(page)).unwrap();
    let is_updated = std::env::var_os("UPDATE_EXPECT").is_some();
    match play(&text, is_updated) {
        Ok(updated) if updated != text => fs::write(repository(page), updated).unwrap(),
        Ok(_) => {}
        Err(problem) => panic!("{page}: {problem}"),
    }
}

/// Plays a page, and again if another program took the port meanwhile. Returns the page, with new output if it is
/// to be updated.
fn play(page: &str, is_updated: bool) -> Result<String, String> {
    let mut outcome = Err(String::new());
    for _ in 0..5 {
        outcome = play_once(page, is_updated);
        match &outcome {
            Err(problem) if is_about_the_port(problem) => {}
            _ => break,
        }
    }
    outcome
}

fn is_about_the_port(problem: &str) -> bool {
    let words = ["already in use", "EADDRINUSE"];
    words.iter().any(|words| problem.contains(words))
}

fn play_once(page: &str, is_updated: bool) -> Result<String, String> {
    let ports = free_ports();
    let blocks = blocks(
        &page
            .replace(PORTS[0], &ports[0])
            .replace(PORTS[1], &ports[1]),
    );
    let sandbox = Sandbox::new();
    // On a terminal, curl shows no progress and does show errors.
    sandbox.write(".curlrc", "silent\nshow-error\nnoproxy = *\n");
    sandbox.write(".session/script", script(&blocks)?);
    let pki = Path::new(env!("CARGO_BIN_EXE_pki")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let session = sandbox
        .run("bash", ".session/script")
        .env(
            "PATH",
            format!(
                "{}:{}:{path}:/usr/sbin:/sbin",
                repository("tests/aws").display(),
                pki.display()
            ),
        )
        .env("PKI_KEY_HELPERS", pki)
        .env("NODE_PATH", repository("tests/node/node_modules"))
        .finish();
    if session.status != Some(0) {
        return Err(failed(&sandbox, &blocks, &session));
    }
    if is_updated {
        return Ok(update::with_outputs(page, |index, wanted| {
            let printed = sandbox.read(output(index));
            let printed = printed.replace(&ports[0], PORTS[0]);
            let printed = printed.replace(&ports[1], PORTS[1]);
            let folder = sandbox.folder().display().to_string();
            update::updated(wanted, &printed.replace(&folder, "…"))
        }));
    }
    let wrong = blocks.iter().enumerate().find_map(|(index, block)| {
        let wanted = block.prints.as_ref()?;
        let printed = sandbox.read(output(index));
        let lines = [wanted, &printed].map(|text| text.lines().collect::<Vec<_>>());
        let block = &block.content;
        let logs = logs(&sandbox);
        (!matches(&lines[0], &lines[1])).then(|| {
            format!(
                "it prints something else\n{block}--- is\n{printed}--- should be\n{wanted}{logs}---"
            )
        })
    });
    wrong.map_or_else(|| Ok(page.to_owned()), Err)
}

/// Where the output of a block is kept.
fn output(index: usize) -> String {
    format!(".session/{index}")
}

fn failed(sandbox: &Sandbox, blocks: &[Block], session: &Transcript) -> String {
    let last = (0..blocks.len())
        .rev()
        .find(|index| sandbox.path(output(*index)).exists());
    let (block, printed) = match last {
        Some(index) => (blocks[index].content.as_str(), sandbox.read(output(index))),
        None => ("", String::new()),
    };
    let logs = logs(sandbox);
    format!("a command fails\n{block}--- it prints\n{printed}{logs}{session}")
}

/// What servers wrote into files in the folder.
fn logs(sandbox: &Sandbox) -> String {
    let names = sandbox.names_in(".").into_iter();
    names
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "log"))
        .fold(String::new(), |logs, name| {
            logs + "--- " + &name + "\n" + &sandbox.read(&name)
        })
}

/// The page as one script: blocks share variables, as they do for a reader.
fn script(blocks: &[Block]) -> Result<String, String> {
    let mut script = String::from(
        "set -eu
umask 022
end_servers() {
    for process in $(jobs -p) $(cat nginx.pid 2>/dev/null); do
        kill \"$process\" 2>/dev/null || true
    done
}
trap end_servers EXIT
",
    );
    for (index, block) in blocks.iter().enumerate() {
        let Block {
            language,
            info,
            content,
            prints: _,
        } = block;
        let output = output(index);
        if let Some(name) = info.strip_prefix("file=") {
            let end = format!("END_OF_FILE_{index}");
            write!(
                script,
                "mkdir -p \"$(dirname '{name}')\"\ncat >'{name}' <<'{end}'\n{content}{end}\n"
            )
            .unwrap();
        } else if language == "sh" && info.is_empty() {
            write!(script, "{{\n{content}}} >{output} 2>&1\n").unwrap();
        } else if let Some(code) = info.strip_prefix("exit=").filter(|_| language == "sh") {
            write!(
                script,
                "set +e\n{{\n{content}}} >{output} 2>&1\nended=$?\nset -e\n[ $ended -eq {code} ]\n"
            )
            .unwrap();
        } else {
            return Err(format!("a block that is not understood: {language} {info}"));
        }
        if content.lines().any(|line| line.ends_with(" &")) && !content.contains("\ntimeout 60 ") {
            return Err(format!(
                "a server is started that nothing waits for\n{content}"
            ));
        }
    }
    Ok(script)
}

/// A fenced block of a page.
struct Block {
    language: String,
    /// What the fence says behind the language.
    info: String,
    /// Its lines, each with its line break.
    content: String,
    /// What the `text` block behind it says.
    prints: Option<String>,
}

/// The blocks that are run or written. Those of other languages, without a
/// file name, are for the eye alone.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else {
            continue;
        };
        let (language, info) = fence.split_once(' ').unwrap_or((fence, ""));
        let content = lines
            .by_ref()
            .take_while(|line| *line != "```")
            .fold(String::new(), |content, line| content + line + "\n");
        if language == "text" {
            match blocks.last_mut() {
                Some(command) if command.language == "sh" && command.prints.is_none() => {
                    command.prints = Some(content);
                }
                _ => blocks.push(Block {
                    language: "text, and no command stands before it".into(),
                    info: info.into(),
                    content,
                    prints: None,
                }),
            }
        } else if language == "sh" || info.starts_with("file=") {
            blocks.push(Block {
                language: language.into(),
                info: info.into(),
                content,
                prints: None,
            });
        }
    }
    blocks
}

/// Whether the lines are those wanted; `…` on a line of its own is any lines.
fn matches(wanted: &[&str], printed: &[&str]) -> bool {
    match wanted.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, others)| fits(line, first) && matches(rest, others)),
    }
}

/// Whether a line is the one wanted; `…` in it is anything.
fn fits(wanted: &str, printed: &str) -> bool {
    match wanted.split_once('…') {
        None => wanted == printed,
        Some((start, rest)) => printed.strip_prefix(start).is_some_and(|behind| {
            behind
                .char_indices()
                .map(|(index, _)| index)
                .chain([behind.len()])
                .any(|skipped| fits(rest, &behind[skipped..]))
        }),
    }
}

fn free_ports() -> [String; 2] {
    // Both are held until both are chosen.
    let listeners = PORTS.map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port().to_string())
}

/// A file that a page of the repository shows.
#[track_caller]
pub(crate) fn file_of(page: &str, name: &str) -> String {
    let text = fs::read_to_string(repository(page)).unwrap();
    let info = format!("file={name}");
    let file = blocks(&text).into_iter().find(|block| block.info == info);
    file.unwrap_or_else(|| panic!("{page} shows no {name}"))
        .content
}

/// Every page, by its path in the repository.
fn pages() -> Vec<String> {
    let folders = ["", "docs/", "docs/decisions/", "docs/ja/"];
    let mut pages: Vec<_> = folders.into_iter().flat_map(pages_in).collect();
    pages.sort();
    pages
}

/// Pages of a directory, by their path in the repository.
pub(crate) fn pages_in(folder: &str) -> Vec<String> {
    let names = fs::read_dir(repository(folder)).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "md"))
        .map(|name| format!("{folder}{name}"))
        .collect()
}

/// What stands between backquotes, outside of blocks.
fn spans(page: &str) -> Vec<String> {
    let mut in_block = false;
    let prose = page
        .lines()
        .filter(|line| {
            let fence = line.starts_with("```");
            in_block ^= fence;
            !fence && !in_block
        })
        .collect::<Vec<_>>()
        .join(" ");
    let spans = prose.split('`').skip(1).step_by(2);
    spans.map(str::to_owned).collect()
}

/// The words of a command line; an ellipsis is for the eye.
fn words(line: &str) -> Vec<String> {
    let quoted = |word: &str| word.trim_matches(['\'', '"']).to_owned();
    line.split_whitespace()
        .filter(|word| *word != "…")
        .map(quoted)
        .collect()
}

/// The targets of links that stay in the repository.
fn links(page: &str) -> Vec<String> {
    let targets = page.split("](").skip(1);
    targets
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .filter(|target| !target.contains("://"))
        .collect()
}

/// The anchors of a page's headings.
fn headings(page: &str) -> Vec<String> {
    page.lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter_map(|character| match character {
                ' ' => Some('-'),
                '-' | '_' => Some(character),
                _ if character.is_alphanumeric() => Some(character),
                _ => None,
            });
            kept.collect()
        })
        .collect()
}
