//! Two hosts, each in a network namespace of its own, that work on one CA at once over TLS, while commands and servers
//! are killed.

mod network;

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::ledger::{Ledger, listed_by_openssl};
use super::pair::{Pair, Surroundings};
use super::proxied::is_long;
use super::standbys::Stopping;
use crate::run::Run;
use crate::sandbox::{Sandbox, repository};
use network::{HOSTS, Network, host_address, server_address};

const DATABASE: &str = "store";

/// Certificates that are acknowledged before the clients stop, and rows of a table.
fn amounts() -> (usize, usize) {
    if is_long() { (20_000, 250) } else { (400, 20) }
}

/// Certificates of the servers and hosts, of a CA that has nothing to do with the one that the hosts work on.
fn certificates() -> Sandbox {
    let folder = Sandbox::new();
    let addresses: Vec<_> = (0..HOSTS).map(server_address).collect();
    let issue = "issue --ca network --out out --no-passphrase --cn";
    folder.pki("root --name network --no-passphrase").succeeds();
    folder
        .pki(&format!("{issue} server --profile server --san"))
        .arg(addresses.join(","))
        .succeeds();
    for host in 0..HOSTS {
        folder.pki(&format!("{issue} host{host}")).succeeds();
    }
    folder
}

fn surroundings(network: &Network, certificates: &Sandbox) -> Surroundings {
    let file = |name: &str| fs::read(certificates.path(name)).unwrap();
    let addresses: Vec<_> = (0..HOSTS).map(server_address).collect();
    Surroundings {
        lines: format!(
            "listen_addresses = '{}'
log_connections = on
ssl = on
ssl_cert_file = '../server.crt'
ssl_key_file = '../server.key'
ssl_ca_file = '../ca.crt'",
            addresses.join(", ")
        ),
        access: "hostssl all all 198.51.100.0/24 cert\n".into(),
        entrance: network.entrance_of_servers(),
        files: vec![
            ("server.crt", file("out/server.fullchain.pem")),
            ("server.key", file("out/server.key")),
            ("ca.crt", file("pki/network/ca.crt")),
        ],
    }
}

/// One host: what it runs, and where its files are.
struct Host<'a> {
    number: usize,
    sandbox: Sandbox,
    entrance: Vec<String>,
    url: String,
    ledger: &'a Ledger,
    /// Lines for psql that reach the servers over their sockets.
    sockets: Vec<String>,
    stop: &'a AtomicBool,
}

impl<'a> Host<'a> {
    fn new(
        number: usize,
        network: &Network,
        pair: &Pair,
        certificates: &Sandbox,
        ledger: &'a Ledger,
        stop: &'a AtomicBool,
    ) -> Self {
        let (address, [primary, standby]) = (server_address(number), pair.ports());
        let folder = certificates.folder().display();
        Self {
            number,
            sandbox: Sandbox::new(),
            entrance: network.entrance_of_host(number),
            url: format!(
                "postgres://host{number}@{address}:{primary},{address}:{standby}/{DATABASE}\
                 ?target_session_attrs=read-write&sslrootcert={folder}/pki/network/ca.crt\
                 &sslcert={folder}/out/host{number}.fullchain.pem&sslkey={folder}/out/host{number}.key"
            ),
            ledger,
            sockets: pair.sockets(),
            stop,
        }
    }

    /// `pki` in the namespace of the host.
    fn pki(&self, line: &str) -> Run {
        let mut words = self.entrance.iter();
        let run = Run::new(words.next().unwrap(), self.sandbox.folder());
        let run = words.fold(run, Run::arg);
        run.arg(env!("CARGO_BIN_EXE_pki"))
            .words(line)
            .env("PKI_STORE", &self.url)
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }

    /// Returns when a command is killed; most are not.
    fn killed_after(&self, number: usize, most: u64) -> Option<Duration> {
        let after = (number as u64 * 37 + self.number as u64 * 11) % most;
        number
            .is_multiple_of(4)
            .then(|| Duration::from_millis(after))
    }

    /// Issues one certificate after another, and revokes every third.
    fn issue_and_revoke(&self) {
        for number in (0..).take_while(|_| self.goes_on()) {
            let line = format!("issue --ca rootCA --cn host{}-{number}", self.number);
            let killed_after = self.killed_after(number, 120);
            let issued = self.ledger.issue(self.pki(&line), killed_after);
            for serial in issued.iter().filter(|_| number % 3 == 0) {
                let line = format!("revoke --ca rootCA --serial 0x{serial}");
                let killed_after = self.killed_after(number / 3, 90);
                let revoke = || self.pki(&line);
                self.ledger.revoke(serial, revoke, killed_after);
            }
        }
    }

    /// Issues one table after another; a table whose command was killed or failed is resumed.
    fn issue_tables(&self) {
        let (_, rows) = amounts();
        for number in (0..).take_while(|_| self.goes_on()) {
            let name = format!("table{number}.csv");
            let rows = 0..rows;
            let rows = rows.map(|row| format!("row{}-{number}-{row}\n", self.number));
            self.sandbox
                .write(&name, format!("cn\n{}", rows.collect::<String>()));
            let line = format!("issue --ca rootCA --from {name}");
            let mut killed_after = self.killed_after(number, 400);
            let mut resume = "";
            while !self
                .ledger
                .issue_table(self.pki(&line).words(resume), killed_after.take())
            {
                resume = "--resume";
            }
        }
    }

    /// Signs one CRL after another.
    fn sign(&self) {
        for number in (0..).take_while(|_| self.goes_on()) {
            let killed_after = self.killed_after(number, 90);
            let run = self.pki("crl --ca rootCA --out crl");
            let published = (&self.sandbox, "crl/rootCA.crl");
            self.ledger.sign(run, killed_after, published);
            if killed_after.is_some() {
                self.free_lease();
            }
        }
    }

    /// Gives back the lease of a killed command, which ends by itself; a test does not wait for it. The server may be
    /// down.
    fn free_lease(&self) {
        for socket in &self.sockets {
            let psql = self.sandbox.run("psql", "--no-psqlrc --quiet --command");
            psql.arg("UPDATE pki.crl_counter SET lease = NULL, leased_until = NULL")
                .words(socket)
                .words(DATABASE)
                .finish();
        }
    }
}

/// Makes the CA, and the users of the hosts.
fn prepare(pair: &Pair, certificates: &Sandbox) {
    certificates
        .pki("root --name rootCA --no-passphrase")
        .env("PKI_STORE", pair.url_of_primary(DATABASE))
        .succeeds();
    let mut psql = pair.on_primary(DATABASE);
    psql.ask(&fs::read_to_string(repository("packaging/postgres/roles.sql")).unwrap());
    for host in 0..HOSTS {
        psql.ask(&format!("CREATE ROLE host{host} LOGIN IN ROLE pki_issuer"));
    }
    pair.make_synchronous();
}

#[test]
fn two_hosts_lose_nothing_while_clients_and_servers_are_killed() {
    let certificates = certificates();
    let network = Network::new();
    let mut pair = Pair::new(surroundings(&network, &certificates), DATABASE);
    prepare(&pair, &certificates);
    let (ledger, stop) = (Ledger::default(), AtomicBool::new(false));
    let host = |number| Host::new(number, &network, &pair, &certificates, &ledger, &stop);
    let hosts: Vec<_> = (0..HOSTS).map(host).collect();
    let (total, _) = amounts();
    thread::scope(|scope| {
        for host in &hosts {
            scope.spawn(|| host.issue_and_revoke());
            scope.spawn(|| host.issue_tables());
            scope.spawn(|| host.sign());
        }
        let _stopping = Stopping(&stop);
        for quarter in 1..3 {
            ledger.wait_for(quarter * total / 4);
            pair.crash_primary();
        }
        ledger.wait_for(3 * total / 4);
        pair.fail_over();
        hosts[0].free_lease();
        ledger.wait_for(total);
    });
    hosts[0].free_lease();
    judge(&pair, &hosts, &ledger);
}

/// Judges the store of the server that took over.
fn judge(pair: &Pair, hosts: &[Host<'_>], ledger: &Ledger) {
    let (total, _) = amounts();
    let mut psql = pair.on_standby(DATABASE);
    psql.wait_for_quiet();
    for host in hosts {
        let run = host.pki("crl --ca rootCA --out last");
        assert!(ledger.sign(run, None, (&host.sandbox, "last/rootCA.crl")));
        let revoked: BTreeSet<_> = psql
            .lines("SELECT encode(serial, 'hex') FROM pki.revocation")
            .into_iter()
            .collect();
        let listed = listed_by_openssl(&host.sandbox, "last/rootCA.crl");
        assert_eq!(listed, revoked);
        let own = format!(
            "SELECT count(*) FILTER (WHERE cn LIKE 'host{0}-%') > 0, count(*) FILTER (WHERE cn LIKE 'row{0}-%') > 0
             FROM pki.certificate",
            host.number
        );
        assert_eq!(psql.ask(&own), "t|t");
        pair.assert_both_log(&format!("host={} ", host_address(host.number)));
        let identity = format!("identity=\"CN=host{}\" method=cert", host.number);
        pair.assert_both_log(&identity);
    }
    ledger.assert_kept(&mut psql);
    assert!(ledger.issued() >= total);
    let twice =
        "SELECT cn FROM pki.certificate WHERE cn LIKE 'row%' GROUP BY cn HAVING count(*) > 1";
    assert_eq!(psql.ask(twice), "", "rows of tables that were issued twice");
    let (killed, failed) = ledger.troubles();
    assert!(killed > 5 && failed > 0, "{killed} killed, {failed} failed");
    let timelines =
        "SELECT timeline FROM pki.serial_counter UNION SELECT timeline FROM pki.crl_counter";
    assert_eq!(psql.ask(timelines), "2");
}
