//! Several processes on one CA at once, as on several hosts.

use std::collections::HashSet;
use std::thread;

use super::Site;

#[test]
fn many_issue_revoke_and_sign_at_once_and_nothing_comes_twice() {
    const EACH: usize = 8;
    let site = Site::with_cas();
    let issuing = |host: usize| {
        let issue = |number: usize| {
            let serial = site.issue(&format!("client-{host}-{number}"));
            if number.is_multiple_of(2) {
                site.pki("revoke --ca intermediate0 --serial")
                    .arg(format!("0x{serial}"))
                    .succeeds();
            }
            serial
        };
        (0..EACH).map(issue).collect::<Vec<_>>()
    };
    let signing = |host: usize| {
        let sign = |_| {
            let line = format!("--format json crl --ca intermediate0 --out crl{host}");
            let signed = site.pki(&line).succeeds().json();
            signed[0]["number"]
                .to_string()
                .trim_matches('"')
                .parse::<u64>()
                .unwrap()
        };
        (0..EACH).map(sign).collect::<Vec<_>>()
    };
    let (serials, numbers) = thread::scope(|scope| {
        let issuing: Vec<_> = (0..3)
            .map(|host| scope.spawn(move || issuing(host)))
            .collect();
        let signing: Vec<_> = (0..2)
            .map(|host| scope.spawn(move || signing(host)))
            .collect();
        let joined = |threads: Vec<thread::ScopedJoinHandle<'_, Vec<String>>>| {
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect::<Vec<_>>()
        };
        let serials = joined(issuing);
        let numbers: Vec<Vec<u64>> = signing
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        (serials, numbers)
    });
    assert_eq!(serials.iter().collect::<HashSet<_>>().len(), 3 * EACH);
    assert_eq!(
        numbers.iter().flatten().collect::<HashSet<_>>().len(),
        2 * EACH
    );
    for of_host in &numbers {
        assert!(of_host.is_sorted(), "{of_host:?}");
    }
    let last = site
        .pki("--format json crl --ca intermediate0 --out last")
        .succeeds();
    assert_eq!(last.json()[0]["entries"], 3 * EACH / 2);
    assert_eq!(
        site.psql("SELECT max(number) = count(*) FROM pki.revocation"),
        "t"
    );
    site.pki("check --ca intermediate0").finish();
}

#[test]
fn two_that_renew_what_expires_issue_one_successor_each() {
    let site = Site::with_cas();
    for number in 0..6 {
        site.issue(&format!("client{number}"));
    }
    let renew = || site.pki("renew --ca intermediate0 --expiring 2y").finish();
    thread::scope(|scope| {
        let others: Vec<_> = (0..2).map(|_| scope.spawn(renew)).collect();
        renew();
        for other in others {
            other.join().unwrap();
        }
    });
    assert_eq!(
        site.psql("SELECT count(renews), count(DISTINCT renews) FROM pki.certificate"),
        "6|6"
    );
}

#[test]
fn a_ca_that_is_revoked_meanwhile_issues_nothing_more() {
    let site = Site::with_cas();
    let issuing = || {
        let mut issued = Vec::new();
        for number in 0..40 {
            let run = site
                .pki(&format!(
                    "--format json issue --ca intermediate0 --cn c{number}"
                ))
                .finish();
            if run.status != Some(0) {
                return issued;
            }
            issued.push(number);
        }
        issued
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(issuing)).collect();
        site.pki("revoke --ca rootCA --cn intermediate0").succeeds();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    let count = site.psql("SELECT count(*) FROM pki.certificate");
    site.pki("issue --ca intermediate0 --cn late")
        .refusal(1, "ca-revoked");
    assert_eq!(site.psql("SELECT count(*) FROM pki.certificate"), count);
}

#[test]
fn two_that_go_on_with_a_batch_issue_no_row_twice() {
    let site = Site::with_cas();
    let rows: Vec<String> = (0..400).map(|number| format!("client{number}")).collect();
    site.sandbox
        .write("table.csv", format!("cn\n{}\n", rows.join("\n")));
    let mut begun = site
        .pki("issue --ca intermediate0 --from table.csv")
        .spawn();
    while site.psql("SELECT count(*) > 0 FROM pki.leaf_key") != "t" {}
    begun.kill().unwrap();
    begun.wait().unwrap();
    let go_on = || {
        site.pki("issue --ca intermediate0 --from table.csv --resume")
            .finish()
    };
    thread::scope(|scope| {
        let other = scope.spawn(go_on);
        assert_eq!(go_on().status, Some(0));
        assert_eq!(other.join().unwrap().status, Some(0));
    });
    assert_eq!(
        site.psql(
            "SELECT count(*), count(DISTINCT row) FROM pki.certificate WHERE row IS NOT NULL"
        ),
        "400|400"
    );
}

#[test]
fn two_that_apply_a_declaration_issue_each_entry_once() {
    let site = Site::new();
    let example = site.sandbox.pki("apply --example").succeeds().stdout;
    site.sandbox.write("hierarchy.toml", example);
    let apply = || {
        site.pki("apply hierarchy.toml --passout env:PKI_PASSPHRASE")
            .finish()
    };
    thread::scope(|scope| {
        let other = scope.spawn(apply);
        apply();
        other.join().unwrap();
    });
    // The one that was overtaken says so, and goes on when it is run again.
    assert_eq!(apply().status, Some(0));
    let twice = "SELECT count(*) FROM (SELECT ca, record::json->>'entry' FROM pki.certificate WHERE is_entry GROUP BY 1, 2 HAVING count(*) > 1) t";
    assert_eq!(site.psql(twice), "0");
}
