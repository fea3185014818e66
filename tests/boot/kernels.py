"""Kernels packed in other ways than Debian's: the same setup code around another payload, plain compressed ELF files, and damaged ones."""
# SPDX-License-Identifier: Apache-2.0
import gzip
import lzma
import struct
import subprocess
from pathlib import Path

import debian
from paths import DEBIAN_KERNEL, WORK

SECTORS, PARAGRAPHS, PAYLOAD_OFFSET, PAYLOAD_LENGTH = 0x1f1, 0x1f4, 0x248, 0x24c  # of the setup header [linux boot.rst]


def _by_program(*command: str):
    return lambda data: subprocess.run(command, input=data, capture_output=True, check=True).stdout


# As Linux's build does it; the LZ4 format is the legacy one.
COMPRESSORS = {
    "gzip": lambda data: gzip.compress(data, 1, mtime=0),
    "xz": lambda data: lzma.compress(data, check=lzma.CHECK_CRC32, preset=0),
    "zstd": _by_program("zstd", "-q", "-1", "-c"),
    "lz4": _by_program("lz4", "-q", "-l", "-1", "-c"),
}


def bzimage(elf: bytes, form: str) -> bytes:
    """Debian's bzImage around another payload. All compressions but gzip have the unpacked size behind them."""
    image = bytearray(DEBIAN_KERNEL.read_bytes())
    start = ((image[SECTORS] or 4) + 1) * 512 + struct.unpack_from("<I", image, PAYLOAD_OFFSET)[0]
    payload = COMPRESSORS[form](elf) + (b"" if form == "gzip" else struct.pack("<I", len(elf)))
    struct.pack_into("<I", image, PAYLOAD_LENGTH, len(payload))
    packed = bytes(image[:start]) + payload
    packed += bytes(-len(packed) % 512)
    code = (len(packed) - ((image[SECTORS] or 4) + 1) * 512) // 16
    return packed[:PARAGRAPHS] + struct.pack("<I", code) + packed[PARAGRAPHS + 4:]


def damaged(packed: bytes, form: str = "xz") -> bytes:
    """A whole file with some bytes in its middle overwritten: of LZ4, which has no checksum, so many that its sequences break."""
    middle = len(packed) // 2
    bad = len(packed) // 4 if form == "lz4" else 512
    return packed[:middle] + b"\xff" * bad + packed[middle + bad:]


def repacked(name: str, source: Path, make) -> Path:
    """A file of what make() makes of the bytes of `source`; made anew when that, or how it is made, has changed."""
    path = WORK / f"kernel-{name}"
    if not path.exists() or path.stat().st_mtime < max(source.stat().st_mtime, Path(__file__).stat().st_mtime):
        WORK.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make(source.read_bytes()))
    return path


def debian_as(form: str) -> Path:
    return repacked(f"debian-{form}", debian.unpacked_kernel(), lambda elf: bzimage(elf, form))
