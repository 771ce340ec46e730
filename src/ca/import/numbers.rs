//! Numbers that must not be used again.

use crate::ca::import::error::ImportError;
use crate::ca::import::locations::Places;
use crate::ca::{CaError, Input, RuleFinding, Size};
use crate::x509::crl::Crl;
use crate::x509::serial::SerialError;
use crate::x509::{Certificate, Serial};
use std::path::Path;

/// Numbers of a CA.
#[derive(Default)]
pub(crate) struct Numbers {
    /// Highest serial number.
    pub(crate) serial: Option<Serial>,
    /// Highest number of a CRL.
    pub(crate) crl: u128,
    pub(crate) findings: Vec<RuleFinding>,
}

impl Numbers {
    /// Reads the files with numbers.
    pub(crate) fn read(places: &Places) -> Result<Self, CaError> {
        let mut numbers = Self::default();
        for path in places.serial.iter().chain(&places.last_serials) {
            numbers.read_serial(path)?;
        }
        if let Some(path) = &places.crl_number {
            numbers.read_crl_number(path)?;
        }
        Ok(numbers)
    }

    pub(crate) fn saw(&mut self, serial: Serial) {
        self.serial = self.serial.max(Some(serial));
    }

    /// Takes note of a root's own serial number. Most are 20 random bytes, which no counter comes near
    /// to; higher ones would be long for nothing.
    pub(crate) fn saw_own(&mut self, root: &Certificate) {
        let own = root.serial().ok();
        let near = own.filter(|own| own.counter() <= u128::from(u64::MAX));
        near.into_iter().for_each(|own| self.saw(own));
    }

    /// Takes note of a CRL's number, and of the serial numbers on it.
    pub(crate) fn saw_crl(&mut self, crl: &Crl<'_>) -> Result<(), ImportError> {
        match (crl.number(), crl.has_number()) {
            (Some(number), _) => self.crl = self.crl.max(number),
            (None, true) => return Err(used_up("CRL number", "2^128")),
            (None, false) => {}
        }
        let entries = crl.entries().flatten();
        let serials = entries.filter_map(|entry| entry.serial());
        serials.for_each(|serial| self.saw(serial));
        Ok(())
    }

    /// Reads a file with a serial number: the next one, which an interrupted program may have assigned before it
    /// wrote the one after it, or the last one.
    fn read_serial(&mut self, path: &Path) -> Result<(), CaError> {
        let text = read(path)?;
        match text.trim().parse::<Serial>() {
            Ok(next) => self.saw(next),
            Err(SerialError::Zero) => {}
            Err(SerialError::TooLong) => return Err(used_up("serial number", text.trim()).into()),
            Err(error) => self.unreadable(path, &error.to_string()),
        }
        Ok(())
    }

    /// Reads the file with the next number of a CRL.
    fn read_crl_number(&mut self, path: &Path) -> Result<(), CaError> {
        let text = read(path)?;
        let digits = text.trim();
        let is_hex = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        match u128::from_str_radix(digits, 16) {
            Ok(next) => self.crl = self.crl.max(next),
            Err(_) if is_hex => return Err(used_up("CRL number", digits).into()),
            Err(error) => self.unreadable(path, &error.to_string()),
        }
        Ok(())
    }

    /// Warns of missing files with numbers.
    pub(crate) fn judge_files(&mut self, places: &Places) {
        let place = match &places.index {
            Some(index) => format!("next to {}", index.display()),
            None => format!("in {}", places.numbers_in.display()),
        };
        if places.serial.is_none() && places.last_serials.is_empty() {
            let message = format!(
                "file serial not found {place}: serial numbers continue above {}",
                self.serial.map_or_else(
                    || "0, since none was found".to_owned(),
                    |highest| format!("{highest}, the highest found")
                )
            );
            self.warn("serial-missing", message);
        }
        if places.crl_number.is_none() && (places.numbers_crls || self.crl > 0) {
            let message = format!(
                "file crlnumber not found {place}: CRL numbers continue above {}",
                match self.crl {
                    0 => "0, since no CRL with a number was found".to_owned(),
                    highest => format!("{highest}, the highest of the CRLs found"),
                }
            );
            self.warn("crl-number-missing", message);
        }
    }

    fn warn(&mut self, rule: &'static str, message: String) {
        self.findings.push(RuleFinding::warning(rule, message));
    }

    fn unreadable(&mut self, path: &Path, problem: &str) {
        let message = format!(
            "{} is not a number: {problem}; write the next number into it as hex digits",
            path.display()
        );
        self.findings
            .push(RuleFinding::error("number-unreadable", message));
    }

    /// Returns the last used serial counter: serial numbers are a counter and 64 random bits, so that those of
    /// the next counter are higher than all that were seen.
    pub(crate) fn counter(&self) -> Result<u128, ImportError> {
        let Some(highest) = self.serial else {
            return Ok(0);
        };
        let counter = highest.counter();
        match Serial::from_counter(counter + 1, u64::MAX) {
            Ok(_) => Ok(counter),
            Err(_) => Err(used_up("serial number", &highest.to_string())),
        }
    }

    /// Returns the last used CRL number.
    pub(crate) fn crl_number(&self) -> Result<u128, ImportError> {
        match self.crl.checked_add(1) {
            Some(_) => Ok(self.crl),
            None => Err(used_up("CRL number", "2^128")),
        }
    }
}

fn used_up(kind: &'static str, highest: &str) -> ImportError {
    ImportError::NumbersUsedUp {
        kind,
        highest: highest.to_owned(),
    }
}

fn read(path: &Path) -> Result<String, CaError> {
    let input = Input::read_of(Size::Number, path)?;
    Ok(String::from_utf8_lossy(input.content()).into_owned())
}

#[cfg(test)]
mod tests {
    use crate::ca::import::numbers::*;

    fn counter(highest: &str) -> Option<u128> {
        let mut numbers = Numbers::default();
        numbers.saw(highest.parse().unwrap());
        numbers.saw("01".parse().unwrap());
        numbers.counter().ok()
    }

    #[test]
    fn the_next_serial_number_is_above_all() {
        for highest in ["01", "10C9", "FFFFFFFFFFFFFFFF", "010000000000000000"] {
            let next = Serial::from_counter(counter(highest).unwrap() + 1, 0).unwrap();
            assert!(next > highest.parse().unwrap(), "{highest}");
        }
        assert_eq!(Numbers::default().counter().unwrap(), 0);
    }

    #[test]
    fn the_last_counter_has_none_above_it() {
        let last = format!("7{}{}", "F".repeat(23), "0".repeat(16));
        assert_eq!(counter(&last), None);
        let but_one = format!("7{}E{}", "F".repeat(22), "F".repeat(16));
        assert_eq!(counter(&but_one), Some((1 << 95) - 2));
    }
}
