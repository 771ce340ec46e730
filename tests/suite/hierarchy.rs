//! The hierarchies that several tests start from.

use crate::run::Run;
use crate::sandbox::{PASSPHRASE, Sandbox};

impl Sandbox {
    /// `rootCA` over `intermediate1` over `intermediate2`, which issued to a
    /// server and to the clients `good` and `revoked`, all in `out/`.
    pub(crate) fn with_clients_below_three_tiers(key_type: &str) -> Self {
        let sandbox = Self::new();
        for line in [
            "root --name rootCA --key-type",
            "subordinate --ca rootCA --name intermediate1 --key-type",
            "subordinate --ca intermediate1 --name intermediate2 --key-type",
            "issue --ca intermediate2 --out out --cn good --key-type",
            "issue --ca intermediate2 --out out --cn revoked --key-type",
            "issue --ca intermediate2 --out out --cn www.example.test --profile server --key-type",
        ] {
            let made = sandbox.pki(line).arg(key_type).arg("--no-passphrase");
            made.succeeds();
        }
        sandbox
    }

    /// A root and a subordinate without passphrases: for tests that are about
    /// certificates and not about keys.
    pub(crate) fn with_open_ca() -> Self {
        let sandbox = Self::new();
        sandbox.pki("root --name rootCA --no-passphrase").succeeds();
        sandbox
            .pki("subordinate --ca rootCA --name intermediate0 --no-passphrase")
            .succeeds();
        sandbox
    }

    /// Story 2: `rootCA` over `intermediate0` and `intermediate1`, and
    /// `intermediate2` under `intermediate1`, without passphrases.
    pub(crate) fn with_three_tiers() -> Self {
        let sandbox = Self::new();
        for line in [
            "root --name rootCA --no-passphrase",
            "subordinate --ca rootCA --name intermediate0 --no-passphrase",
            "subordinate --ca rootCA --name intermediate1 --no-passphrase",
            "subordinate --ca intermediate1 --name intermediate2 --no-passphrase",
        ] {
            sandbox.pki(line).succeeds();
        }
        sandbox
    }

    /// `pki` where [`PASSPHRASE`] opens every CA and protects each new one.
    pub(crate) fn with_passphrase(&self, line: &str) -> Run {
        self.pki(line).env("PKI_PASSPHRASE", PASSPHRASE)
    }
}

/// Every profile of the contract, with what an issue under it needs beside a name.
pub(crate) const PROFILES: [(&str, &str); 7] = [
    ("client", ""),
    ("server", "--san www.example.test,192.0.2.7"),
    ("peer", "--san peer.example.test"),
    ("email", "--san email:someone@example.test"),
    ("code-signing", ""),
    ("ocsp", ""),
    ("timestamp", ""),
];

/// A root, a subordinate and a leaf of every profile, all with keys of one type.
pub(crate) struct Zoo {
    pub(crate) sandbox: Sandbox,
    pub(crate) leaves: Vec<String>,
}

impl Zoo {
    pub(crate) const ROOT: &str = "pki/rootCA/ca.crt";
    pub(crate) const SUBORDINATE: &str = "pki/intermediate0/ca.crt";

    pub(crate) fn of(key_type: &str) -> Self {
        let sandbox = Sandbox::new();
        let kind = format!("--key-type {key_type} --no-passphrase");
        sandbox.pki("root --name rootCA").words(&kind).succeeds();
        sandbox
            .pki("subordinate --ca rootCA --name intermediate0")
            .words(&kind)
            .succeeds();
        let leaves = PROFILES.map(|(profile, names)| {
            sandbox
                .pki("issue --ca intermediate0 --out leaves --profile")
                .words(&format!(
                    "{profile} --cn {profile}.example.test {names} {kind}"
                ))
                .succeeds();
            format!("leaves/{profile}.example.test.crt")
        });
        Self {
            sandbox,
            leaves: leaves.into(),
        }
    }

    /// Every certificate of it.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = &str> {
        let authorities = [Self::ROOT, Self::SUBORDINATE].into_iter();
        authorities.chain(self.leaves.iter().map(String::as_str))
    }
}

/// A test for each key type of the contract, in a module named after `$check`.
macro_rules! for_every_key_type {
    ($check:ident) => {
        mod $check {
            use super::$check as check;

            #[test]
            fn p256() {
                check("p256");
            }

            #[test]
            fn p384() {
                check("p384");
            }

            #[test]
            fn p521() {
                check("p521");
            }

            #[test]
            fn ed25519() {
                check("ed25519");
            }

            #[test]
            fn rsa2048() {
                check("rsa2048");
            }

            #[test]
            fn rsa3072() {
                check("rsa3072");
            }

            #[test]
            fn rsa4096() {
                check("rsa4096");
            }

            #[test]
            fn ml_dsa_44() {
                check("ml-dsa-44");
            }

            #[test]
            fn ml_dsa_65() {
                check("ml-dsa-65");
            }

            #[test]
            fn ml_dsa_87() {
                check("ml-dsa-87");
            }
        }
    };
}
pub(crate) use for_every_key_type;

/// A test for each of two key types, in a module named after `$check`.
macro_rules! for_p256_and_rsa {
    ($($check:ident)+) => {
        $(mod $check {
            use super::$check as check;

            #[test]
            fn p256() {
                check("p256");
            }

            #[test]
            fn rsa2048() {
                check("rsa2048");
            }
        })+
    };
}
pub(crate) use for_p256_and_rsa;
