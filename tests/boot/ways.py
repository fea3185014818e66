"""The ways in: what a boot loader or firmware is given so that it starts the hypervisor, and QEMU's arguments for it.

    kernel              QEMU's own Multiboot 1 loader
    pvh                 QEMU's PVH loader: the image with its Multiboot magics blanked, kernel and initramfs in one file
    grub-multiboot      GRUB from a CD, started by the BIOS
    grub-multiboot2     the same with its other protocol
    syslinux            isolinux and its mboot.c32 from a CD
    efi                 xen.efi as the program that the firmware starts, xen.cfg beside it
    efi-systemd-boot    xen.efi by systemd-boot, from a folder of its own, options in the entry
    efi-chainload       xen.efi by GRUB's chainloader, with arguments
    efi-unified         one file: xen.efi with configuration, kernel and initramfs in it
    efi-shell           by the firmware's own shell, with -cfg=
    efi-mistakes        the same after every one of MISTAKES
    efi-multiboot2      GRUB as an EFI program, boot services handed on
"""
# SPDX-License-Identifier: Apache-2.0
import shutil
import struct
import subprocess
from pathlib import Path

import efi_media

CONSOLE = "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all"
MULTIBOOT_MAGICS = (0x1BADB002, 0xE85250D6)
GRUB_COMMANDS = {"multiboot": ("multiboot", "module"), "multiboot2": ("multiboot2", "module2")}

# GRUB talks on the serial line, so that its complaints are in the log of a test that fails.
GRUB_MENU = """\
set timeout=0
set gfxpayload=text
serial --unit=0 --speed=115200
terminal_output serial
menuentry philoxen {{
 {load} /boot/{xen} {placeholder}{xen_args}
 {module} /boot/kernel {placeholder}{kernel_args}
 {initrd}
}}
"""


def xen_args(boot) -> str:
    return f"{CONSOLE} {boot.xen_args}".strip()


def grub_iso(boot, scratch: Path, protocol: str, target: str = "i386-pc") -> Path:
    """A CD with GRUB whose only entry starts `boot`. A packed image stays packed, and is named so."""
    load, module = GRUB_COMMANDS[protocol]
    tree = scratch / "iso"
    (tree / "boot" / "grub").mkdir(parents=True)
    xen = "xen.gz" if boot.xen.suffix == ".gz" else "xen"
    shutil.copy(boot.xen, tree / "boot" / xen)
    shutil.copy(boot.kernel, tree / "boot" / "kernel")
    if boot.initrd:
        shutil.copy(boot.initrd, tree / "boot" / "initrd")
    # Debian's menu scripts put a word there: a loader that passes no image name would lose the first true one otherwise.
    (tree / "boot" / "grub" / "grub.cfg").write_text(GRUB_MENU.format(
        load=load, module=module, xen=xen, placeholder="placeholder ", xen_args=xen_args(boot), kernel_args=boot.kernel_args,
        initrd=f"{module} /boot/initrd" if boot.initrd else ""))
    iso = scratch / "boot.iso"
    subprocess.run(["grub-mkrescue", "-d", f"/usr/lib/grub/{target}", "-o", iso, tree], check=True, capture_output=True)
    shutil.rmtree(tree)
    return iso


SYSLINUX_FILES = ("/usr/lib/ISOLINUX/isolinux.bin", *(f"/usr/lib/syslinux/modules/bios/{name}.c32" for name in ("ldlinux", "libcom32", "mboot")))
SYSLINUX_MENU = """\
SERIAL 0 115200
DEFAULT philoxen
LABEL philoxen
 KERNEL mboot.c32
 APPEND {files}
"""


def syslinux_iso(boot, scratch: Path) -> Path:
    """A CD with isolinux, which knows no more of file names than 8.3."""
    tree = scratch / "iso"
    tree.mkdir()
    for path in SYSLINUX_FILES:
        shutil.copy(path, tree)
    parts = [(f"xen{boot.xen.suffix}", boot.xen, xen_args(boot)), ("kernel", boot.kernel, boot.kernel_args)]
    parts += [("initrd", boot.initrd, "")] if boot.initrd else []
    for name, path, _ in parts:
        shutil.copy(path, tree / name)
    (tree / "isolinux.cfg").write_text(SYSLINUX_MENU.format(files=" --- ".join(f"/{name} {arguments}".strip() for name, _, arguments in parts)))
    iso = scratch / "boot.iso"
    subprocess.run(["xorriso", "-as", "mkisofs", "-o", iso, "-b", "isolinux.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4",
                    "-boot-info-table", tree], check=True, capture_output=True)
    shutil.rmtree(tree)
    return iso


def without_multiboot(xen: Path, scratch: Path) -> Path:
    """A copy in which no loader finds a Multiboot header: QEMU then takes the PVH note."""
    image = bytearray(xen.read_bytes())
    for at in range(0, 32768, 4):
        if struct.unpack_from("<I", image, at)[0] in MULTIBOOT_MAGICS:
            image[at:at + 4] = bytes(4)
    copy = scratch / "xen-pvh"
    copy.write_bytes(image)
    return copy


def _kernel(boot, scratch: Path) -> list[str]:
    escaped = boot.kernel_args.replace(",", ",,")
    modules = f"{boot.kernel} {escaped}" + (f",{boot.initrd}" if boot.initrd else "")
    return ["-kernel", str(boot.xen), "-append", xen_args(boot), "-initrd", modules]


def _pvh(boot, scratch: Path) -> list[str]:
    modules = scratch / "dom0"
    modules.write_bytes(boot.kernel.read_bytes() + (boot.initrd.read_bytes() if boot.initrd else b""))
    return ["-kernel", str(without_multiboot(boot.xen, scratch)), "-append", f"{xen_args(boot)} -- {boot.kernel_args}",
            "-initrd", str(modules)]


def _grub_cd(protocol: str):
    return lambda boot, scratch: ["-cdrom", str(grub_iso(boot, scratch, protocol)), "-boot", "d"]


def _efi(files):
    """The way of an EFI system partition with files(boot, scratch) on it."""
    return lambda boot, scratch: efi_media.firmware(scratch) + efi_media.partition(files(boot, scratch), scratch)


def _efi_fallback(boot, scratch: Path) -> dict:
    return {efi_media.FALLBACK: efi_media.xen_efi(), "EFI/BOOT/xen.cfg": efi_media.configuration(boot, xen_args(boot)),
            **efi_media.dom0_files(boot, "EFI/BOOT/")}


def _efi_systemd_boot(boot, scratch: Path) -> dict:
    return {efi_media.FALLBACK: efi_media.SYSTEMD_BOOT, "xen/xen-4.17-amd64.efi": efi_media.xen_efi(),
            "xen/xen-4.17.cfg": efi_media.configuration(boot, CONSOLE), **efi_media.dom0_files(boot, "xen/"),
            "loader/loader.conf": "timeout 0\ndefault philoxen\n",
            "loader/entries/philoxen.conf": f"title Philoxen\nefi /xen/xen-4.17-amd64.efi\noptions debian -- {boot.xen_args}\n"}


def _efi_unified(boot, scratch: Path) -> dict:
    return {efi_media.FALLBACK: efi_media.unified(boot, xen_args(boot), scratch)}


# What is typed at the shell, the files that it needs, and what xen.efi must say before it returns.
MISTAKES = [
    ("xen.efi", {}, r"no configuration; looked for xen\.cfg in \\"),
    ("xen.efi -cfg=gone.cfg", {}, r"the configuration 'gone\.cfg' can't be opened in .*: not found"),
    ("xen.efi -cfg=other.cfg nowhere", {}, r"the configuration has no section \[nowhere\]"),
    ("xen.efi -cfg=other.cfg rescue", {}, r"the kernel 'nowhere' can't be opened in .*: not found"),
    ("xen.efi -cgf=x", {}, r"argument '-cgf=x' isn't understood"),
    ("xen.efi -cfg=wide.cfg", {"wide.cfg": "[global]\r\n".encode("utf-16")}, r"'wide\.cfg' isn't plain ASCII text"),
    ("xen.efi -cfg=empty.cfg", {"empty.cfg": ""}, r"the configuration 'empty\.cfg' is empty"),
    ("xen.efi -cfg=long.cfg", {"long.cfg": "#" * (1 << 20)}, r"'long\.cfg' is too large: 1048576 bytes, at most 65536 are read"),
]


def _efi_mistakes(boot, scratch: Path) -> dict:
    files = {name: content for _, needed, _ in MISTAKES for name, content in needed.items()}
    script = "fs0:\r\n" + "".join(f"{typed}\r\n" for typed, _, _ in MISTAKES) + f"xen.efi -cfg=other.cfg -- {boot.xen_args}\r\n"
    return _efi_shell(boot, scratch) | files | {"startup.nsh": script}


def _efi_shell(boot, scratch: Path) -> dict:
    # The boot manager falls back to the shell, which runs this script.
    return {"xen.efi": efi_media.xen_efi(), "other.cfg": efi_media.configuration(boot, CONSOLE), **efi_media.dom0_files(boot),
            "startup.nsh": f"fs0:\r\nxen.efi -cfg=other.cfg -- {boot.xen_args}\r\n"}


def _grub_efi(menu: str, modules: str, files) -> object:
    """GRUB as the firmware's program; its menu is built in."""
    def way(boot, scratch: Path) -> dict:
        config = scratch / "grub.cfg"
        config.write_text(menu.format(xen_args=xen_args(boot), more_args=boot.xen_args, kernel_args=boot.kernel_args,
                                      initrd="module2 /initrd.img" if boot.initrd else ""))
        program = scratch / "grub.efi"
        subprocess.run(["grub-mkstandalone", "-O", "x86_64-efi", "-o", program, "--modules", f"part_msdos fat serial search boot {modules}", "--fonts=",
                        "--locales=", "--themes=", f"boot/grub/grub.cfg={config}"], check=True, capture_output=True)
        return {efi_media.FALLBACK: program, **files(boot), **efi_media.dom0_files(boot)}
    return _efi(way)


GRUB_EFI_MENU = "serial --unit=0 --speed=115200\nterminal_output serial\nsearch --set=root --file /vmlinuz\n"
GRUB_EFI_MULTIBOOT2 = GRUB_EFI_MENU + ("multiboot2 /xen placeholder {xen_args}\nmodule2 /vmlinuz placeholder {kernel_args}\n"
                                       "{initrd}\nboot\n")
GRUB_EFI_CHAINLOAD = GRUB_EFI_MENU + "chainloader /xen.efi xen.efi -- {more_args}\nboot\n"

WAYS = {
    "kernel": _kernel,
    "pvh": _pvh,
    "grub-multiboot": _grub_cd("multiboot"),
    "grub-multiboot2": _grub_cd("multiboot2"),
    "syslinux": lambda boot, scratch: ["-cdrom", str(syslinux_iso(boot, scratch)), "-boot", "d"],
    "efi": _efi(_efi_fallback),
    "efi-systemd-boot": _efi(_efi_systemd_boot),
    "efi-unified": _efi(_efi_unified),
    "efi-shell": _efi(_efi_shell),
    "efi-mistakes": _efi(_efi_mistakes),
    "efi-chainload": _grub_efi(GRUB_EFI_CHAINLOAD, "chain", lambda boot: {
        "xen.efi": efi_media.xen_efi(), "xen.cfg": efi_media.configuration(boot, CONSOLE)}),
    "efi-multiboot2": _grub_efi(GRUB_EFI_MULTIBOOT2, "multiboot2", lambda boot: {"xen": boot.xen}),
}


def arguments(boot, scratch: Path) -> list[str]:
    """Of QEMU, for the way that `boot` names."""
    return WAYS[boot.way](boot, scratch)
