//! An action as a command line, and what the model says that may become of it.

use std::collections::BTreeSet;

use super::facts::Says;
use super::known::{COMPROMISE, Certificate, HOLD, KEY_OF_REQUEST, Known, Of, Rows};
use super::plan::{Action, Pick, Reason};

/// A command that is about to run.
pub(super) struct Order {
    pub(super) line: String,
    /// The exit codes that it may end with.
    pub(super) statuses: Vec<i32>,
    pub(super) says: Says,
    /// What its outcome depends on, and what it changes: two commands that run at once and meet in
    /// these may each come first.
    pub(super) needs: BTreeSet<String>,
    pub(super) changes: BTreeSet<String>,
    /// What it may issue: CA, common name, and the key.
    pub(super) issues: Vec<(String, String, Key)>,
    /// What it may record of certificates.
    pub(super) records: Vec<(Of, Option<String>)>,
    /// And of whatever has a name: CA and common name.
    pub(super) revokes_named: Option<(Of, &'static str)>,
    /// The CA that it may make, or give another certificate.
    pub(super) makes: Option<String>,
    /// The CAs of which it may publish lists.
    pub(super) publishes: Vec<String>,
    /// Whether it may publish those of CAs that are made meanwhile, too.
    pub(super) publishes_all: bool,
    /// The files that it writes for their owner, without their endings.
    pub(super) gives_out: Option<String>,
    /// The table whose rows it issues; whether it goes on with an earlier run.
    pub(super) table: Option<(usize, bool)>,
    /// The file of the backup that it makes.
    pub(super) backup: Option<String>,
}

/// The key of what is issued.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Key {
    New,
    Known(String),
    Unknown,
}

/// The common names of what a declaration asks for; the second is revoked.
pub(super) const DECLARED: [&str; 2] = ["declared", "taken-back"];

/// The rows of tables.
pub(super) const TABLES: [&[&str]; 2] = [&["row-1", "row-2"], &["line-1", "line-2", "line-3"]];

const ROOTS: [&str; 2] = ["root-a", "root-b"];
const SUBORDINATES: [&str; 3] = ["sub-a", "sub-b", "sub-c"];
const NAMES: [&str; 5] = ["ada", "ben", "cem", "dag", "eva"];

/// All that an action is resolved with.
pub(super) struct Situation<'a> {
    pub(super) known: &'a Known,
    pub(super) now: &'a str,
    /// Whether lists were deleted, and have not all been made anew.
    pub(super) lists_are_gone: bool,
    /// What is in the folder of what was given out.
    pub(super) given_out: &'a BTreeSet<String>,
    /// What tells a file of this command from those of others.
    pub(super) next_file: usize,
}

fn may(holds: bool) -> Vec<i32> {
    vec![i32::from(!holds)]
}

fn either(known: Option<bool>) -> Vec<i32> {
    known.map_or_else(|| vec![0, 1], may)
}

fn ca_of(name: &str) -> String {
    format!("ca {name}")
}

fn certificate_of(of: &Of) -> String {
    format!("certificate {} {}", of.0, of.1)
}

fn name_of(ca: &str, cn: &str) -> String {
    format!("name {ca} {cn}")
}

fn key_of(ca: &str, key: Option<&str>) -> String {
    format!("key {ca} {}", key.unwrap_or_default())
}

fn file_of(name: &str) -> String {
    format!("file {name}")
}

impl Order {
    fn new(line: impl Into<String>, says: Says, statuses: Vec<i32>) -> Self {
        Self {
            line: line.into(),
            statuses,
            says,
            needs: BTreeSet::new(),
            changes: BTreeSet::new(),
            issues: Vec::new(),
            records: Vec::new(),
            revokes_named: None,
            makes: None,
            publishes: Vec::new(),
            publishes_all: false,
            gives_out: None,
            table: None,
            backup: None,
        }
    }

    fn needs(mut self, what: impl IntoIterator<Item = String>) -> Self {
        self.needs.extend(what);
        self
    }

    fn changes(mut self, what: impl IntoIterator<Item = String>) -> Self {
        self.changes.extend(what);
        self
    }

    /// Issues this, under a CA whose path has to stand.
    fn issues(mut self, known: &Known, ca: &str, cn: &str, key: Key) -> Self {
        self.issues.push((ca.to_owned(), cn.to_owned(), key));
        self.needs(known.path(ca).iter().map(|name| ca_of(name)))
            .changes([name_of(ca, cn)])
    }

    fn records(mut self, certificate: &Certificate, reason: Option<&str>) -> Self {
        let of = certificate.id();
        self.changes.insert(certificate_of(&of));
        if reason == Some(COMPROMISE) {
            self.changes
                .insert(key_of(&certificate.ca, certificate.key.as_deref()));
        }
        self.records.push((of, reason.map(str::to_owned)));
        self
    }

    fn gives_out(mut self, name: &str) -> Self {
        self.changes.insert(file_of(name));
        self.gives_out = Some(name.to_owned());
        self
    }

    /// What another command that runs at once can do to it.
    pub(super) fn beside<'a>(&mut self, others: impl Iterator<Item = &'a Self>) {
        for other in others {
            if !self.needs.is_disjoint(&other.changes) {
                self.statuses = vec![0, 1, 4];
            }
        }
    }

    /// Whether it may publish a list of a CA.
    pub(super) fn may_publish(&self, ca: &str) -> bool {
        self.publishes_all || self.publishes.iter().any(|name| name == ca)
    }

    /// The command that is meant, for the count of what was run.
    pub(super) fn command(&self) -> &str {
        self.line.split(' ').next().unwrap_or_default()
    }
}

impl Situation<'_> {
    fn ca(&self, pick: Pick) -> String {
        let names = self.known.names();
        pick.of(&names).expect("a case begins with CAs").clone()
    }

    fn leaf(&self, pick: Pick) -> Option<&Certificate> {
        pick.of(&self.known.leaves()).copied()
    }

    /// `None` where there is nothing that it could be about.
    pub(super) fn order(&self, action: &Action) -> Option<Order> {
        Some(match action {
            Action::Root { name } => self.root(name.of(&ROOTS)?),
            Action::Subordinate { above, name } => {
                self.subordinate(&self.ca(*above), name.of(&SUBORDINATES)?)
            }
            Action::Issue { ca, cn, days, out } => {
                self.issue(&self.ca(*ca), cn.of(&NAMES)?, *days, *out)
            }
            Action::IssueRequest { ca } => self.issue_request(&self.ca(*ca)),
            Action::IssueTable { ca, table, resume } => {
                self.issue_table(&self.ca(*ca), usize::from(table.0) % TABLES.len(), *resume)
            }
            Action::Revoke { leaf, reason } => revoke(self.leaf(*leaf)?, reason.name()),
            Action::RevokeNamed { ca, cn, all } => {
                self.revoke_named(&self.ca(*ca), cn.of(&NAMES)?, *all)
            }
            Action::RevokeRows { leaves } => self.revoke_rows(leaves)?,
            Action::RevokeAuthority { ca, hold } => self.revoke_authority(&self.ca(*ca), *hold)?,
            Action::Release { held } => self.release(*held)?,
            Action::Crl {
                ca,
                pem,
                chain,
                if_needed,
            } => self.crl(*ca, *pem, *chain, *if_needed),
            Action::CrlAhead { ca } => self.crl_ahead(&self.ca(*ca)),
            Action::Export { leaf, name } => Self::export(self.leaf(*leaf)?, *name),
            Action::Bundle { ca, target } => self.bundle(*ca, *target),
            Action::Renew {
                leaf,
                rekey,
                supersede,
            } => self.renew(self.leaf(*leaf)?, *rekey, *supersede),
            Action::RenewAuthority { ca } => self.renew_authority(&self.ca(*ca)),
            Action::Apply => self.apply(),
            Action::Backup => {
                let file = format!("backup-{}.tar", self.next_file);
                let mut order = Order::new(format!("backup {file}"), Says::Nothing, vec![0]);
                order.backup = Some(file);
                order
            }
            Action::List => Order::new("list", Says::Nothing, vec![0]),
            Action::Look { leaf } => {
                let leaf = self.leaf(*leaf)?;
                let line = format!("show --ca {} --serial 0x{}", leaf.ca, leaf.serial);
                Order::new(line, Says::Nothing, vec![0])
            }
            Action::Check => Order::new("check", Says::Nothing, vec![0, 3]),
        })
    }

    fn root(&self, name: &str) -> Order {
        let line = format!(
            "root --name {name} --no-passphrase --not-before 2020-01-01 --not-after 2040-01-01"
        );
        let is_free = !self.known.cas.contains_key(name);
        let mut order = Order::new(line, Says::Authority, may(is_free))
            .needs([ca_of(name)])
            .changes([ca_of(name)]);
        order.issues.push((name.into(), name.into(), Key::New));
        order.makes = Some(name.into());
        order
    }

    fn subordinate(&self, above: &str, name: &str) -> Order {
        let line = format!("subordinate --ca {above} --name {name} --no-passphrase");
        let is_free = !self.known.cas.contains_key(name);
        let can = is_free && self.known.may_issue(above, self.now);
        let mut order = Order::new(line, Says::Authority, may(can))
            .issues(self.known, above, name, Key::New)
            .needs([ca_of(name)])
            .changes([ca_of(name)]);
        order.makes = Some(name.into());
        order
    }

    fn issue(&self, ca: &str, cn: &str, days: u16, out: bool) -> Order {
        let line = format!("issue --ca {ca} --cn {cn} --days {days}");
        let can = self.known.may_issue(ca, self.now);
        if !out {
            return Order::new(line, Says::Issued, may(can)).issues(self.known, ca, cn, Key::New);
        }
        let line = format!("{line} --out out --no-passphrase");
        let can = can && !self.given_out.iter().any(|file| is_of(file, cn));
        Order::new(line, Says::Issued, may(can))
            .issues(self.known, ca, cn, Key::New)
            .needs([file_of(cn)])
            .gives_out(cn)
    }

    fn issue_request(&self, ca: &str) -> Order {
        let compromised = self.known.is_compromised(ca, Some(KEY_OF_REQUEST));
        let can = self.known.may_issue(ca, self.now) && compromised == Some(false);
        let line = format!("issue --ca {ca} --csr client.csr --days 40");
        let key = Key::Known(KEY_OF_REQUEST.into());
        Order::new(line, Says::Issued, may(can))
            .issues(self.known, ca, "of-a-request", key)
            .needs([key_of(ca, Some(KEY_OF_REQUEST))])
    }

    fn issue_table(&self, ca: &str, table: usize, resume: bool) -> Order {
        let resume_option = if resume { " --resume" } else { "" };
        let line = format!("issue --ca {ca} --from table-{table}.csv{resume_option}");
        let is_done = self.known.tables.contains_key(&(ca.to_owned(), table));
        let can = self.known.may_issue(ca, self.now);
        // Where nothing is left to issue, it is of no matter whether it could be.
        let statuses = either((can || !(resume && is_done)).then_some(can));
        let mut order = Order::new(line, Says::Issued, statuses);
        for cn in TABLES[table] {
            order = order.issues(self.known, ca, cn, Key::New);
        }
        order.table = Some((table, resume));
        order
    }

    fn revoke_named(&self, ca: &str, cn: &str, all: bool) -> Order {
        let named = self.known.named(ca, cn);
        let live: Vec<&Certificate> = named
            .iter()
            .copied()
            .filter(|certificate| certificate.is_live(self.now))
            .collect();
        let option = if all { " --all" } else { "" };
        let line = format!("revoke --ca {ca} --cn {cn}{option}");
        // Where none is live, the last is meant, or with --all each.
        let meant = match (live.is_empty(), all) {
            (false, _) => live,
            (true, true) => named,
            (true, false) => named.last().copied().into_iter().collect(),
        };
        let can = all || meant.len() < 2;
        let mut order = Order::new(line, Says::Stands, may(can && !meant.is_empty()))
            .needs([name_of(ca, cn)])
            .needs(meant.iter().map(|one| certificate_of(&one.id())));
        order.revokes_named = Some(((ca.to_owned(), cn.to_owned()), "unspecified"));
        for certificate in meant {
            order = order.records(certificate, Some(Reason::Unspecified.name()));
        }
        order
    }

    fn revoke_rows(&self, leaves: &[Pick]) -> Option<Order> {
        let first = self.leaf(*leaves.first()?)?;
        let of_ca: Vec<&Certificate> = self
            .known
            .leaves()
            .into_iter()
            .filter(|leaf| leaf.ca == first.ca)
            .collect();
        let line = format!(
            "revoke --ca {} --from rows-{}.csv",
            first.ca, self.next_file
        );
        let mut order = Order::new(line, Says::Stands, vec![0]);
        for pick in leaves {
            order = order.records(pick.of(&of_ca)?, Some(Reason::Superseded.name()));
        }
        Some(order)
    }

    fn revoke_authority(&self, ca: &str, hold: bool) -> Option<Order> {
        let certificate = self.known.certificate_of(ca)?;
        let reason = if hold { HOLD } else { "cessationOfOperation" };
        Some(revoke(certificate, reason).changes([ca_of(ca)]))
    }

    fn release(&self, held: Pick) -> Option<Order> {
        let all = &self.known.certificates;
        let on_hold: Vec<&Certificate> = all.iter().filter(|one| one.is_held()).collect();
        let certificate = held.of(&on_hold).copied().or_else(|| self.leaf(held))?;
        let Certificate { ca, serial, cn, .. } = certificate;
        let line = format!("revoke --ca {ca} --serial 0x{serial} --release");
        let order = Order::new(line, Says::Stands, may(certificate.is_held()))
            .needs([certificate_of(&certificate.id())])
            .records(certificate, None);
        Some(if certificate.is_leaf() {
            order
        } else {
            order.changes([ca_of(cn)])
        })
    }

    fn crl(&self, ca: Option<Pick>, pem: bool, chain: bool, if_needed: bool) -> Order {
        let chosen = ca.map(|pick| self.ca(pick));
        let targets = chosen
            .as_ref()
            .map_or_else(|| self.known.names(), |ca| vec![ca.clone()]);
        let mut line = "crl".to_owned();
        if let Some(ca) = &chosen {
            line = format!("{line} --ca {ca}");
        }
        for (option, given) in [
            (" --to-pem", pem),
            (" --chain", chain),
            (" --if-needed", if_needed),
        ] {
            line += if given { option } else { "" };
        }
        let known = self.known;
        let is_above_published = |name: &String| {
            let listed = known.cas[name].list.is_some();
            listed || targets.contains(name)
        };
        let above = |target: &String| known.path(target).iter().all(is_above_published);
        let is_in_time = |target: &String| known.is_in_time(target, self.now);
        let statuses = if self.lists_are_gone || !targets.iter().all(is_in_time) {
            // Some lists may be signed, and others not.
            vec![0, 1, 4]
        } else if chain && !targets.iter().all(above) {
            vec![1, 4]
        } else {
            vec![0]
        };
        let mut order = Order::new(line, Says::Lists, statuses);
        order.publishes_all = chosen.is_none();
        self.publishing(order, targets)
    }

    fn crl_ahead(&self, ca: &str) -> Order {
        let line = format!("crl --ca {ca} --ahead 3 --every 30d");
        let statuses = if self.lists_are_gone {
            vec![0, 1, 4]
        } else {
            may(self.known.is_in_time(ca, self.now))
        };
        let order = Order::new(line, Says::Lists, statuses);
        self.publishing(order, vec![ca.to_owned()])
    }

    fn publishing(&self, mut order: Order, targets: Vec<String>) -> Order {
        let paths = targets.iter().flat_map(|ca| self.known.path(ca));
        order.needs.extend(paths.map(|name| ca_of(&name)));
        order.publishes = targets;
        order
    }

    fn export(leaf: &Certificate, name: Pick) -> Order {
        let name = format!("export-{}", name.0 % 3);
        let Certificate { ca, serial, .. } = leaf;
        let line = format!(
            "export --ca {ca} --serial 0x{serial} --out out --name {name} --no-passphrase --force"
        );
        Order::new(line, Says::Nothing, vec![0]).gives_out(&name)
    }

    fn bundle(&self, ca: Option<Pick>, target: bool) -> Order {
        let chosen = ca.map(|pick| self.ca(pick));
        let mut line = "bundle --out truststore.pem".to_owned();
        if let Some(ca) = &chosen {
            line = format!("{line} --ca {ca}");
        }
        line += if target { " --for nginx" } else { "" };
        let mut cas = chosen
            .map_or_else(|| self.known.names(), |ca| vec![ca])
            .into_iter();
        // What is not valid yet is for the rules of the target to judge.
        let in_time = cas.all(|ca| self.known.is_in_time(&ca, self.now));
        Order::new(line, Says::Nothing, either(in_time.then_some(true)))
    }

    fn renew(&self, leaf: &Certificate, rekey: bool, supersede: bool) -> Order {
        let Certificate {
            ca,
            serial,
            cn,
            key,
            ..
        } = leaf;
        let mut line = format!("renew --ca {ca} --serial 0x{serial}");
        line += if rekey { " --rekey" } else { "" };
        line += if supersede { " --supersede" } else { "" };
        let is_of_request = key.as_deref() == Some(KEY_OF_REQUEST);
        let compromised = self.known.is_compromised(ca, key.as_deref());
        let can = match (rekey, compromised) {
            (true, _) => Some(!is_of_request),
            (false, Some(compromised)) => Some(!compromised),
            (false, None) => None,
        };
        let stands = leaf.revoked.is_none() && self.known.may_issue(ca, self.now);
        let statuses = either(if stands { can } else { Some(false) });
        let new_key = match (rekey, key) {
            (true, _) => Key::New,
            (false, Some(key)) => Key::Known(key.clone()),
            (false, None) => Key::Unknown,
        };
        let order = Order::new(line, Says::Issued, statuses)
            .issues(self.known, ca, cn, new_key)
            .needs([certificate_of(&leaf.id()), key_of(ca, key.as_deref())]);
        if supersede {
            order.records(leaf, Some(Reason::Superseded.name()))
        } else {
            order
        }
    }

    fn renew_authority(&self, ca: &str) -> Order {
        let line = format!("ca renew --ca {ca}");
        let can = match &self.known.cas[ca].above {
            Some(above) => !self.known.is_taken_back(ca) && self.known.may_issue(above, self.now),
            None => true,
        };
        let above = self.known.cas[ca].above.clone();
        let above = above.unwrap_or_else(|| ca.to_owned());
        let mut order = Order::new(line, Says::Authority, may(can))
            .issues(self.known, &above, ca, Key::Unknown)
            .needs([ca_of(ca)])
            .changes([ca_of(ca)]);
        order.makes = Some(ca.to_owned());
        order
    }

    /// What it declares is of the two CAs with which every case begins, but for the bundle, which is of all.
    fn apply(&self) -> Order {
        let known = self.known;
        let in_time = |ca: &String| known.is_in_time(ca, self.now);
        let can_bundle = known.names().iter().all(in_time);
        let (root, subordinate) = (ROOTS[0], SUBORDINATES[0]);
        let declared = DECLARED.iter().flat_map(|cn| known.named(subordinate, cn));
        let is_as_declared = declared.clone().all(|one| {
            let reason = one.revoked.as_deref();
            reason.is_none() || (one.cn == DECLARED[1] && reason == Some("superseded"))
        });
        let can = known.may_issue(subordinate, self.now)
            && is_as_declared
            && can_bundle
            && !self.lists_are_gone;
        let statuses = if can { vec![0] } else { vec![0, 1, 4] };
        let mut order = Order::new("apply pki.toml", Says::Steps, statuses);
        for cn in DECLARED {
            order = order
                .issues(known, subordinate, cn, Key::Unknown)
                .needs([name_of(subordinate, cn)]);
        }
        for certificate in declared {
            order = order
                .needs([certificate_of(&certificate.id())])
                .records(certificate, Some("superseded"));
        }
        // It may be killed between issuing the revoked one and saying so.
        order.revokes_named = Some(((subordinate.into(), DECLARED[1].into()), "superseded"));
        self.publishing(order, vec![root.into(), subordinate.into()])
    }
}

fn revoke(certificate: &Certificate, reason: &str) -> Order {
    let Certificate { ca, serial, .. } = certificate;
    let line = format!("revoke --ca {ca} --serial 0x{serial} --reason {reason}");
    Order::new(line, Says::Stands, vec![0]).records(certificate, Some(reason))
}

/// Whether a file belongs to what is called so.
pub(super) fn is_of(file: &str, name: &str) -> bool {
    let rest = file.strip_prefix(name);
    rest.is_some_and(|rest| matches!(rest, ".crt" | ".chain.pem" | ".fullchain.pem" | ".key"))
}

impl Known {
    /// How a run of a table that ended so leaves it.
    pub(super) fn ran(&mut self, ca: &str, table: usize, rows: Rows) {
        self.tables.insert((ca.to_owned(), table), rows);
    }
}
