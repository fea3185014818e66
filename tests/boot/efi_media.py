"""Disks for EFI machines: an EFI system partition made with mtools, and what is on it for each loader.

Debian's ovmf is the firmware; its variables are a fresh copy for each machine.
"""
# SPDX-License-Identifier: Apache-2.0
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from paths import DIST

OVMF = Path("/usr/share/OVMF")
SYSTEMD_BOOT = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")
FALLBACK = "EFI/BOOT/BOOTX64.EFI"          # what firmware starts where nothing is configured
SPARE = 16 << 20


def firmware(scratch: Path) -> list[str]:
    """QEMU's arguments for the firmware."""
    variables = scratch / "vars.fd"
    shutil.copy(OVMF / "OVMF_VARS_4M.fd", variables)
    return ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF}/OVMF_CODE_4M.fd",
            "-drive", f"if=pflash,unit=1,format=raw,file={variables}"]


def partition(files: Mapping[str, Path | str | bytes], scratch: Path) -> list[str]:
    """A disk with these files (paths of files, or their contents) in a FAT file system: QEMU's arguments for it."""
    tree = scratch / "esp"
    for name, content in files.items():
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copy(content, target)
        else:
            target.write_bytes(content.encode() if isinstance(content, str) else content)
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) + SPARE
    image = scratch / "esp.img"
    with image.open("wb") as file:
        file.truncate(-(-size // (1 << 20)) << 20)
    sectors = image.stat().st_size // 512
    subprocess.run(["mformat", "-i", image, "-T", str(sectors), "-h", "64", "-s", "32", "::"], check=True, capture_output=True)
    subprocess.run(["mcopy", "-s", "-i", image, *sorted(tree.iterdir()), "::"], check=True, capture_output=True)
    shutil.rmtree(tree)
    return ["-drive", f"file={image},format=raw,if=ide"]


def configuration(boot, options: str) -> str:
    """A xen.cfg with comments, an unused section, DOS line ends and no newline at its end."""
    ramdisk = "ramdisk=initrd.img\n" if boot.initrd else ""
    text = (f"# of the boot tests\n[global]\ndefault=debian # the one that is started\nvideo=gfx-1024x768x32\n\n[rescue]\nkernel=nowhere\n; [debian]\n"
            f"[debian]\noptions={options}\n{ramdisk}kernel=vmlinuz {boot.kernel_args}")
    return text.replace("\n", "\r\n")


def dom0_files(boot, folder: str = "") -> dict[str, Path]:
    """Kernel and initramfs under the names that configuration() gives them."""
    files = {f"{folder}vmlinuz": boot.kernel}
    return files | ({f"{folder}initrd.img": boot.initrd} if boot.initrd else {})


def xen_efi() -> Path:
    return DIST / "xen.efi"


def unified(text: str, files: Mapping[str, Path | None], scratch: Path) -> Path:
    """xen.efi with a configuration and these files as sections, by objcopy as Xen's manual shows it."""
    config = scratch / "unified.cfg"
    config.write_text(text, newline="")
    parts = {".config": config} | {name: path for name, path in files.items() if path}
    headers = subprocess.run(["objdump", "-h", xen_efi()], text=True, capture_output=True, check=True).stdout
    last = headers.splitlines()[-2].split()
    at = int(last[3], 16) + int(last[2], 16)
    command: list[str | Path] = ["objcopy"]
    for name, path in parts.items():
        at = -(-at // 4096) * 4096
        command += ["--add-section", f"{name}={path}", "--change-section-vma", f"{name}={at:#x}"]
        at += path.stat().st_size
    image = scratch / "unified.efi"
    subprocess.run([*command, xen_efi(), image], check=True, capture_output=True)
    return image
