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
