//! Archives that are not what `pki backup` wrote.

use std::fs;

use crate::run::assert_same;
use crate::sandbox::Sandbox;
use crate::snapshot::Snapshot;

const BLOCK: usize = 512;

/// A header as POSIX has it, made without the library that `pki` reads it with.
fn header(name: &str, kind: u8, size: &str, link: &str) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    let mut put =
        |start: usize, text: &[u8]| block[start..start + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, size.as_bytes());
    put(136, b"00000000000\0");
    put(156, &[kind]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    seal(&mut block);
    block
}

/// Writes the sum of a header's octets into it.
fn seal(block: &mut [u8]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|octet| u32::from(*octet)).sum();
    block[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
}

fn octal(size: usize) -> String {
    format!("{size:011o}\0")
}

/// A file of an archive: a header, and content filled up to whole blocks.
fn entry(name: &str, content: &[u8]) -> Vec<u8> {
    let mut entry = header(name, b'0', &octal(content.len()), "");
    entry.extend_from_slice(content);
    entry.resize(entry.len().next_multiple_of(BLOCK), 0);
    entry
}

/// Two CAs, and their backup.
fn with_backup() -> (Sandbox, Vec<u8>) {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    sandbox.pki("-q backup backup.tar").succeeds();
    let archive = fs::read(sandbox.path("backup.tar")).unwrap();
    (sandbox, archive)
}

/// Where an entry begins.
#[track_caller]
fn place(archive: &[u8], name: &str) -> usize {
    let is_there = |block: &&[u8]| block.starts_with(format!("{name}\0").as_bytes());
    BLOCK
        * archive
            .chunks(BLOCK)
            .position(|block| is_there(&block))
            .unwrap()
}

/// The archive with something in front of an entry.
fn with_before(archive: &[u8], name: &str, inserted: &[u8]) -> Vec<u8> {
    let place = place(archive, name);
    [&archive[..place], inserted, &archive[place..]].concat()
}

/// The refusal names the archive and what is wrong with it, and leaves nothing.
#[track_caller]
fn assert_refused(sandbox: &Sandbox, archive: &[u8], problem: &str) {
    sandbox.write("bad.tar", archive);
    let before = Snapshot::of(sandbox.folder());
    let refused = sandbox.pki("--store new restore bad.tar").ends_with(1);
    assert_eq!(refused.stdout, "");
    assert_same(
        &refused.stderr,
        &format!(
            "error: bad.tar can't be restored: {problem}\n\
             hint: nothing was restored; what the command backup wrote is taken as it is, to the octet\n"
        ),
    );
    before.assert_unchanged(sandbox.folder());
}

#[test]
fn what_leads_out_of_the_store_or_is_none_of_its_files_is_refused() {
    let (sandbox, archive) = with_backup();
    let nothing = "is nothing that a store has";
    for name in [
        "/etc/passwd",
        "../escaped",
        "store/../escaped",
        "store/rootCA/../../escaped",
        "store//store.json",
        "store/./store.json",
        "store/rootCA/lock",
        "store/rootCA/.ca.crt.part",
        "store/.new-a/ca.key",
        "store/rootCA/run.sh",
        "store/rootCA/keys/..key",
        "elsewhere/store.json",
        "store/crl/index.html",
    ] {
        let bad = with_before(&archive, "sums/000001.sha256", &entry(name, b"x"));
        // What the headers of a backup can't even have is refused as such.
        let unwritable = name.starts_with('/') || name.contains("..") || name.contains("./");
        let unwritable = unwritable || name.contains("//");
        let problem = if unwritable && !name.ends_with("..key") {
            "has a header that `pki backup` does not write"
        } else {
            nothing
        };
        assert_refused(&sandbox, &bad, &format!("{name} {problem}"));
    }
    for (kind, what) in [
        (b'1', "a hard link"),
        (b'2', "a symbolic link"),
        (b'3', "a device"),
        (b'4', "a device"),
        (b'6', "a pipe"),
        (b'x', "neither a file nor a folder"),
        (b'g', "neither a file nor a folder"),
        (b'L', "neither a file nor a folder"),
        (b'S', "neither a file nor a folder"),
    ] {
        let name = "store/rootCA/ca.key";
        let link = header(name, kind, &octal(0), "/etc/passwd");
        let bad = with_before(&archive, name, &link);
        assert_refused(&sandbox, &bad, &format!("{name} is {what}"));
    }
}

#[test]
fn what_is_there_twice_or_in_no_folder_is_refused() {
    let (sandbox, archive) = with_backup();
    let name = "store/rootCA/ca.crt";
    let twice = with_before(&archive, "sums/000001.sha256", &entry(name, b"another"));
    assert_refused(&sandbox, &twice, &format!("{name} is there twice"));
    let early = with_before(
        &archive,
        "store/store.json",
        &entry("store/other/ca.crt", b"x"),
    );
    let problem = "store/other/ca.crt comes before the folder that it is in";
    assert_refused(&sandbox, &early, problem);
    let kind = with_before(&archive, "store/store.json", &entry("store/rootCA", b"x"));
    assert_refused(&sandbox, &kind, "store/rootCA is nothing that a store has");
}

#[test]
fn a_size_that_the_archive_does_not_have_costs_nothing() {
    let (sandbox, archive) = with_backup();
    let end = "sums/000001.sha256";
    let large = header("store/rootCA/revoked.jsonl.torn", b'0', "77777777777\0", "");
    assert_refused(
        &sandbox,
        &with_before(&archive, end, &large),
        "store/rootCA/revoked.jsonl.torn is where the archive breaks off",
    );
    // As GNU tar writes what octal digits can't.
    let mut size = vec![0x80_u8];
    size.extend([0x7f; 11]);
    let mut huge = header("store/rootCA/issued.jsonl.torn", b'0', "", "");
    huge[124..136].copy_from_slice(&size);
    seal(&mut huge);
    let bad = with_before(&archive, end, &huge);
    sandbox.write("bad.tar", &bad);
    let refused = sandbox.pki("--store new restore bad.tar").ends_with(1);
    assert!(
        refused.stderr.contains("store/rootCA/issued.jsonl.torn "),
        "{refused}"
    );
    assert!(!sandbox.path("new").exists());
    let manifest = [
        &header("backup.json", b'0', "77777777777\0", "")[..],
        &archive[BLOCK..],
    ]
    .concat();
    assert_refused(
        &sandbox,
        &manifest,
        "backup.json is not what has this name in a backup",
    );
}

#[test]
fn what_is_no_backup_is_refused_by_what_it_is() {
    let (sandbox, archive) = with_backup();
    assert_refused(&sandbox, b"", "it breaks off at its beginning");
    assert_refused(&sandbox, &[0; 10240], "it does not begin as a backup does");
    assert_refused(
        &sandbox,
        &b"no archive\n".repeat(500),
        "it does not begin as a backup does",
    );
    for (line, program) in [("gzip -c", "gzip"), ("xz -c", "xz"), ("bzip2 -c", "bzip2")] {
        let script = format!("{line} backup.tar >compressed");
        sandbox.run("sh", "-c").arg(script).succeeds();
        let compressed = fs::read(sandbox.path("compressed")).unwrap();
        assert_refused(
            &sandbox,
            &compressed,
            &format!("it is compressed with {program}"),
        );
    }
    fs::remove_file(sandbox.path("compressed")).unwrap();
    sandbox
        .run("tar", "--format=ustar -cf other.tar pki")
        .succeeds();
    let other = fs::read(sandbox.path("other.tar")).unwrap();
    sandbox.write("bad.tar", &other);
    let refused = sandbox.pki("--store new restore bad.tar").ends_with(1);
    assert!(
        refused
            .stderr
            .starts_with("error: bad.tar can't be restored: pki/ "),
        "{refused}"
    );
    let missing = sandbox.pki("--store new restore missing.tar").ends_with(1);
    assert!(
        missing
            .stderr
            .starts_with("error: could not open missing.tar\n"),
        "{missing}"
    );

    // Of another version, which says of itself no more than that.
    let manifest = place(&archive, "store");
    let newer = [
        &entry("backup.json", b"{\"backup\":2}")[..],
        &archive[manifest..],
    ]
    .concat();
    assert_refused(
        &sandbox,
        &newer,
        "backup.json is of version 2; this program knows version 1",
    );
    let unread = [
        &entry("backup.json", b"{\"backup\":1}")[..],
        &archive[manifest..],
    ]
    .concat();
    assert_refused(
        &sandbox,
        &unread,
        "backup.json can't be read: missing field `pki`",
    );
}

/// The archive with other content in a file, for which all hashes are right.
fn forged(sandbox: &Sandbox, script: &str) -> Vec<u8> {
    let script = format!(
        "set -e; rm -rf forged; mkdir forged; tar -xf backup.tar -C forged; cd forged; {script}"
    );
    sandbox.run("bash", "-c").arg(script).succeeds();
    let mut run = sandbox.python("backup_of.py").arg("forged");
    run = run.arg("backup.tar").arg("forged.tar");
    run.succeeds();
    fs::remove_dir_all(sandbox.path("forged")).unwrap();
    fs::read(sandbox.path("forged.tar")).unwrap()
}

#[test]
fn what_is_no_whole_store_is_refused_although_every_hash_is_right() {
    let (sandbox, archive) = with_backup();
    // First that it is the content that is refused.
    assert_eq!(forged(&sandbox, "true"), archive);
    for (script, problem) in [
        ("rm store/store.json", "store/ is no store"),
        (
            "echo '{\"format\":9}' >store/store.json",
            "store has format 9; this program knows formats up to 3",
        ),
        ("rm store/rootCA/ca.json", "store/rootCA/ca.json is missing"),
        ("rm store/rootCA/ca.crt", "store/rootCA/ca.crt is missing"),
        (
            "echo x >store/rootCA/ca.crt",
            "store/rootCA/ca.crt does not hold one certificate",
        ),
        ("rm store/rootCA/serial", "store/rootCA/serial is missing"),
        (
            "echo 7 >store/rootCA/crlnumber",
            "store/rootCA/crlnumber is not a number of 39 digits and a newline",
        ),
        (
            "rm store/rootCA/revoked.jsonl",
            "store/rootCA/revoked.jsonl is missing",
        ),
        ("rmdir store/rootCA/keys", "store/rootCA/keys is missing"),
        ("rm -r store/rootCA", "store/rootCA/ca.json is missing"),
        (
            "sed -i s/CN=rootCA/CN=rootCB/ store/rootCA/issued.jsonl",
            "store/rootCA/issued.jsonl has a line 2 that does not follow from the one before",
        ),
        (
            "cp store/rootCA/issued.jsonl store/intermediate0",
            "store/intermediate0/issued.jsonl does not begin as the journal \"issued\" of intermediate0 does",
        ),
        (
            "sed -i s/rootCA/other/ store/intermediate0/ca.json",
            "store/intermediate0/ca.json is about a CA under other, which is missing",
        ),
        (
            "mkdir store/third",
            "store/third is none of the CAs of this backup",
        ),
    ] {
        assert_refused(&sandbox, &forged(&sandbox, script), problem);
    }
}

#[test]
fn an_archive_that_is_cut_anywhere_is_refused() {
    let (sandbox, archive) = with_backup();
    let sandbox = &sandbox;
    let step = archive.len() / 60;
    let cuts = (1..archive.len()).step_by(step).chain([
        BLOCK,
        place(&archive, "store"),
        place(&archive, "sums/000001.sha256"),
        place(&archive, "end.json"),
        archive.len() - 2 * BLOCK,
        archive.len() - BLOCK,
        archive.len() - 1,
    ]);
    for cut in cuts {
        sandbox.write("bad.tar", &archive[..cut]);
        let before = Snapshot::of(sandbox.folder());
        let refused = sandbox.pki("--store new restore bad.tar").ends_with(1);
        let is_said = refused.stderr.contains(" breaks off");
        assert!(is_said, "cut at {cut}: {refused}");
        before.assert_unchanged(sandbox.folder());
    }
    // What tapes and disks add is no harm, and anything else is.
    let longer = [&archive[..], &[0; 4096]].concat();
    sandbox.write("longer.tar", longer);
    sandbox.pki("--store longer restore longer.tar").succeeds();
    let followed = [&archive[..], b"x"].concat();
    assert_refused(sandbox, &followed, "end.json is followed by something");
}

#[test]
fn an_archive_that_was_changed_anywhere_is_refused() {
    let (sandbox, archive) = with_backup();
    let sandbox = &sandbox;
    // Every octet of a header, of the padding behind a file, and one in many of all others.
    let header = place(&archive, "store/rootCA/ca.key");
    let key = header..header + 2 * BLOCK;
    let places = key
        .step_by(7)
        .chain((0..archive.len()).step_by(archive.len() / 90));
    for place in places {
        let mut changed = archive.clone();
        changed[place] ^= 0x04;
        sandbox.write("bad.tar", &changed);
        let before = Snapshot::of(sandbox.folder());
        let refused = sandbox.pki("--store new restore bad.tar").ends_with(1);
        let is_said = refused
            .stderr
            .starts_with("error: bad.tar can't be restored: ");
        assert!(is_said, "changed at {place}: {refused}");
        before.assert_unchanged(sandbox.folder());
    }
    let content = place(&archive, "store/rootCA/ca.key") + BLOCK + 40;
    let mut changed = archive.clone();
    changed[content] ^= 1;
    assert_refused(
        sandbox,
        &changed,
        "store/rootCA/ca.key is not what was backed up",
    );
}
