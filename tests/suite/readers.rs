//! The programs that people look at certificates with read all of ours.

use crate::hierarchy::{Zoo, for_every_key_type};

fn openssl_certtool_and_keytool_read_a_hierarchy_of(key_type: &str) {
    let zoo = Zoo::of(key_type);
    let sandbox = &zoo.sandbox;
    let mut all = String::new();
    for certificate in zoo.certificates() {
        let text = sandbox
            .run("openssl", "x509 -noout -text -in")
            .arg(certificate)
            .succeeds();
        assert!(text.stdout.contains("Version: 3 (0x2)"), "{text}");
        let text = sandbox.run("certtool", "-i --infile").arg(certificate);
        let text = text.succeeds();
        assert!(text.stdout.contains("Version: 3"), "{text}");
        all.push_str(&sandbox.read(certificate));
    }
    // One Java machine for all of them: it reads a file of several.
    sandbox.write("all.pem", &all);
    let text = sandbox
        .run("keytool", "-printcert -file all.pem")
        .succeeds();
    let read = text.stdout.matches("Serial number: ").count();
    assert_eq!(read, zoo.certificates().count(), "{text}");
}

for_every_key_type!(openssl_certtool_and_keytool_read_a_hierarchy_of);
