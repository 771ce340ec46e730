"""Writes a folder as `pki backup` would: FOLDER, the archive it came from, and the one to write.

The entries come in the order of the archive, those that are new behind the others; what is missing in
the folder is left out, and every hash and number is made anew.
"""

import hashlib
import json
import os
import sys
import tarfile

folder, like, to = sys.argv[1:]


def described(name):
    return name.split("/")[0] == "sums" or name == "end.json"


with tarfile.open(like) as archive:
    before = {member.name: member for member in archive}
known = [name for name in before if not described(name)]
there = []
for path, folders, files in os.walk(folder):
    there += [os.path.relpath(os.path.join(path, name), folder) for name in folders + files]
new = sorted(name for name in there if name not in before and not described(name))
names = [name for name in known if name in there] + new

hashes, files, octets = "", 0, 0
with tarfile.open(to, "w", format=tarfile.USTAR_FORMAT) as archive:

    def add(name, content, like):
        member = tarfile.TarInfo(name)
        member.mtime = like.mtime
        member.mode = like.mode
        if content is None:
            member.type = tarfile.DIRTYPE
            block = member.tobuf(tarfile.USTAR_FORMAT)
            # tarfile ends the names of folders with a slash.
            member.name = name
        else:
            member.size = len(content)
        block = bytearray(member.tobuf(tarfile.USTAR_FORMAT))
        wanted = name.encode()
        if bytes(block[: len(wanted) + 1]) == wanted + b"/":
            block[len(wanted)] = 0
        # The numbers of devices are no numbers of files and folders.
        block[329:345] = bytes(16)
        block[148:156] = b" " * 8
        block[148:156] = b"%07o\0" % sum(block)
        archive.fileobj.write(block)
        if content is not None:
            archive.fileobj.write(content + bytes(-len(content) % 512))

    for name in names:
        path = os.path.join(folder, name)
        like_it = before.get(name, before["store/rootCA"])
        if os.path.isdir(path):
            add(name, None, like_it)
            continue
        with open(path, "rb") as file:
            content = file.read()
        add(name, content, like_it)
        hashes += f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        files, octets = files + 1, octets + len(content)
    add("sums/000001.sha256", hashes.encode(), before["sums/000001.sha256"])
    end = json.dumps({"files": files, "octets": octets}, separators=(",", ":")) + "\n"
    add("end.json", end.encode(), before["end.json"])
    archive.fileobj.write(bytes(1024))
    archive.closed = True
    archive.fileobj.close()
