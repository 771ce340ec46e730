//! Completions that bash asks for.

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// Returns the words that bash offers for the last word of a line, after the script of `pki completions`.
fn offered(sandbox: &Sandbox, line: &str) -> String {
    let words: Vec<String> = line.split(' ').map(|word| format!("\"{word}\"")).collect();
    let last = words.len() - 1;
    let script = format!(
        "PATH=\"$1:$PATH\"; eval \"$(pki completions bash)\"\n\
         COMP_WORDS=({}); COMP_CWORD={last}; COMP_TYPE=9\n\
         _clap_complete_pki pki {} \"${{COMP_WORDS[{last}-1]}}\"\n\
         printf '%s ' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words[last],
    );
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_pki"));
    let run = sandbox.run("bash", "--norc -c").arg(script).arg("bash");
    let asked = run.arg(program.parent().unwrap()).succeeds();
    format!("{line}: {}\n", asked.stdout.trim_end())
}

#[test]
fn bash_knows_cas_profiles_key_types_and_reasons() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("--store other root --name elsewhere --no-passphrase")
        .succeeds();
    let lines = [
        "pki ca ",
        "pki issue --ca ",
        "pki issue --ca root",
        "pki --store other issue --ca ",
        "pki ca cross-sign --with ",
        "pki issue --profile c",
        "pki root --key-type ml",
        "pki revoke --reason key",
        "pki crl --for a",
    ];
    let offered: String = lines.iter().map(|line| offered(&sandbox, line)).collect();
    assert_text(
        &offered,
        expect![[r#"
            pki ca : renew rekey cross-sign move-key remove help --store --format --no-input --quiet --verbose --help
            pki issue --ca : intermediate0 rootCA
            pki issue --ca root: rootCA
            pki --store other issue --ca : elsewhere
            pki ca cross-sign --with : intermediate0 rootCA
            pki issue --profile c: client code-signing
            pki root --key-type ml: ml-dsa-44 ml-dsa-65 ml-dsa-87
            pki revoke --reason key: keyCompromise
            pki crl --for a: alb api-gateway azure apache
        "#]],
    );
}

#[test]
fn every_shell_has_a_script() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = sandbox.pki(&format!("completions {shell}")).succeeds();
        assert!(script.stdout.contains("PKI_COMPLETE"), "{shell}");
    }
}
