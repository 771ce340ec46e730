//! Remedies that are known where an error or a finding arises. `cli` words them.

use crate::store::CaName;
use crate::x509::Serial;

/// Remedy of an error or a finding, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Run the same command again: it signs another CRL.
    SignCrlAgain,
    /// Run the same command again: it writes the missing files.
    WriteFilesAgain,
    /// Run the same command again: it writes the CSR.
    WriteCsrAgain,
    /// Run the same command again if the CA is still pending.
    InstallAgain,
    /// Run the same command again if the CA is not in the store.
    ImportAgain,
    /// Run the same command again: it removes the key file.
    MoveKeyAgain,
    /// The next command completes the CA.
    CompletedByNext,
    /// The next command removes keys that do not count any more.
    RemovedByNext,
    /// Publish the pre-signed CRL that is due.
    PublishPresigned { ca: CaName },
    /// Revoke a certificate.
    Revoke { ca: CaName, serial: Serial },
    /// Issue the cross-certificates of two roots that are missing.
    CrossSign { ca: CaName, other: CaName },
    /// Export the renewed certificate of a CA, and install it.
    InstallRenewed {
        ca: CaName,
        signer: CaName,
        serial: Serial,
    },
    /// Renew a CA.
    RenewCa { ca: CaName },
    /// List the certificates that expire within so many days.
    ListExpiring { ca: CaName, days: i64 },
    /// Sign a CRL that is dated now, if the clock is right.
    DateCrlNow { ca: CaName },
    /// Sign the first CRL.
    SignCrl { ca: CaName },
    /// Sign the next CRL.
    SignNextCrl { ca: CaName },
    /// Check a PKCS #12 file as a trust store for Java.
    CheckForJava,
}
