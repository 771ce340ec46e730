//! Import cycles between files of `src/`. A file that only passes on what another one defines is not in
//! between: imports count for the file with the definition.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, assert_none, sources, words};

/// Largest number of files that may import each other, directly or not.
const MOST_FILES: usize = 2;

/// Words with which a path begins that is not relative to a child.
const ABOVE: [&str; 3] = ["crate", "super", "self"];

type Module = Vec<String>;

/// Modules, each with those that it imports from.
struct Graph(BTreeMap<Module, BTreeSet<Module>>);

#[test]
fn no_more_than_two_files_import_each_other() {
    let cycles = Graph::of(&sources()).cycles().into_iter();
    let large: Vec<String> = cycles
        .filter(|cycle| cycle.len() > MOST_FILES)
        .map(|cycle| described(&cycle))
        .collect();
    assert_none(&large);
}

/// Use cases of `ca`: directories, and files beside them. Its sum of errors knows all of them.
#[test]
fn no_use_case_imports_itself_through_others() {
    let graph = Graph::of(&sources()).of_children("ca", "error");
    let cycles = graph.cycles().into_iter();
    assert_none(&cycles.map(|cycle| described(&cycle)).collect::<Vec<_>>());
}

#[test]
fn cycles_are_seen() {
    let file = |path: &str, code: &str| Source {
        path: path.into(),
        code: code.into(),
        strings: Vec::new(),
    };
    let graph = Graph::of(&[
        file(
            "src/a/mod.rs",
            "mod b; mod c; mod d; pub use c::{Called, Other as Else};",
        ),
        file("src/a/b.rs", "use super::{Called, d}; fn b() { d::run() }"),
        file("src/a/c.rs", "fn c() { crate::a::d::run() } struct Called;"),
        file("src/a/d.rs", "use super::b::Thing;"),
        file("src/e.rs", "use crate::a::{b::{self}, Else};"),
    ]);
    let cycles: Vec<String> = graph
        .cycles()
        .iter()
        .map(|cycle| described(cycle))
        .collect();
    assert_eq!(cycles, ["a::b, a::c, a::d"]);
}

fn described(cycle: &[Module]) -> String {
    let modules: Vec<String> = cycle.iter().map(|module| module.join("::")).collect();
    modules.join(", ")
}

/// The modules that a file is inside of, and itself; none for `lib.rs`.
fn module_of(source: &Source) -> Module {
    let inside = source
        .path
        .trim_start_matches("src/")
        .trim_end_matches(".rs");
    let mut parts: Module = inside.split('/').map(str::to_owned).collect();
    if ["mod", "lib"].contains(&&**parts.last().unwrap()) {
        parts.pop();
    }
    parts
}

/// Paths that a file names: those of `use`, with whether it passes them on, and those in the code.
struct Paths {
    module: Module,
    imported: Vec<(Vec<String>, bool)>,
    named: Vec<Vec<String>>,
}

impl Paths {
    fn of(source: &Source) -> Self {
        let words = words(&source.code);
        let mut paths = Self {
            module: module_of(source),
            imported: Vec::new(),
            named: Vec::new(),
        };
        let mut index = 0;
        while index < words.len() {
            let word = &*words[index];
            // `use<>` in a bound captures lifetimes.
            if word == "use" && words[index + 1] != "<" {
                let is_public = index > 0 && [")", "pub"].contains(&&*words[index - 1]);
                let mut found = Vec::new();
                index = tree(&words, index + 1, &[], &mut found);
                paths
                    .imported
                    .extend(found.into_iter().map(|path| (path, is_public)));
            } else if ABOVE.contains(&word) {
                let path = words[index..].iter().take_while(|word| is_identifier(word));
                let path: Vec<String> = path.cloned().collect();
                index += path.len();
                // In `pub(crate)` and `&self` nothing is named.
                if path.last().is_some_and(|last| !ABOVE.contains(&&**last)) {
                    paths.named.push(path);
                }
            } else {
                index += 1;
            }
        }
        paths
    }

    /// A path from the crate's root, if it is one into the crate.
    fn absolute(&self, path: &[String], modules: &BTreeSet<Module>) -> Option<Module> {
        let supers = path.iter().take_while(|word| *word == "super").count();
        let (mut base, rest) = match &*path[0] {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (self.module.clone(), &path[1..]),
            "super" => {
                let above = self.module.len().checked_sub(supers)?;
                (self.module[..above].to_vec(), &path[supers..])
            }
            child => {
                let mut module = self.module.clone();
                module.push(child.to_owned());
                modules.contains(&module).then_some(())?;
                (self.module.clone(), path)
            }
        };
        base.extend_from_slice(rest);
        Some(base)
    }
}

fn is_identifier(word: &str) -> bool {
    word.starts_with(|character: char| character.is_alphabetic() || character == '_')
}

/// Reads one tree of a `use`; returns where it ends.
fn tree(words: &[String], start: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    let mut index = start;
    loop {
        match &*words[index] {
            "{" => {
                index += 1;
                while words[index] != "}" {
                    index = tree(words, index, &path, found);
                    index += usize::from(words[index] == ",");
                }
                return index + 1;
            }
            "as" => index += 2,
            "," | "}" | ";" => break,
            word => {
                path.push(word.to_owned());
                index += 1;
            }
        }
    }
    // `a::b::{self}` is `a::b`.
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    found.push(path);
    index
}

impl Graph {
    fn of(sources: &[Source]) -> Self {
        let files: Vec<Paths> = sources.iter().map(Paths::of).collect();
        let modules: BTreeSet<Module> = files.iter().map(|file| file.module.clone()).collect();
        let mut passed_on: BTreeMap<Module, Module> = BTreeMap::new();
        for file in &files {
            for (path, _) in file.imported.iter().filter(|(_, is_public)| *is_public) {
                let name = path.last().cloned();
                if let Some(target) = file.absolute(path, &modules) {
                    let alias: Module = file.module.iter().cloned().chain(name).collect();
                    passed_on.insert(alias, target);
                }
            }
        }
        let imports = |file: &Paths| {
            let imported = file.imported.iter().filter(|(_, is_public)| !is_public);
            let paths = imported.map(|(path, _)| path).chain(&file.named);
            let paths = paths.filter_map(|path| file.absolute(path, &modules));
            let homes = paths.filter_map(|path| home(path, &modules, &passed_on));
            homes.filter(|home| *home != file.module).collect()
        };
        Self(
            files
                .iter()
                .map(|file| (file.module.clone(), imports(file)))
                .collect(),
        )
    }

    /// Imports among the children of a layer, each with everything inside of it, but for one.
    fn of_children(&self, layer: &str, besides: &str) -> Self {
        let child = |module: &Module| {
            let is_child = module.len() > 1 && module[0] == layer && module[1] != besides;
            is_child.then(|| module[..2].to_vec())
        };
        let mut children: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (module, imports) in &self.0 {
            if let Some(from) = child(module) {
                let to = imports.iter().filter_map(child);
                let to = to.filter(|to| *to != from).collect::<Vec<_>>();
                children.entry(from).or_default().extend(to);
            }
        }
        Self(children)
    }

    /// Sets of modules that import each other, directly or not.
    fn cycles(&self) -> Vec<Vec<Module>> {
        let reached: BTreeMap<&Module, BTreeSet<&Module>> = self
            .0
            .keys()
            .map(|module| (module, self.reached_from(module)))
            .collect();
        let mut left: BTreeSet<&Module> = self.0.keys().collect();
        let mut cycles = Vec::new();
        while let Some(module) = left.pop_first() {
            let mut cycle = vec![module.clone()];
            let both_ways = reached[module]
                .iter()
                .filter(|other| reached[*other].contains(module));
            cycle.extend(
                both_ways
                    .filter(|other| **other != module)
                    .map(|other| (*other).clone()),
            );
            left.retain(|other| !cycle.contains(other));
            if cycle.len() > 1 {
                cycles.push(cycle);
            }
        }
        cycles
    }

    fn reached_from(&self, start: &Module) -> BTreeSet<&Module> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&Module> = vec![self.0.get_key_value(start).unwrap().0];
        while let Some(module) = next.pop() {
            for import in &self.0[module] {
                let import = self.0.get_key_value(import).unwrap().0;
                if reached.insert(import) {
                    next.push(import);
                }
            }
        }
        reached
    }
}

/// The module that defines what a path leads to.
fn home(
    mut path: Module,
    modules: &BTreeSet<Module>,
    passed_on: &BTreeMap<Module, Module>,
) -> Option<Module> {
    // A cycle of `pub use` ends somewhere.
    for _ in 0..8 {
        let length = (0..=path.len())
            .rev()
            .find(|length| modules.contains(&path[..*length]))?;
        let Some(target) = path.get(..=length).and_then(|alias| passed_on.get(alias)) else {
            path.truncate(length);
            return Some(path);
        };
        let behind = path.split_off(length + 1);
        path = target.iter().cloned().chain(behind).collect();
    }
    None
}
