//! A run that is killed, wherever that is, and the next one.

use super::SMALL;
use crate::sandbox::Sandbox;

/// Kills `pki apply` in the place of a system call, the `count`th of its kind in a thread; whether it was
/// killed, and did not come to its end before.
fn killed(sandbox: &Sandbox, call: &str, count: usize) -> bool {
    let inject = format!("inject={call}:signal=KILL:when={count}");
    let run = sandbox.run("strace", "-f -qq -o /dev/null -e").arg(inject);
    let run = run.arg(env!("CARGO_BIN_EXE_pki"));
    let status = run.words("apply a.toml --no-passphrase").finish().status;
    assert!(matches!(status, None | Some(0 | 137)), "{status:?}");
    status != Some(0)
}

#[test]
fn a_killed_run_is_gone_on_with_and_nothing_is_issued_twice() {
    let revoked = "days = 90\nrevoked = { reason = \"superseded\" }";
    let file = SMALL.replace("days = 90", revoked);
    let mut kills = 0;
    for call in ["fsync", "fdatasync", "renameat2", "rename", "syncfs"] {
        for count in (1..).step_by(2) {
            let sandbox = Sandbox::in_memory();
            sandbox.write("a.toml", &file);
            if !killed(&sandbox, call, count) {
                break;
            }
            kills += 1;
            sandbox.apply("a.toml").succeeds();
            for (name, purpose) in [("www", "sslserver"), ("localclient", "sslclient")] {
                let records = sandbox.of_entry("intermediate0", name);
                assert_eq!(records.len(), 1, "{name}, {call} {count}: {records:?}");
                let options = format!("-CAfile truststore.pem -purpose {purpose}");
                sandbox.verifies(&options, &format!("certs/{name}.crt"));
            }
            let revocations = sandbox.read("pki/intermediate0/revoked.jsonl");
            assert_eq!(
                revocations.matches("superseded").count(),
                1,
                "{revocations}"
            );
            sandbox.assert_settled("a.toml");
        }
    }
    assert!(kills > 10, "{kills}");
}

#[test]
fn two_runs_at_once_issue_nothing_twice() {
    let sandbox = Sandbox::applied(SMALL);
    let file = SMALL.to_owned() + "[certificate.one]\n[certificate.two]\n";
    sandbox.write("a.toml", file);
    let runs = [(); 4].map(|()| sandbox.apply("a.toml").spawn());
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
    }
    for name in ["one", "two"] {
        assert_eq!(sandbox.of_entry("intermediate0", name).len(), 1);
    }
    sandbox.assert_settled("a.toml");
}

crate::engine::also_in_a_database! {
    two_runs_at_once_issue_nothing_twice,
}

crate::engine::soak_in_a_database! {
    a_killed_run_is_gone_on_with_and_nothing_is_issued_twice,
}
