"""GRUB's menu as Debian makes it: its own grub-mkconfig and 20_linux_xen, in a chroot whose /boot has our files.

There is no block device in it, so that grub-probe, which asks for one, is a few words of ours.
"""
# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
from pathlib import Path

from initramfs import shared_libraries
from paths import DIST

VERSION = "6.1.0-px"
XEN_NAME = "xen-4.17-philoxen"
VOLUME_DATE = "2026010100000000"           # of the CD: GRUB calls a CD by its date
VOLUME_UUID = "2026-01-01-00-00-00-00"
TOOLS = """sh sed grep fgrep basename dirname cat tr cut sort head tail uname readlink rm mv chmod mktemp test printf echo id ls
    grub-file grub-mkrelpath grub-script-check grub-editenv""".split()
SCRIPTS = ("/usr/sbin/grub-mkconfig", "/usr/share/grub/grub-mkconfig_lib", "/etc/grub.d/00_header", "/etc/grub.d/20_linux_xen")
GRUB_PROBE = f"""#!/bin/sh
for word; do
    case $word in
    --target=device) echo /dev/sr0; exit ;;
    --target=fs_uuid) echo {VOLUME_UUID}; exit ;;
    --target=fs) echo iso9660; exit ;;
    --target=*) exit ;;
    esac
done
"""
DEFAULTS = """\
GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_TERMINAL=serial
GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
GRUB_CMDLINE_LINUX=""
GRUB_CMDLINE_LINUX_DEFAULT="{kernel_args}"
GRUB_CMDLINE_XEN_DEFAULT="{xen_args}"
"""


def _install(root: Path, path: Path, source: Path | None = None) -> None:
    target = root / str(path).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source or path, target)


def make(boot_files: dict[str, Path], xen_args: str, kernel_args: str, scratch: Path) -> tuple[Path, str]:
    """/boot with the files (by the names that Debian gives them) and the menu that Debian's scripts make of it: (the folder, the menu)."""
    root = scratch / "chroot"
    for tool in TOOLS:
        source = Path(shutil.which(tool) or f"/usr/bin/{tool}")
        _install(root, Path("/usr/bin") / tool, source)
        for library in shared_libraries(source):
            if not (root / str(library).lstrip("/")).exists():
                _install(root, library)
    for folder in ("bin", "sbin"):
        (root / folder).symlink_to(f"usr/{'bin' if folder == 'bin' else 'sbin'}")
    for script in SCRIPTS:
        _install(root, Path(script))
    probe = root / "usr/sbin/grub-probe"
    probe.write_text(GRUB_PROBE)
    probe.chmod(0o755)
    for folder in ("etc/default", "boot/grub", "tmp", "dev"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "etc/default/grub").write_text(DEFAULTS.format(xen_args=xen_args, kernel_args=kernel_args))
    for name, source in boot_files.items():
        _install(root, Path("/boot") / name, source)
    (root / f"boot/config-{VERSION}").write_text("CONFIG_XEN_DOM0=y\n")
    _install(root, Path(f"/boot/{XEN_NAME}.config"), DIST / "boot" / f"{XEN_NAME}.config")  # no menu entry may be made of it
    enter = ["chroot"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "chroot"]
    done = subprocess.run([*enter, root, "/usr/sbin/grub-mkconfig", "-o", "/boot/grub/grub.cfg"], text=True, capture_output=True,
                          env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"})
    menu = root / "boot/grub/grub.cfg"
    if done.returncode or not menu.exists():
        raise AssertionError(f"grub-mkconfig failed: {done.stderr.strip()}")
    return root / "boot", menu.read_text()
