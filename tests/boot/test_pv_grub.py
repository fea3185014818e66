"""Debian's GRUB as a PV guest: `kernel = "…/grub-x86_64-xen.bin"` boots a guest from the disk that is its own."""
# SPDX-License-Identifier: Apache-2.0
import tempfile
from pathlib import Path

import efi_media
from dom0 import Dom0, Spec, guest_initrd
from guests import await_console, create, log_of
from paths import DEBIAN_KERNEL
from runner import machine_test

GRUB = "/usr/lib/grub-xen/grub-x86_64-xen.bin"   # of the package grub-xen-host
MENU = """\
set timeout=0
menuentry own {
    linux /boot/vmlinuz console=hvc0 quiet px.word=from-its-disk
    initrd /boot/initrd
}
"""
CONFIG = 'name = "grub"\ntype = "pv"\nmemory = 256\nvcpus = 2\nkernel = "/guests/grub.bin"\ndisk = [ "phy:/dev/sda,xvda,w" ]\n'


def from_its_disk(dom0: Dom0) -> None:
    dom0.wait("[ -b /dev/sda ]", 30)
    create(dom0, "grub", CONFIG)
    await_console(dom0, "grub", "^GUEST-READY", 120)
    said = dom0.run(f"cat {log_of('grub')}")
    assert "word from-its-disk type xen cpus 2" in said, said[-600:]
    dom0.run("xl shutdown -w grub", timeout=90)
    dom0.wait("! xl domid grub 2>/dev/null", 30, "grub was removed by who watches over it")


@machine_test(name="pv-guest-by-grub-philoxen", only_on="ours")
def by_grub(on: str) -> None:
    with tempfile.TemporaryDirectory(prefix="philoxen-") as folder:
        efi_media.partition({"boot/grub/grub.cfg": MENU, "boot/vmlinuz": DEBIAN_KERNEL, "boot/initrd": guest_initrd()}, Path(folder))
        devices = ("-device", "ahci,id=ahci", "-drive", f"file={folder}/esp.img,if=none,id=disk,format=raw", "-device", "ide-hd,drive=disk,bus=ahci.0")
        dom0 = Dom0(Spec(tools="philoxen", dom0="pv", devices=devices, debian_guest=False, copies=(("/guests/grub.bin", GRUB),)), on, "pv-guest-by-grub")
        try:
            from_its_disk(dom0)
        except BaseException as error:
            error.console_tail = dom0.console.tail()
            raise
        finally:
            dom0.stop()
