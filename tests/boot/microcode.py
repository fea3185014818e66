"""Files of microcode updates in the makers' form, with no microcode in them: the emulated CPUs take none."""
# SPDX-License-Identifier: Apache-2.0
import struct

EPYC, SKYLAKE = 0x00800F12, 0x000506E3      # CPUID 1 EAX of QEMU's models
REVISION = 0x0800FFFF                      # newer than what it says it runs
AMD, INTEL = (f"kernel/x86/microcode/{vendor}.bin" for vendor in ("AuthenticAMD", "GenuineIntel"))


def amd_file(signature: int = EPYC, revision: int = REVISION) -> bytes:
    """One container with one patch."""
    table = struct.pack("<IIIHH", signature, 0, 0, 0x8012, 0) + bytes(16)
    patch = struct.pack("<II", 0, revision) + bytes(16) + struct.pack("<H", 0x8012) + bytes(230)
    return b"DMA\0" + struct.pack("<II", 0, len(table)) + table + struct.pack("<II", 1, len(patch)) + patch


def intel_file(signature: int = SKYLAKE, revision: int = REVISION, platforms: int = 1) -> bytes:
    """One update of the default sizes; the sum of all its words is 0."""
    data = bytes(2000)
    header = [1, revision, 0x01012026, signature, 0, 1, platforms, 0, 0, 0, 0, 0]
    header[4] = -sum(header) & 0xffffffff
    return struct.pack("<12I", *header) + data


def early_cpio(content: bytes, path: str = AMD) -> bytes:
    """The uncompressed first part of an initrd, as Debian's initramfs-tools writes it."""
    def entry(name: str, data: bytes) -> bytes:
        fields = [1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
    archive = entry(path, content) + entry("TRAILER!!!", b"")
    return archive + bytes(-len(archive) % 512)
