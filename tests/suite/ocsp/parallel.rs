//! Several processes at once.

use std::process::Child;

use crate::sandbox::Sandbox;

const LINE: &str = "ocsp --ca intermediate0 --out responses";

/// With a number of certificates, the last of them `c39`.
fn begin() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    let rows: Vec<String> = (0..40).map(|number| format!("c{number}")).collect();
    sandbox.write("rows.csv", format!("cn\n{}\n", rows.join("\n")));
    sandbox
        .pki("issue --ca intermediate0 --from rows.csv")
        .succeeds();
    sandbox
}

/// One run at a time writes a directory; another that meets it changes nothing, and says why.
#[track_caller]
fn ended(child: Child) -> bool {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let is_done = output.status.code() == Some(0);
    let is_busy = said.contains("another process is making it");
    assert!(is_done || is_busy, "{said}");
    is_done
}

#[track_caller]
fn assert_ended_well(child: Child) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn several_runs_on_one_directory_leave_a_complete_one() {
    let sandbox = begin();
    for round in 0..4 {
        let children = [LINE, LINE, "ocsp --out responses --if-needed"];
        let children = children.map(|line| sandbox.pki(line).spawn());
        let done = children.map(ended);
        assert!(done.contains(&true), "{round}");
        sandbox.pki("ocsp --out responses --if-needed").succeeds();
        sandbox.checked("--out responses", 0);
        let names = sandbox.names_in("responses");
        assert_eq!(names, ["intermediate0", "rootCA"], "{round}");
    }
    sandbox.pki("check").succeeds();
}

#[test]
fn a_run_after_a_revocation_at_the_same_time_says_revoked() {
    let sandbox = begin();
    sandbox.pki(LINE).succeeds();
    for number in 0..6 {
        let revoke = format!("revoke --ca intermediate0 --cn c{number}");
        let children = [LINE, &revoke].map(|line| sandbox.pki(line).spawn());
        children.into_iter().for_each(assert_ended_well);
        sandbox.pki(LINE).arg("--if-needed").succeeds();
        sandbox.checked("--ca intermediate0 --out responses", 0);
        let cn = format!("c{number}");
        let serial = sandbox.serial_of_cn("intermediate0", &cn);
        let staple = format!("responses/intermediate0/staple/{serial}.ocsp");
        let read = sandbox.run("openssl", "ocsp -noverify -resp_text -respin");
        let read = read.arg(staple).succeeds();
        assert!(read.stdout.contains("Cert Status: revoked"), "{read}");
    }
}

crate::engine::also_in_a_database! {
    several_runs_on_one_directory_leave_a_complete_one,
    a_run_after_a_revocation_at_the_same_time_says_revoked,
}
