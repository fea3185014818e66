"""The ways in: what a boot loader or firmware is given so that it starts the hypervisor, and QEMU's arguments for it.

    kernel              QEMU's own Multiboot 1 loader
    pvh                 QEMU's PVH loader: the image with its Multiboot magics blanked, kernel and initramfs in one file
    grub-multiboot      GRUB from a CD, started by the BIOS
    grub-multiboot2     the same with its other protocol
    debian-multiboot    the same with the menu that Debian's 20_linux_xen makes
    debian-multiboot2
    debian-efi          the same menu, by GRUB as an EFI program
    syslinux            isolinux and its mboot.c32 from a CD
    efi                 xen.efi as the program that the firmware starts, xen.cfg beside it
    efi-systemd-boot    xen.efi by systemd-boot, from a folder of its own, options in the entry
    efi-systemd-boot-plain  the same without `options` in the entry
    efi-systemd-boot-initrd an entry of the kind for Linux, whose initramfs systemd-boot offers; its options begin with the image's name
    efi-chainload       xen.efi by GRUB's chainloader, with arguments; before that with -?
    efi-unified         one file: xen.efi with configuration, kernel and initramfs in it
    efi-shell           by the firmware's own shell, with -cfg=
    efi-mistakes        the same after every one of MISTAKES, with -mapbs and -basevideo, by chain=
    efi-offered-initrd  the same with an initramfs that the shell offers (LoadFile2)
    efi-microcode       as efi, with ucode= in xen.cfg
    efi-hole            firmware that keeps 15 MiB for itself where dom0's kernel must be
    efi-secure-…        with Secure Boot on: secure_boot.py
    kernel-alone        QEMU's loader without modules
    kernel-swapped      with the initramfs before the kernel
    efi-multiboot2      GRUB as an EFI program, boot services handed on
"""
# SPDX-License-Identifier: Apache-2.0
import gzip
import re
import shutil
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import debian_menu
import efi_media
import microcode
import secure_boot

CONSOLE = "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all"
MULTIBOOT1_MAGIC, MULTIBOOT2_MAGIC = 0x1BADB002, 0xE85250D6
GRUB_COMMANDS = {"multiboot": ("multiboot", "module"), "multiboot2": ("multiboot2", "module2")}

# GRUB talks on the serial line, so that its complaints are in the log of a test that fails.
GRUB_MENU = """\
set timeout=0
serial --unit=0 --speed=115200
terminal_output serial
menuentry philoxen {{
 {load} /boot/{xen} {placeholder}{xen_args}
 {module} /boot/kernel {placeholder}{kernel_args}
 {initrd}
 set gfxpayload={screen}
}}
"""
# Set behind the loader's command, which makes it `auto`. Multiboot 1 has no word for a framebuffer here.
GRUB_SCREENS = {"multiboot": "text", "multiboot2": "800x600x32"}


def xen_args(boot) -> str:
    return f"{CONSOLE} {boot.xen_args}".strip()


def grub_iso(boot, scratch: Path, protocol: str) -> Path:
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
        load=load, module=module, screen=GRUB_SCREENS[protocol], xen=xen, placeholder="placeholder ", xen_args=xen_args(boot), kernel_args=boot.kernel_args,
        initrd=f"{module} /boot/initrd" if boot.initrd else ""))
    iso = scratch / "boot.iso"
    subprocess.run(["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "-o", iso, tree], check=True, capture_output=True)
    shutil.rmtree(tree)
    return iso


def without_magic(xen: Path, magic: int, target: Path) -> Path:
    """A copy of the packed or plain image in which no loader finds the Multiboot header with this magic."""
    image = bytearray(gzip.decompress(xen.read_bytes()) if xen.suffix == ".gz" else xen.read_bytes())
    for at in range(0, 32768, 4):
        if struct.unpack_from("<I", image, at)[0] == magic:
            image[at:at + 4] = bytes(4)
    target.write_bytes(gzip.compress(bytes(image), 1) if xen.suffix == ".gz" else image)
    return target


def debian_menu_iso(boot, scratch: Path, protocol: str, target: str = "i386-pc") -> Path:
    """A CD with GRUB whose menu Debian's own scripts have made, for the image under the name that they look for."""
    xen = boot.xen
    if protocol == "multiboot":            # they prefer the other one
        xen = without_magic(xen, MULTIBOOT2_MAGIC, scratch / f"xen-multiboot{xen.suffix}")
    files = {f"{debian_menu.XEN_NAME}{xen.suffix}": xen, f"vmlinuz-{debian_menu.VERSION}": boot.kernel}
    if boot.initrd:
        files[f"initrd.img-{debian_menu.VERSION}"] = boot.initrd
    folder, menu = debian_menu.make(files, xen_args(boot), boot.kernel_args, scratch)
    load, _ = GRUB_COMMANDS[protocol]
    if not re.search(rf"^\s*{load}\s+/boot/{debian_menu.XEN_NAME}", menu, re.M) or f"{debian_menu.XEN_NAME}.config" in menu:
        raise AssertionError(f"Debian's scripts made no entry for {load}:\n{menu}")
    iso = scratch / "boot.iso"
    tree = scratch / "iso"
    tree.mkdir()
    shutil.move(folder, tree / "boot")
    subprocess.run(["grub-mkrescue", "-d", f"/usr/lib/grub/{target}", "-o", iso, tree, "--", "-volume_date", "uuid", debian_menu.VOLUME_DATE],
                   check=True, capture_output=True)
    shutil.rmtree(tree)
    shutil.rmtree(scratch / "chroot")
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
    return without_magic(without_magic(xen, MULTIBOOT1_MAGIC, scratch / "xen-2"), MULTIBOOT2_MAGIC, scratch / "xen-pvh")


def _kernel(boot, scratch: Path) -> list[str]:
    escaped = boot.kernel_args.replace(",", ",,")
    modules = f"{boot.kernel} {escaped}" + (f",{boot.initrd}" if boot.initrd else "")
    return ["-kernel", str(boot.xen), "-append", xen_args(boot), "-initrd", modules]


def _kernel_alone(boot, scratch: Path) -> list[str]:
    return ["-kernel", str(boot.xen), "-append", xen_args(boot)]


def _kernel_swapped(boot, scratch: Path) -> list[str]:
    return [*_kernel_alone(boot, scratch), "-initrd", f"{boot.initrd},{boot.kernel}"]


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


def _debian_efi(boot, scratch: Path) -> list[str]:
    return [*efi_media.firmware(scratch), "-cdrom", str(debian_menu_iso(boot, scratch, "multiboot2", "x86_64-efi"))]


def _efi_fallback(boot, scratch: Path) -> dict:
    return {efi_media.FALLBACK: efi_media.xen_efi(), "EFI/BOOT/xen.cfg": efi_media.configuration(boot, xen_args(boot)),
            **efi_media.dom0_files(boot, "EFI/BOOT/")}


def _efi_systemd_boot(boot, scratch: Path) -> dict:
    return {efi_media.FALLBACK: efi_media.SYSTEMD_BOOT, "xen/xen-4.17-amd64.efi": efi_media.xen_efi(),
            "xen/xen-4.17.cfg": efi_media.configuration(boot, CONSOLE), **efi_media.dom0_files(boot, "xen/"),
            "loader/loader.conf": "timeout 0\ndefault philoxen\n",
            "loader/entries/philoxen.conf": f"title Philoxen\nefi /xen/xen-4.17-amd64.efi\noptions debian -- {boot.xen_args}\n"}


def _efi_systemd_boot_plain(boot, scratch: Path) -> dict:
    return _efi_systemd_boot(boot, scratch) | {
        "xen/xen-4.17.cfg": efi_media.configuration(boot, xen_args(boot)),
        "loader/entries/philoxen.conf": "title Philoxen\nefi /xen/xen-4.17-amd64.efi\n"}


def _efi_systemd_boot_initrd(boot, scratch: Path) -> dict:
    """As an entry for Linux: systemd-boot reads the initramfs, and offers it."""
    config = efi_media.configuration(boot, CONSOLE).replace("ramdisk=initrd.img\r\n", "")
    return _efi_systemd_boot(boot, scratch) | {
        "xen/xen-4.17.cfg": config, "loader/entries/philoxen.conf": "title Philoxen\nlinux /xen/xen-4.17-amd64.efi\n"
        f"initrd /xen/initrd.img\noptions xen-4.17-amd64.efi debian -- {boot.xen_args}\n"}


def _efi_unified(boot, scratch: Path) -> dict:
    files = {".kernel": boot.kernel, ".ramdisk": boot.initrd}
    return {efi_media.FALLBACK: efi_media.unified(efi_media.configuration(boot, xen_args(boot)), files, scratch)}


@dataclass(frozen=True)
class Mistake:
    """What is typed at the shell, what xen.efi must say before it returns, the files that it needs; whether it waits for a key."""

    typed: str
    says: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    waits: bool = True


def _section(name: str, says: str, lines: str, **files: str | bytes) -> Mistake:
    """A configuration of one section, or of one of [global]."""
    text = lines if lines.startswith("[") else f"[global]\ndefault=a\n[a]\n{lines}\n"
    return Mistake(f"xen.efi -cfg={name}.cfg", says, {f"{name}.cfg": text, **{name.replace("_", "."): content for name, content in files.items()}})


HELP = r"Philoxen, started by EFI: xen\.efi \[-cfg=FILE\] .*\n *-cfg=FILE +the configuration"
MISTAKES = [
    Mistake("xen.efi", r"no configuration; looked for xen\.cfg in \\"),
    Mistake("xen.efi -help", HELP, waits=False),
    Mistake("xen.efi -cfg=gone.cfg", r"the configuration 'gone\.cfg' can't be opened in .*: not found"),
    Mistake("xen.efi -cfg=other.cfg nowhere", r"the configuration has no section \[nowhere\]"),
    Mistake("xen.efi -cfg=other.cfg rescue", r"the kernel 'nowhere' can't be opened in .*: not found"),
    Mistake("xen.efi -cfg=other.cfg debian rescue", r"argument 'rescue' isn't understood"),
    Mistake("xen.efi -cgf=x", r"argument '-cgf=x' isn't understood"),
    Mistake("xen.efi -cfg=wide.cfg", r"'wide\.cfg' isn't plain ASCII text: its line 1 has the byte 0xff", {"wide.cfg": "[global]\r\n".encode("utf-16")}),
    Mistake("xen.efi -cfg=empty.cfg", r"the configuration 'empty\.cfg' is empty", {"empty.cfg": ""}),
    Mistake("xen.efi -cfg=long.cfg", r"'long\.cfg' is too large: 1048576 bytes, at most 65536 are read", {"long.cfg": "#" * (1 << 20)}),
    _section("text", r"the file 'startup\.nsh' isn't a kernel: neither a bzImage nor an ELF file", "kernel=startup.nsh"),
    _section("hollow", r"the kernel 'hollow\.elf' is empty", "kernel=hollow.elf", hollow_elf=""),
    _section("none", r"kernel= of section \[a\] is empty", "kernel="),
    _section("folder", r"the kernel 'EFI' is a directory", "kernel=EFI", **{"EFI/some_txt": "x"}),
    _section("wordy", r"the kernel's arguments are longer than \d+ characters", "kernel=vmlinuz " + "word " * 12000),
    _section("noramdisk", r"the ramdisk 'gone\.img' can't be opened in .*: not found", "kernel=vmlinuz\nramdisk=gone.img"),
    _section("noucode", r"the microcode 'gone\.bin' can't be opened in .*: not found", "kernel=vmlinuz\nucode=gone.bin"),
    _section("noxsm", r"the security policy 'gone\.bin' can't be opened in .*: not found", "kernel=vmlinuz\nxsm=gone.bin"),
    _section("loop", r"more than 8 configurations are chained", "[global]\nchain=loop.cfg"),
    _section("broken", r"the configuration 'gone\.cfg' can't be opened in .*: not found", "[global]\nchain=gone.cfg"),
]


def _efi_mistakes(boot, scratch: Path) -> dict:
    """After them, chained configurations, of which the last has a kernel; and arguments that show in the log."""
    files = {name: content for mistake in MISTAKES for name, content in mistake.files.items()}
    last = efi_media.configuration(boot, CONSOLE).replace("video=gfx-1024x768x32\r\n", "").replace(
        "[debian]\r\noptions", "[debian]\r\nvideo=gfx-800x600x32\r\nxsm=policy.bin\r\noptions")
    right = f"xen.efi -cfg=chain.cfg -mapbs -basevideo -- {boot.xen_args}"
    return _efi_shell(boot, scratch) | files | {
        "chain.cfg": "[global]\nchain=more.cfg\ndefault=debian\n", "more.cfg": "[global]\ndefault=debian\nchain=last.cfg\n[debian]\noptions=nothing\n",
        "last.cfg": last, "policy.bin": "allow",
        "startup.nsh": "".join(f"{line}\r\n" for line in ("fs0:", *(mistake.typed for mistake in MISTAKES), right))}


def _efi_shell(boot, scratch: Path) -> dict:
    # The boot manager falls back to the shell, which runs this script.
    return {"xen.efi": efi_media.xen_efi(), "other.cfg": efi_media.configuration(boot, CONSOLE), **efi_media.dom0_files(boot),
            "startup.nsh": f"fs0:\r\nxen.efi -cfg=other.cfg -- {boot.xen_args}\r\n"}


def _efi_offered_initrd(boot, scratch: Path) -> dict:
    """The configuration names no ramdisk: the shell's `initrd` offers one by the LoadFile2 protocol."""
    config = efi_media.configuration(boot, CONSOLE).replace("ramdisk=initrd.img\r\n", "")
    script = f"fs0:\r\ninitrd initrd.img\r\nxen.efi -cfg=other.cfg -- {boot.xen_args}\r\n"
    return _efi_shell(boot, scratch) | {"other.cfg": config, "startup.nsh": script}


def _efi_microcode(boot, scratch: Path) -> dict:
    config = efi_media.configuration(boot, xen_args(boot)).replace("video=", "ucode=ucode.bin\r\nvideo=")
    return _efi_fallback(boot, scratch) | {"EFI/BOOT/xen.cfg": config, "EFI/BOOT/ucode.bin": microcode.amd_file()}


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
# The last two words are what Debian's menu adds on EFI.
GRUB_EFI_MULTIBOOT2 = GRUB_EFI_MENU + ("multiboot2 /xen placeholder {xen_args} no-real-mode edd=off\nmodule2 /vmlinuz placeholder {kernel_args}\n"
                                       "{initrd}\nboot\n")
# The firmware's shell takes -? for itself.
GRUB_EFI_CHAINLOAD = GRUB_EFI_MENU + "chainloader /xen.efi xen.efi -?\nboot\nchainloader /xen.efi xen.efi -- {more_args}\nboot\n"

WAYS = {
    "kernel": _kernel,
    "pvh": _pvh,
    "grub-multiboot": _grub_cd("multiboot"),
    "grub-multiboot2": _grub_cd("multiboot2"),
    "debian-multiboot": lambda boot, scratch: ["-cdrom", str(debian_menu_iso(boot, scratch, "multiboot")), "-boot", "d"],
    "debian-multiboot2": lambda boot, scratch: ["-cdrom", str(debian_menu_iso(boot, scratch, "multiboot2")), "-boot", "d"],
    "debian-efi": _debian_efi,
    "syslinux": lambda boot, scratch: ["-cdrom", str(syslinux_iso(boot, scratch)), "-boot", "d"],
    "efi": _efi(_efi_fallback),
    "efi-systemd-boot": _efi(_efi_systemd_boot),
    "efi-systemd-boot-plain": _efi(_efi_systemd_boot_plain),
    "efi-systemd-boot-initrd": _efi(_efi_systemd_boot_initrd),
    "efi-unified": _efi(_efi_unified),
    "efi-shell": _efi(_efi_shell),
    "efi-mistakes": _efi(_efi_mistakes),
    "efi-offered-initrd": _efi(_efi_offered_initrd),
    "efi-hole": lambda boot, scratch: secure_boot.firmware(scratch, keys="", s3=True) + efi_media.partition(_efi_fallback(boot, scratch), scratch),
    "efi-microcode": _efi(_efi_microcode),
    "kernel-alone": _kernel_alone,
    "kernel-swapped": _kernel_swapped,
    "efi-chainload": _grub_efi(GRUB_EFI_CHAINLOAD, "chain", lambda boot: {
        "xen.efi": efi_media.xen_efi(), "xen.cfg": efi_media.configuration(boot, CONSOLE)}),
    "efi-multiboot2": _grub_efi(GRUB_EFI_MULTIBOOT2, "multiboot2", lambda boot: {"xen": boot.xen}),
    **secure_boot.WAYS,
}


def arguments(boot, scratch: Path) -> list[str]:
    """Of QEMU, for the way that `boot` names."""
    return WAYS[boot.way](boot, scratch)
