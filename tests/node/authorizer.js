// An authorizer as many are written: the list is DER from a URL, read by asn1js
// and pkijs; serial numbers are compared as JavaScript numbers; a list without
// revoked certificates was never thought of.
//   node authorizer.js URL CLIENT...
// It prints a line for each client. @peculiar/x509 has to read the same list,
// and node-forge, where the key is RSA, the same certificate as Node.
'use strict';

const asn1js = require('asn1js');
const assert = require('assert');
const { X509Certificate } = require('crypto');
const forge = require('node-forge');
const fs = require('fs');
const pkijs = require('pkijs');
const { X509Crl } = require('@peculiar/x509');

const number = (hex) => parseInt(hex, 16);

async function revokedSerials(url) {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  const der = await response.arrayBuffer();
  const { result } = asn1js.fromBER(der);
  const crl = new pkijs.CertificateRevocationList({ schema: result });
  const serials = crl.revokedCertificates.map(({ userCertificate }) =>
    number(Buffer.from(userCertificate.valueBlock.valueHexView).toString('hex')),
  );
  const { entries } = new X509Crl(der);
  assert.deepEqual(entries.map((entry) => number(entry.serialNumber)), serials);
  return serials;
}

// What is asked of a certificate, as Node reads it.
function byNode(pem) {
  const certificate = new X509Certificate(pem);
  const { subject, issuer } = certificate.toLegacyObject();
  return {
    serial: number(certificate.serialNumber),
    subject: [subject.O, subject.OU],
    issuer: [issuer.O, issuer.OU],
  };
}

// The same, as node-forge reads it.
function byForge(pem) {
  const { serialNumber, subject, issuer } = forge.pki.certificateFromPem(pem);
  const parts = (name) => ['O', 'OU'].map((part) => name.getField(part).value);
  return { serial: number(serialNumber), subject: parts(subject), issuer: parts(issuer) };
}

function verdict({ serial, subject, issuer }, revoked) {
  if (subject.join() !== 'Example,Devices') return 'another subject';
  if (issuer.join() !== 'Example,PKI') return 'another issuer';
  return revoked.includes(serial) ? 'revoked' : 'allowed';
}

async function main() {
  const [url, ...clients] = process.argv.slice(2);
  const revoked = await revokedSerials(url);
  for (const client of clients) {
    const pem = fs.readFileSync(client, 'utf8');
    const read = byNode(pem);
    const isRsa = new X509Certificate(pem).publicKey.asymmetricKeyType === 'rsa';
    if (isRsa) {
      assert.deepEqual(byForge(pem), read);
    } else {
      assert.throws(() => byForge(pem), /OID is not RSA/);
    }
    const readers = isRsa ? 'node and forge' : 'node';
    console.log(`${client}: ${verdict(read, revoked)}, read by ${readers}`);
  }
}

main();
