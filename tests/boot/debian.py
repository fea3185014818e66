"""Debian's kernel, Xen and busybox, unpacked under build/debian: clients and oracle of the boot tests.

Downloaded once; a second call works offline.
"""
# SPDX-License-Identifier: Apache-2.0
import gzip
import lzma
import re
import shutil
import subprocess
from pathlib import Path

from paths import DEBIAN, DEBIAN_KERNEL, REFERENCE_XEN

XEN_PACKAGES = """xen-hypervisor-4.17-amd64 xen-utils-4.17 xen-utils-common xenstore-utils libyajl2 libxencall1
    libxendevicemodel1 libxenevtchn1 libxenforeignmemory1 libxengnttab1 libxenhypfs1 libxenmisc4.17 libxenstore4
    libxentoolcore1 libxentoollog1""".split()
OTHER_PACKAGES = ["busybox-static"]

XEN_ROOT = DEBIAN / "xen"
KERNEL_ROOT = DEBIAN / "kernel"
BUSYBOX = DEBIAN / "other" / "bin" / "busybox"


def _kernel_package() -> str:
    """The package that linux-image-amd64 stands for today."""
    depends = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], text=True, capture_output=True, check=True)
    found = re.search(r"Depends: (linux-image-\S+)", depends.stdout)
    if not found:
        raise SystemExit("apt knows no linux-image-amd64: run `apt-get update` and see /etc/apt/sources.list")
    return found[1]


def _fetch(packages: list[str], root: Path) -> None:
    debs = DEBIAN / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["apt-get", "download", "-qq", *packages], cwd=debs, text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"apt-get download failed: {done.stderr.strip().splitlines()[-1]}\n"
                         "Run `apt-get update`, or connect this machine, and try again.")
    for package in packages:
        for deb in debs.glob(f"{package}_*.deb"):
            subprocess.run(["dpkg", "-x", deb, root], check=True)


def ensure() -> None:
    """Makes build/debian complete."""
    ready = DEBIAN / ".ready"
    if ready.exists():
        return
    print("Downloading Debian's kernel, Xen and busybox into build/debian (once) …", flush=True)
    shutil.rmtree(DEBIAN, ignore_errors=True)
    _fetch(XEN_PACKAGES, XEN_ROOT)
    _fetch(OTHER_PACKAGES, DEBIAN / "other")
    _fetch([_kernel_package()], KERNEL_ROOT)
    REFERENCE_XEN.write_bytes(gzip.decompress((XEN_ROOT / "boot" / "xen-4.17-amd64.gz").read_bytes()))
    shutil.copy(next((KERNEL_ROOT / "boot").glob("vmlinuz-*")), DEBIAN_KERNEL)
    shutil.rmtree(DEBIAN / "debs")
    ready.touch()


def unpacked_kernel() -> Path:
    """The ELF file in Debian's bzImage: for emulators so slow that unpacking XZ takes a minute."""
    vmlinux = DEBIAN / "vmlinux"
    if not vmlinux.exists():
        image = DEBIAN_KERNEL.read_bytes()
        vmlinux.write_bytes(lzma.LZMADecompressor().decompress(image[image.index(b"\xfd7zXZ\0"):]))
    return vmlinux


def modules(*names: str) -> list[Path]:
    """The kernel's modules of these names with all they depend on, in the order to insert them. Built-in ones are skipped."""
    known = {path.name.removesuffix(".ko").replace("-", "_"): path for path in KERNEL_ROOT.glob("lib/modules/**/*.ko")}
    order: list[Path] = []

    def add(name: str) -> None:
        path = known.get(name.replace("-", "_"))
        if path is None or path in order:
            return
        depends = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
        for needed in filter(None, depends[1].decode().split(",") if depends else []):
            add(needed)
        order.append(path)

    for name in names:
        add(name)
    return order


if __name__ == "__main__":
    ensure()
