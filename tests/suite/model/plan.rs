//! What is done in a case: steps, of which each shrinks to a simpler one.

use std::fmt;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use super::Engine;

/// One of those that there are when the step is reached, whatever their number.
#[derive(Clone, Copy)]
pub(super) struct Pick(pub(super) u8);

/// In one line, wherever it is.
impl fmt::Debug for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl Pick {
    pub(super) fn of<T>(self, all: &[T]) -> Option<&T> {
        all.get(usize::from(self.0) % all.len().max(1))
    }
}

/// Why something is revoked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reason {
    Unspecified,
    Superseded,
    KeyCompromise,
    CertificateHold,
}

impl Reason {
    /// As RFC 5280 has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Superseded => "superseded",
            Self::KeyCompromise => "keyCompromise",
            Self::CertificateHold => "certificateHold",
        }
    }
}

/// A command, by what it is about.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Root {
        name: Pick,
    },
    Subordinate {
        above: Pick,
        name: Pick,
    },
    Issue {
        ca: Pick,
        cn: Pick,
        days: u16,
        out: bool,
    },
    IssueRequest {
        ca: Pick,
    },
    IssueTable {
        ca: Pick,
        table: Pick,
        resume: bool,
    },
    Revoke {
        leaf: Pick,
        reason: Reason,
    },
    RevokeNamed {
        ca: Pick,
        cn: Pick,
        all: bool,
    },
    RevokeRows {
        leaves: Vec<Pick>,
    },
    RevokeAuthority {
        ca: Pick,
        hold: bool,
    },
    Release {
        held: Pick,
    },
    Crl {
        ca: Option<Pick>,
        pem: bool,
        chain: bool,
        if_needed: bool,
    },
    CrlAhead {
        ca: Pick,
    },
    Export {
        leaf: Pick,
        name: Pick,
    },
    Bundle {
        ca: Option<Pick>,
        target: bool,
    },
    Renew {
        leaf: Pick,
        rekey: bool,
        supersede: bool,
    },
    RenewAuthority {
        ca: Pick,
    },
    Apply,
    Backup,
    List,
    Look {
        leaf: Pick,
    },
    Check,
}

/// A counter of a CA.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counter {
    Serial,
    ListNumber,
}

impl Counter {
    /// Its file.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::ListNumber => "crlnumber",
        }
    }

    /// Its table in a database.
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Serial => "pki.serial_counter",
            Self::ListNumber => "pki.crl_counter",
        }
    }
}

/// Files that can be made again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outputs {
    /// Those that were given out.
    GivenOut,
    /// The lists of a CA, in every form.
    ListsOf(Pick),
    /// What is made of lists: PEM files and chains.
    MadeOfLists,
    /// All lists.
    Lists,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Commands that run at once; one of them is killed as soon as another has ended.
    Commands {
        actions: Vec<Action>,
        killed: Option<Pick>,
    },
    /// The clock goes forward by so many hours, or back.
    Clock { hours: i32 },
    /// An older content of a counter is put back.
    OldCounter {
        ca: Pick,
        counter: Counter,
        version: Pick,
    },
    /// A counter is deleted, a command refuses to go on, and the counter is put back.
    NoCounter { ca: Pick, counter: Counter },
    /// Files are deleted.
    Deleted(Outputs),
    /// The store is lost; the one that a backup makes goes on in its place.
    Restored { backup: Pick },
}

fn pick() -> impl Strategy<Value = Pick> + Clone {
    any::<u8>().prop_map(Pick)
}

fn reason() -> impl Strategy<Value = Reason> {
    prop_oneof![
        1 => Just(Reason::Unspecified),
        1 => Just(Reason::Superseded),
        1 => Just(Reason::KeyCompromise),
        2 => Just(Reason::CertificateHold),
    ]
}

/// The days of a leaf: of some the clock goes beyond the end.
fn days() -> impl Strategy<Value = u16> {
    prop_oneof![Just(2), Just(40), Just(400), Just(1000)]
}

fn writing() -> impl Strategy<Value = Action> {
    let flag = any::<bool>;
    prop_oneof![
        1 => pick().prop_map(|name| Action::Root { name }),
        2 => (pick(), pick()).prop_map(|(above, name)| Action::Subordinate { above, name }),
        10 => (pick(), pick(), days(), flag())
            .prop_map(|(ca, cn, days, out)| Action::Issue { ca, cn, days, out }),
        2 => pick().prop_map(|ca| Action::IssueRequest { ca }),
        4 => (pick(), pick(), flag())
            .prop_map(|(ca, table, resume)| Action::IssueTable { ca, table, resume }),
        7 => (pick(), reason()).prop_map(|(leaf, reason)| Action::Revoke { leaf, reason }),
        3 => (pick(), pick(), flag())
            .prop_map(|(ca, cn, all)| Action::RevokeNamed { ca, cn, all }),
        2 => vec(pick(), 1..4).prop_map(|leaves| Action::RevokeRows { leaves }),
        1 => (pick(), weighted(0.3, Just(())))
            .prop_map(|(ca, good)| Action::RevokeAuthority { ca, hold: good.is_none() }),
        4 => pick().prop_map(|held| Action::Release { held }),
        10 => (weighted(0.4, pick()), flag(), flag(), flag())
            .prop_map(|(ca, pem, chain, if_needed)| Action::Crl { ca, pem, chain, if_needed }),
        2 => pick().prop_map(|ca| Action::CrlAhead { ca }),
        3 => (pick(), pick()).prop_map(|(leaf, name)| Action::Export { leaf, name }),
        2 => (weighted(0.5, pick()), flag())
            .prop_map(|(ca, target)| Action::Bundle { ca, target }),
        4 => (pick(), flag(), flag())
            .prop_map(|(leaf, rekey, supersede)| Action::Renew { leaf, rekey, supersede }),
        2 => pick().prop_map(|ca| Action::RenewAuthority { ca }),
        2 => Just(Action::Apply),
        3 => Just(Action::Backup),
    ]
}

fn reading() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(Action::List),
        pick().prop_map(|leaf| Action::Look { leaf }),
        Just(Action::Check),
    ]
}

fn commands() -> impl Strategy<Value = Step> {
    let action = || prop_oneof![6 => writing(), 1 => reading()];
    let alone = writing().prop_map(|action| Step::Commands {
        actions: vec![action],
        killed: None,
    });
    let at_once = (vec(action(), 2..=4), weighted(0.2, pick()))
        .prop_map(|(actions, killed)| Step::Commands { actions, killed });
    prop_oneof![3 => alone, 2 => at_once]
}

/// A serial number or CRL number that is put back in a database is not noticed: there `pki restore` is the way
/// back, and only a failover is told by its timeline.
fn is_possible(engine: Engine, step: &Step) -> bool {
    engine == Engine::Directory || !matches!(step, Step::OldCounter { .. })
}

fn disturbance(engine: Engine) -> impl Strategy<Value = Step> {
    const DAY: i32 = 24;
    let counter = || prop_oneof![Just(Counter::Serial), Just(Counter::ListNumber)];
    let forward = prop_oneof![Just(1), Just(3 * DAY), Just(35 * DAY), Just(500 * DAY)];
    let back = prop_oneof![Just(-1), Just(-20 * DAY), Just(-400 * DAY)];
    prop_oneof![
        4 => prop_oneof![forward, back].prop_map(|hours| Step::Clock { hours }),
        2 => (pick(), counter(), pick())
            .prop_map(|(ca, counter, version)| Step::OldCounter { ca, counter, version }),
        1 => (pick(), counter()).prop_map(|(ca, counter)| Step::NoCounter { ca, counter }),
        2 => prop_oneof![
            Just(Outputs::GivenOut),
            pick().prop_map(Outputs::ListsOf),
            Just(Outputs::MadeOfLists),
            Just(Outputs::Lists),
        ]
        .prop_map(Step::Deleted),
        2 => pick().prop_map(|backup| Step::Restored { backup }),
    ]
    .prop_filter("possible on this engine", move |step| {
        is_possible(engine, step)
    })
}

/// A case.
pub(super) fn steps(engine: Engine) -> impl Strategy<Value = Vec<Step>> {
    vec(
        prop_oneof![7 => commands(), 2 => disturbance(engine)],
        8..=20,
    )
}
