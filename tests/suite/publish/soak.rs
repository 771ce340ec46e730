//! The page, as an HTML checker and a checker of accessibility in a browser judge it.

use crate::publish::with_urls;
use crate::run::Run;
use crate::sandbox::{Sandbox, repository};

/// A page with a hostile name, a revoked CA, and certificates that expire soon.
fn page() -> Sandbox {
    let sandbox = with_urls();
    let hostile = r#"CN=\<script\>alert(1)\</script\>&\"',O=例示株式会社"#;
    let root = sandbox.pki("root --name hostile --no-passphrase --subject");
    root.arg(hostile).succeeds();
    for line in [
        "subordinate --ca rootCA --name gone --no-passphrase",
        "revoke --ca rootCA --cn gone",
        "crl",
        "publish --out public --with-issued --base-url http://pki.example.test",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

#[test]
#[ignore = "make soak runs it"]
fn the_page_is_valid_html_and_css() {
    let sandbox = page();
    let vnu = Run::new("java", sandbox.folder())
        .arg("-jar")
        .arg(repository(
            "tests/page/node_modules/vnu-jar/build/dist/vnu.jar",
        ))
        .words("--also-check-css --stdout --format gnu public/index.html");
    assert_eq!(vnu.succeeds().stdout, "");
}

#[test]
#[ignore = "make soak runs it"]
fn the_page_is_accessible_on_phones_and_desktops_in_both_languages() {
    let sandbox = page();
    let axe = Run::new("node", sandbox.folder())
        .arg(repository("tests/page/axe.js"))
        .words("public/index.html");
    assert_eq!(axe.succeeds().stdout, "8 judged\n");
}
