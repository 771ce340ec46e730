//! Errors, and the answers that they become.

use crate::message::{Code, Problem};
use cryptoki::error::{Error, RvError};
use std::fmt::Write as _;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Error of a request.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A function of the PKCS #11 module failed.
    Module(Error),
    Answered {
        code: Code,
        message: String,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Module(error)
    }
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Answered { code, message }
    }

    pub(crate) fn malformed(what: &str) -> Self {
        Self::new(Code::Failed, format!("{what} is malformed"))
    }

    /// Returns whether the module answered with one of these values.
    pub(crate) fn is(&self, values: &[RvError]) -> bool {
        matches!(self, Self::Module(Error::Pkcs11(value, _)) if values.contains(value))
    }

    /// Returns whether the same may succeed once sessions, login and handles are renewed.
    pub(crate) fn is_stale(&self) -> bool {
        self.lost_sessions()
            || self.is(&[
                RvError::KeyHandleInvalid,
                RvError::ObjectHandleInvalid,
                RvError::UserNotLoggedIn,
            ])
    }

    /// Returns whether the sessions of the token are gone: it was removed, if only for a moment.
    pub(crate) fn lost_sessions(&self) -> bool {
        self.is(&[
            RvError::DeviceRemoved,
            RvError::SessionClosed,
            RvError::SessionHandleInvalid,
            RvError::SlotIdInvalid,
            RvError::TokenNotPresent,
            RvError::TokenNotRecognized,
        ])
    }

    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Answered { code, .. } => *code,
            Self::Module(Error::Pkcs11(value, _)) => code_of(*value),
            Self::Module(Error::NullFunctionPointer | Error::NotSupported) => Code::Unsupported,
            Self::Module(_) => Code::Failed,
        }
    }

    pub(crate) fn into_problem(self) -> Problem {
        let code = self.code();
        let message = match self {
            Self::Answered { message, .. } => message,
            Self::Module(Error::Pkcs11(value, function)) => {
                format!("C_{function:?} failed: {}{}", name_of(value), meaning(code))
            }
            Self::Module(error) => format!("the PKCS #11 module failed: {error}"),
        };
        Problem {
            code,
            message: one_line(&message),
        }
    }
}

/// Code of a return value of any function.
fn code_of(value: RvError) -> Code {
    use RvError as E;
    match value {
        E::PinIncorrect | E::PinInvalid | E::PinLenRange => Code::PinWrong,
        E::PinLocked => Code::PinLocked,
        E::UserNotLoggedIn => Code::PinRequired,
        E::SessionCount => Code::Busy,
        E::DeviceRemoved
        | E::SessionClosed
        | E::SessionHandleInvalid
        | E::SlotIdInvalid
        | E::TokenNotPresent
        | E::TokenNotRecognized => Code::Absent,
        E::KeyHandleInvalid | E::ObjectHandleInvalid => Code::KeyNotFound,
        E::CurveNotSupported
        | E::DomainParamsInvalid
        | E::FunctionNotSupported
        | E::KeySizeRange
        | E::MechanismInvalid
        | E::MechanismParamInvalid => Code::Unsupported,
        E::ActionProhibited
        | E::AttributeReadOnly
        | E::AttributeTypeInvalid
        | E::AttributeValueInvalid
        | E::DeviceMemory
        | E::FunctionRejected
        | E::KeyFunctionNotPermitted
        | E::PinExpired
        | E::SessionReadOnly
        | E::TemplateIncomplete
        | E::TemplateInconsistent
        | E::TokenWriteProtected
        | E::UserAnotherAlreadyLoggedIn
        | E::UserPinNotInitialized => Code::Refused,
        _ => Code::Failed,
    }
}

/// Explanation behind the name of a return value.
fn meaning(code: Code) -> &'static str {
    match code {
        Code::PinWrong => " (the PIN is wrong)",
        Code::PinLocked => " (the PIN is locked)",
        Code::PinRequired => " (the token needs its PIN)",
        Code::Absent => " (the token is not there)",
        Code::Busy => " (the token has no session left)",
        Code::Unsupported => " (the token does not support it)",
        Code::Refused => " (the token refuses it)",
        _ => "",
    }
}

/// Name of a return value as the standard writes it.
pub(crate) fn name_of(value: RvError) -> String {
    match value {
        RvError::VendorDefined(number) | RvError::UnknownErrorCode(number) => {
            format!("return value {number:#x}")
        }
        named => {
            let mut name = String::from("CKR");
            for letter in format!("{named:?}").chars() {
                if letter.is_ascii_uppercase() {
                    name.push('_');
                }
                name.push(letter.to_ascii_uppercase());
            }
            name
        }
    }
}

/// Text in one line of at most some 600 characters, in which nothing steers a terminal.
pub(crate) fn one_line(text: &str) -> String {
    const MOST: usize = 600;
    let mut line = String::with_capacity(text.len());
    for (count, character) in text.chars().enumerate() {
        if count == MOST {
            line.push('…');
            break;
        }
        if is_deceptive(character) {
            write!(line, "\\u{{{:x}}}", u32::from(character)).expect("a String takes everything");
        } else {
            line.push(character);
        }
    }
    line
}

/// Returns whether a character steers a terminal, is not seen, or changes the order of others.
pub(crate) fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    #[test]
    fn return_values_have_their_name_and_code() {
        let failure = Failure::Module(Error::Pkcs11(RvError::PinLocked, Function::Login));
        let problem = failure.into_problem();
        assert_eq!(problem.code, Code::PinLocked);
        assert_eq!(
            problem.message,
            "C_Login failed: CKR_PIN_LOCKED (the PIN is locked)"
        );
        assert_eq!(
            name_of(RvError::FipsSelfTestFailed),
            "CKR_FIPS_SELF_TEST_FAILED"
        );
        assert_eq!(
            name_of(RvError::VendorDefined(0x8000_0001)),
            "return value 0x80000001"
        );
    }

    #[test]
    fn messages_are_one_harmless_line() {
        assert_eq!(
            one_line("a\nb\u{1b}[31m\u{202e}"),
            "a\\u{a}b\\u{1b}[31m\\u{202e}"
        );
        assert_eq!(one_line(&"鍵".repeat(5000)).chars().count(), 601);
    }
}
