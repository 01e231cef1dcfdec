"""Packs zips of one program tighter: by Zopfli, which tries longer for the same format.

    infra/pack.py target/lambda/*/bootstrap.zip

Lambda fetches a function's zip at each cold start. Without the package `zopfli` they stay as they are.
"""

import os
import struct
import sys
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

try:
    from zopfli.zlib import compress
except ImportError:
    compress = None

# PKWARE's APPNOTE 6.3, 4.3.7, 4.3.12 and 4.3.16: what stands before the data, the directory, and its end.
LOCAL, DIRECTORY, END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
VERSION, UNIX, DEFLATED = 20, 3 << 8, 8
# 1 January 1980: the same program is the same zip.
TIME, DATE = 0, 0x21
EXECUTABLE = 0o100755 << 16


def pack(path: Path) -> str:
    with zipfile.ZipFile(path) as zipped:
        (name,) = zipped.namelist()
        data = zipped.read(name)
    # Without what makes it zlib's: two bytes before, and four of a checksum behind.
    packed, crc, name = compress(data)[2:-4], zlib.crc32(data), name.encode()
    sizes = (crc, len(packed), len(data))
    local = LOCAL.pack(b"PK\3\4", VERSION, 0, DEFLATED, TIME, DATE, *sizes, len(name), 0) + name
    entry = (b"PK\1\2", VERSION | UNIX, VERSION, 0, DEFLATED, TIME, DATE, *sizes, len(name), 0, 0, 0, 0, EXECUTABLE, 0)
    directory = DIRECTORY.pack(*entry) + name
    end = END.pack(b"PK\5\6", 0, 0, 1, 1, len(directory), len(local) + len(packed), 0)
    new = path.with_suffix(".packed")
    new.write_bytes(local + packed + directory + end)
    with zipfile.ZipFile(new) as zipped:
        if zipped.testzip() or zipped.read(name.decode()) != data:
            raise SystemExit(f"{path} could not be packed")
    before = path.stat().st_size
    os.replace(new, path)
    return f"{path.parent.name}: {before / 1e6:.2f} MB, packed {path.stat().st_size / 1e6:.2f} MB"


if __name__ == "__main__":
    if compress is None:
        print("infra/build: without the Python package zopfli the zips stay a twentieth larger")
        sys.exit()
    with ProcessPoolExecutor() as pool:
        for done in pool.map(pack, map(Path, sys.argv[1:])):
            print(done, flush=True)
