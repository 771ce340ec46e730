-- Roles for a store in PostgreSQL. The administrator runs it once, in the database of the store, after `pki root`:
--
--     psql --single-transaction --file roles.sql DATABASE
--
-- Then give each user one of them, as in: CREATE ROLE host1 LOGIN IN ROLE pki_issuer;
-- Who creates, renews or removes CAs is the owner of the store.

CREATE ROLE pki_reader;
CREATE ROLE pki_revoker IN ROLE pki_reader;
CREATE ROLE pki_issuer IN ROLE pki_revoker;

-- Reads everything but keys.
GRANT USAGE ON SCHEMA pki TO pki_reader;
GRANT SELECT ON pki.store, pki.ca, pki.serial_counter, pki.crl_counter, pki.revocation_end,
    pki.previous_certificate, pki.certificate, pki.revocation, pki.authority, pki.crl, pki.presigned_crl, pki.change
    TO pki_reader;

-- Records revocations. A CRL needs the key of the CA, and so an issuer.
GRANT INSERT ON pki.revocation, pki.authority TO pki_revoker;
GRANT UPDATE (number, "check") ON pki.revocation_end TO pki_revoker;
GRANT UPDATE (revision) ON pki.store TO pki_revoker;

-- Issues and renews certificates, and signs CRLs. The keys that it reads are encrypted under the CA's passphrase.
GRANT SELECT ON pki.ca_key TO pki_issuer;
GRANT SELECT, INSERT, DELETE ON pki.leaf_key TO pki_issuer;
GRANT INSERT ON pki.certificate, pki.crl TO pki_issuer;
GRANT INSERT, DELETE ON pki.presigned_crl TO pki_issuer;
GRANT UPDATE (counter, timeline) ON pki.serial_counter TO pki_issuer;
GRANT UPDATE (number, timeline, lease, leased_until) ON pki.crl_counter TO pki_issuer;
