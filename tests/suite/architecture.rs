//! The rules of docs/architecture.md, read from the source. What stands in
//! comments, and in the unit tests at the end of a file, is not looked at.

mod cycles;
mod shape;

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::{Sandbox, repository};

/// Every layer, and those that it may know of.
const LAYERS: [(&str, &[&str]); 8] = [
    (
        "fuzzing",
        &["cli", "ca", "store", "x509", "key", "asn1", "pem"],
    ),
    ("cli", &["ca", "store", "x509", "key", "asn1", "pem"]),
    ("ca", &["store", "x509", "key", "asn1", "pem"]),
    ("store", &["x509", "key", "asn1", "pem"]),
    ("x509", &["key", "asn1", "pem"]),
    ("key", &["asn1", "pem"]),
    ("asn1", &[]),
    ("pem", &[]),
];

/// What may stand only in some places, by the start of their path.
struct Confined {
    what: &'static str,
    words: &'static [&'static str],
    to: &'static [&'static str],
}

const CONFINED: [Confined; 7] = [
    Confined {
        what: "the terminal, the command line, and errors without a type",
        words: &[
            "clap",
            "rpassword",
            "anyhow",
            "println!",
            "print!",
            "eprintln!",
            "eprint!",
            "dbg!",
            "stdin()",
            "stdout()",
            "stderr()",
        ],
        to: &["src/cli/", "src/main.rs"],
    },
    Confined {
        what: "the environment",
        words: &["env::var", "env::var_os", "env::args", "current_dir()"],
        to: &["src/cli/"],
    },
    Confined {
        what: "the clock",
        words: &["now_utc", "now_local", "SystemTime"],
        to: &["src/cli/context.rs"],
    },
    Confined {
        what: "a time limit",
        words: &["Instant"],
        to: &["src/key/outside/"],
    },
    Confined {
        what: "a write to the file system",
        words: &[
            "File::create",
            "File::create_new",
            "DirBuilder",
            "fs::write",
            "fs::copy",
            "fs::rename",
            "fs::hard_link",
            "fs::remove_file",
            "fs::remove_dir",
            "fs::remove_dir_all",
            "fs::create_dir",
            "fs::create_dir_all",
            "fs::set_permissions",
            "renameat",
            "renameat_with",
            "unlinkat",
            "set_len",
            "symlink",
        ],
        to: &["src/store/file/"],
    },
    Confined {
        what: "a file opened in a way of its own",
        words: &["OpenOptions"],
        to: &["src/store/file/", "src/store/lock.rs"],
    },
    Confined {
        what: "the end of the process",
        words: &["process::exit", "abort()"],
        to: &[],
    },
];

#[test]
fn every_layer_knows_only_those_below_it() {
    let mut violations = Vec::new();
    for source in sources() {
        let Some(layer) = source.layer() else {
            continue;
        };
        let (_, below) = LAYERS
            .iter()
            .find(|(name, _)| *name == layer)
            .unwrap_or_else(|| panic!("{}: a layer that has no rule", source.path));
        for known in source.layers_named() {
            if known != layer && !below.contains(&known) {
                violations.push(format!("{} knows of {known}", source.path));
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn the_library_has_these_layers_and_the_binary_uses_only_cli() {
    let sources = sources();
    let code_of = |path: &str| {
        let source = sources.iter().find(|source| source.path == path);
        source.unwrap().code.clone()
    };
    let mut declared = words(&code_of("src/lib.rs"))
        .windows(2)
        .filter(|pair| pair[0] == "mod")
        .map(|pair| pair[1].clone())
        .collect::<Vec<_>>();
    declared.sort();
    let mut layers = LAYERS.map(|(name, _)| name.to_owned()).to_vec();
    layers.sort();
    assert_eq!(declared, layers);
    let main = code_of("src/main.rs");
    assert_eq!(main.matches("pki::").count(), 1, "{main}");
    assert!(main.contains("pki::cli::"), "{main}");
}

#[test]
fn what_belongs_in_one_place_is_in_no_other() {
    let mut violations = Vec::new();
    for Confined {
        what,
        words: confined,
        to,
    } in CONFINED
    {
        for source in sources() {
            if to.iter().any(|place| source.path.starts_with(place)) {
                continue;
            }
            for word in confined.iter().filter(|word| source.says(word)) {
                violations.push(format!("{}: {word} ({what})", source.path));
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn the_clock_is_looked_at_once() {
    let looks = sources()
        .iter()
        .map(|source| source.code.matches("now_utc").count())
        .sum::<usize>();
    assert_eq!(looks, 1);
}

/// `file` forms the hidden names of files in the making, of which `format` knows one.
#[test]
fn paths_inside_the_store_are_formed_in_its_layout_alone() {
    let mut violations = Vec::new();
    for source in sources() {
        let homes = ["src/store/layout", "src/store/file/"];
        let is_at_home = homes.iter().any(|home| source.path.starts_with(home));
        if source.path.starts_with("src/store/") && !is_at_home {
            for call in [
                ".join(",
                ".with_extension(",
                ".with_file_name(",
                "Path::new(",
            ] {
                if source.code.contains(call) {
                    violations.push(format!("{}: {call}…)", source.path));
                }
            }
        }
        if source.path != "src/store/layout.rs" {
            let named = source.strings.iter().filter(|text| is_store_file(text));
            for text in named {
                let allowed = matches!(
                    (&*source.path, text.as_str()),
                    // The names that a CA can't have.
                    ("src/store/name.rs", "store.json")
                        | ("src/store/format.rs", ".store.json.part")
                        // An entry of a Secret, which Kubernetes calls so.
                        | ("src/ca/export/kubernetes.rs", "ca.crt")
                        // What openssl and easy-rsa call theirs.
                        | (
                            "src/ca/import/locations.rs",
                            "ca.crt" | "ca.key" | "crlnumber"
                        )
                );
                if !allowed {
                    violations.push(format!("{}: {text:?}", source.path));
                }
            }
        }
    }
    assert_none(&violations);
}

/// Commands and options are worded in `cli` alone.
#[test]
fn no_text_below_cli_names_a_command_or_an_option() {
    let mut violations = Vec::new();
    for source in sources() {
        if source.layer().is_none_or(|layer| layer == "cli") {
            continue;
        }
        let named = source.strings.iter().filter(|text| names_command(text));
        for text in named {
            let allowed = matches!(
                (&*source.path, text.as_str()),
                // The message about a backup calls the format by the command that writes it.
                (
                    "src/store/archive/reader.rs",
                    "has a header that `pki backup` does not write"
                )
            );
            if !allowed {
                violations.push(format!("{}: {text:?}", source.path));
            }
        }
    }
    assert_none(&violations);
}

/// Whether a text has a command line of `pki` in it, or one of its options.
fn names_command(text: &str) -> bool {
    let begins_word = |start: usize| {
        let before = text[..start].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && before != '-')
    };
    let is_option = |start: usize| {
        let name = text[start + 2..].chars().next();
        name.is_some_and(|first| first.is_ascii_lowercase())
    };
    let mut commands = text.match_indices("pki ");
    let mut options = text.match_indices("--");
    commands.any(|(start, _)| begins_word(start))
        || options.any(|(start, _)| begins_word(start) && is_option(start))
}

/// Whether a text is the name of a file of the store. Names that are words of English as well, such
/// as `lock`, are left out.
fn is_store_file(text: &str) -> bool {
    let names = ["store.json", "ca.json", "ca.crt", "ca.key", "crlnumber"];
    let endings = [".jsonl", ".torn", ".part"];
    let is_name = !text.contains(' ') && endings.iter().any(|ending| text.ends_with(ending));
    names.contains(&text) || (is_name && text != ".part")
}

#[test]
fn no_ca_can_have_the_name_of_a_file_of_the_store() {
    let sandbox = Sandbox::new();
    let layout = fs::read_to_string(repository("src/store/layout.rs")).unwrap();
    let names = layout.split("self.root.join(\"").skip(1);
    let names = names
        .map(|rest| rest.split('"').next().unwrap())
        .collect::<Vec<_>>();
    assert!(names.contains(&"store.json"), "{names:?}");
    for name in names {
        let refused = sandbox.pki("root --no-passphrase --name").arg(name);
        refused.ends_with(2);
    }
}

/// Every string of the program with the path of its file, lines joined.
pub(crate) fn string_literals() -> Vec<(String, String)> {
    let mut literals = Vec::new();
    for source in sources() {
        for text in source.strings {
            let parts = text.split("\\\n").map(str::trim_start);
            literals.push((source.path.clone(), parts.collect()));
        }
    }
    literals
}

#[track_caller]
pub(crate) fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

/// A file of `src/`.
struct Source {
    /// Its path in the repository.
    path: String,
    /// Its text without comments, strings and unit tests.
    code: String,
    /// The texts of its strings.
    strings: Vec<String>,
}

impl Source {
    fn read(file: &Path) -> Self {
        let path = file.strip_prefix(repository("")).unwrap();
        let text = fs::read_to_string(file).unwrap();
        let product = text.split("\n#[cfg(test)]\n").next().unwrap();
        let (code, strings) = without_comments(product);
        Self {
            path: path.to_str().unwrap().to_owned(),
            code,
            strings,
        }
    }

    /// The layer that it belongs to; none for `lib.rs` and `main.rs`.
    fn layer(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        match inside.split_once('/') {
            Some((folder, _)) => Some(folder),
            None => inside
                .strip_suffix(".rs")
                .filter(|name| !["lib", "main"].contains(name)),
        }
    }

    /// How many modules it is inside of, itself among them.
    fn depth(&self) -> usize {
        let parts = self.path.split('/').count() - 1;
        parts - usize::from(self.path.ends_with("/mod.rs"))
    }

    /// The layers that paths in it name: `crate::…`, and `super::…` as far up as that.
    fn layers_named(&self) -> Vec<&'static str> {
        let words = words(&self.code);
        let mut named = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let behind = if word == "crate" {
                index + 1
            } else if word == "super" {
                let supers = words[index..].iter().take_while(|word| *word == "super");
                let supers = supers.count();
                if supers < self.depth() {
                    continue;
                }
                index + supers
            } else {
                continue;
            };
            named.extend(heads(&words[behind..]));
        }
        named
    }

    /// Whether these words stand in it, whole.
    fn says(&self, wanted: &str) -> bool {
        let inside = |character: char| character.is_alphanumeric() || character == '_';
        self.code.match_indices(wanted).any(|(start, _)| {
            let before = self.code[..start].chars().next_back();
            let after = self.code[start + wanted.len()..].chars().next();
            let ends_in_a_word = wanted.ends_with(inside);
            let goes_on = ends_in_a_word && after.is_some_and(inside);
            !before.is_some_and(inside) && !goes_on
        })
    }
}

/// The layers with which a path goes on: one, or those of a group in braces.
fn heads(words: &[String]) -> Vec<&'static str> {
    let layer = |word: &String| {
        LAYERS
            .iter()
            .map(|(name, _)| *name)
            .find(|name| name == word)
    };
    match words.first() {
        Some(open) if open == "{" => {
            let mut depth = 0;
            let mut heads = Vec::new();
            let mut at_head = true;
            for word in words {
                match word.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    "," => at_head = depth == 1,
                    _ if depth == 1 && at_head => {
                        heads.extend(layer(word));
                        at_head = false;
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            heads
        }
        Some(word) => layer(word).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Identifiers, and the marks that group paths; `::` only joins them.
fn words(code: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in code.chars() {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !character.is_whitespace() && character != ':' {
            words.push(character.into());
        }
    }
    words
}

/// Rust without its comments and with its strings empty, and the strings.
fn without_comments(text: &str) -> (String, Vec<String>) {
    let mut code = String::new();
    let mut strings = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if character == '"' {
            let length = string_length(rest);
            strings.push(rest[1..length - 1].to_owned());
            code.push_str("\"\"");
            length
        } else if let Some(length) = character_length(rest) {
            code.push_str("' '");
            length
        } else {
            code.push(character);
            character.len_utf8()
        };
        rest = &rest[length..];
    }
    (code, strings)
}

/// The length of the string literal that the text starts with.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        match character {
            '"' if !escaped => return index + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    panic!("a string without an end: {text}");
}

/// The length of the character literal that the text starts with; a lifetime is none.
fn character_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    let end = if first == '\\' {
        inside
            .char_indices()
            .skip(2)
            .find(|(_, mark)| *mark == '\'')?
            .0
    } else {
        first.len_utf8()
    };
    inside[end..].starts_with('\'').then_some(end + 2)
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    collect(&repository("src"), false, &mut files);
    // Key helpers are programs of their own.
    let helpers = repository("src/bin");
    files.retain(|file| !file.starts_with(&helpers));
    files.sort();
    files.iter().map(|file| Source::read(file)).collect()
}

fn collect(directory: &Path, with_tests: bool, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, with_tests, files);
        } else if path.extension().is_some_and(|end| end == "rs")
            && (with_tests || !path.to_string_lossy().ends_with("tests.rs"))
        {
            files.push(path);
        }
    }
}

#[test]
fn violations_are_seen() {
    let source = |path: &str, text: &str| {
        let (code, strings) = without_comments(text);
        Source {
            path: path.into(),
            code,
            strings,
        }
    };
    let layers = |path, text| source(path, text).layers_named();
    assert_eq!(
        layers("src/x509/name.rs", "use crate::store::Ca;"),
        ["store"]
    );
    assert_eq!(
        layers("src/x509/name.rs", "use crate::{key::{a, ca}, cli, pem};"),
        ["key", "cli", "pem"]
    );
    assert_eq!(
        layers("src/x509/lint/mod.rs", "super::super::ca::x()"),
        ["ca"]
    );
    assert_eq!(
        layers("src/x509/name.rs", "super::ca::x(); // crate::cli"),
        [""; 0]
    );
    let text = source(
        "src/ca/x.rs",
        "let a = '\"'; println!(\"ca.key\"); 'a: // eprintln!\n",
    );
    assert!(text.says("println!") && !text.says("eprintln!") && !text.says("print!"));
    assert_eq!(text.strings, ["ca.key"]);
    for text in [
        "--cert",
        "`pki crl --ca {ca}` does",
        "pki tree",
        "judged (--for java)",
    ] {
        assert!(names_command(text), "{text}");
    }
    for text in [
        "rustls-webpki refuses",
        "xn--a.test",
        "-----BEGIN",
        "a -- b",
        "PKI x",
    ] {
        assert!(!names_command(text), "{text}");
    }
}
