//! Bytes that are read, hashed and written.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use sha2::{Digest as _, Sha256};

use super::timed;

/// Bytes that are read or written at a time.
const BLOCK: usize = 1 << 20;

/// Reads a file once.
pub fn read(file: &Path) -> Result<()> {
    timed(|| {
        let mut file = File::open(file)?;
        let mut block = vec![0; BLOCK];
        while file.read(&mut block)? > 0 {
            std::hint::black_box(&block);
        }
        Ok(())
    })
}

/// Reads the journal; hashes, writes and syncs files of these sizes; signs the first one's hash and verifies that.
pub fn crl(journal: &Path, sizes: &[&str]) -> Result<()> {
    read(journal)?;
    let mut hashes = Vec::new();
    for (index, size) in sizes.iter().enumerate() {
        hashes.push(hashed(&format!("{index}.crl"), size.parse()?)?);
    }
    let first = hashes.first().context("a size is required")?;
    let failed = "the signature";
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
    let key = key.ok().context(failed)?;
    let signature = key.sign(&SystemRandom::new(), first).ok().context(failed)?;
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.public_key().as_ref());
    let verdict = public.ok().context(failed)?;
    verdict
        .verify_sig(first, signature.as_ref())
        .ok()
        .context(failed)
}

fn hashed(name: &str, mut size: usize) -> Result<Vec<u8>> {
    let block = vec![b'c'; BLOCK];
    let mut hash = Sha256::new();
    let mut file = File::create(name)?;
    while size > 0 {
        let block = &block[..size.min(BLOCK)];
        hash.update(block);
        file.write_all(block)?;
        size -= block.len();
    }
    file.sync_all()?;
    Ok(hash.finalize().to_vec())
}
