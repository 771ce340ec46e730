//! Options for passphrases.

use clap::Args;
use zeroize::Zeroizing;

/// Clap repeats values that don't parse; a passphrase must not be repeated, so none fails to parse.
#[derive(Clone)]
pub(in crate::cli) struct SourceText(pub(super) Zeroizing<String>);

impl From<&str> for SourceText {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

/// Opens keys of the store.
#[derive(Args)]
pub(in crate::cli) struct PassinArgs {
    /// The passphrase of the CA's key, or its PIN: prompt, env:VAR, file:PATH, fd:N, stdin, pass:TEXT; repeatable as NAME=SRC, for the CA NAME
    #[arg(long, value_name = "[NAME=]SRC")]
    pub(super) passin: Vec<SourceText>,
}

impl PassinArgs {
    pub(in crate::cli) fn is_given(&self) -> bool {
        !self.passin.is_empty()
    }
}

/// Protects keys that are new or leave the store.
#[derive(Args)]
pub(in crate::cli) struct PassoutArgs {
    /// The passphrase for the new or exported key: as --passin
    #[arg(long, value_name = "SRC", conflicts_with = "no_passphrase")]
    pub(super) passout: Option<SourceText>,
    /// Leave the new or exported key unencrypted
    #[arg(long)]
    pub(super) no_passphrase: bool,
}

impl PassoutArgs {
    /// Returns whether anything was said about the key.
    pub(in crate::cli) fn is_given(&self) -> bool {
        self.passout.is_some() || self.no_passphrase
    }

    /// Returns whether the key is to be left unencrypted.
    pub(in crate::cli) fn is_none_wanted(&self) -> bool {
        self.no_passphrase
    }
}

/// Opens a PKCS #12 file that is not the store's.
#[derive(Args)]
pub(in crate::cli) struct FilePassinArgs {
    /// The passphrase of a PKCS #12 file: prompt, env:VAR, file:PATH, fd:N, stdin, pass:TEXT
    #[arg(long, value_name = "SRC")]
    pub(super) passin: Option<SourceText>,
}

/// Opens and protects PKCS #12 trust stores, which hold no key and are never without a passphrase.
#[derive(Args)]
pub(in crate::cli) struct TrustStorePassphraseArgs {
    /// The passphrase of a PKCS #12 file of --add or --check: prompt, env:VAR, file:PATH, fd:N, stdin, pass:TEXT
    #[arg(long, value_name = "SRC")]
    pub(super) passin: Option<SourceText>,
    /// The passphrase for the PKCS #12 file that --for java writes: as --passin
    #[arg(long, value_name = "SRC", conflicts_with = "check")]
    pub(super) passout: Option<SourceText>,
}

impl TrustStorePassphraseArgs {
    pub(in crate::cli) fn has_passin(&self) -> bool {
        self.passin.is_some()
    }

    pub(in crate::cli) fn has_passout(&self) -> bool {
        self.passout.is_some()
    }
}
