//! The CA's own certificate in its index, and serials that are none.

use std::fs;

use super::{OLD, rules};
use crate::sandbox::Sandbox;

impl Sandbox {
    /// `old/`, whose root is on a line of its own index, as `openssl ca -selfsign` leaves it.
    fn with_root_in_its_index(&self) -> String {
        self.make_openssl_ca();
        let serial = self.openssl_x509("old/cacert.pem", "-serial");
        let serial = serial.trim().trim_start_matches("serial=").to_owned();
        let row = format!("V\t361231000000Z\t\t{serial}\tunknown\t/O=Old/CN=Old CA\n");
        self.write("old/index.txt", row);
        let pem = format!("old/newcerts/{serial}.pem");
        fs::copy(self.path("old/cacert.pem"), self.path(pem)).unwrap();
        serial
    }
}

#[test]
fn an_imported_root_in_its_own_index_is_not_revoked_by_itself() {
    let sandbox = Sandbox::new();
    let serial = sandbox.with_root_in_its_index();
    sandbox.imported("--openssl old --partial");
    let all = sandbox.pki("--format json list --ca old").succeeds();
    assert!(all.stdout.contains(&serial), "{all}");
    sandbox.write("rows.csv", format!("serial\n0x{serial}\n"));
    for line in [
        format!("revoke --ca old --serial 0x{serial}"),
        format!("revoke --ca old --serial 0x{serial} --reason keyCompromise"),
        "revoke --ca old --cert old/cacert.pem".to_owned(),
        "revoke --ca old --from rows.csv".to_owned(),
    ] {
        sandbox.refusal(sandbox.pki_old(&line), 1, "own-certificate");
    }
}

/// `02 02 F0 00` is -4096, and not the serial F000, which is `02 03 00 F0 00`.
#[test]
fn a_negative_serial_on_an_old_crl_is_named_and_revokes_nothing() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox.write("old/serial", "F000\n");
    sandbox.request("0.csr", "/CN=leaf");
    sandbox
        .old_ca("-notext -extensions client -infiles 0.csr")
        .succeeds();
    let index = sandbox.read("old/index.txt");
    sandbox.old_ca("-revoke old/newcerts/F000.pem").succeeds();
    sandbox.old_ca("-gencrl -out positive.pem").succeeds();
    sandbox.write("old/index.txt", index);
    sandbox
        .run(
            "openssl",
            "pkey -in old/private/cakey.pem -out plain.key -passin",
        )
        .arg(format!("pass:{OLD}"))
        .succeeds();
    sandbox
        .python("resigned.py")
        .words("negative-serial positive.pem plain.key old/crl.pem")
        .succeeds();
    let text = sandbox.run("openssl", "crl -noout -text -in old/crl.pem");
    let text = text.succeeds().stdout;
    assert!(text.contains("Serial Number: -1000"), "{text}");

    let report = sandbox.imported("--openssl old --partial");
    assert!(
        rules(&report, "warning").contains(&"serial-unusable".to_owned()),
        "{report}"
    );
    assert_eq!(report["certificates"]["revoked"], 0, "{report}");
    assert_eq!(report["certificates"]["valid"], 1, "{report}");
}

crate::engine::soak_in_a_database! {
    an_imported_root_in_its_own_index_is_not_revoked_by_itself,
    a_negative_serial_on_an_old_crl_is_named_and_revokes_nothing,
}
