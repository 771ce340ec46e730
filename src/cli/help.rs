//! Help beyond the options' own descriptions: headings, defaults of single commands, examples.
//!
//! Only help, man pages, completions and the reference need it; a command line that parses does not.

mod examples;

pub(super) use examples::EXAMPLES;

use super::completions::with_candidates;
use clap::{Arg, Command};

const CERTIFICATE: &str = "Certificate";
const VALIDITY: &str = "Validity";
const KEYS: &str = "Keys and passphrases";
const OUTPUT: &str = "Output";
const GLOBAL: &str = "Global options";

/// Options under a heading; the others name the subject of a command, and come first.
const HEADINGS: &[(&str, &[&str])] = &[
    (
        CERTIFICATE,
        &[
            "subject",
            "san",
            "profile",
            "profiles",
            "csr",
            "csr_names",
            "flaw",
            "path_len",
            "permit",
            "exclude",
            "crl_url",
            "ca_issuers_url",
            "ocsp_url",
        ],
    ),
    (
        VALIDITY,
        &["days", "not_after", "not_before", "next_update", "at"],
    ),
    (
        KEYS,
        &[
            "key_type",
            "key_uri",
            "rekey",
            "by_ca",
            "passin",
            "passout",
            "no_passphrase",
            "keys",
        ],
    ),
    (
        OUTPUT,
        &[
            "out",
            "der",
            "p12",
            "to_pem",
            "to_der",
            "hash_names",
            "cert_id",
            "index",
            "force",
        ],
    ),
    (GLOBAL, &["store", "format", "no_input", "quiet", "verbose"]),
];

/// Headings of options that mean something else in a command.
const OTHER_HEADINGS: &[(&str, &str, &str)] = &[
    ("issue", "cn", CERTIFICATE),
    ("issue", "name", OUTPUT),
    ("request", "cn", CERTIFICATE),
    ("request", "name", OUTPUT),
    ("root", "cn", CERTIFICATE),
    ("subordinate", "cn", CERTIFICATE),
    ("subordinate", "csr", ""),
    ("ca rekey", "cn", CERTIFICATE),
    ("renew", "name", OUTPUT),
    ("export", "name", OUTPUT),
    ("export", "party", OUTPUT),
    ("export", "key", KEYS),
    ("export", "via", OUTPUT),
    ("crl", "party", OUTPUT),
    ("crl", "chain", OUTPUT),
    ("bundle", "party", OUTPUT),
    ("list", "san", ""),
];

/// Options that few need: `-h` leaves them out, as it does the global ones.
const RARE: &[&str] = &[
    "ahead",
    "all",
    "by_ca",
    "ca_issuers_url",
    "cert_id",
    "csr_names",
    "date_now",
    "der",
    "every",
    "exclude",
    "fixture",
    "flaw",
    "hash_names",
    "index",
    "inhibit_any_policy",
    "inhibit_policy_mapping",
    "invalidity_date",
    "keep_going",
    "key_uri",
    "no_cross",
    "not_before",
    "ocsp_url",
    "permit",
    "policy",
    "profiles",
    "require_policy",
    "resume",
    "schema",
    "via",
    "within",
];

const NEW_KEY: &str =
    "The passphrase for the new key: prompt, env:VAR, file:PATH, fd:N, stdin, pass:TEXT";

/// Descriptions of shared options in one command.
const OWN: &[(&str, &str, &str)] = &[
    ("root", "days", "Days of validity [default: 3650]"),
    ("root", "passout", NEW_KEY),
    ("root", "no_passphrase", "Leave the new key unencrypted"),
    (
        "subordinate",
        "days",
        "Days of validity [default: 3650, or until the parent CA expires]",
    ),
    (
        "subordinate",
        "passout",
        "The passphrase for the new key: as --passin",
    ),
    (
        "subordinate",
        "no_passphrase",
        "Leave the new key unencrypted",
    ),
    (
        "issue",
        "days",
        "Days of validity [default: 365, or as the profile says]",
    ),
    (
        "issue",
        "passout",
        "The passphrase for the exported key (--out): as --passin",
    ),
    (
        "issue",
        "no_passphrase",
        "With --out: leave the exported key unencrypted",
    ),
    (
        "renew",
        "passout",
        "With --out: the passphrase for the exported key: as --passin",
    ),
    (
        "renew",
        "no_passphrase",
        "With --out: leave the exported key unencrypted",
    ),
    (
        "ca rekey",
        "passout",
        "The passphrase for the new key: as --passin",
    ),
    ("ca rekey", "no_passphrase", "Leave the new key unencrypted"),
    (
        "ca move-key",
        "passout",
        "The PIN of the token or service: as --passin",
    ),
    (
        "ca rekey",
        "crl_url",
        "URL of the new CA's CRL [default: as before, with the new name]",
    ),
    (
        "ca rekey",
        "ca_issuers_url",
        "URL of the new CA's certificate [default: as before, with the new name]",
    ),
    (
        "ca rekey",
        "ocsp_url",
        "URL of its OCSP responder [default: as before]",
    ),
    (
        "ocsp",
        "passout",
        "With a CA key outside the store: the passphrase for a new responder's key: as --passin",
    ),
    (
        "ocsp",
        "no_passphrase",
        "With a CA key outside the store: leave a new responder's key unencrypted",
    ),
    (
        "export",
        "passout",
        "The passphrase for the exported key: as --passin",
    ),
    (
        "export",
        "no_passphrase",
        "Leave the exported key unencrypted",
    ),
    (
        "import",
        "passout",
        "The passphrase for the keys in the store: as --passin",
    ),
    (
        "import",
        "no_passphrase",
        "Leave the keys in the store unencrypted",
    ),
    (
        "passphrase",
        "passin",
        "The present passphrase: prompt, env:VAR, file:PATH, fd:N, stdin, pass:TEXT",
    ),
    ("passphrase", "passout", "The new passphrase: as --passin"),
    ("passphrase", "no_passphrase", "Leave the keys unencrypted"),
    (
        "apply",
        "passout",
        "The passphrase for new keys: as --passin",
    ),
    ("apply", "no_passphrase", "Leave new keys unencrypted"),
];

/// Adds headings, defaults and examples to the commands.
pub(super) fn described(command: Command) -> Command {
    let command = command.mut_args(|arg| with_heading("", arg));
    with_examples("", command).mut_subcommands(|command| described_as("", command))
}

fn described_as(above: &str, command: Command) -> Command {
    let name = format!("{above} {}", command.get_name());
    let name = name.trim_start();
    let command =
        command.mut_args(|arg| with_candidates(with_heading(name, with_own_help(name, arg))));
    with_examples(name, command).mut_subcommands(|command| described_as(name, command))
}

fn with_heading(command: &str, arg: Arg) -> Arg {
    let id = arg.get_id().as_str();
    let own = OTHER_HEADINGS
        .iter()
        .find(|(of, option, _)| *of == command && *option == id)
        .map(|(.., heading)| *heading);
    let usual = || {
        let under = HEADINGS.iter().find(|(_, options)| options.contains(&id));
        under.map(|(heading, _)| *heading)
    };
    let heading = own.or_else(usual).filter(|heading| !heading.is_empty());
    let is_rare = heading == Some(GLOBAL) || RARE.contains(&id);
    match heading {
        Some(heading) => arg.help_heading(heading),
        None => arg,
    }
    .hide_short_help(is_rare)
}

fn with_own_help(command: &str, arg: Arg) -> Arg {
    let own = OWN
        .iter()
        .find(|(of, option, _)| *of == command && arg.get_id() == option);
    match own {
        Some((.., help)) => arg.help(*help),
        None => arg,
    }
}

fn with_examples(name: &str, command: Command) -> Command {
    let Some((_, examples)) = EXAMPLES.iter().find(|(of, _)| *of == name) else {
        return command;
    };
    command.after_help(format!("Examples:\n  {}", examples.join("\n  ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    /// Every command that is run, with its name behind `pki`.
    fn commands() -> Vec<(String, Command)> {
        fn below(above: &str, command: &Command, found: &mut Vec<(String, Command)>) {
            for command in command.get_subcommands() {
                let name = format!("{above} {}", command.get_name());
                let name = name.trim_start();
                if command.has_subcommands() {
                    below(name, command, found);
                } else {
                    found.push((name.to_owned(), command.clone()));
                }
            }
        }
        let mut found = Vec::new();
        below("", &command(), &mut found);
        found
    }

    #[test]
    fn every_command_has_examples_that_parse() {
        for (name, _) in commands() {
            let examples = EXAMPLES.iter().find(|(of, _)| *of == name);
            let (_, examples) = examples.unwrap_or_else(|| panic!("pki {name} has no example"));
            assert!(examples.len() <= 3, "pki {name} has too many examples");
            for example in *examples {
                // Text in quotes is one word.
                let quoted = example.split('\'').enumerate().flat_map(|(index, part)| {
                    if index % 2 == 1 {
                        vec![part]
                    } else {
                        part.split_whitespace().collect()
                    }
                });
                let parsed = command().try_get_matches_from(quoted);
                assert!(parsed.is_ok(), "{example}: {parsed:?}");
                assert!(example.contains(&format!(" {name}")), "{example}");
            }
        }
    }

    #[test]
    fn the_tables_name_options_that_exist() {
        let commands = commands();
        let has = |of: &str, option: &str| {
            let mut named = commands
                .iter()
                .filter(|(name, _)| name == of || of.is_empty());
            named.any(|(_, command)| command.get_arguments().any(|arg| arg.get_id() == option))
        };
        let own = OWN.iter().chain(OTHER_HEADINGS);
        for (command, option, _) in own {
            assert!(has(command, option), "pki {command} {option}");
        }
        let global = command();
        let is_global = |option: &str| global.get_arguments().any(|arg| arg.get_id() == option);
        let listed = HEADINGS.iter().flat_map(|(_, options)| options.iter());
        for option in listed.chain(RARE) {
            assert!(has("", option) || is_global(option), "{option}");
        }
    }

    #[test]
    fn short_help_fits_a_screen() {
        for (name, command) in commands() {
            let lines = command
                .term_width(100)
                .render_help()
                .to_string()
                .lines()
                .count();
            assert!(lines <= 40, "pki {name} -h has {lines} lines");
        }
    }
}
