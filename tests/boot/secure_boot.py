"""Machines with Secure Boot on, whose only key is the one that Debian's ovmf ships for tests.

    efi-secure-unsigned  xen.efi is signed, the kernel that xen.cfg names isn't
    efi-secure-altered   the kernel was changed after it was signed
    efi-secure           both are signed
    efi-secure-shim      shim is signed, and knows who has signed Debian's kernel
    efi-secure-shim-altered  the kernel was changed
    efi-secure-unified   one signed file, by systemd-boot (signed too), with arguments, an initrd and a configuration beside it that try to take over
    efi-secure-chained   the same; on a disk before it another one, whose configuration has no kernel but names a further one by chain=
    efi-secure-broken    as efi-secure-unified, changed after it was signed
"""
# SPDX-License-Identifier: Apache-2.0
import shutil
import subprocess
from pathlib import Path

import efi_media

KEY, CERTIFICATE = Path("/usr/share/ovmf/PkKek-1-snakeoil.key"), Path("/usr/share/ovmf/PkKek-1-snakeoil.pem")
PASSPHRASE = "snakeoil"
SHIM = Path("/usr/lib/shim/shimx64.efi")   # with Debian's certificate in it; signed by Microsoft it would need another firmware
EVIL = "px.evil=1"                         # what nobody may add


def firmware(scratch: Path, keys: str = "snakeoil", s3: bool = False) -> list[str]:
    """QEMU's arguments for firmware whose variables only its own code can change. Needs `-machine q35,smm=on`. Without `keys` Secure Boot is
    off. For `s3` this build keeps 15 MiB, at 8 MiB, where dom0's kernel must be."""
    variables = scratch / "vars.fd"
    shutil.copy(efi_media.OVMF / f"OVMF_VARS_4M.{f'{keys}.' if keys else ''}fd", variables)
    return ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", f"ICH9-LPC.disable_s3={int(not s3)}",
            "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={efi_media.OVMF}/OVMF_CODE_4M.secboot.fd",
            "-drive", f"if=pflash,unit=1,format=raw,file={variables}"]


def sign(program: Path, scratch: Path) -> Path:
    key, signed = scratch / "key.pem", scratch / f"{program.name}.signed"
    if not key.exists():
        subprocess.run(["openssl", "rsa", "-in", KEY, "-passin", f"pass:{PASSPHRASE}", "-out", key], check=True, capture_output=True)
    subprocess.run(["sbsign", "--key", key, "--cert", CERTIFICATE, "--output", signed, program], check=True, capture_output=True)
    subprocess.run(["sbverify", "--cert", CERTIFICATE, signed], check=True, capture_output=True)
    return signed


def altered(program: Path) -> Path:
    """One byte in the middle is another one."""
    image = bytearray(program.read_bytes())
    image[len(image) // 2] ^= 1
    copy = program.with_suffix(".altered")
    copy.write_bytes(image)
    return copy


def _files(boot, scratch: Path, kernel: Path) -> dict:
    from ways import xen_args
    return {efi_media.FALLBACK: sign(efi_media.xen_efi(), scratch), "EFI/BOOT/xen.cfg": efi_media.configuration(boot, xen_args(boot)),
            **efi_media.dom0_files(boot, "EFI/BOOT/"), "EFI/BOOT/vmlinuz": kernel}


def _shim(boot, scratch: Path, kernel: Path) -> dict:
    """Shim starts what lies beside it under this name."""
    files = _files(boot, scratch, kernel)
    return files | {efi_media.FALLBACK: sign(SHIM, scratch), "EFI/BOOT/grubx64.efi": files[efi_media.FALLBACK]}


def _unified(boot, scratch: Path, change=lambda path: path) -> dict:
    """All beside the image is of nobody's making: the entry is of the kind whose initrd systemd-boot offers."""
    from ways import xen_args
    image = change(sign(efi_media.unified(efi_media.configuration(boot, xen_args(boot)), {".kernel": boot.kernel, ".ramdisk": boot.initrd}, scratch), scratch))
    return {efi_media.FALLBACK: sign(efi_media.SYSTEMD_BOOT, scratch), "xen/xen.efi": image, "xen/xen.cfg": f"[global]\ndefault=a\n[a]\noptions={EVIL}\nkernel=k",
            "xen/evil.img": "nobody has signed this", "loader/loader.conf": "timeout 0\ndefault philoxen\n",
            "loader/entries/philoxen.conf": f"title Philoxen\nlinux /xen/xen.efi\ninitrd /xen/evil.img\noptions -cfg=xen.cfg -- {EVIL}\n"}


def _chained(boot, scratch: Path) -> dict:
    from ways import xen_args
    image = efi_media.unified("[global]\ndefault=debian\nchain=outside.cfg\n[debian]\noptions=x\n", {}, scratch)
    return {efi_media.FALLBACK: sign(image, scratch), "EFI/BOOT/vmlinuz": boot.kernel,
            "EFI/BOOT/outside.cfg": f"[global]\ndefault=debian\n[debian]\nkernel=vmlinuz\noptions={EVIL} {xen_args(boot)}\n"}


def _way(*disks):
    """The firmware tries the disks one after the other."""
    def way(boot, scratch: Path) -> list[str]:
        arguments = firmware(scratch)
        for number, files in enumerate(disks):
            (scratch / str(number)).mkdir()
            arguments += efi_media.partition(files(boot, scratch), scratch / str(number))
        return arguments
    return way


WAYS = {
    "efi-secure-unsigned": _way(lambda boot, scratch: _files(boot, scratch, boot.kernel)),
    "efi-secure-altered": _way(lambda boot, scratch: _files(boot, scratch, altered(sign(boot.kernel, scratch)))),
    "efi-secure": _way(lambda boot, scratch: _files(boot, scratch, sign(boot.kernel, scratch))),
    "efi-secure-shim": _way(lambda boot, scratch: _shim(boot, scratch, boot.kernel)),
    "efi-secure-shim-altered": _way(lambda boot, scratch: _shim(boot, scratch, altered(shutil.copy(boot.kernel, scratch / "kernel")))),
    "efi-secure-unified": _way(_unified),
    "efi-secure-chained": _way(_chained, _unified),
    "efi-secure-broken": _way(lambda boot, scratch: _unified(boot, scratch, altered)),
}
