//! Tables that are none, or not the ones that a command reads: nothing is issued or revoked from them.

use crate::sandbox::Sandbox;

/// Refused with exit code 1, in these words, and nothing is recorded.
#[track_caller]
fn assert_refused(sandbox: &Sandbox, line: &str, table: &[u8], says: &str) {
    let before = sandbox.store_snapshot();
    sandbox.write("table.csv", table);
    let refused = sandbox.pki(line).words("--from table.csv").ends_with(1);
    assert_eq!(refused.stdout, "", "{refused}");
    assert!(refused.stderr.contains(says), "{says:?}\n{refused}");
    before.assert_unchanged(&sandbox.path("pki"));
}

const ISSUE: &str = "issue --ca intermediate0";
const REVOKE: &str = "revoke --ca intermediate0";
const KNOWN: &str = "a table begins with a header that names its columns; there are cn, san, profile, days, key_type, csr, name\n";

#[test]
fn a_table_without_a_known_header_issues_nothing() {
    let sandbox = Sandbox::with_open_ca();
    for (table, says) in [
        ("", "line 1: the table is empty; "),
        ("\n\n", "the table is empty; "),
        (
            "device-1\ndevice-2\n",
            "line 1: the first row is no header; ",
        ),
        (
            "host,address\na.test,192.0.2.1\n",
            "line 1: there is no column \"host\"; ",
        ),
        ("Hostname\nweb\n", "line 1: the first row is no header; "),
        (
            "\"serial number\",\"owner\"\n1,a\n",
            "there is no column \"serial number\"; ",
        ),
        (
            "cn;profile\na;client\n",
            "line 1: commas separate fields, not ';'; ",
        ),
        (
            "cn\tprofile\na\tclient\n",
            "line 1: commas separate fields, not '\\t'; ",
        ),
        (
            "cn|profile\na|client\n",
            "line 1: commas separate fields, not '|'; ",
        ),
        ("# printers\ncn\np1\n", "line 1: a table has no comments; "),
        ("\u{feff}#cn\np1\n", "line 1: a table has no comments; "),
        ("c n\na\n", "line 1: the first row is no header; "),
    ] {
        let says = format!("{says}{KNOWN}");
        assert_refused(&sandbox, ISSUE, table.as_bytes(), &says);
    }
    for (table, says) in [
        (
            "cn,owner\na,b\n",
            "line 1: there is no column \"owner\"; there are cn, san,",
        ),
        ("cn,san,cn\na,,b\n", "line 1: the column cn is named twice"),
        (
            "san,days\na.test,3\n",
            "line 1: there is no column cn or csr",
        ),
        (
            "cn,\na,b\n",
            "line 1: there is no column \"\"; there are cn, san,",
        ),
    ] {
        assert_refused(&sandbox, ISSUE, table.as_bytes(), says);
    }
}

#[test]
fn a_row_that_is_none_is_named_and_nothing_is_issued() {
    let sandbox = Sandbox::with_open_ca();
    for (rows, says) in [
        ("a;a.test;server", "line 3: commas separate fields: "),
        (
            "a;\"a.test,b.test\";server",
            "line 3: commas separate fields: ",
        ),
        ("# not yet: a,,", "line 3: a table has no comments: "),
        ("  #b,,", "line 3: a table has no comments: "),
        ("cn,san,profile", "line 3: the header is repeated"),
        ("CN, SAN, Profile", "line 3: the header is repeated"),
    ] {
        let table = format!("cn,san,profile\nfirst,,\n{rows}\nlast,,\n");
        assert_refused(&sandbox, ISSUE, table.as_bytes(), says);
    }
}

#[test]
fn a_table_that_is_no_utf_8_text_is_refused_as_what_it_is() {
    let sandbox = Sandbox::with_open_ca();
    let wide = |text: &str, big: bool| -> Vec<u8> {
        let bytes = |unit: u16| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        };
        text.encode_utf16().flat_map(bytes).collect()
    };
    for line in [ISSUE, REVOKE] {
        for big in [false, true] {
            let marked = wide("\u{feff}cn\na\n", big);
            assert_refused(
                &sandbox,
                line,
                &marked,
                "line 1: the table is UTF-16: save it as UTF-8\n",
            );
            let bare = wide("cn\na\n", big);
            assert_refused(
                &sandbox,
                line,
                &bare,
                "line 1: it has NUL bytes: a table is text in UTF-8\n",
            );
        }
        assert_refused(&sandbox, line, b"cn\na\0b\n", "line 2: it has NUL bytes");
    }
    assert_refused(
        &sandbox,
        ISSUE,
        b"cn\nM\xfcller\n",
        "line 2: it is not UTF-8\n",
    );
    assert_refused(&sandbox, ISSUE, b"c\xf6n\na\n", "line 1: it is not UTF-8\n");
}

#[test]
fn headers_and_values_that_people_have_are_taken() {
    let sandbox = Sandbox::with_open_ca();
    for (table, subjects) in [
        ("\u{feff}CN,Profile\r\na,client\r\n", &["CN=a"][..]),
        ("\"cn\" , days\nb,3\n", &["CN=b"]),
        ("\n\ncn\nc\n", &["CN=c"]),
        ("cn,san\n\"#5; d\",\n", &["CN=\\#5\\; d"]),
        ("cn,san\ne,\"https://e.test/;f,e.test\"\n", &["CN=e"]),
        ("cn\n", &[]),
    ] {
        sandbox.write("table.csv", table);
        let run = sandbox.pki("--format json issue --ca intermediate0 --from table.csv");
        let issued = run.succeeds();
        let read = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let issued: Vec<String> = issued
            .stdout
            .lines()
            .map(|line| read(line)["subject"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(issued, subjects, "{table:?}");
    }
}

#[test]
fn a_table_of_serials_needs_no_header_and_has_no_other_rows() {
    let sandbox = Sandbox::with_open_ca();
    let serial = sandbox.issued("intermediate0", "a");
    for (rows, says) in [
        (
            format!("{serial};superseded\n"),
            "line 1: commas separate fields: ",
        ),
        (
            format!("# gone\n{serial}\n"),
            "line 1: a table has no comments: ",
        ),
        (
            format!("Serial Number,Why\n{serial},\n"),
            "line 1, column reason: \"Why\" is not a reason; ",
        ),
        (
            format!("serial,why\n{serial},\n"),
            "line 1: there is no column \"why\"; there are serial, reason, date\n",
        ),
        (
            format!("serial\n{serial}\nserial\n"),
            "line 3: the header is repeated",
        ),
    ] {
        assert_refused(&sandbox, REVOKE, rows.as_bytes(), says);
    }
    sandbox.write(
        "table.csv",
        format!("\u{feff}SERIAL,Reason\n{serial},superseded\n"),
    );
    sandbox.pki(REVOKE).words("--from table.csv").succeeds();
    let again = sandbox
        .pki(REVOKE)
        .words("--from -")
        .stdin(format!("{serial}\n"));
    again.succeeds();
}

/// Neither prefix nor scheme: in options, in tables and in declarations.
#[test]
fn a_colon_makes_no_uri_of_a_san() {
    let sandbox = Sandbox::with_open_ca();
    for san in [
        "web.example.test:443",
        "192.0.2.7:443",
        "[2001:db8::7]:443",
        "DNSName:web.example.test",
        "rfc822:a@example.test",
        "a:b",
        "01:23:45:67:89:ab",
        "registeredID:1.2.3",
        "otherName:1.2.3.4;UTF8:http://example.test/",
        "mailto:a@example.test",
    ] {
        let says = format!(
            "error: the alternative name can't be used\ncaused by: \"{san}\" is not a SAN: before a colon stands one of the prefixes dns:, ip:, email: and uri:;"
        );
        let run = sandbox.pki("issue --ca intermediate0 --profile server --cn web.example.test");
        let refused = run.words("--san").arg(san).ends_with(1);
        assert!(refused.stderr.starts_with(&says), "{refused}");
        let table = format!("cn,san,profile\nweb.example.test,{san},server\n");
        assert_refused(&sandbox, ISSUE, table.as_bytes(), "line 2, column san: ");
        sandbox.write("pki.toml", format!("[certificate.web]\nca = \"intermediate0\"\nprofile = \"server\"\nsan = [\"{san}\"]\n"));
        let before = sandbox.store_snapshot();
        let refused = sandbox.pki("apply pki.toml").ends_with(1);
        assert!(refused.stderr.contains("is not a SAN: "), "{refused}");
        before.assert_unchanged(&sandbox.path("pki"));
    }
}

#[test]
fn sans_with_colons_that_mean_something_are_taken() {
    let sandbox = Sandbox::with_open_ca();
    for (san, shown) in [
        ("2001:db8::7", "IP Address:2001:DB8:0:0:0:0:0:7"),
        ("DNS:web.example.test", "DNS:web.example.test"),
        ("Uri:mailto:a@example.test", "URI:mailto:a@example.test"),
        ("urn:ietf:rfc:5280", "URI:urn:ietf:rfc:5280"),
        ("spiffe://example.test/web", "URI:spiffe://example.test/web"),
        (
            "https://example.test:8443/a",
            "URI:https://example.test:8443/a",
        ),
        ("EMAIL:a@example.test", "email:a@example.test"),
    ] {
        let line = "issue --ca intermediate0 --cn web --out out --force --no-passphrase --san";
        sandbox.pki(line).arg(san).succeeds();
        let text = sandbox.run("openssl", "x509 -in out/web.crt -noout -ext subjectAltName");
        let text = text.succeeds().stdout;
        assert_eq!(text.lines().nth(1).map(str::trim), Some(shown), "{san}");
    }
}
