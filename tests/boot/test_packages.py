"""The Debian packages: what is in them, what lintian and systemd say of them. No machine is emulated here."""
# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from paths import DIST, REPO
from runner import machine_test

MANIFEST = REPO / "packaging" / "manifest.txt"
sys.path.insert(0, str(REPO / "packaging"))

import build  # noqa: E402
from packages import OPTIONAL_UNITS, UNITS  # noqa: E402

_made: list[Path] = []


def packages() -> list[Path]:
    if not _made:
        _made.extend(build.build_all())
    return _made


def _run(*command: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False)


def _unpacked(directory: str) -> Path:
    for package in packages():
        subprocess.run(["dpkg-deb", "-x", package, directory], check=True)
    return Path(directory)


def listing() -> list[str]:
    """A line for each file, link and empty directory: package, mode, path."""
    lines = []
    for package in packages():
        rows = re.findall(r"^(\S{10}) root/root +\d+ \S+ \S+ \.(/\S*)(?: -> (\S+))?$", _run("dpkg-deb", "-c", package).stdout, re.M)
        paths = [path for _, path, _ in rows]
        for mode, path, target in rows:
            if mode.startswith("d") and any(other != path and other.startswith(path) for other in paths):
                continue
            lines.append(f"{package.name.split('_')[0]} {mode} {path}{' -> ' + target if target else ''}")
    return sorted(lines)


@machine_test("package-manifest", suite="package", only_on="ours")
def manifest(on: str) -> None:
    """Whoever adds a file says so in packaging/manifest.txt: all of them, no others, with these modes."""
    expected, found = MANIFEST.read_text().splitlines(), listing()
    missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    assert not missing and not extra, f"missing: {missing}; not in packaging/manifest.txt: {extra}"


@machine_test("package-lintian", suite="package", only_on="ours")
def lintian(on: str) -> None:
    done = _run("lintian", "--allow-root", "--fail-on", "error", *packages())
    errors = re.findall(r"^E: .*$", done.stdout, re.M)
    assert done.returncode == 0 and not errors, f"lintian ended with {done.returncode}: {errors} {done.stderr[-500:]}"


@machine_test("package-units", suite="package", only_on="ours")
def units(on: str) -> None:
    """systemd-analyze takes each unit as it lies in the package, with the programs that it names."""
    with tempfile.TemporaryDirectory() as directory:
        root = _unpacked(directory)
        (root / "sbin").symlink_to("usr/sbin")
        names = sorted(path.name for path in (root / "usr/lib/systemd/system").iterdir())
        assert names == sorted([*UNITS, *OPTIONAL_UNITS, "proc-xen.mount"]), names
        for name in names:
            done = _run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={root}", name)
            assert done.returncode == 0 and name not in done.stderr, f"{name}: {done.stderr}"


@machine_test("package-examples", suite="package", only_on="ours")
def examples(on: str) -> None:
    """The sample configurations are right, and the packages say what they need."""
    with tempfile.TemporaryDirectory() as directory:
        root = _unpacked(directory)
        samples = sorted((root / "usr/share/doc/philoxen-utils/examples").glob("*.cfg"))
        assert len(samples) >= 2
        done = _run(DIST / "root/usr/sbin/xl", "check", *samples)
        assert done.returncode == 0, done.stdout + done.stderr
        for script in [*(root / "etc/xen/scripts").iterdir(), root / "usr/lib/xen/bin/xendomains", root / "usr/lib/xen/bin/xencommons", root / "usr/lib/xen/bin/xen-nat-network"]:
            assert _run("sh", "-n", script).returncode == 0, script


@machine_test("package-is-reproducible", suite="package", only_on="ours")
def reproducible(on: str) -> None:
    first = [package.read_bytes() for package in packages()]
    assert [package.read_bytes() for package in build.build_all()] == first, "two builds of one tree differ"
