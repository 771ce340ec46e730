//! Scope of a CRL: whether its issuingDistributionPoint (RFC 5280 section 5.2.5) takes in a certificate.

use crate::asn1::{Element, Malformed, Reader, encode, oid, tag};
use crate::x509::{Certificate, Crl, Extension, Name};

/// Returns whether a CRL is about all reasons for which a certificate may be revoked (section 6.3.3 (b)); an
/// indirect CRL, and one by reason, is not used for any.
pub(super) fn takes_in(crl: &Crl<'_>, certificate: &Certificate) -> bool {
    distribution_point(crl).is_none_or(|extension| {
        Scope::of(extension, crl.issuer()).is_ok_and(|scope| scope.takes_in(certificate))
    })
}

/// Returns whether entries of a CRL may be about certificates of other issuers, or its scope cannot be read.
pub(super) fn is_indirect(crl: &Crl<'_>) -> bool {
    distribution_point(crl).is_some_and(|extension| {
        Scope::of(extension, crl.issuer()).map_or(true, |scope| scope.is_indirect)
    })
}

/// The issuingDistributionPoint of a CRL.
pub(super) fn distribution_point<'a>(crl: &'a Crl<'_>) -> Option<&'a Extension> {
    let mut extensions = crl.extensions().iter();
    extensions.find(|extension| extension.oid == oid::ISSUING_DISTRIBUTION_POINT)
}

struct Scope {
    /// The DER of each GeneralName of distributionPoint.
    names: Option<Vec<Vec<u8>>>,
    only_leaves: bool,
    only_cas: bool,
    is_indirect: bool,
    /// onlySomeReasons, or onlyContainsAttributeCerts.
    is_other: bool,
}

impl Scope {
    fn of(extension: &Extension, issuer: &Name) -> Result<Self, Malformed> {
        let mut reader = Reader::sequence_of(&extension.value, "an IssuingDistributionPoint")?;
        let names = match reader.optional(tag::explicit(0))? {
            Some(point) => Some(names_of(&point, issuer)?),
            None => None,
        };
        let [only_leaves, only_cas] = [1, 2].map(|number| flag(&mut reader, number));
        let some_reasons = reader.optional(tag::context(3))?.is_some();
        let [indirect, attributes] = [4, 5].map(|number| flag(&mut reader, number));
        reader.end()?;
        Ok(Self {
            names,
            only_leaves: only_leaves?,
            only_cas: only_cas?,
            is_indirect: indirect?,
            is_other: some_reasons | attributes?,
        })
    }

    fn takes_in(&self, certificate: &Certificate) -> bool {
        let is_of_kind = match (self.only_leaves, self.only_cas) {
            (false, false) => true,
            (leaves, cas) => leaves != cas && cas == certificate.is_ca(),
        };
        let is_named = self.names.as_ref().is_none_or(|names| {
            points_of(certificate)
                .is_ok_and(|points| points.iter().any(|point| names.contains(point)))
        });
        is_of_kind && is_named && !self.is_indirect && !self.is_other
    }
}

fn flag(reader: &mut Reader<'_>, number: u8) -> Result<bool, Malformed> {
    let found = reader.optional(tag::context(number))?;
    found.map_or(Ok(false), |flag| flag.boolean())
}

/// The names of the distribution points in a certificate that are about all reasons and about a CRL of the
/// certificate's own issuer; the issuer's name if there are no points.
fn points_of(certificate: &Certificate) -> Result<Vec<Vec<u8>>, Malformed> {
    let issuer = certificate.issuer();
    let Some(extension) = certificate.extension(&oid::CRL_DISTRIBUTION_POINTS) else {
        return Ok(vec![directory_name(issuer.der())]);
    };
    let mut points = Reader::sequence_of(&extension.value, "a CRLDistributionPoints")?;
    let mut names = Vec::new();
    while !points.is_empty() {
        let mut point = points.sequence("a DistributionPoint")?;
        let name = point.optional(tag::explicit(0))?;
        if point.is_empty()
            && let Some(name) = name
        {
            names.extend(names_of(&name, issuer)?);
        }
    }
    Ok(names)
}

/// The DER of each GeneralName of a DistributionPointName; a name relative to the issuer's becomes a whole one.
fn names_of(point: &Element<'_>, issuer: &Name) -> Result<Vec<Vec<u8>>, Malformed> {
    let name = Reader::single(point.content)?;
    if name.tag == tag::explicit(1) {
        let issuer = Reader::single(issuer.der())?;
        let whole = encode(|all| {
            all.sequence(|rdns| {
                rdns.raw(issuer.content);
                rdns.primitive(tag::SET, name.content);
            });
        });
        return Ok(vec![directory_name(&whole)]);
    }
    if name.tag != tag::explicit(0) {
        return Err(Malformed::Unexpected("a DistributionPointName"));
    }
    let mut reader = name.reader();
    let mut names = Vec::new();
    while !reader.is_empty() {
        names.push(reader.any()?.whole.to_vec());
    }
    Ok(names)
}

fn directory_name(name: &[u8]) -> Vec<u8> {
    encode(|all| all.explicit(4, |directory| directory.raw(name)))
}
