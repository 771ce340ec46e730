//! Archives that are not what `pki backup` wrote.

use std::fs;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::assert_text;
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

/// Writes the sum of a header's bytes into it.
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

/// Requires that an archive is refused and leaves nothing, and returns the text.
#[track_caller]
fn refusal(sandbox: &Sandbox, archive: &[u8]) -> String {
    sandbox.write("bad.tar", archive);
    let before = Snapshot::of(sandbox.folder());
    let run = sandbox.pki("--store new restore bad.tar");
    let said = run.refusal(1, "invalid-backup");
    before.assert_unchanged(sandbox.folder());
    said
}

#[test]
fn entries_outside_of_the_store_are_refused() {
    let (sandbox, archive) = with_backup();
    let mut said = String::new();
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
        said += &refusal(&sandbox, &bad);
    }
    for kind in [b'1', b'2', b'3', b'4', b'6', b'x', b'g', b'L', b'S'] {
        let name = "store/rootCA/ca.key";
        let link = header(name, kind, &octal(0), "/etc/passwd");
        let bad = with_before(&archive, name, &link);
        said += &refusal(&sandbox, &bad);
    }
    assert_text(
        &said,
        expect![[r#"
            error: backup bad.tar cannot be restored: /etc/passwd has a header that `pki backup` does not write
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: ../escaped has a header that `pki backup` does not write
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/../escaped has a header that `pki backup` does not write
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/../../escaped has a header that `pki backup` does not write
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store//store.json has a header that `pki backup` does not write
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/./store.json has a header that `pki backup` does not write
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/lock does not belong to a store
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/.ca.crt.part does not belong to a store
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/.new-a/ca.key does not belong to a store
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/run.sh does not belong to a store
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/keys/..key does not belong to a store
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: elsewhere/store.json does not belong to a store
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/crl/index.html does not belong to a store
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.key is a hard link
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.key is a symbolic link
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.key is a device
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.key is a device
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.key is a pipe
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.key is neither a file nor a directory
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.key is neither a file nor a directory
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.key is neither a file nor a directory
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.key is neither a file nor a directory
            hint: nothing was restored; use the file exactly as the command backup wrote it
        "#]],
    );
}

#[test]
fn what_is_there_twice_or_in_no_folder_is_refused() {
    let (sandbox, archive) = with_backup();
    let mut said = String::new();
    let name = "store/rootCA/ca.crt";
    let twice = with_before(&archive, "sums/000001.sha256", &entry(name, b"another"));
    said += &refusal(&sandbox, &twice);
    let early = with_before(
        &archive,
        "store/store.json",
        &entry("store/other/ca.crt", b"x"),
    );
    said += &refusal(&sandbox, &early);
    let kind = with_before(&archive, "store/store.json", &entry("store/rootCA", b"x"));
    said += &refusal(&sandbox, &kind);
    assert_text(
        &said,
        expect![[r#"
            error: backup bad.tar cannot be restored: store/rootCA/ca.crt occurs twice
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/other/ca.crt comes before its directory
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA does not belong to a store
            hint: nothing was restored; use the file exactly as the command backup wrote it
        "#]],
    );
}

#[test]
fn a_size_that_the_archive_does_not_have_costs_nothing() {
    let (sandbox, archive) = with_backup();
    let mut said = String::new();
    let end = "sums/000001.sha256";
    let large = header("store/rootCA/revoked.jsonl.torn", b'0', "77777777777\0", "");
    said += &refusal(&sandbox, &with_before(&archive, end, &large));
    // As GNU tar writes what octal digits can't.
    let mut size = vec![0x80_u8];
    size.extend([0x7f; 11]);
    let mut huge = header("store/rootCA/issued.jsonl.torn", b'0', "", "");
    huge[124..136].copy_from_slice(&size);
    seal(&mut huge);
    let bad = with_before(&archive, end, &huge);
    said += &refusal(&sandbox, &bad);
    let manifest = [
        &header("backup.json", b'0', "77777777777\0", "")[..],
        &archive[BLOCK..],
    ]
    .concat();
    said += &refusal(&sandbox, &manifest);
    assert_text(
        &said,
        expect![[r#"
            error: backup bad.tar cannot be restored: store/rootCA/revoked.jsonl.torn is where the archive breaks off
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/issued.jsonl.torn has a header that `pki backup` does not write
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: backup.json is not what has this name in a backup
            hint: nothing was restored; use the file exactly as the command backup wrote it
        "#]],
    );
}

#[test]
fn what_is_no_backup_is_refused_by_what_it_is() {
    let (sandbox, archive) = with_backup();
    let mut said = String::new();
    said += &refusal(&sandbox, b"");
    said += &refusal(&sandbox, &[0; 10240]);
    said += &refusal(&sandbox, &b"no archive\n".repeat(500));
    for line in ["gzip -c", "xz -c", "bzip2 -c"] {
        let script = format!("{line} backup.tar >compressed");
        sandbox.run("sh", "-c").arg(script).succeeds();
        let compressed = fs::read(sandbox.path("compressed")).unwrap();
        said += &refusal(&sandbox, &compressed);
    }
    fs::remove_file(sandbox.path("compressed")).unwrap();
    sandbox
        .run("tar", "--format=ustar -cf other.tar pki")
        .succeeds();
    let other = fs::read(sandbox.path("other.tar")).unwrap();
    said += &refusal(&sandbox, &other);
    let missing = sandbox.pki("--store new restore missing.tar").ends_with(1);
    assert_text(
        &normalised(&missing.stderr),
        expect![[r#"
            error: could not open missing.tar
            caused by: No such file or directory (os error 2)
        "#]],
    );

    // Of another version, which says of itself no more than that.
    let manifest = place(&archive, "store");
    let newer = [
        &entry("backup.json", b"{\"backup\":2}")[..],
        &archive[manifest..],
    ]
    .concat();
    said += &refusal(&sandbox, &newer);
    let unread = [
        &entry("backup.json", b"{\"backup\":1}")[..],
        &archive[manifest..],
    ]
    .concat();
    said += &refusal(&sandbox, &unread);
    assert_text(
        &said,
        expect![[r#"
            error: backup bad.tar cannot be restored: it breaks off at its beginning
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: it does not begin as a backup does
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: it does not begin as a backup does
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: it is compressed with gzip
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: it is compressed with xz
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: it is compressed with bzip2
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: pki/ has a header that `pki backup` does not write
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: backup.json has version 2; this program reads version 1
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: backup.json cannot be read: missing field `pki`
            hint: nothing was restored; use the file exactly as the command backup wrote it
        "#]],
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
fn an_incomplete_store_with_right_hashes_is_refused() {
    let (sandbox, archive) = with_backup();
    let mut said = String::new();
    // First that it is the content that is refused.
    assert_eq!(forged(&sandbox, "true"), archive);
    for script in [
        "rm store/store.json",
        "echo '{\"format\":9}' >store/store.json",
        "rm store/rootCA/ca.json",
        "rm store/rootCA/ca.crt",
        "echo x >store/rootCA/ca.crt",
        "rm store/rootCA/serial",
        "echo 7 >store/rootCA/crlnumber",
        "rm store/rootCA/revoked.jsonl",
        "rmdir store/rootCA/keys",
        "rm -r store/rootCA",
        "sed -i s/CN=rootCA/CN=rootCB/ store/rootCA/issued.jsonl",
        "cp store/rootCA/issued.jsonl store/intermediate0",
        "sed -i s/rootCA/other/ store/intermediate0/ca.json",
        "mkdir store/third",
    ] {
        said += &refusal(&sandbox, &forged(&sandbox, script));
    }
    assert_text(
        &said,
        expect![[r#"
            error: backup bad.tar cannot be restored: store/ is not a store
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store has format 9; this program supports formats up to 5
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.json is missing
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.crt is missing
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.crt does not hold exactly one certificate
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/serial is missing
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/crlnumber is not a number of 39 digits and a newline
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/revoked.jsonl is missing
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/keys is missing
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/ca.json is missing
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/rootCA/issued.jsonl has a line 2 that does not follow from the line before it
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/intermediate0/issued.jsonl does not begin with the header of journal "issued" of intermediate0
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/intermediate0/ca.json is of a CA under other, which is missing
            hint: nothing was restored; use the file exactly as the command backup wrote it
            error: backup bad.tar cannot be restored: store/third is not a CA of this backup
            hint: nothing was restored; use the file exactly as the command backup wrote it
        "#]],
    );
}

#[test]
fn an_archive_that_is_cut_anywhere_is_refused() {
    let (sandbox, archive) = with_backup();
    let mut said = String::new();
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
        refusal(sandbox, &archive[..cut]);
    }
    // What tapes and disks add is no harm, and anything else is.
    let longer = [&archive[..], &[0; 4096]].concat();
    sandbox.write("longer.tar", longer);
    sandbox.pki("--store longer restore longer.tar").succeeds();
    let followed = [&archive[..], b"x"].concat();
    said += &refusal(sandbox, &followed);
    assert_text(
        &said,
        expect![[r#"
            error: backup bad.tar cannot be restored: end.json is followed by something
            hint: nothing was restored; use the file exactly as the command backup wrote it
        "#]],
    );
}

#[test]
fn an_archive_that_was_changed_anywhere_is_refused() {
    let (sandbox, archive) = with_backup();
    let mut said = String::new();
    let sandbox = &sandbox;
    // Every byte of a header, of the padding behind a file, and one in many of all others.
    let header = place(&archive, "store/rootCA/ca.key");
    let key = header..header + 2 * BLOCK;
    let places = key
        .step_by(7)
        .chain((0..archive.len()).step_by(archive.len() / 90));
    for place in places {
        let mut changed = archive.clone();
        changed[place] ^= 0x04;
        refusal(sandbox, &changed);
    }
    let content = place(&archive, "store/rootCA/ca.key") + BLOCK + 40;
    let mut changed = archive.clone();
    changed[content] ^= 1;
    said += &refusal(sandbox, &changed);
    assert_text(
        &said,
        expect![[r#"
            error: backup bad.tar cannot be restored: store/rootCA/ca.key is not what was backed up
            hint: nothing was restored; use the file exactly as the command backup wrote it
        "#]],
    );
}

crate::engine::also_in_a_database! {
    entries_outside_of_the_store_are_refused, what_is_there_twice_or_in_no_folder_is_refused,
    a_size_that_the_archive_does_not_have_costs_nothing, what_is_no_backup_is_refused_by_what_it_is,
    an_incomplete_store_with_right_hashes_is_refused,
}

crate::engine::soak_in_a_database! {
    an_archive_that_is_cut_anywhere_is_refused, an_archive_that_was_changed_anywhere_is_refused,
}
