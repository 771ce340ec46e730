//! Revocation by CRLs that are given (RFC 5280 section 6.3, but for delta CRLs, indirect CRLs, and CRLs by reason).

use super::problem::CrlProblem;
use super::refusal::{Refusal, called, serial_text};
use super::scope::{distribution_point, is_indirect, takes_in};
use crate::asn1::oid;
use crate::key::KeyError;
use crate::x509::comparison::are_equal;
use crate::x509::extension::key_usage::CRL_SIGN;
use crate::x509::{Certificate, Crl};
use const_oid::ObjectIdentifier;
use time::OffsetDateTime;

/// Checks whether a certificate is on none of the CRLs: the newest that can be used decides, and there has to
/// be one. Returns why others of its issuer were not used.
///
/// A CRL that can't be used is evidence all the same: if it has an entry of the certificate, or may
/// have one, nothing is known. Not so if the issuer signed a complete CRL after it.
///
/// `signers` are the issuer's certificate, and others of the same name whose keys may sign its CRLs too.
pub(crate) fn check_crls(
    crls: &[Crl<'_>],
    certificate: &Certificate,
    signers: &[&Certificate],
    time: OffsetDateTime,
) -> Result<Vec<CrlProblem>, Refusal> {
    let issuer = signers[0];
    let unknown = |problem| Refusal::NoCrl {
        subject: called(certificate),
        problem,
    };
    let mut unused = Vec::new();
    let mut usable: Vec<&Crl<'_>> = Vec::new();
    let order = |crl: &Crl<'_>| (crl.this_update(), crl.number());
    for crl in crls {
        // An indirect CRL of another issuer may have entries of this one.
        if !are_equal(crl.issuer(), certificate.issuer()) && !is_indirect(crl) {
            continue;
        }
        match can_be_asked(crl, certificate, signers, time) {
            Ok(()) => usable.push(crl),
            Err(problem) => unused.push((crl, problem)),
        }
    }
    let Some(newest) = usable.iter().copied().reduce(|newest, crl| {
        if order(newest) < order(crl) {
            crl
        } else {
            newest
        }
    }) else {
        let problem = unused.into_iter().next().map(|(_, problem)| problem);
        return Err(unknown(problem.unwrap_or(CrlProblem::Missing {
            issuer: called(issuer),
        })));
    };
    // Of CRLs with different scopes that are as new, each counts.
    let counts = |crl: &&Crl<'_>| {
        crl.this_update() == newest.this_update()
            && distribution_point(crl) != distribution_point(newest)
    };
    for crl in std::iter::once(newest).chain(usable.iter().copied().filter(counts)) {
        check_entries(crl, certificate, issuer, unknown)?;
    }
    for (crl, problem) in &unused {
        let is_superseded = order(crl) < order(newest) && problem.is_about_scope_or_time();
        if !is_superseded && may_have_entry(crl, certificate) {
            return Err(unknown(problem.clone()));
        }
    }
    Ok(unused.into_iter().map(|(_, problem)| problem).collect())
}

/// Returns whether a CRL has an entry of the certificate, or one that can't be read or understood.
fn may_have_entry(crl: &Crl<'_>, certificate: &Certificate) -> bool {
    crl.entries().any(|entry| match entry {
        Ok(entry) => !entry.removes && entry.serial == certificate.serial_bytes(),
        Err(_) => true,
    })
}

/// Checks whether a CRL is the issuer's, about the certificate, and good at this time.
fn can_be_asked(
    crl: &Crl<'_>,
    certificate: &Certificate,
    signers: &[&Certificate],
    time: OffsetDateTime,
) -> Result<(), CrlProblem> {
    let name = called(signers[0]);
    let mut keys = signers.iter().map(|signer| {
        let verified = crl.verify_signature(signer.public_key());
        (signer, verified)
    });
    match keys.find(|(_, verified)| !matches!(verified, Err(KeyError::Signature(_)))) {
        Some((signer, Ok(()))) if signer.key_usage().unwrap_or(CRL_SIGN) & CRL_SIGN == 0 => {
            return Err(CrlProblem::NoCrlSign { issuer: name });
        }
        Some((_, Ok(()))) => {}
        Some((_, Err(KeyError::Unsupported { algorithm }))) => {
            return Err(CrlProblem::Unverifiable {
                issuer: name,
                algorithm,
            });
        }
        _ => return Err(CrlProblem::Signature { issuer: name }),
    }
    extensions_are_understood(crl, certificate, &name)?;
    if time < crl.this_update() {
        return Err(CrlProblem::NotYetValid {
            issuer: name,
            this_update: crl.this_update(),
        });
    }
    match crl.next_update() {
        None => Err(CrlProblem::Endless { issuer: name }),
        Some(next_update) if time > next_update => Err(CrlProblem::Ended {
            issuer: name,
            next_update,
        }),
        Some(_) => Ok(()),
    }
}

fn extensions_are_understood(
    crl: &Crl<'_>,
    certificate: &Certificate,
    issuer: &str,
) -> Result<(), CrlProblem> {
    const UNDERSTOOD: [ObjectIdentifier; 3] = [
        oid::AUTHORITY_KEY_IDENTIFIER,
        oid::CRL_NUMBER,
        oid::ISSUING_DISTRIBUTION_POINT,
    ];
    for extension in crl.extensions() {
        let name = oid::name(&extension.oid);
        let is_partial = match extension.oid {
            oid::DELTA_CRL_INDICATOR => true,
            oid::ISSUING_DISTRIBUTION_POINT => !takes_in(crl, certificate),
            _ => false,
        };
        if is_partial {
            return Err(CrlProblem::Partial {
                issuer: issuer.to_owned(),
                extension: name.expect("both have names"),
            });
        }
        if extension.critical && !UNDERSTOOD.contains(&extension.oid) {
            return Err(CrlProblem::CriticalExtension {
                issuer: issuer.to_owned(),
                extension: name.map_or_else(|| extension.oid.to_string(), str::to_owned),
            });
        }
    }
    Ok(())
}

/// Looks through the whole CRL: what can't be read may be the entry that is looked for.
fn check_entries(
    crl: &Crl<'_>,
    certificate: &Certificate,
    issuer: &Certificate,
    unknown: impl Fn(CrlProblem) -> Refusal,
) -> Result<(), Refusal> {
    let issuer = || called(issuer);
    let serial = certificate.serial_bytes();
    let mut revoked = None;
    for entry in crl.entries() {
        let entry = entry.map_err(|_| unknown(CrlProblem::Broken { issuer: issuer() }))?;
        if entry.has_unknown_critical {
            return Err(unknown(CrlProblem::CriticalEntryExtension {
                issuer: issuer(),
            }));
        }
        if !entry.removes && entry.serial == serial {
            revoked.get_or_insert((entry.revoked_at, entry.reason.unwrap_or_default()));
        }
    }
    match revoked {
        Some((revoked_at, reason)) => Err(Refusal::Revoked {
            subject: called(certificate),
            serial: serial_text(certificate),
            revoked_at,
            reason,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::{Encoder, encode_time, sequence, tag};
    use crate::key::{KeyType, PrivateKey};
    use crate::x509::signed::assemble;
    use crate::x509::{Extension, Name, Reason, Serial, TbsCertificate, Validity};
    use time::macros::datetime;

    const THEN: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);
    const SERIAL: [u8; 2] = [1, 0xa5];

    const NEXT: Option<OffsetDateTime> = Some(datetime!(2026-01-08 0:00 UTC));

    /// An entry: its serial, and what writes its extensions.
    type Entry<'a> = (&'a [u8], &'a dyn Fn(&mut Encoder));

    /// Asks a CRL with entries that are written by hand about the certificate of its CA.
    fn judged(next: Option<OffsetDateTime>, entries: &[Entry<'_>]) -> Result<(), Refusal> {
        let (ca, key) = ca();
        let crl = crl(&key, THEN, next, &[], entries);
        let crl = Crl::from_der(&crl).unwrap();
        check_crls(&[crl], &ca, &[&ca], THEN).map(drop)
    }

    fn signed(key: &PrivateKey, tbs: &[u8]) -> Vec<u8> {
        let signature = key.sign(tbs).unwrap();
        assemble(tbs, key.signature_algorithm(), &signature)
    }

    fn ca() -> (Certificate, PrivateKey) {
        let key = PrivateKey::generate(KeyType::P256).unwrap();
        let name = Name::from_common_name("ca").unwrap();
        let tbs = TbsCertificate {
            signature: key.signature_algorithm(),
            issuer: &name,
            validity: Validity {
                not_before: THEN,
                not_after: datetime!(2036-01-01 0:00 UTC),
            },
            subject: &name,
            public_key: key.public(),
            extensions: &[],
        };
        let serial = Serial::from_magnitude(&SERIAL).unwrap();
        let ca = signed(&key, &tbs.unnumbered().numbered(&serial));
        (Certificate::from_der(&ca).unwrap(), key)
    }

    fn crl(
        key: &PrivateKey,
        this: OffsetDateTime,
        next: Option<OffsetDateTime>,
        extensions: &[Extension],
        entries: &[Entry<'_>],
    ) -> Vec<u8> {
        let name = Name::from_common_name("ca").unwrap();
        signed(
            key,
            &sequence(|crl| {
                crl.unsigned(&[1]);
                key.signature_algorithm().encode(crl);
                crl.raw(name.der());
                encode_time(crl, this);
                next.into_iter().for_each(|next| encode_time(crl, next));
                crl.sequence(|all| {
                    for (serial, extensions) in entries {
                        all.sequence(|entry| {
                            entry.primitive(tag::INTEGER, serial);
                            encode_time(entry, THEN);
                            entry.sequence(|list| extensions(list));
                        });
                    }
                });
                if !extensions.is_empty() {
                    crl.explicit(0, |wrapper| {
                        wrapper.sequence(|all| extensions.iter().for_each(|one| one.encode(all)));
                    });
                }
            }),
        )
    }

    fn extension(list: &mut Encoder, oid: &ObjectIdentifier, critical: bool, value: &[u8]) {
        list.sequence(|extension| {
            extension.oid(oid);
            if critical {
                extension.boolean_true();
            }
            extension.octet_string(value);
        });
    }

    #[test]
    fn an_entry_counts_if_its_serial_is_the_same_integer() {
        let compromise: &dyn Fn(&mut Encoder) =
            &|list| extension(list, &oid::REASON_CODE, false, &[tag::ENUMERATED, 1, 1]);
        let refusal = judged(NEXT, &[(&[7], compromise), (&SERIAL, compromise)]).unwrap_err();
        let Refusal::Revoked { reason, .. } = refusal else {
            panic!("{refusal}");
        };
        assert_eq!(reason, Reason::KeyCompromise);
        assert_eq!(judged(NEXT, &[(&[1, 0xa6], compromise)]), Ok(()));
        // An INTEGER with a zero that it does not need is not DER.
        let refusal = judged(NEXT, &[(&[0, 1, 0xa5], compromise)]).unwrap_err();
        assert!(matches!(refusal, Refusal::NoCrl { .. }));
    }

    /// A complete CRL says that the certificate is good, and beside it is another one with an entry.
    #[test]
    fn a_crl_that_can_not_be_used_is_not_ignored() {
        const LATER: OffsetDateTime = datetime!(2026-01-02 0:00 UTC);
        const LATEST: OffsetDateTime = datetime!(2026-01-03 0:00 UTC);
        let (ca, key) = ca();
        let other = PrivateKey::generate(KeyType::P256).unwrap();
        let nothing: &dyn Fn(&mut Encoder) = &|_| {};
        let broken: &dyn Fn(&mut Encoder) = &|list| list.raw(&[tag::INTEGER]);
        let of = |oid, critical| Extension {
            oid,
            critical,
            value: vec![0x30, 0],
        };
        let verdict = |by: &PrivateKey, this, next, extensions: &[Extension], entry: Entry<'_>| {
            let good = crl(&key, LATER, NEXT, &[], &[(&[9], nothing)]);
            let bad = crl(by, this, next, extensions, &[entry]);
            let crls = [&good, &bad].map(|der| Crl::from_der(der).unwrap());
            check_crls(&crls, &ca, &[&ca], LATEST)
        };
        let delta = [of(oid::DELTA_CRL_INDICATOR, true)];
        // onlySomeReasons.
        let partial = [Extension {
            value: vec![0x30, 4, 0x83, 2, 5, 0x20],
            ..of(oid::ISSUING_DISTRIBUTION_POINT, true)
        }];
        let unknown = [of(oid::CERTIFICATE_POLICIES, true)];
        let soon = Some(LATEST);
        let tomorrow = datetime!(2026-01-04 0:00 UTC);
        let ended = Some(datetime!(2026-01-02 12:00 UTC));
        let cases = [
            ("delta", &key, LATER, soon, &delta[..]),
            ("partial", &key, LATER, soon, &partial),
            ("critical", &key, THEN, soon, &unknown),
            ("signature", &other, THEN, soon, &[]),
            ("expired", &key, LATER, ended, &[]),
            ("endless", &key, LATER, None, &[]),
            ("early", &key, tomorrow, NEXT, &[]),
        ];
        for (what, by, this, next, extensions) in cases {
            let verdict = |entry| verdict(by, this, next, extensions, entry);
            for entry in [(&SERIAL[..], nothing), (&[7], broken)] {
                let Err(Refusal::NoCrl { .. }) = verdict(entry) else {
                    panic!("{what} is ignored");
                };
            }
            let unused = verdict((&[7], nothing)).unwrap();
            assert_eq!(unused.len(), 1, "{what} is not named");
        }
        // The complete CRL is newer.
        for extensions in [&delta[..], &partial] {
            assert!(verdict(&key, THEN, soon, extensions, (&SERIAL, nothing)).is_ok());
        }
        assert!(verdict(&key, THEN, ended, &[], (&SERIAL, nothing)).is_ok());
    }

    #[test]
    fn what_takes_an_entry_of_another_crl_back_revokes_nothing() {
        let removes: &dyn Fn(&mut Encoder) =
            &|list| extension(list, &oid::REASON_CODE, false, &[tag::ENUMERATED, 1, 8]);
        assert_eq!(judged(NEXT, &[(&SERIAL, removes)]), Ok(()));
    }

    /// From there on entries may be about certificates of another CA (section 5.3.3).
    #[test]
    fn a_crl_with_an_entry_that_is_not_understood_can_not_be_asked() {
        let indirect = |critical| {
            move |list: &mut Encoder| {
                extension(list, &oid::CERTIFICATE_ISSUER, critical, &[0x30, 0]);
            }
        };
        let refusal = judged(NEXT, &[(&[7], &indirect(true))]).unwrap_err();
        let problem = CrlProblem::CriticalEntryExtension {
            issuer: "CN=ca".into(),
        };
        assert!(matches!(refusal, Refusal::NoCrl { problem: found, .. } if found == problem));
        assert_eq!(judged(NEXT, &[(&[7], &indirect(false))]), Ok(()));
    }

    #[test]
    fn a_crl_that_breaks_off_answers_no_question() {
        let nothing: &dyn Fn(&mut Encoder) = &|_| {};
        let broken: &dyn Fn(&mut Encoder) = &|list| list.raw(&[tag::INTEGER]);
        let issuer = || "CN=ca".to_owned();
        for (next, entry, expected) in [
            (None, nothing, CrlProblem::Endless { issuer: issuer() }),
            (NEXT, broken, CrlProblem::Broken { issuer: issuer() }),
        ] {
            let Err(Refusal::NoCrl { problem, .. }) = judged(next, &[(&[7], entry)]) else {
                panic!("{expected} is not told");
            };
            assert_eq!(problem, expected);
        }
    }
}
