//! Revocation reasons (RFC 5280 section 5.3.1).

use std::fmt;
use std::str::FromStr;

/// CRLReason. `removeFromCRL` is for delta CRLs, which are not made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Reason {
    #[default]
    Unspecified,
    KeyCompromise,
    CaCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
    CertificateHold,
    PrivilegeWithdrawn,
    AaCompromise,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a reason; use unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn or aACompromise"
)]
pub(crate) struct UnknownReason(pub(crate) String);

impl Reason {
    pub(crate) const ALL: [Self; 9] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }

    pub(crate) fn is_compromise(self) -> bool {
        matches!(
            self,
            Self::KeyCompromise | Self::CaCompromise | Self::AaCompromise
        )
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Reason {
    type Err = UnknownReason;

    /// Takes the names of RFC 5280 in any case or style (`keyCompromise`, `key-compromise`,
    /// `KEY_COMPROMISE`), and the numbers.
    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        if let Some(exact) = Self::ALL.into_iter().find(|reason| reason.as_str() == text) {
            return Ok(exact);
        }
        let plain: String = text
            .chars()
            .filter(|c| !matches!(c, '-' | '_' | ' '))
            .collect::<String>()
            .to_ascii_lowercase();
        let by_number = plain.parse().ok().and_then(Self::from_code);
        let by_name = || {
            Self::ALL
                .into_iter()
                .find(|reason| reason.as_str().eq_ignore_ascii_case(&plain))
        };
        by_number
            .or_else(by_name)
            .ok_or_else(|| UnknownReason(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_of_a_name_and_its_number_are_taken() {
        for text in [
            "keyCompromise",
            "key-compromise",
            "KEY_COMPROMISE",
            "keycompromise",
            "1",
        ] {
            assert_eq!(text.parse(), Ok(Reason::KeyCompromise), "{text}");
        }
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert_eq!(reason.code().to_string().parse(), Ok(reason));
        }
        for text in ["removeFromCRL", "8", "7", "11", "", "stolen"] {
            assert!(text.parse::<Reason>().is_err(), "{text}");
        }
    }
}
