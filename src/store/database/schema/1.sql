-- Version 1. Everything is in the schema `pki`; one database holds one store.
--
-- Each command has a server process of its own, which reads from the catalogs what it uses: every table, index, foreign
-- key, function and choice of an operator costs time. So issuing uses few of them, and no PL/pgSQL, which is a library
-- to be loaded.
CREATE SCHEMA pki;

-- One row. `revision` counts every change but the issuing of leaves: whoever decides on what it has read compares
-- it when the decision is committed.
CREATE TABLE pki.store (
    version integer NOT NULL,
    fixture boolean NOT NULL DEFAULT false,
    revision bigint NOT NULL DEFAULT 0,
    profiles text
);

CREATE TABLE pki.ca (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    state text NOT NULL CHECK (state IN ('ready', 'pending', 'removed')),
    -- As `ca.json` has it.
    record text NOT NULL,
    certificate bytea,
    request bytea,
    has_key boolean NOT NULL,
    CHECK ((state = 'pending') = (certificate IS NULL))
);

-- Keys, encrypted as in a directory; in tables of their own, which readers may not read.
CREATE TABLE pki.ca_key (
    ca integer PRIMARY KEY REFERENCES pki.ca ON DELETE CASCADE,
    pem bytea NOT NULL
);
CREATE TABLE pki.leaf_key (
    ca integer NOT NULL,
    serial bytea NOT NULL,
    pem bytea NOT NULL,
    PRIMARY KEY (ca, serial)
);

-- Counters, in tables of their own: who reserves a number waits for no one who revokes.
CREATE TABLE pki.serial_counter (
    ca integer PRIMARY KEY,
    counter numeric NOT NULL,
    timeline integer NOT NULL
);
CREATE TABLE pki.crl_counter (
    ca integer PRIMARY KEY REFERENCES pki.ca ON DELETE CASCADE,
    number numeric NOT NULL,
    timeline integer NOT NULL,
    lease bigint,
    leased_until timestamptz
);
-- End of the revocations of a CA: their number, and the check of the last.
CREATE TABLE pki.revocation_end (
    ca integer PRIMARY KEY REFERENCES pki.ca ON DELETE CASCADE,
    number bigint NOT NULL,
    "check" text NOT NULL
);

CREATE TABLE pki.previous_certificate (
    ca integer NOT NULL REFERENCES pki.ca ON DELETE CASCADE,
    fingerprint text NOT NULL,
    certificate bytea NOT NULL,
    PRIMARY KEY (ca, fingerprint)
);

-- `record` is the line of the journal of a directory, without the certificate and the check.
CREATE TABLE pki.certificate (
    id bigint GENERATED ALWAYS AS IDENTITY,
    ca integer NOT NULL,
    serial bytea NOT NULL,
    counter numeric NOT NULL,
    cn text NOT NULL,
    -- Begin of the hash of the secret part of the public key.
    key bigint,
    renews bytea,
    -- Row of a table that it was issued for, which is issued once. It begins with the hash of the table.
    row text COLLATE "C",
    is_entry boolean NOT NULL,
    -- Revision of the store at which it was recorded, if later decisions depend on it.
    revision bigint,
    record text NOT NULL,
    der bytea,
    PRIMARY KEY (ca, id),
    UNIQUE (ca, serial)
);
CREATE INDEX certificate_cn ON pki.certificate (ca, cn, id);
CREATE INDEX certificate_key ON pki.certificate (key);
CREATE UNIQUE INDEX certificate_row ON pki.certificate (ca, row) WHERE row IS NOT NULL;
CREATE INDEX certificate_entry ON pki.certificate (ca, id) WHERE is_entry;
CREATE INDEX certificate_revision ON pki.certificate (ca, revision) WHERE revision IS NOT NULL;

-- Numbered without gaps, in the order of commits.
CREATE TABLE pki.revocation (
    ca integer NOT NULL,
    number bigint NOT NULL,
    serial bytea NOT NULL,
    is_again boolean NOT NULL,
    is_compromise boolean NOT NULL,
    record text NOT NULL,
    "check" text NOT NULL,
    PRIMARY KEY (ca, number)
);
CREATE INDEX revocation_serial ON pki.revocation (ca, serial);
CREATE INDEX revocation_again ON pki.revocation (ca, number) WHERE is_again;
CREATE INDEX revocation_compromise ON pki.revocation (ca, number) WHERE is_compromise;

-- What every command reads: copies of the CA certificates in `certificate`, whose `id` is the `number`, and of those in
-- `revocation` that are about CA certificates or compromised keys.
CREATE TABLE pki.authority (
    ca integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('certificate', 'revocation')),
    number bigint NOT NULL,
    serial bytea NOT NULL,
    record text NOT NULL,
    der bytea
);

CREATE TABLE pki.crl (
    ca integer NOT NULL REFERENCES pki.ca ON DELETE CASCADE,
    number numeric NOT NULL,
    ahead boolean NOT NULL,
    record text NOT NULL,
    PRIMARY KEY (ca, number)
);
CREATE TABLE pki.presigned_crl (
    ca integer NOT NULL REFERENCES pki.ca ON DELETE CASCADE,
    number numeric NOT NULL,
    der bytea NOT NULL,
    PRIMARY KEY (ca, number)
);

CREATE TABLE pki.change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ca integer NOT NULL REFERENCES pki.ca ON DELETE CASCADE,
    change text NOT NULL,
    record text NOT NULL
);

-- Timeline of the server's WAL, which a failover changes.
CREATE FUNCTION pki.timeline() RETURNS integer LANGUAGE sql VOLATILE AS $$
    SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer
$$;

-- The number above which counting goes on. After a failover the server may lack what was given out before:
-- then it is above all that may have been.
CREATE FUNCTION pki.base(counter numeric, known integer, now integer) RETURNS numeric LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN known = now THEN counter
        ELSE greatest(counter + 4294967296, floor(extract(epoch FROM clock_timestamp()) * 1000000)) END
$$;

-- Reserves serial numbers after a failover; returns the last counter.
CREATE FUNCTION pki.reserve_serials(of_ca integer, count integer) RETURNS text LANGUAGE sql VOLATILE AS $$
    UPDATE pki.serial_counter SET counter = pki.base(counter, timeline, t.now) + count, timeline = t.now
    FROM (SELECT pki.timeline() AS now) t WHERE ca = of_ca RETURNING counter::text
$$;

-- Raises the counter to at least a number; returns it.
CREATE FUNCTION pki.raise_counter(of_ca integer, at_least text) RETURNS text LANGUAGE sql VOLATILE AS $$
    UPDATE pki.serial_counter SET counter = greatest(counter, at_least::numeric) WHERE ca = of_ca
    RETURNING counter::text
$$;

-- Reserves CRL numbers above all that were and above one that is published, for the holder of the lease;
-- returns the last.
CREATE FUNCTION pki.reserve_crls(of_ca integer, holder bigint, published text, count integer) RETURNS text
LANGUAGE sql VOLATILE AS $$
    UPDATE pki.crl_counter SET timeline = t.now,
        number = greatest(pki.base(number, timeline, t.now), published::numeric) + count
    FROM (SELECT pki.timeline() AS now) t WHERE ca = of_ca AND lease = holder RETURNING number::text
$$;

-- Those who issue hold the gate together, and whoever changes what they rely on holds it alone, each until its
-- transaction ends. Each statement of a function sees what was committed before it.
CREATE FUNCTION pki.enter_alone() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock(7367529, 1);
    UPDATE pki.store SET revision = revision + 1 RETURNING revision - 1;
$$;

-- Records the certificate of a leaf and its key, if there is one, unless the store has another revision than
-- `expected`: then it says so and does nothing.
CREATE FUNCTION pki.record_leaf(of_ca integer, expected bigint, its_serial bytea, its_counter text, its_cn text,
    its_key bigint, its_row text, its_record text, its_der bytea, its_pem bytea)
RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock_shared(7367529, 1);
    INSERT INTO pki.certificate (ca, serial, counter, cn, key, row, is_entry, record, der)
        SELECT of_ca, its_serial, its_counter::numeric, its_cn, its_key, its_row, false, its_record, its_der
        FROM pki.store s WHERE s.revision = expected;
    INSERT INTO pki.leaf_key (ca, serial, pem) SELECT of_ca, its_serial, its_pem
        FROM pki.store s WHERE s.revision = expected AND its_pem IS NOT NULL;
    SELECT s.revision = expected FROM pki.store s;
$$;

-- Records certificates and the keys of leaves, unless the store has another revision than `expected`: then it says so
-- and does nothing. `own` is the revision of certificates on which later decisions depend.
CREATE FUNCTION pki.record(of_ca integer, expected bigint, own bigint, serials bytea[], counters text[], cns text[],
    keys bigint[], renewed bytea[], rows text[], entries boolean[], records text[], ders bytea[], key_serials bytea[],
    pems bytea[])
RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock_shared(7367529, 1);
    INSERT INTO pki.certificate (ca, serial, counter, cn, key, renews, row, is_entry, revision, record, der)
        SELECT of_ca, u.serial, u.counter::numeric, u.cn, u.key, u.renews, u.row, u.entry, own, u.record, u.der
        FROM pki.store s, unnest(serials, counters, cns, keys, renewed, rows, entries, records, ders)
            AS u(serial, counter, cn, key, renews, row, entry, record, der) WHERE s.revision = expected;
    INSERT INTO pki.leaf_key (ca, serial, pem) SELECT of_ca, u.serial, u.pem
        FROM pki.store s, unnest(key_serials, pems) AS u(serial, pem) WHERE s.revision = expected;
    SELECT s.revision = expected FROM pki.store s;
$$;

-- The same for certificates on which later decisions depend: those with which the store gets its revision `own`, or
-- which a transaction records that has entered alone and given it to the store. `cas`: which of them are of CAs.
CREATE FUNCTION pki.record_alone(of_ca integer, expected bigint, own bigint, serials bytea[], counters text[],
    cns text[], keys bigint[], renewed bytea[], rows text[], entries boolean[], records text[], ders bytea[],
    key_serials bytea[], pems bytea[], cas boolean[])
RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock(7367529, 1);
    SELECT pki.record(of_ca, expected, own, serials, counters, cns, keys, renewed, rows, entries, records, ders,
        key_serials, pems);
    INSERT INTO pki.authority (ca, kind, number, serial, record, der)
        SELECT c.ca, 'certificate', c.id, c.serial, c.record, c.der
        FROM pki.store s, unnest(serials, cas) AS u(serial, ca), pki.certificate c
        WHERE s.revision = expected AND u.ca AND c.ca = of_ca AND c.serial = u.serial
        UNION ALL SELECT r.ca, 'revocation', r.number, r.serial, r.record, NULL
        FROM pki.store s, unnest(serials, cas) AS u(serial, ca), pki.revocation r
        WHERE s.revision = expected AND u.ca AND r.ca = of_ca AND r.serial = u.serial AND NOT r.is_compromise;
    UPDATE pki.store SET revision = own WHERE revision = expected RETURNING true;
$$;

-- Ends a transaction that records revocations behind one of them, those for compromised keys in `authority` as well:
-- nobody has recorded a CA certificate meanwhile that one of them is about.
CREATE FUNCTION pki.end_revocations(of_ca integer, behind bigint, last bigint, last_check text, is_inside boolean)
RETURNS void LANGUAGE sql VOLATILE AS $$
    UPDATE pki.revocation_end SET number = last, "check" = last_check WHERE ca = of_ca;
    SELECT pg_advisory_xact_lock(7367529, 1);
    INSERT INTO pki.authority (ca, kind, number, serial, record)
        SELECT r.ca, 'revocation', r.number, r.serial, r.record FROM pki.authority a, pki.revocation r
        WHERE a.ca = of_ca AND a.kind = 'certificate' AND r.ca = of_ca AND r.serial = a.serial AND r.number > behind
            AND NOT r.is_compromise;
    UPDATE pki.store SET revision = revision + 1 WHERE NOT is_inside;
$$;
