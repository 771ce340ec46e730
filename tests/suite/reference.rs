//! The reference pages: docs/commands.md is made from the program's own
//! command line, and docs/json.md is held to what the program prints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, Command};
use serde_json::Value;

use crate::sandbox::{Sandbox, repository};

const COMMANDS: &str = "docs/commands.md";
const JSON: &str = "docs/json.md";

/// What stands above this line is written by hand.
const MADE_FROM_HERE: &str = "<!-- Made from the program's own command line; to make it anew: \
                              UPDATE_REFERENCE=1 cargo test --test suite reference -->\n";

#[test]
fn the_command_reference_is_that_of_the_program() {
    let path = repository(COMMANDS);
    let page = fs::read_to_string(&path).unwrap();
    let (by_hand, _) = page
        .split_once(MADE_FROM_HERE)
        .unwrap_or_else(|| panic!("{COMMANDS} has no line {MADE_FROM_HERE}"));
    let made = format!("{by_hand}{MADE_FROM_HERE}{}", reference());
    if std::env::var_os("UPDATE_REFERENCE").is_some_and(|value| value == "1") {
        fs::write(&path, &made).unwrap();
        return;
    }
    assert!(
        page == made,
        "{COMMANDS} is out of date; UPDATE_REFERENCE=1 with this test writes it anew"
    );
}

/// Every command, below one another.
fn reference() -> String {
    let mut program = pki::cli::command();
    program.build();
    let mut text = String::from("\n## Options of every command\n");
    table(&mut text, &program, Arg::is_global_set);
    for command in commands(&program) {
        let name = name_of(command);
        write!(text, "\n## `pki {name}`\n\n{}\n", about(command)).unwrap();
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ");
        write!(text, "\n```\n{usage}\n```\n").unwrap();
        table(&mut text, command, |arg| !arg.is_global_set());
        if has_json(command) {
            let anchor = json_section(&name).to_lowercase().replace(' ', "-");
            let anchor = anchor.replace('`', "");
            writeln!(text, "\n[JSON fields](json.md#{anchor})").unwrap();
        }
    }
    text
}

/// The commands that are run: of those with commands of their own, only these.
fn commands(program: &Command) -> Vec<&Command> {
    let named = program.get_subcommands();
    let named = named.filter(|command| command.get_name() != "help");
    named
        .flat_map(|command| match commands(command) {
            own if own.is_empty() => vec![command],
            own => own,
        })
        .collect()
}

/// `issue`, `ca renew`: what stands behind `pki`.
fn name_of(command: &Command) -> String {
    let name = command.get_bin_name().unwrap();
    name.trim_start_matches("pki ").to_owned()
}

/// `completions` writes a script, whatever the format.
fn has_json(command: &Command) -> bool {
    command.get_name() != "completions"
}

/// The heading of the section of docs/json.md that has the fields of a command.
fn json_section(command: &str) -> String {
    match command {
        "root" | "subordinate" => "`pki root` and `pki subordinate`".into(),
        other => format!("`pki {other}`"),
    }
}

fn about(command: &Command) -> String {
    let short = command.get_about().map(ToString::to_string);
    let long = command.get_long_about().map(ToString::to_string);
    let text = long.or(short).unwrap_or_default();
    let paragraphs = text.split("\n\n").map(sentence).collect::<Vec<_>>();
    paragraphs.join("\n\n")
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    let ends = text.ends_with(['.', ':', '!', ']']) || text.is_empty();
    format!("{text}{}", if ends { "" } else { "." })
}

fn table(text: &mut String, command: &Command, wanted: impl Fn(&Arg) -> bool) {
    let described = |arg: &&Arg| !matches!(arg.get_id().as_str(), "help" | "version");
    let args = command.get_arguments().filter(described);
    let args = args.filter(|arg| wanted(arg) && !arg.is_hide_set());
    let rows = args.fold(String::new(), |rows, arg| {
        rows + "| " + &names(arg) + " | " + &meaning(command, arg) + " |\n"
    });
    if !rows.is_empty() {
        write!(text, "\n| option | meaning |\n| --- | --- |\n{rows}").unwrap();
    }
}

/// `-q`, `--quiet`; `--ca NAME`, `--parent NAME`; `DIR`.
fn names(arg: &Arg) -> String {
    let value = match arg.get_value_names() {
        Some(names) if arg.get_action().takes_values() => names.join(" "),
        _ => String::new(),
    };
    let short = arg.get_short().map(|name| format!("-{name}"));
    let long = arg.get_long().map(|name| format!("--{name}"));
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    let aliases = aliases.into_iter().map(|name| format!("--{name}"));
    let names = short.into_iter().chain(long).chain(aliases);
    let names = names
        .map(|name| format!("`{}`", format!("{name} {value}").trim()))
        .collect::<Vec<_>>();
    if names.is_empty() {
        format!("`{value}`")
    } else {
        names.join(" ")
    }
}

/// The option's help, and what else clap knows of it.
fn meaning(command: &Command, arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let help = help.replace('\n', " ");
    // A default that clap does not know of is said in the help.
    let (help, said_default) = match help.rsplit_once(" [default: ") {
        Some((help, default)) => (help, Some(default.trim_end_matches(']').to_owned())),
        None => (help.as_str(), None),
    };
    let mut parts = vec![sentence(help)];
    if arg.is_required_set() {
        parts.push("**Required.**".into());
    }
    if matches!(arg.get_action(), ArgAction::Append) && !help.contains("repeatable") {
        parts.push("Repeatable.".into());
    }
    if arg.get_action().takes_values() {
        let values = arg.get_possible_values();
        let values = values.iter().map(value).collect::<Vec<_>>();
        parts.extend((!values.is_empty()).then(|| format!("One of {}.", values.join(", "))));
        let defaults = arg.get_default_values().iter();
        let defaults = defaults.map(|value| format!("`{}`", value.to_string_lossy()));
        let defaults = said_default.into_iter().chain(defaults).collect::<Vec<_>>();
        parts.extend((!defaults.is_empty()).then(|| format!("Default: {}.", defaults.join(", "))));
    }
    let others = command
        .get_arguments()
        .filter(|other| conflicts(command, arg, other) || conflicts(command, other, arg));
    let others = others.map(name).collect::<Vec<_>>();
    parts.extend((!others.is_empty()).then(|| format!("Not with {}.", others.join(", "))));
    parts.join(" ").replace('|', "\\|")
}

fn value(value: &PossibleValue) -> String {
    let help = value.get_help().map(ToString::to_string);
    let help = help.map(|help| format!(" ({})", help.replacen("For", "for", 1)));
    format!("`{}`{}", value.get_name(), help.unwrap_or_default())
}

/// clap knows a conflict from the one side on which it was said.
fn conflicts(command: &Command, arg: &Arg, other: &Arg) -> bool {
    let conflicting = command.get_arg_conflicts_with(arg);
    conflicting
        .iter()
        .any(|found| found.get_id() == other.get_id())
}

/// The name by which other options speak of it.
fn name(arg: &Arg) -> String {
    match arg.get_long() {
        Some(long) => format!("`--{long}`"),
        None => names(arg),
    }
}

#[test]
fn every_command_with_json_has_a_section_about_its_fields() {
    let sections = documented_fields();
    let mut program = pki::cli::command();
    program.build();
    for command in commands(&program) {
        let section = json_section(&name_of(command));
        assert_eq!(
            sections.contains_key(&section),
            has_json(command),
            "{JSON}: {section}"
        );
    }
}

#[test]
fn the_json_page_names_exactly_the_fields_that_are_printed() {
    let documented = documented_fields();
    let printed = printed_fields();
    assert_eq!(
        documented.keys().collect::<Vec<_>>(),
        printed.keys().collect::<Vec<_>>()
    );
    for (section, documented) in documented {
        let printed = &printed[&section];
        for field in &documented {
            assert!(printed.contains(field), "{section}: {field} is not printed");
        }
        for field in printed {
            let is_documented = ancestors(field).any(|field| documented.contains(field));
            assert!(is_documented, "{section}: {field} is not documented");
        }
    }
}

/// A field, and what it is inside of: what `extn_value` holds need not be said field by field.
fn ancestors(field: &str) -> impl Iterator<Item = &str> {
    let ends = field.match_indices(['.', '[']).map(|(end, _)| end);
    let ends = ends.filter(|end| *end > 0).chain([field.len()]);
    ends.map(|end| &field[..end])
}

/// The fields in the first column of the tables of docs/json.md, by section.
fn documented_fields() -> BTreeMap<String, BTreeSet<String>> {
    let page = fs::read_to_string(repository(JSON)).unwrap();
    let mut sections = BTreeMap::new();
    for section in page.split("\n## ").skip(1) {
        let (title, body) = section.split_once('\n').unwrap();
        if !title.starts_with("`pki") {
            continue;
        }
        let fields = body
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
            .map(|(field, _)| field.to_owned())
            .collect();
        sections.insert(title.to_owned(), fields);
    }
    sections
}

/// Runs of every command, in their order.
const RUNS: &[&str] = &[
    "root --name rootCA --no-passphrase",
    "subordinate --ca rootCA --name intermediate0 --no-passphrase --path-len 0",
    "subordinate --ca rootCA --csr a.csr --out a.crt",
    "subordinate --name waiting --request waiting.csr --no-passphrase",
    "show --ca waiting",
    "subordinate --ca rootCA --csr waiting.csr --out waiting.crt",
    "subordinate --name waiting --install waiting.crt",
    "issue --ca intermediate0 --profile server --cn www.example.test --out out --no-passphrase --der",
    "issue --ca intermediate0 --csr a.csr --cn leaf",
    "profile add profiles.toml",
    "profile list",
    "profile show own",
    "issue --ca intermediate0 --cn own --profile own",
    "renew --ca intermediate0 --cn own",
    "issue --ca intermediate0 --from one.csv --dry-run",
    "issue --ca intermediate0 --from one.csv",
    "revoke --ca intermediate0 --from revoked.csv --dry-run",
    "export --ca intermediate0 --cn www.example.test --out again --no-passphrase --der",
    "export --ca intermediate0 --cn www.example.test --out for-java --passout pass:a --for java",
    "export --ca intermediate0 --cn www.example.test --out secret --no-passphrase --for kubernetes",
    "export --ca intermediate0 --out again",
    "bundle",
    "subordinate --ca rootCA --name ending --days 20 --no-passphrase",
    "bundle --ca intermediate0 --ca ending",
    "bundle --ca intermediate0",
    "bundle --ca intermediate0 --for java --passout pass:a",
    "crl --to-pem --chain",
    "crl --check",
    "publish --out public",
    "publish --check public",
    "ocsp --out responses --ca intermediate0",
    "ocsp --out responses --ca intermediate0 --check",
    "ocsp --out responses --ca rootCA --check",
    "ocsp --out staples --ca intermediate0 --cn leaf",
    "ocsp --out staples --ca intermediate0 --cn leaf --check",
    "ocsp --ca intermediate0 --index index.txt",
    "show staples/leaf.ocsp",
    "root --name p521 --key-type p521 --no-passphrase",
    "revoke --ca intermediate0 --cn leaf --reason keyCompromise --invalidity-date -1d",
    "crl --to-pem",
    "publish --check public",
    "ocsp --out staples --ca intermediate0 --cn leaf",
    "show staples/leaf.ocsp",
    "crl --in pki/crl/intermediate0.crl --to-pem --out list.pem",
    "crl --for alb --ca ending --hash-names",
    "crl --check --for alb --ca ending",
    "crl --for rustls --ca p521",
    "show --all list.pem",
    "show list.pem",
    "show a.p12 --passin pass:a",
    "list",
    "issue --ca intermediate0 --cn soon --days 20",
    "renew --ca intermediate0 --cn soon --days 10",
    "renew --ca intermediate0 --expiring 15d --days 40 --out renewed --no-passphrase",
    "list --expiring 30d",
    "ca renew --ca intermediate0",
    "ca renew --ca waiting --request again.csr",
    "ca rekey --ca rootCA --name root2 --no-passphrase",
    "ca cross-sign --ca rootCA --with root2",
    "root --name moved --no-passphrase",
    "ca move-key --ca moved --key-uri test:moved --passout file:pin",
    "show --ca moved",
    "show --ca intermediate0",
    "show --ca intermediate0 --cn leaf",
    "request --cn b --no-passphrase",
    "show a.csr",
    "show a.key",
    "show a.pub",
    "show empty.p7",
    "tree",
    "verify out/www.example.test.crt",
    "verify out/www.example.test.crt --bundle mixed.pem",
    "import --openssl old --name old --no-passphrase --partial",
    "show --ca old --serial 0x1001",
    "ca renew --ca old",
    "--store fixtures root --name rootCA --fixture --no-passphrase",
    "--store fixtures issue --ca rootCA --cn a --flaw expired",
    "--store fixtures list",
    "--store fixtures show --ca rootCA --cn a",
    "apply a.toml --no-passphrase --force",
    "backup a.tar",
    "--store restored restore a.tar",
    "revoke --ca intermediate0 --cn leaf --all",
    "check --repair",
    "log",
    "passphrase --ca intermediate0 --no-passphrase",
    "passphrase b.key --no-passphrase",
    "revoke --ca rootCA --cn waiting",
    "ca remove --ca waiting --backup before.tar",
    "man man",
];

/// The fields that a run of every command prints, by section.
fn printed_fields() -> BTreeMap<String, BTreeSet<String>> {
    let sandbox = Sandbox::with_helper();
    for line in [
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout a.key -subj /CN=a -out a.csr",
        "pkey -in a.key -pubout -out a.pub",
        "crl2pkcs7 -nocrl -out empty.p7",
        "req -x509 -key a.key -subj /CN=a -out own.crt",
        "pkcs12 -export -inkey a.key -in own.crt -name a -passout pass:a -out a.p12",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    sandbox.make_openssl_ca();
    sandbox.rewrite_key("pkcs8 -topk8", "-nocrypt");
    sandbox.request("a.csr", "/CN=a");
    sandbox.write("aki.cnf", "authorityKeyIdentifier = keyid, issuer:always\n");
    for line in [
        "-notext -extfile aki.cnf -infiles a.csr",
        "-notext -infiles a.csr",
        "-gencrl -out old/crl.pem",
    ] {
        sandbox.old_ca(line).succeeds();
    }
    fs::remove_file(sandbox.path("old/newcerts/1001.pem")).unwrap();
    sandbox.write(
        "profiles.toml",
        "[profile.own]\nmax_days = 300\nmust_staple = true\n",
    );
    sandbox.write("one.csv", "cn\nof a table");
    sandbox.write("revoked.csv", "serial\n");
    sandbox.write(
        "a.toml",
        "[certificate.declared]\nca = \"intermediate0\"\nout = \"declared\"\nder = true\n[crl.rootCA]\nto_pem = true\nchain = true\n[bundle.declared]\nca = [\"intermediate0\"]\n",
    );
    let mut fields = BTreeMap::<String, BTreeSet<String>>::new();
    for line in RUNS {
        let json = printed(&sandbox, line);
        let command = line.trim_start_matches("--store fixtures ");
        let command = command.trim_start_matches("--store restored ");
        let is_group = command.starts_with("ca ") || command.starts_with("profile ");
        let words = if is_group { 2 } else { 1 };
        let command = command.split(' ').take(words).collect::<Vec<_>>();
        let fields = fields.entry(json_section(&command.join(" "))).or_default();
        // A list is documented by what one of its items holds.
        match &json {
            Value::Array(items) => items.iter().for_each(|item| collect(item, "", fields)),
            other => collect(other, "", fields),
        }
    }
    fields
}

fn printed(sandbox: &Sandbox, line: &str) -> Value {
    if line == "check --repair" {
        sandbox.write("pki/crl/.other.crl.part", "left by an interrupted command");
    }
    if line.ends_with("mixed.pem") {
        let no_certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        let cas = ["rootCA", "intermediate0"].map(|ca| sandbox.read(format!("pki/{ca}/ca.crt")));
        sandbox.write("mixed.pem", cas.concat() + no_certificate);
    }
    let run = sandbox.outside(&format!("--format json {line}")).finish();
    // A check may have findings.
    let is_done = run.status == Some(0) || line.contains("--check") && run.status == Some(3);
    assert!(is_done, "{run}");
    run.json()
}

fn collect(value: &Value, path: &str, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = format!("{path}{}{name}", if path.is_empty() { "" } else { "." });
                collect(member, &path, fields);
                fields.insert(path);
            }
        }
        Value::Array(items) => {
            let path = format!("{path}[]");
            items.iter().for_each(|item| collect(item, &path, fields));
        }
        _ => {}
    }
}
