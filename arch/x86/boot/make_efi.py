#!/usr/bin/env python3
"""Writes the linked hypervisor as a PE32+ program of EFI firmware: make_efi.py xen xen.efi

The image runs at any page-aligned address without relocations (efi_start.cpp), so that the file holds an empty block of them
only: firmware takes it for a sign that the image may be moved. [microsoft pe; uefi 2.1.1]
"""
# SPDX-License-Identifier: Apache-2.0
import struct
import sys
from pathlib import Path

PAGE, FILE_UNIT = 4096, 512
MACHINE_X86_64, PE32_PLUS, SUBSYSTEM_EFI_APPLICATION = 0x8664, 0x20B, 10
EXECUTABLE, LARGE_ADDRESSES, NO_DEBUG = 0x2, 0x20, 0x200
HIGH_ENTROPY, DYNAMIC_BASE, NX_COMPATIBLE = 0x20, 0x40, 0x100
CODE, DATA, DISCARDABLE, EXECUTE, READ, WRITE = 0x20, 0x40, 0x02000000, 0x20000000, 0x40000000, 0x80000000
RELOCATIONS_DIRECTORY, DIRECTORIES = 5, 16
PREFERRED_BASE = 0x200000 - PAGE           # then the image lies where other loaders put it, if that is free
SBAT = ("sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
        "philoxen,1,Philoxen,philoxen,4.17,mailto:security@philoxen.invalid\n")


def up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def load_segments(elf: bytes) -> list[tuple[int, int, bytes, int]]:
    """(flags, address, content, size in memory) of each PT_LOAD."""
    offset, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    found = []
    for index in range(count):
        kind, flags, start, address, _, file_size, memory_size, _ = struct.unpack_from("<IIQQQQQQ", elf, offset + index * size)
        if kind == 1:
            found.append((flags, address, elf[start:start + file_size], memory_size))
    return found


def symbol(elf: bytes, wanted: str) -> int:
    table_offset, = struct.unpack_from("<Q", elf, 40)
    entry_size, count = struct.unpack_from("<HH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, table_offset + index * entry_size) for index in range(count)]
    for _, kind, _, _, offset, size, link, *_ in headers:
        if kind != 2:
            continue
        names = headers[link][4]
        for at in range(offset, offset + size, 24):
            name, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", elf, at)
            end = elf.index(b"\0", names + name)
            if elf[names + name:end].decode() == wanted:
                return value
    raise SystemExit(f"make_efi.py: the image has no symbol {wanted}")


def main(source: Path, target: Path) -> None:
    elf = source.read_bytes()
    segments = load_segments(elf)
    base = segments[0][1] - PAGE           # the headers take the page before the image
    rights = {5: (".text", CODE | EXECUTE | READ), 4: (".rodata", DATA | READ), 6: (".data", DATA | READ | WRITE)}
    sections = [(*rights[flags], address - base, content, size) for flags, address, content, size in segments]
    end = up(sections[-1][2] + sections[-1][4], PAGE)
    relocations = end
    nothing = struct.pack("<IIHH", PAGE, 12, 0, 0)
    sections.append((".reloc", DATA | DISCARDABLE | READ, relocations, nothing, len(nothing)))
    sections.append((".sbat", DATA | READ, relocations + PAGE, SBAT.encode(), len(SBAT)))
    image_size = relocations + 2 * PAGE

    body, table, at = b"", b"", PAGE
    for name, flags, address, content, size in sections:
        padded = content.ljust(up(len(content), FILE_UNIT), b"\0")
        table += struct.pack("<8sIIIIIIHHI", name.encode(), size, address, len(padded), at, 0, 0, 0, 0, flags)
        body += padded
        at += len(padded)
    code = sum(up(len(content), FILE_UNIT) for _, flags, _, content, _ in sections if flags & CODE)
    file_header = struct.pack("<HHIIIHH", MACHINE_X86_64, len(sections), 0, 0, 0, 112 + 8 * DIRECTORIES,
                              EXECUTABLE | LARGE_ADDRESSES | NO_DEBUG)
    optional = struct.pack("<HBBIIIII", PE32_PLUS, 0, 0, code, len(body) - code, 0, symbol(elf, "efi_entry") - base, PAGE)
    optional += struct.pack("<QIIHHHHHHIIIIHHQQQQII", PREFERRED_BASE, PAGE, FILE_UNIT, 0, 0, 4, 17, 0, 0, 0, image_size, PAGE, 0,
                            SUBSYSTEM_EFI_APPLICATION, HIGH_ENTROPY | DYNAMIC_BASE | NX_COMPATIBLE, 0, 0, 0, 0, 0, DIRECTORIES)
    for index in range(DIRECTORIES):
        optional += struct.pack("<II", *((relocations, len(nothing)) if index == RELOCATIONS_DIRECTORY else (0, 0)))
    dos = struct.pack("<2s58xI", b"MZ", 64)
    headers = dos + b"PE\0\0" + file_header + optional + table
    target.write_bytes(headers.ljust(PAGE, b"\0") + body)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
