"""What the Debian packages are: names, relations, and which files of dist/ belong to which."""
# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass, field

MAINTAINER = "Philoxen maintainers <maintainers@philoxen.invalid>"
UNITS = ("xenstored.service", "xenconsoled.service", "xen-init-dom0.service", "xendomains.service")
OPTIONAL_UNITS = ("xen-nat-network.service",)  # for the administrator to enable
# Debian's packages have files of the same names.
DEBIANS_TOOLS = "xen-utils-common, xenstore-utils"


@dataclass(frozen=True)
class Package:
    name: str
    summary: str
    description: str
    section: str = "admin"
    architecture: str = "amd64"
    relations: dict[str, str] = field(default_factory=dict)
    files: tuple[tuple[str, str], ...] = ()   # (a path below the repository, or a directory; where it goes)
    units: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()           # of lintian, each with its reason in a comment line before
    updates_grub: bool = False


PACKAGES = (
    Package(
        "philoxen-hypervisor", "type-1 hypervisor with Xen's ABI",
        "Philoxen runs on the bare machine and speaks the public ABI of Xen 4.17, so\nthat what is written for Xen runs on it unchanged. GRUB's menu gets entries\nfor it in the way that it gets entries for Xen.",
        section="kernel",
        relations={"Recommends": "philoxen-utils", "Suggests": "philoxen-doc"},
        files=(("dist/boot", "boot"), ("dist/xen.efi", "usr/lib/philoxen/xen.efi")),
        updates_grub=True),
    Package(
        "philoxen-utils", "toolstack of the hypervisor Philoxen: xl, xenstored, xenconsoled",
        "The programs of dom0: xl makes and looks after guests, xenstored keeps their\nstore and xenconsoled their consoles. Files and commands are those of Xen 4.17.",
        relations={"Pre-Depends": "init-system-helpers (>= 1.54~)", "Depends": "kmod, mount, iproute2", "Recommends": "philoxen-hypervisor",
                   "Suggests": "dnsmasq-base, nftables", "Conflicts": DEBIANS_TOOLS, "Replaces": DEBIANS_TOOLS,
                   "Provides": DEBIANS_TOOLS},
        files=(("dist/root", ""), ("packaging/examples", "usr/share/doc/philoxen-utils/examples"), ("packaging/xl.conf", "etc/xen/xl.conf"),
               ("packaging/nat-network.conf", "etc/xen/nat-network.conf")),
        units=UNITS,
        overrides=("# They must run in an initramfs, and go on while libraries are exchanged under them.",
                   "statically-linked-binary", "embedded-library")),
    Package(
        "philoxen-doc", "documentation of the hypervisor Philoxen",
        "How Philoxen is installed, what works, and how it is built inside.",
        section="doc", architecture="all",
        files=(("docs", "usr/share/doc/philoxen-doc"), ("README.md", "usr/share/doc/philoxen-doc/README.md"))),
)
