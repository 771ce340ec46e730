//! A file system that forgets what was not synced.
//!
//! It promises what POSIX does, and no more: a sync of a file keeps its content, and not its name; a sync
//! of a folder keeps the names in it, and what is below one of them only if that was synced too. Of what
//! was not synced, anything may be there after a power cut, in any order: a name without content, content
//! without a name, the second of two names and not the first. Three things are taken to be in one piece, as
//! every file system of Linux has them: a change of one name, a rename with both of its names, and an
//! overwriting of less than a sector.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Of names that were not synced, how many are lost or kept alone, of the first and of the latest.
const FIRST: usize = 2;
const LATEST: usize = 4;

/// A file or a folder, whatever its name.
pub(super) type Node = usize;

/// The folder that all others are in.
pub(super) const ROOT: Node = 0;

/// A name in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) folder: Node,
    pub(super) name: String,
}

/// A change of a file, not synced yet.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Write { offset: usize, data: Vec<u8> },
    Length(usize),
    Mode(u32),
}

/// A change of names, not synced yet: it takes effect as a whole or not at all.
#[derive(Clone, Debug)]
pub(super) enum Naming {
    Add(Place, Node),
    Remove(Place, Node),
    Move(Place, Place, Node),
    Exchange((Place, Node), (Place, Node)),
}

impl Naming {
    fn folders(&self) -> Vec<Node> {
        match self {
            Self::Add(place, _) | Self::Remove(place, _) => vec![place.folder],
            Self::Move(from, to, _) => vec![from.folder, to.folder],
            Self::Exchange((one, _), (other, _)) => vec![one.folder, other.folder],
        }
    }
}

type Names = BTreeMap<Node, BTreeMap<String, Node>>;

#[derive(Clone)]
struct Inode {
    mode: u32,
    /// None of a folder, whose names are kept elsewhere.
    content: Option<Arc<[u8]>>,
    pending: Vec<Edit>,
}

/// Files and folders by their paths, each with its mode, and files with their content.
pub(super) type Tree = BTreeMap<PathBuf, (u32, Option<Arc<[u8]>>)>;

/// What becomes of content that was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Content {
    Lost,
    Kept,
    /// Of what was written last, the first half.
    Half,
    /// The files are as long as they were to be; what was appended is zeros.
    Zeros,
    /// The files are as long as they were to be; the first half of what was appended at once is zeros.
    Hole,
}

/// What becomes of names that were not synced, by their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Namings {
    Lost,
    Kept,
    Only(usize),
    AllBut(usize),
}

impl Namings {
    fn keeps(self, index: usize) -> bool {
        match self {
            Self::Lost => false,
            Self::Kept => true,
            Self::Only(one) => index == one,
            Self::AllBut(one) => index != one,
        }
    }
}

#[derive(Clone)]
pub(super) struct Disk {
    nodes: Vec<Inode>,
    /// What a running process sees.
    now: Names,
    /// What was synced.
    durable: Names,
    pending: Vec<Naming>,
}

impl Disk {
    /// Whether a power cut could leave something else than what a process sees.
    pub(super) fn is_unsynced(&self) -> bool {
        !self.pending.is_empty() || self.nodes.iter().any(|inode| !inode.pending.is_empty())
    }

    /// A folder as it is, synced.
    pub(super) fn of(folder: &Path) -> Self {
        let mut disk = Self {
            nodes: vec![Inode::folder(0o700)],
            now: BTreeMap::from([(ROOT, BTreeMap::new())]),
            durable: BTreeMap::new(),
            pending: Vec::new(),
        };
        for (path, (mode, content)) in tree_of(folder) {
            let (parent, name) = (path.parent().unwrap(), path.file_name().unwrap());
            let parent = disk.node(ROOT, parent).unwrap();
            let node = disk.add_node(Inode {
                mode,
                content,
                pending: Vec::new(),
            });
            let name = name.to_str().unwrap().to_owned();
            disk.now.get_mut(&parent).unwrap().insert(name, node);
        }
        disk.durable.clone_from(&disk.now);
        disk
    }

    fn add_node(&mut self, inode: Inode) -> Node {
        let node = self.nodes.len();
        if inode.content.is_none() {
            self.now.insert(node, BTreeMap::new());
            self.durable.insert(node, BTreeMap::new());
        }
        self.nodes.push(inode);
        node
    }

    /// What a path leads to.
    pub(super) fn node(&self, from: Node, path: &Path) -> Option<Node> {
        path.components().try_fold(from, |node, part| {
            let part = part.as_os_str().to_str()?;
            match part {
                "." => Some(node),
                ".." => panic!("{}: a path that leads up again", path.display()),
                name => self.now.get(&node)?.get(name).copied(),
            }
        })
    }

    /// The place that a path names, whether anything stands there or not.
    pub(super) fn place(&self, from: Node, path: &Path) -> Option<Place> {
        Some(Place {
            folder: self.node(from, path.parent()?)?,
            name: path.file_name()?.to_str()?.to_owned(),
        })
    }

    pub(super) fn at(&self, place: &Place) -> Option<Node> {
        self.now.get(&place.folder)?.get(&place.name).copied()
    }

    /// Makes a file, or a folder.
    pub(super) fn make(&mut self, place: Place, mode: u32, is_folder: bool) -> Node {
        let node = self.add_node(Inode {
            mode,
            content: (!is_folder).then(|| Arc::from([])),
            pending: Vec::new(),
        });
        self.rename(Naming::Add(place, node));
        node
    }

    /// Makes a file that has no name yet.
    pub(super) fn make_nameless(&mut self, mode: u32) -> Node {
        self.add_node(Inode {
            mode,
            content: Some(Arc::from([])),
            pending: Vec::new(),
        })
    }

    pub(super) fn rename(&mut self, naming: Naming) {
        apply(&mut self.now, &naming);
        self.pending.push(naming);
    }

    pub(super) fn edit(&mut self, node: Node, edit: Edit) {
        self.nodes[node].pending.push(edit);
    }

    /// The length of a file as a process sees it.
    pub(super) fn length(&self, node: Node) -> usize {
        let content = self.nodes[node].after(Content::Kept).1;
        content.map_or(0, |content| content.len())
    }

    /// Keeps the content of a file; `fdatasync` does so, and no more.
    pub(super) fn sync_data(&mut self, node: Node) {
        let inode = &mut self.nodes[node];
        inode.content = inode.after(Content::Kept).1;
        inode.pending.retain(|edit| matches!(edit, Edit::Mode(_)));
    }

    /// Keeps the content and the mode of a file, or the names in a folder.
    pub(super) fn sync(&mut self, node: Node) {
        let inode = &mut self.nodes[node];
        (inode.mode, inode.content) = inode.after(Content::Kept);
        inode.pending.clear();
        // A rename has both names in one piece, and with it comes what its other folder had before.
        let mut folders = BTreeSet::from([node]);
        let mut synced = Vec::new();
        for index in (0..self.pending.len()).rev() {
            let touched = self.pending[index].folders();
            if touched.iter().any(|folder| folders.contains(folder)) {
                folders.extend(touched);
                synced.push(self.pending.remove(index));
            }
        }
        for naming in synced.iter().rev() {
            apply(&mut self.durable, naming);
        }
    }

    /// Keeps everything.
    pub(super) fn sync_all(&mut self) {
        (0..self.nodes.len()).for_each(|node| self.sync(node));
    }

    /// What a process sees.
    pub(super) fn seen(&self) -> Tree {
        self.tree(&self.now, Content::Kept)
    }

    /// What may be there after a power cut now, each with how it comes about. What is left by a process
    /// that is killed is not among it.
    pub(super) fn after_a_cut(&self) -> Vec<((Namings, Content), Tree)> {
        use Content::{Half, Hole, Kept, Lost, Zeros};
        let edited = self.nodes.iter().any(|inode| !inode.pending.is_empty());
        let count = self.pending.len();
        let mut choices = vec![(Namings::Lost, Lost)];
        if edited {
            choices.extend([Kept, Half, Zeros, Hole].map(|content| (Namings::Lost, content)));
        }
        if count > 0 {
            choices.push((Namings::Kept, Lost));
            if edited {
                choices.extend([Half, Zeros, Hole].map(|content| (Namings::Kept, content)));
            }
        }
        if count > 1 {
            // Of many, the first and the latest: those between were the latest once.
            let latest = count.saturating_sub(LATEST);
            for index in (0..count).filter(|index| *index < FIRST || *index >= latest) {
                for namings in [Namings::Only(index), Namings::AllBut(index)] {
                    choices.push((namings, Kept));
                    choices.extend(edited.then_some((namings, Lost)));
                }
            }
        }
        let seen = self.seen();
        let trees = choices.into_iter().filter_map(|(namings, content)| {
            let mut names = self.durable.clone();
            let chosen = self.pending.iter().enumerate();
            let chosen = chosen.filter(|(index, _)| namings.keeps(*index));
            let possible = chosen.fold(true, |possible, (_, naming)| {
                apply(&mut names, naming) && possible
            });
            let tree = self.tree(&names, content);
            (possible && (tree != seen || count == 0 && !edited))
                .then_some(((namings, content), tree))
        });
        trees.collect()
    }

    fn tree(&self, names: &Names, content: Content) -> Tree {
        let mut tree = Tree::new();
        let mut folders = vec![(PathBuf::new(), ROOT)];
        while let Some((path, folder)) = folders.pop() {
            for (name, node) in names.get(&folder).into_iter().flatten() {
                let path = path.join(name);
                let entry = self.nodes[*node].after(content);
                if entry.1.is_none() {
                    folders.push((path.clone(), *node));
                }
                tree.insert(path, entry);
            }
        }
        tree
    }
}

impl Inode {
    fn folder(mode: u32) -> Self {
        Self {
            mode,
            content: None,
            pending: Vec::new(),
        }
    }

    /// Mode and content, with what becomes of what was not synced.
    fn after(&self, kept: Content) -> (u32, Option<Arc<[u8]>>) {
        if kept == Content::Lost || self.pending.is_empty() {
            return (self.mode, self.content.clone());
        }
        let mut mode = self.mode;
        let durable = self.content.as_deref().unwrap_or_default();
        let mut content = durable.to_vec();
        let is_write = |edit: &Edit| matches!(edit, Edit::Write { .. });
        let last = self.pending.iter().rposition(is_write);
        for (index, edit) in self.pending.iter().enumerate() {
            match edit {
                Edit::Mode(new) => mode = *new,
                Edit::Length(length) => content.resize(*length, 0),
                Edit::Write { offset, data } => {
                    let is_last = Some(index) == last;
                    write(&mut content, durable.len(), *offset, data, kept, is_last);
                }
            }
        }
        (mode, self.content.is_some().then(|| content.into()))
    }
}

/// Writes what is left of a write.
fn write(
    content: &mut Vec<u8>,
    durable: usize,
    offset: usize,
    data: &[u8],
    kept: Content,
    is_last: bool,
) {
    let end = offset + data.len();
    let is_over = end <= durable;
    let mut left = data.to_vec();
    match kept {
        Content::Kept => {}
        Content::Half if !is_last => {}
        // What is in one sector is old or new, and it is new where all is kept.
        _ if is_over => return,
        Content::Half => left.truncate(data.len() / 2),
        Content::Zeros => left.fill(0),
        Content::Hole => left[..data.len() / 2].fill(0),
        Content::Lost => unreachable!("nothing is written then"),
    }
    let end = offset + left.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(&left);
}

/// Changes names; whether that could be without what came before.
fn apply(names: &mut Names, naming: &Naming) -> bool {
    let take = |names: &mut Names, place: &Place, node: Node| {
        let folder = names.get_mut(&place.folder).unwrap();
        if folder.get(&place.name) == Some(&node) {
            folder.remove(&place.name);
        }
    };
    let put = |names: &mut Names, place: &Place, node: Node| {
        let folder = names.get_mut(&place.folder).unwrap();
        folder.insert(place.name.clone(), node)
    };
    match naming {
        Naming::Add(place, node) => put(names, place, *node).is_none(),
        Naming::Remove(place, node) => {
            take(names, place, *node);
            true
        }
        Naming::Move(from, to, node) => {
            take(names, from, *node);
            put(names, to, *node);
            true
        }
        Naming::Exchange((one, first), (other, second)) => {
            put(names, one, *second);
            put(names, other, *first);
            true
        }
    }
}

/// A folder as it is.
pub(super) fn tree_of(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(path) = folders.pop() {
        for entry in fs::read_dir(folder.join(&path)).unwrap() {
            let entry = entry.unwrap();
            let path = path.join(entry.file_name());
            let found = entry.metadata().unwrap();
            let content = found.is_file().then(|| fs::read(entry.path()).unwrap());
            if content.is_none() {
                folders.push(path.clone());
            }
            let mode = found.permissions().mode() & 0o7777;
            tree.insert(path, (mode, content.map(Into::into)));
        }
    }
    tree
}

/// Makes a folder what the tree says.
pub(super) fn put(tree: &Tree, folder: &Path) {
    for (path, (mode, content)) in tree {
        let path = folder.join(path);
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::create_dir(&path).unwrap(),
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
    }
}
