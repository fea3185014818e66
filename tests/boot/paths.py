"""Where things lie in this checkout."""
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BUILD = REPO / "build"
DIST = REPO / "dist"
DEBIAN = BUILD / "debian"          # Debian's packages, unpacked, never installed
WORK = BUILD / "boot"              # images and consoles of the last runs
GUESTS = BUILD / "x86" / "tests" / "guests"

XEN_WITHOUT_PV = BUILD / "x86-no-pv" / "xen"
OUR_XEN = DIST / "xen"
REFERENCE_XEN = DEBIAN / "reference"
DEBIAN_KERNEL = DEBIAN / "vmlinuz"
