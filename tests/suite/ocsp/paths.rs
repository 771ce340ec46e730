//! The paths of GET requests: nginx finds the response of every request that another library makes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use super::EACH_TREE;
use crate::run::Run;
use crate::sandbox::Sandbox;
use crate::server::Server;

/// A request: hash algorithm, serial number, base64.
type Request = [String; 3];

impl Sandbox {
    /// The requests for certificates of a CA, by SHA-1 and SHA-256.
    fn ocsp_requests(&self, issuer: &str, serials: &[String]) -> Vec<Request> {
        let python = self.python("ocsp_requests.py").arg(issuer);
        let made = serials.iter().fold(python, Run::arg).succeeds();
        let lines = made.stdout.lines();
        lines
            .map(|line| {
                let fields: Vec<String> = line.split(' ').map(str::to_owned).collect();
                fields.try_into().unwrap()
            })
            .collect()
    }

    fn serials(&self, ca: &str) -> Vec<String> {
        let run = self.pki("list --format json --ca").arg(ca);
        let listed = run.succeeds().json();
        let listed = listed.as_array().unwrap().iter();
        let serial = |entry: &serde_json::Value| entry["serial"].as_str().unwrap().to_owned();
        listed.map(serial).collect()
    }

    /// Asks for all of them, and requires the bytes of the files for stapling, and of responses about the same
    /// certificates.
    #[track_caller]
    fn assert_served(&self, responder: &Server, ca: &str, public: &Sandbox, requests: &[Request]) {
        let mut configuration = "silent\nshow-error\nfail-early\nfail\nnoproxy = *\n".to_owned();
        fs::create_dir_all(self.path("fetched")).unwrap();
        for (index, [_, _, base64]) in requests.iter().enumerate() {
            let encoded = base64.replace('/', "%2F").replace('+', "%2B");
            let encoded = encoded.replace('=', "%3D");
            writeln!(
                configuration,
                "url = \"http://127.0.0.1:{}/{ca}/{encoded}\"\noutput = \"fetched/{index}\"\nwrite-out = \"%{{content_type}}\\n\"",
                responder.port
            )
            .unwrap();
        }
        self.write("curl.cfg", configuration);
        let fetched = self.run("curl", "--config curl.cfg").succeeds();
        let types: BTreeSet<&str> = fetched.stdout.lines().collect();
        assert_eq!(types, BTreeSet::from(["application/ocsp-response"]));
        let files = (0..requests.len()).map(|index| self.path(format!("fetched/{index}")));
        let files: Vec<_> = files.collect();
        let read = self.read_responses(&files);
        for (([hash, serial, base64], file), read) in requests.iter().zip(&files).zip(&read) {
            assert_eq!((&read.hash, &read.serial), (hash, serial), "{base64}");
            let bytes = fs::read(file).unwrap();
            if hash == "sha1" {
                let staple = public.path(format!("public/{ca}/staple/{serial}.ocsp"));
                assert_eq!(bytes, fs::read(staple).unwrap(), "{base64}");
            }
            let mut path = public.path(format!("public/{ca}/{base64}"));
            if base64.ends_with('/') {
                path.push("index.html");
            }
            assert_eq!(bytes, fs::read(path).unwrap(), "{base64}");
        }
        // And nothing else is there.
        let files = public.files_below(&format!("public/{ca}"));
        assert_eq!(files.len(), requests.len() * 3 / 2);
    }
}

#[test]
fn every_path_is_served() {
    let sandbox = Sandbox::with_open_ca();
    let rows: Vec<String> = (0..300).map(|number| format!("c{number}")).collect();
    sandbox.write("rows.csv", format!("cn\n{}\n", rows.join("\n")));
    let web = Sandbox::new();
    for line in ["issue --ca intermediate0 --from rows.csv", "ocsp --out"] {
        let run = sandbox.pki(line);
        let run = if line.starts_with("ocsp") {
            run.arg(web.path("public"))
        } else {
            run
        };
        run.succeeds();
    }
    let responder = Server::web(&web, EACH_TREE);
    for (ca, count) in [("intermediate0", 301), ("rootCA", 3)] {
        let serials = sandbox.serials(ca);
        assert_eq!(serials.len(), count);
        let requests = sandbox.ocsp_requests(&format!("pki/{ca}/ca.crt"), &serials);
        sandbox.assert_served(&responder, ca, &web, &requests);
    }
    let serials = sandbox.serials("intermediate0");
    let requests = sandbox.ocsp_requests("pki/intermediate0/ca.crt", &serials);
    let with_slashes = requests.iter().filter(|[.., base64]| base64.contains('/'));
    assert!(with_slashes.count() > 100);
}

/// The requests for serial numbers of 20 bytes by SHA-1 have no padding: the last bytes make the last characters of
/// the path.
const SERIALS: [&str; 8] = [
    "4B1D0A55E0C2770E918F5A6B7C8D9E0F1A2B3C7F",
    "4B1D0A55E0C2770E918F5A6B7C8D9E0F1A2B3CBF",
    "4B1D0A55E0C2770E918F5A6B7C8D9E0F1A2B3FFF",
    "4B1D0A55E0C2770E918F5A6B7C8D9E0F1A2FFFFF",
    "4B1D0A55E0C2770E918F5A6B7C8D9E0F1AFFFFFF",
    "4B1D0A55E0C2770E918F5A6BFFFFFFFFFFFFFFFF",
    "4B1D0A55E0C2770E918F5A6B7C8D9E0F1A2B3C00",
    "4AFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
];

#[test]
fn paths_that_end_with_slashes_are_served() {
    let sandbox = Sandbox::new();
    sandbox.make_openssl_ca();
    sandbox.request("leaf.csr", "/CN=leaf");
    for serial in SERIALS {
        sandbox.write("old/serial", format!("{serial}\n"));
        sandbox
            .old_ca("-notext -extensions client -out leaf.crt -in leaf.csr")
            .succeeds();
    }
    let last = SERIALS[0];
    sandbox
        .old_ca(&format!(
            "-revoke old/newcerts/{last}.pem -crl_reason superseded"
        ))
        .succeeds();
    sandbox.write("old.pass", crate::import::OLD);
    sandbox
        .pki("import --openssl old --name old --passin file:old.pass --no-passphrase")
        .succeeds();
    let web = Sandbox::new();
    let publish = |options: &str| {
        let run = sandbox.pki("ocsp --ca old --format json").words(options);
        let run = run.arg("--out").arg(web.path("public"));
        run.succeeds().json()
    };
    publish("");
    let responder = Server::web(&web, EACH_TREE);
    let serials = sandbox.serials("old");
    assert_eq!(serials.len(), SERIALS.len() + 1);
    let requests = sandbox.ocsp_requests("old/cacert.pem", &serials);
    let ends = |end: &str| {
        let requests = requests.iter();
        requests
            .filter(|[.., base64]| base64.ends_with(end))
            .count()
    };
    assert!(ends("/") >= 6 && ends("////") >= 2, "{requests:?}");
    sandbox.assert_served(&responder, "old", &web, &requests);
    // They are found where they are.
    assert_eq!(publish("--if-needed")[0]["signed"], 0);
    let check = sandbox.pki("ocsp --ca old --check --out");
    check.arg(web.path("public")).succeeds();
    let asked = sandbox
        .run(
            "openssl",
            "ocsp -CAfile old/cacert.pem -issuer old/cacert.pem -respin",
        )
        .arg(web.path(format!("public/old/staple/{last}.ocsp")))
        .words(&format!("-serial 0x{last}"))
        .succeeds();
    assert!(asked.stdout.contains(": revoked\n"), "{asked}");
}

crate::engine::also_in_a_database! {
    paths_that_end_with_slashes_are_served,
}
