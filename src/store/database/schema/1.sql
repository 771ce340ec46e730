-- Version 1. Everything is in the schema `pki`; one database holds one store.
CREATE SCHEMA pki;

-- One row. `revision` counts every change but the issuing of leaves: whoever decides on what it has read compares
-- it when the decision is committed.
CREATE TABLE pki.store (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
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
    ca integer NOT NULL REFERENCES pki.ca ON DELETE CASCADE,
    serial bytea NOT NULL,
    pem bytea NOT NULL,
    PRIMARY KEY (ca, serial)
);

-- Counters, in tables of their own: who reserves a number waits for no one who revokes.
CREATE TABLE pki.serial_counter (
    ca integer PRIMARY KEY REFERENCES pki.ca ON DELETE CASCADE,
    counter numeric(39) NOT NULL,
    timeline integer NOT NULL
);
CREATE TABLE pki.crl_counter (
    ca integer PRIMARY KEY REFERENCES pki.ca ON DELETE CASCADE,
    number numeric(39) NOT NULL,
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
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ca integer NOT NULL REFERENCES pki.ca ON DELETE CASCADE,
    serial bytea NOT NULL,
    counter numeric(39) NOT NULL,
    cn text NOT NULL,
    profile text NOT NULL,
    not_after bigint NOT NULL,
    -- Hash of the secret part of the public key.
    key bytea,
    renews bytea,
    batch text,
    -- Row of a table that it was issued for, which is issued once.
    row text,
    is_entry boolean NOT NULL,
    is_ca boolean NOT NULL,
    -- Revision of the store at which it was recorded, if later decisions depend on it.
    revision bigint,
    record text NOT NULL,
    der bytea,
    UNIQUE (ca, serial)
);
CREATE INDEX certificate_cn ON pki.certificate (ca, cn);
CREATE INDEX certificate_end ON pki.certificate (ca, not_after);
CREATE INDEX certificate_key ON pki.certificate (key);
CREATE INDEX certificate_order ON pki.certificate (ca, id);
CREATE INDEX certificate_batch ON pki.certificate (ca, batch) WHERE batch IS NOT NULL;
CREATE UNIQUE INDEX certificate_row ON pki.certificate (ca, row) WHERE row IS NOT NULL;
CREATE INDEX certificate_entry ON pki.certificate (ca, id) WHERE is_entry;
CREATE INDEX certificate_ca ON pki.certificate (ca, id) WHERE is_ca;
CREATE INDEX certificate_renews ON pki.certificate (ca, revision) WHERE revision IS NOT NULL;

-- Numbered without gaps, in the order of commits.
CREATE TABLE pki.revocation (
    ca integer NOT NULL REFERENCES pki.ca ON DELETE CASCADE,
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

CREATE TABLE pki.crl (
    ca integer NOT NULL REFERENCES pki.ca ON DELETE CASCADE,
    number numeric(39) NOT NULL,
    ahead boolean NOT NULL,
    record text NOT NULL,
    PRIMARY KEY (ca, number)
);
CREATE TABLE pki.presigned_crl (
    ca integer NOT NULL REFERENCES pki.ca ON DELETE CASCADE,
    number numeric(39) NOT NULL,
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

-- Reserves serial numbers; returns the last counter.
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
-- transaction ends.
CREATE FUNCTION pki.enter() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7367529, 1);
    RETURN (SELECT revision FROM pki.store);
END $$;
CREATE FUNCTION pki.enter_alone() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7367529, 1);
    UPDATE pki.store SET revision = revision + 1;
    RETURN (SELECT revision - 1 FROM pki.store);
END $$;

-- Records certificates and the keys of leaves, unless the store changed since `seen`: then it says so and does
-- nothing. `counts`: later decisions depend on these certificates. `is_inside`: the transaction has entered alone.
CREATE FUNCTION pki.record(of_ca integer, seen bigint, counts boolean, is_inside boolean, serials bytea[],
    counters text[], cns text[], profiles text[], ends bigint[], hashes bytea[], renewed bytea[], batches text[], rows text[],
    entries boolean[], cas boolean[], records text[], ders bytea[], key_serials bytea[], pems bytea[])
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE found_revision bigint; own bigint;
BEGIN
    IF is_inside THEN SELECT revision - 1 INTO found_revision FROM pki.store;
    ELSIF counts THEN found_revision := pki.enter_alone();
    ELSE found_revision := pki.enter();
    END IF;
    IF found_revision <> seen THEN
        IF counts AND NOT is_inside THEN UPDATE pki.store SET revision = revision - 1; END IF;
        RETURN false;
    END IF;
    own := CASE WHEN counts THEN seen + 1 END;
    INSERT INTO pki.certificate (ca, serial, counter, cn, profile, not_after, key, renews, batch, row, is_entry, is_ca,
        revision, record, der)
    SELECT of_ca, u.serial, u.counter::numeric, u.cn, u.profile, u.not_after, u.key, u.renews, u.batch, u.row, u.entry,
        u.ca,
        own, u.record, u.der
    FROM unnest(serials, counters, cns, profiles, ends, hashes, renewed, batches, rows, entries, cas, records, ders)
        AS u(serial, counter, cn, profile, not_after, key, renews, batch, row, entry, ca, record, der);
    INSERT INTO pki.leaf_key (ca, serial, pem) SELECT of_ca, u.serial, u.pem FROM unnest(key_serials, pems)
        AS u(serial, pem);
    RETURN true;
END $$;
