"""Secure Boot in OVMF with the key that Debian ships for tests: what isn't signed, or was changed, doesn't run."""
# SPDX-License-Identifier: Apache-2.0
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import secure_boot
from dom0 import Dom0, Spec, hypervisor
from machine import Boot, Machine
from paths import DEBIAN_KERNEL, DIST, GUESTS
from runner import boot_test, machine_test
from test_ways_in import MOUNT_VARIABLES, arrived

BAD = r"X64 Exception|panic on CPU"


def _register(way: str, kernel: Path, *sentences: str, memory: int = 1024, fail: str = BAD, key_after: int | None = None,
              slow: bool = False, patience: tuple[float, float] = (0, 120)) -> None:
    """`patience`: seconds at least and at most between the last two sentences."""
    @machine_test(name=way, only_on="ours", slow=slow)
    def body(on: str) -> None:
        boot = Boot(xen=hypervisor(on), kernel=kernel, way=way, profile="q35-smm", memory=memory, seconds=120, xen_args="dom0_mem=512M noreboot dom0=verbose")
        with Machine(boot, way) as machine:
            console = machine.console
            try:
                for index, sentence in enumerate(sentences):
                    before = time.monotonic()
                    console.expect(sentence, timeout=60, fail=fail)
                    if index == key_after:
                        console.type(" ")
                assert patience[0] <= time.monotonic() - before <= patience[1], f"it went on after {time.monotonic() - before:.0f} s"
                assert not console.seen(rf"command line: .*{secure_boot.EVIL}"), "somebody could add an option"
            except BaseException as error:
                error.console_tail = console.tail()
                raise


REFUSED = r"Secure Boot is on, and the kernel 'vmlinuz' isn't signed by a key of this machine: (access denied|security violation)"
BACK = (r"Philoxen was not started\. Press a key", r"BdsDxe: ")  # the firmware goes on
_register("efi-secure-unsigned", DEBIAN_KERNEL, REFUSED, *BACK,
          fail=rf"{BAD}|command line:", key_after=1)
# Here nobody presses a key: it goes on by itself.
_register("efi-secure-altered", DEBIAN_KERNEL, REFUSED, *BACK,
          fail=rf"{BAD}|command line:", patience=(10, 30))
_register("efi-secure-shim-altered", DEBIAN_KERNEL, REFUSED, *BACK[:1],
          fail=rf"{BAD}|command line:", key_after=1, slow=True)
IGNORES = r"Secure Boot is on and this image brings its configuration along: arguments are ignored"
OWN = r"Philoxen: the image's own configuration"
# The first disk's image takes no configuration from outside; the second's neither options nor, though it has no ramdisk of its own, an initrd.
_register("efi-secure-chained", GUESTS / "hello.elf", OWN, r"section \[debian\] of the configuration has no kernel=", r"was not started\. Press a key", IGNORES, OWN,
          r"EFI boot", r"command line: (?!.*px\.evil).* noreboot", r"dom0: start info \S+, ramdisk 0x0-0x0,", r"^PX-VERDICT hello pass", key_after=2,
          fail=rf"{BAD}|Philoxen: configuration |ramdisk of the boot loader")
_register("efi-secure-broken", GUESTS / "hello.elf", r"(?i)error loading .*(access denied|security violation)|security policy violation", fail=rf"{BAD}|Philoxen: ")


def _to_userspace(way: str, kind: str, *said: str, slow: bool = False) -> None:
    @boot_test(Spec(way=way, dom0=kind, profile="q35-smm", debian_guest=False, kernel_args="px.word=harbour"), name=f"{way}-dom0", only_on="ours", slow=slow)
    def body(dom0: Dom0) -> None:
        """Debian's kernel with its initramfs; nothing of what nobody has signed got in."""
        arrived(dom0, r"EFI boot")
        for sentence in said:
            assert dom0.console.seen(sentence), sentence
        assert secure_boot.EVIL not in dom0.run("xl info xen_commandline; cat /proc/cmdline")
        dom0.run(MOUNT_VARIABLES)
        # Four bytes of attributes, then the variable.
        assert dom0.run("tail -c 1 /sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c | od -An -tu1").strip() == "1", "Secure Boot is off"


_to_userspace("efi-secure", "", slow=True)
_to_userspace("efi-secure-shim", "")
_to_userspace("efi-secure-unified", "pvh", IGNORES, OWN)

NX_COMPATIBLE, DYNAMIC_BASE = 0x100, 0x40
EXECUTE, WRITE = 0x20000000, 0x80000000


def sections(image: bytes) -> dict[str, tuple[int, int, int, bytes]]:
    """Of a PE file: name to address, size in memory, flags, content."""
    header, = struct.unpack_from("<I", image, 0x3c)
    count, = struct.unpack_from("<H", image, header + 6)
    table = header + 24 + struct.unpack_from("<H", image, header + 20)[0]
    found = {}
    for at in range(table, table + 40 * count, 40):
        name, size, address, raw_size, raw = struct.unpack_from("<8sIIII", image, at)
        flags, = struct.unpack_from("<I", image, at + 36)
        found[name.rstrip(b"\0").decode()] = (address, size, flags, image[raw:raw + min(size, raw_size)])
    return found


@machine_test(name="efi-image-is-sound", only_on="ours")
def image_is_sound(on: str) -> None:
    """xen.efi as firmware with NX protection and shim want it, and as the tools read it."""
    image = (DIST / "xen.efi").read_bytes()
    header, = struct.unpack_from("<I", image, 0x3c)
    assert image[:2] == b"MZ" and image[header:header + 4] == b"PE\0\0" and struct.unpack_from("<H", image, header + 24)[0] == 0x20b, "no PE32+"
    alignment, = struct.unpack_from("<I", image, header + 24 + 32)
    characteristics, = struct.unpack_from("<H", image, header + 24 + 70)
    assert alignment == 4096, alignment
    assert characteristics & NX_COMPATIBLE and characteristics & DYNAMIC_BASE, hex(characteristics)
    found = sections(image)
    assert {".text", ".rodata", ".data", ".reloc", ".sbat"} <= set(found), list(found)
    end = 0
    for name, (address, size, flags, _) in found.items():
        assert not (flags & WRITE and flags & EXECUTE), f"{name} can be written and executed"
        assert bool(flags & EXECUTE) == (name == ".text"), f"{name}: {flags:#x}"
        assert address % 4096 == 0 and address >= end, f"{name} lies at {address:#x}"
        end = address + size
    entry, = struct.unpack_from("<I", image, header + 24 + 16)
    text = found[".text"]
    assert text[0] <= entry < text[0] + text[1], "the entry isn't code"
    relocations, size = struct.unpack_from("<II", image, header + 24 + 112 + 5 * 8)
    assert (relocations, size) == found[".reloc"][:2], "the directory doesn't name .reloc"
    rows = found[".sbat"][3].decode().rstrip("\0").splitlines()
    assert rows[0].startswith("sbat,1,") and rows[1].startswith("philoxen,1,") and all(row.count(",") == 5 for row in rows), rows
    printed = subprocess.run(["objdump", "-p", DIST / "xen.efi"], text=True, capture_output=True, check=True).stdout
    assert "file format pei-x86-64" in printed and "EFI application" in printed, printed[:400]
    scratch = Path(tempfile.mkdtemp())
    try:
        signed = secure_boot.sign(DIST / "xen.efi", scratch)      # which verifies what it has signed
        listed = subprocess.run(["sbverify", "--list", signed], text=True, capture_output=True, check=True).stdout
        assert "signature 1" in listed, listed
        broken = subprocess.run(["sbverify", "--cert", secure_boot.CERTIFICATE, secure_boot.altered(signed)], text=True, capture_output=True)
        assert broken.returncode != 0, "a changed image passes"
    finally:
        shutil.rmtree(scratch)
