//! Bare keys, signatures and verifications, by the library that `pki` uses.

use std::fmt;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};

use super::timed;
use crate::peers::KeyKind;

/// A message of the length of a certificate.
const MESSAGE: [u8; 400] = [b'm'; 400];

/// Number of operations of each kind.
#[derive(Clone, Copy)]
pub struct Work {
    pub kind: KeyKind,
    pub keys: u32,
    pub signatures: u32,
    pub verifications: u32,
}

impl Work {
    /// So many keys, signatures and verifications with P-256.
    pub fn p256(keys: u32, signatures: u32, verifications: u32) -> Self {
        Self {
            kind: KeyKind::P256,
            keys,
            signatures,
            verifications,
        }
    }

    fn parse(words: &[&str]) -> Result<Self> {
        let [kind, keys, signatures, verifications] = words else {
            bail!("a kind of key and three numbers are required");
        };
        Ok(Self {
            kind: match *kind {
                "p256" => KeyKind::P256,
                _ => KeyKind::Rsa2048,
            },
            keys: keys.parse()?,
            signatures: signatures.parse()?,
            verifications: verifications.parse()?,
        })
    }

    /// The part of one of so many threads.
    fn part(self, index: u32, threads: u32) -> Self {
        let part = |count: u32| count / threads + u32::from(index < count % threads);
        Self {
            kind: self.kind,
            keys: part(self.keys),
            signatures: part(self.signatures),
            verifications: part(self.verifications),
        }
    }
}

/// The arguments of the process.
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            KeyKind::P256 => "p256",
            KeyKind::Rsa2048 => "rsa2048",
        };
        let Self {
            keys,
            signatures,
            verifications,
            ..
        } = self;
        write!(f, "{kind} {keys} {signatures} {verifications}")
    }
}

/// Does the work that the arguments say, on one thread or on all cores.
pub fn run(words: &[&str]) -> Result<()> {
    let (threads, words) = words.split_last().context("arguments are missing")?;
    let work = Work::parse(words)?;
    let threads = match *threads {
        "all" => u32::try_from(thread::available_parallelism()?.get())?,
        _ => 1,
    };
    let issuer = Issuer::new(work.kind)?;
    timed(|| match threads {
        1 => issuer.work(work),
        _ => on_threads(threads, &issuer, work),
    })
}

fn on_threads(threads: u32, issuer: &Issuer, work: Work) -> Result<()> {
    thread::scope(|scope| {
        let parts = (0..threads).map(|index| work.part(index, threads));
        let workers: Vec<_> = parts
            .map(|part| scope.spawn(move || issuer.work(part)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().expect("it does not panic"))
    })
}

/// The key of a CA.
enum Issuer {
    P256(EcdsaKeyPair),
    Rsa2048(RsaKeyPair),
}

impl Issuer {
    fn new(kind: KeyKind) -> Result<Self> {
        Ok(match kind {
            KeyKind::P256 => Self::P256(p256()?),
            KeyKind::Rsa2048 => Self::Rsa2048(rsa2048()?),
        })
    }

    fn work(&self, work: Work) -> Result<()> {
        let random = SystemRandom::new();
        let public = self.public()?;
        let mut signature = Vec::new();
        if work.signatures == 0 {
            signature = self.sign(&random)?;
        }
        for turn in 0..work.keys.max(work.signatures).max(work.verifications) {
            if turn < work.keys {
                self.generate()?;
            }
            if turn < work.signatures {
                signature = self.sign(&random)?;
            }
            if turn < work.verifications {
                let verdict = public.verify_sig(&MESSAGE, &signature);
                ensure!(verdict.is_ok(), "a signature does not verify");
            }
        }
        Ok(())
    }

    fn generate(&self) -> Result<()> {
        match self {
            Self::P256(_) => drop(std::hint::black_box(p256()?)),
            Self::Rsa2048(_) => drop(std::hint::black_box(rsa2048()?)),
        }
        Ok(())
    }

    fn public(&self) -> Result<ParsedPublicKey> {
        let parsed = match self {
            Self::P256(key) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.public_key().as_ref())
            }
            Self::Rsa2048(key) => {
                ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())
            }
        };
        parsed.ok().context("no public key")
    }

    fn sign(&self, random: &SystemRandom) -> Result<Vec<u8>> {
        match self {
            Self::P256(key) => {
                let signature = key.sign(random, &MESSAGE).ok().context("no signature")?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Rsa2048(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, random, &MESSAGE, &mut signature)
                    .ok()
                    .context("no signature")?;
                Ok(signature)
            }
        }
    }
}

fn p256() -> Result<EcdsaKeyPair> {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)
        .ok()
        .context("no key")
}

fn rsa2048() -> Result<RsaKeyPair> {
    RsaKeyPair::generate(KeySize::Rsa2048)
        .ok()
        .context("no key")
}
