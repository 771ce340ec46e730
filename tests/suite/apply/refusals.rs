//! Files that can't be applied: all that is wrong is named at once, with its place, and nothing is done.

use expect_test::{Expect, expect};

use super::SMALL;
use crate::sandbox::Sandbox;

/// Requires that the file is refused with this code and text, and that there is no store afterwards.
#[track_caller]
fn refused(file: &str, code: &str, said: Expect) {
    let sandbox = Sandbox::new();
    sandbox.write("a.toml", file);
    sandbox.apply("a.toml").refuses(1, code, said);
    assert_eq!(sandbox.names_in("."), ["a.toml"]);
}

#[test]
fn what_is_no_toml() {
    refused(
        "[ca.rootCA\n",
        "invalid-row",
        expect![[r#"
            error: a.toml line 1, column 11: unclosed table, expected `]`
            hint: nothing was changed
        "#]],
    );
}

#[test]
fn fields_that_there_are_not() {
    refused(
        "[ca.rootCA]\nday = 3\n\n[certificates.a]\n",
        "invalid-row",
        expect![[r#"
            error: a.toml line 2, column 1: unknown field `day`, expected one of `parent`, `cn`, `subject`, `days`, `not_after`, `not_before`, `key_type`, `key_uri`, `path_len`, `permit`, `exclude`, `crl_url`, `ca_issuers_url`, `ocsp_url`
            error: a.toml line 4, column 2: unknown field `certificates`, expected one of `fixture`, `defaults`, `profile`, `ca`, `certificate`, `crl`, `bundle`
            hint: nothing was changed
        "#]],
    );
}

#[test]
fn values_that_can_not_be() {
    refused(
        "[ca.rootCA]\nkey_type = \"rsa1024\"\n\
         [certificate.a]\nca = \"rootCA\"\ndays = 0\n\
         [certificate.b]\nca = \"rootCA\"\nprofile = \"sever\"\n\
         [crl.rootCA]\nfor = \"nginy\"\n",
        "invalid-row",
        expect![[r#"
            error: a.toml line 2, column 12: "rsa1024" is not a key type; use p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, ml-dsa-44, ml-dsa-65 or ml-dsa-87
            error: a.toml line 5, column 8: invalid value: integer `0`, expected a nonzero u32
            error: a.toml line 10, column 7: "nginy" is not one of alb, nlb, api-gateway, cloudfront, roles-anywhere, iot, gcp, azure, cloudflare, nginx, haproxy, apache, envoy, node, postgres, rustls, mosquitto, openvpn, mariadb, stunnel, dovecot, openldap, lighttpd, redis, caddy, go, wolfssl, mbedtls, erlang
            error: a.toml line 7, column 6: there is no CA "rootCA", neither in the file nor in the store
            error: a.toml line 8, column 11: "sever" is not a profile; use client, server, peer, email, code-signing, ocsp or timestamp
            hint: nothing was changed
        "#]],
    );
}

#[test]
fn cas_that_are_not_there_or_above_themselves() {
    refused(
        "[ca.a]\nparent = \"b\"\n[ca.b]\nparent = \"a\"\n[ca.c]\nparent = \"nobody\"\n\
         [certificate.x]\nca = \"nobody\"\n[certificate.y]\n[bundle.z]\nca = [\"c\", \"nobody\"]\n",
        "invalid-row",
        expect![[r#"
            error: a.toml line 1, column 5: a is its own ancestor
            error: a.toml line 3, column 5: b is its own ancestor
            error: a.toml line 6, column 10: there is no CA "nobody", neither in the file nor in the store
            error: a.toml line 8, column 6: there is no CA "nobody", neither in the file nor in the store
            error: a.toml line 9, column 14: the field ca, its issuing CA, is required
            error: a.toml line 11, column 12: there is no CA "nobody", neither in the file nor in the store
            hint: nothing was changed
        "#]],
    );
}

#[test]
fn names_that_can_not_be_and_files_that_two_would_write() {
    refused(
        "[ca.crl]\n[ca.rootCA]\n\
         [certificate.\"../a\"]\nca = \"rootCA\"\n\
         [certificate.b]\nca = \"rootCA\"\nout = \"certs\"\n\
         [certificate.c]\nca = \"rootCA\"\nout = \"./x/../certs\"\nname = \"b\"\ncsr = \"missing.csr\"\n\
         [bundle.b]\nout = \"certs/b.crt\"\n",
        "invalid-row",
        expect![[r#"
            error: a.toml line 1, column 5: "crl" is not a valid CA name: the name is taken by the store or the operating system
            error: a.toml line 8, column 14: could not read missing.csr: No such file or directory (os error 2)
            error: a.toml line 8, column 14: ./x/../certs/b.crt is also written by another entry
            error: a.toml line 8, column 14: ./x/../certs/b.chain.pem is also written by another entry
            error: a.toml line 8, column 14: ./x/../certs/b.fullchain.pem is also written by another entry
            error: a.toml line 13, column 9: certs/b.crt is also written by another entry
            hint: nothing was changed
        "#]],
    );
}

#[test]
fn wishes_that_contradict_each_other() {
    refused(
        "[ca.rootCA]\ndays = 3\nnot_after = \"3d\"\n\
         [certificate.a]\nca = \"rootCA\"\ndays = 20\nrenew_before = \"30d\"\nder = true\n\
         [certificate.b]\nca = \"rootCA\"\nout = \"certs\"\np12 = \"modern\"\nno_passphrase = true\n",
        "invalid-row",
        expect![[r#"
            error: a.toml line 1, column 5: days and not_after exclude each other
            error: a.toml line 4, column 14: renew_before has to be shorter than the validity of 20 days
            error: a.toml line 4, column 14: der needs out
            error: a.toml line 9, column 14: p12 writes a PKCS #12 file, which always has a passphrase
            hint: nothing was changed
        "#]],
    );
}

#[test]
fn a_server_without_a_name() {
    let file = SMALL.replace("cn = \"www.example.test\"", "cn = \"the server\"");
    refused(
        &file,
        "san-required",
        expect![[r#"
            error: certificate www can't be created
            caused by: a certificate of profile server needs a host name or an IP address in its SANs
            hint: give it with san, or with cn
        "#]],
    );
}

#[test]
fn a_ca_that_is_another_one() {
    let sandbox = Sandbox::applied(SMALL);
    let file = SMALL
        .replace("path_len = 0", "path_len = 1\nkey_type = \"p384\"")
        .replace(
            "[ca.rootCA]",
            "[ca.rootCA]\nsubject = \"/O=Example/CN=rootCA\"",
        );
    sandbox.write("a.toml", file);
    sandbox.refused(sandbox.apply("a.toml"), 1, "ca-differs", expect![[r#"
        error: CAs of the store differ from the file: rootCA: the subject is CN=rootCA, but CN=rootCA,O=Example in the file; intermediate0: the key type is p256, but p384 in the file; intermediate0: path_len is 0, but 1 in the file
        hint: a CA can't change: restore its entry in the file, or give the new CA another name
    "#]]);
}

#[test]
fn files_of_others_are_not_replaced() {
    let sandbox = Sandbox::new();
    sandbox.write("a.toml", SMALL);
    sandbox.write("certs/www.key", "mine");
    sandbox.apply("a.toml").refuses(
        1,
        "file-foreign",
        expect![[r#"
            error: certificate www can't be created
            caused by: certs/www.key already exists and is not a file of this entry
            hint: use another out or name, or --force to replace it
        "#]],
    );
    assert!(!sandbox.path("pki").exists());
    sandbox
        .pki("apply a.toml --no-passphrase --force")
        .succeeds();
    sandbox.assert_settled("a.toml");
}

crate::engine::also_in_a_database! {
    a_ca_that_is_another_one, files_of_others_are_not_replaced,
}
