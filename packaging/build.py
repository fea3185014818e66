#!/usr/bin/env python3
"""Makes the Debian packages of packages.py from dist/ into dist/packages: `./x package`.

The same tree gives the same bytes: times are those of the last commit.
"""
# SPDX-License-Identifier: Apache-2.0
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

sys.dont_write_bytecode = True
from packages import MAINTAINER, PACKAGES, Package  # noqa: E402

REPO = Path(__file__).resolve().parents[1]
STAGE, OUT = REPO / "build" / "packages", REPO / "dist" / "packages"

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Philoxen

Files: *
Copyright: {year} The Philoxen authors
License: Apache-2.0
 On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.
"""
ENABLE = """    for unit in {units}; do
        deb-systemd-helper unmask "$unit" >/dev/null || true
        if deb-systemd-helper --quiet was-enabled "$unit"; then
            deb-systemd-helper enable "$unit" >/dev/null || true
        else
            deb-systemd-helper update-state "$unit" >/dev/null || true
        fi
    done
"""
# Services aren't started here: they belong to dom0, which begins with the next boot. Nor are they restarted: guests run on.
POSTINST = '#!/bin/sh\nset -e\nif [ "$1" = configure ]; then\n{body}fi\n'
POSTRM_UNITS = """#!/bin/sh
set -e
case $1 in
remove) for unit in {units}; do deb-systemd-helper mask "$unit" >/dev/null || true; done ;;
purge)
    for unit in {units}; do
        deb-systemd-helper purge "$unit" >/dev/null || true
        deb-systemd-helper unmask "$unit" >/dev/null || true
    done
    ;;
esac
"""
UPDATE_GRUB = "    if command -v update-grub >/dev/null && [ -e /boot/grub/grub.cfg ]; then update-grub || true; fi\n"
POSTRM_GRUB = '#!/bin/sh\nset -e\nif [ "$1" = remove ]; then\n' + UPDATE_GRUB + "fi\n"


def version() -> str:
    return re.search(r"project\(philoxen VERSION (\S+)", (REPO / "CMakeLists.txt").read_text())[1]


def epoch() -> int:
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    done = subprocess.run(["git", "-C", REPO, "log", "-1", "--format=%ct"], text=True, capture_output=True, check=False)
    return int(done.stdout or 0)


def copy_files(package: Package, root: Path) -> None:
    for source, target in package.files:
        path = REPO / source
        if not path.exists():
            raise SystemExit(f"{source} is missing: run `./x build` first")
        if path.is_dir():
            shutil.copytree(path, root / target, symlinks=True, dirs_exist_ok=True)
        else:
            (root / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / target)
    for page in root.glob("usr/share/man/*/*.[0-9]"):
        page.with_name(page.name + ".gz").write_bytes(gzip.compress(page.read_bytes(), 9, mtime=0))
        page.unlink()


def write_documents(package: Package, root: Path) -> None:
    directory = root / "usr/share/doc" / package.name
    directory.mkdir(parents=True, exist_ok=True)
    when = datetime.fromtimestamp(epoch(), timezone.utc)
    entry = (f"{package.name} ({version()}) unstable; urgency=medium\n\n  * See docs/plan.md of the source, or philoxen-doc.\n\n"
             f" -- {MAINTAINER}  {when.strftime('%a, %d %b %Y %H:%M:%S +0000')}\n")
    (directory / "changelog.gz").write_bytes(gzip.compress(entry.encode(), 9, mtime=0))
    (directory / "copyright").write_text(COPYRIGHT.format(year=when.year))
    if package.overrides:
        overrides = root / "usr/share/lintian/overrides" / package.name
        overrides.parent.mkdir(parents=True, exist_ok=True)
        overrides.write_text("".join(line if line.startswith("#") else f"{package.name}: {line}" for line in
                                     (text + "\n" for text in package.overrides)))


def set_modes(root: Path) -> None:
    """Nobody's umask shows; what may be executed stays so. /var/cache/xen/kernels is closed by whoever installs it."""
    for path in [root, *root.rglob("*")]:
        if path.is_symlink():
            continue
        if path.is_dir():
            path.chmod(0o700 if path.name == "kernels" else 0o755)
        else:
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def write_control(package: Package, root: Path) -> None:
    control = root / "DEBIAN"
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    size = sum(path.stat().st_size for path in files) // 1024 + 1
    control.mkdir()
    fields = {"Package": package.name, "Version": version(), "Architecture": package.architecture, "Maintainer": MAINTAINER,
              "Installed-Size": str(size), **package.relations, "Section": package.section, "Priority": "optional",
              "Description": package.summary + "\n " + package.description.replace("\n", "\n ")}
    (control / "control").write_text("".join(f"{name}: {value}\n" for name, value in fields.items()))
    (control / "md5sums").write_text("".join(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n" for path in files))
    conffiles = [f"/{path.relative_to(root)}\n" for path in files if path.relative_to(root).parts[0] == "etc"]
    if conffiles:
        (control / "conffiles").write_text("".join(conffiles))
    units = " ".join(package.units)
    scripts = {}
    if package.units:
        scripts = {"postinst": POSTINST.format(body=ENABLE.format(units=units)), "postrm": POSTRM_UNITS.format(units=units)}
    if package.updates_grub:
        scripts = {"postinst": POSTINST.format(body=UPDATE_GRUB), "postrm": POSTRM_GRUB}
    for name, text in scripts.items():
        (control / name).write_text(text)
        (control / name).chmod(0o755)


def build(package: Package) -> Path:
    root = STAGE / package.name
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    copy_files(package, root)
    write_documents(package, root)
    set_modes(root)
    write_control(package, root)
    OUT.mkdir(parents=True, exist_ok=True)
    target = OUT / f"{package.name}_{version()}_{package.architecture}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, target], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch())})
    return target


def build_all() -> list[Path]:
    shutil.rmtree(OUT, ignore_errors=True)
    return [build(package) for package in PACKAGES]


if __name__ == "__main__":
    for made in build_all():
        print(f"{made.relative_to(REPO)}: {made.stat().st_size} bytes")
