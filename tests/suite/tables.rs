//! Tables that are none, or not the ones that a command reads: nothing is issued or revoked from them.

use std::collections::BTreeSet;

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// Requires that a table is refused and that nothing is recorded, and returns the text.
#[track_caller]
fn refusal(sandbox: &Sandbox, line: &str, table: &[u8]) -> String {
    sandbox.write("table.csv", table);
    let run = sandbox.pki(line).words("--from table.csv");
    sandbox.refusal(run, 1, "invalid-row")
}

const ISSUE: &str = "issue --ca intermediate0";
const REVOKE: &str = "revoke --ca intermediate0";

#[test]
fn a_table_without_a_known_header_issues_nothing() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    for table in [
        "",
        "\n\n",
        "device-1\ndevice-2\n",
        "host,address\na.test,192.0.2.1\n",
        "Hostname\nweb\n",
        "\"serial number\",\"owner\"\n1,a\n",
        "cn;profile\na;client\n",
        "cn\tprofile\na\tclient\n",
        "cn|profile\na|client\n",
        "# printers\ncn\np1\n",
        "\u{feff}#cn\np1\n",
        "c n\na\n",
    ] {
        said += &refusal(&sandbox, ISSUE, table.as_bytes());
    }
    for table in [
        "cn,owner\na,b\n",
        "cn,san,cn\na,,b\n",
        "san,days\na.test,3\n",
        "cn,\na,b\n",
    ] {
        said += &refusal(&sandbox, ISSUE, table.as_bytes());
    }
    assert_text(
        &said,
        expect![[r#"
            error: table.csv line 1: the table is empty; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: the table is empty; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: the first row is not a header; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: unknown column "host"; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: the first row is not a header; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: unknown column "serial number"; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: commas separate fields, not ';'; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: commas separate fields, not '\t'; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: commas separate fields, not '|'; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: a table has no comments; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: a table has no comments; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: the first row is not a header; a table begins with a header of column names; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: unknown column "owner"; the columns are cn, san, profile, days, key_type, csr, name
            error: table.csv line 1: the column cn is named twice
            error: table.csv line 1: column cn or csr is required
            error: table.csv line 1: unknown column ""; the columns are cn, san, profile, days, key_type, csr, name
        "#]],
    );
}

#[test]
fn a_row_that_is_none_is_named_and_nothing_is_issued() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = BTreeSet::new();
    for rows in [
        "a;a.test;server",
        "a;\"a.test,b.test\";server",
        "# not yet: a,,",
        "  #b,,",
        "cn,san,profile",
        "CN, SAN, Profile",
    ] {
        let table = format!("cn,san,profile\nfirst,,\n{rows}\nlast,,\n");
        said.insert(refusal(&sandbox, ISSUE, table.as_bytes()));
    }
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: table.csv line 3: a table has no comments: put a value that begins with # in quotes
            hint: nothing was issued; --keep-going leaves these rows out
            error: table.csv line 3: commas separate fields: put a value with ; in quotes
            hint: nothing was issued; --keep-going leaves these rows out
            error: table.csv line 3: the header is repeated
            hint: nothing was issued; --keep-going leaves these rows out
        "#]],
    );
}

#[test]
fn a_table_that_is_no_utf_8_text_is_refused_as_what_it_is() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = BTreeSet::new();
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
            said.insert(refusal(&sandbox, line, &marked));
            let bare = wide("cn\na\n", big);
            said.insert(refusal(&sandbox, line, &bare));
        }
        said.insert(refusal(&sandbox, line, b"cn\na\0b\n"));
    }
    said.insert(refusal(&sandbox, ISSUE, b"cn\nM\xfcller\n"));
    said.insert(refusal(&sandbox, ISSUE, b"c\xf6n\na\n"));
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: table.csv line 1: it has NUL bytes: a table is text in UTF-8
            error: table.csv line 1: it is not UTF-8
            error: table.csv line 1: the table is UTF-16: save it as UTF-8
            error: table.csv line 2: it has NUL bytes: a table is text in UTF-8
            error: table.csv line 2: it is not UTF-8
            hint: nothing was issued
        "#]],
    );
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
    let mut said = String::new();
    let serial = sandbox.issued("intermediate0", "a");
    for rows in [
        format!("{serial};superseded\n"),
        format!("# gone\n{serial}\n"),
        format!("Serial Number,Why\n{serial},\n"),
        format!("serial,why\n{serial},\n"),
        format!("serial\n{serial}\nserial\n"),
    ] {
        said += &refusal(&sandbox, REVOKE, rows.as_bytes());
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
    assert_text(
        &said,
        expect![[r#"
            error: table.csv line 1: commas separate fields: put a value with ; in quotes
            hint: nothing was revoked
            error: table.csv line 1: a table has no comments: put a value that begins with # in quotes
            hint: nothing was revoked; --keep-going leaves these rows out
            error: table.csv line 1, column reason: "Why" is not a reason; use unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn or aACompromise
            hint: nothing was revoked; --keep-going leaves these rows out
            error: table.csv line 1: unknown column "why"; the columns are serial, reason, date
            error: table.csv line 3: the header is repeated
            hint: nothing was revoked; --keep-going leaves these rows out
        "#]],
    );
}

/// Neither prefix nor scheme: in options, in tables and in declarations.
#[test]
fn a_colon_makes_no_uri_of_a_san() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
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
        let run = sandbox.pki("issue --ca intermediate0 --profile server --cn web.example.test");
        said += &run.words("--san").arg(san).refusal(1, "invalid-san");
        let table = format!("cn,san,profile\nweb.example.test,{san},server\n");
        said += &refusal(&sandbox, ISSUE, table.as_bytes());
        sandbox.write("pki.toml", format!("[certificate.web]\nca = \"intermediate0\"\nprofile = \"server\"\nsan = [\"{san}\"]\n"));
        said += &sandbox.refusal(sandbox.pki("apply pki.toml"), 1, "invalid-row");
    }
    assert_text(
        &said,
        expect![[r#"
            error: invalid SAN
            caused by: "web.example.test:443" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            error: table.csv line 2, column san: "web.example.test:443" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was issued
            error: pki.toml line 4, column 7: "web.example.test:443" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was changed
            error: invalid SAN
            caused by: "192.0.2.7:443" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            error: table.csv line 2, column san: "192.0.2.7:443" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was issued
            error: pki.toml line 4, column 7: "192.0.2.7:443" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was changed
            error: invalid SAN
            caused by: "[2001:db8::7]:443" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            error: table.csv line 2, column san: "[2001:db8::7]:443" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was issued
            error: pki.toml line 4, column 7: "[2001:db8::7]:443" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was changed
            error: invalid SAN
            caused by: "DNSName:web.example.test" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            error: table.csv line 2, column san: "DNSName:web.example.test" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was issued
            error: pki.toml line 4, column 7: "DNSName:web.example.test" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was changed
            error: invalid SAN
            caused by: "rfc822:a@example.test" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            error: table.csv line 2, column san: "rfc822:a@example.test" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was issued
            error: pki.toml line 4, column 7: "rfc822:a@example.test" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was changed
            error: invalid SAN
            caused by: "a:b" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            error: table.csv line 2, column san: "a:b" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was issued
            error: pki.toml line 4, column 7: "a:b" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was changed
            error: invalid SAN
            caused by: "01:23:45:67:89:ab" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            error: table.csv line 2, column san: "01:23:45:67:89:ab" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was issued
            error: pki.toml line 4, column 7: "01:23:45:67:89:ab" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was changed
            error: invalid SAN
            caused by: "registeredID:1.2.3" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            error: table.csv line 2, column san: "registeredID:1.2.3" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was issued
            error: pki.toml line 4, column 7: "registeredID:1.2.3" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was changed
            error: invalid SAN
            caused by: "otherName:1.2.3.4;UTF8:http://example.test/" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            error: table.csv line 2, column san: "otherName:1.2.3.4;UTF8:http://example.test/" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was issued
            error: pki.toml line 4, column 7: "otherName:1.2.3.4;UTF8:http://example.test/" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was changed
            error: invalid SAN
            caused by: "mailto:a@example.test" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            error: table.csv line 2, column san: "mailto:a@example.test" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was issued
            error: pki.toml line 4, column 7: "mailto:a@example.test" is not a SAN: the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:
            hint: nothing was changed
        "#]],
    );
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

crate::engine::also_in_a_database! {
    headers_and_values_that_people_have_are_taken, sans_with_colons_that_mean_something_are_taken,
}

crate::engine::soak_in_a_database! {
    a_table_without_a_known_header_issues_nothing, a_row_that_is_none_is_named_and_nothing_is_issued,
    a_table_that_is_no_utf_8_text_is_refused_as_what_it_is,
    a_table_of_serials_needs_no_header_and_has_no_other_rows, a_colon_makes_no_uri_of_a_san,
}
