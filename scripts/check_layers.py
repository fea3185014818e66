#!/usr/bin/env python3
"""The layering rules of docs/conventions.md, checked on every #include and every architecture test of the tree."""
# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]

# Folder: the prefixes of includes from this tree that it may use, besides its own. The longest matching folder counts.
RULES = {
    "hypervisor/abi": {"hypervisor/base/types.hpp"},
    "hypervisor/base": {"hypervisor/console/log.hpp", "arch/"},
    "hypervisor": {"arch/"},
    "drivers": {"hypervisor/base/", "arch/"},
    "arch": {"hypervisor/", "drivers/", "boot/"},
    "boot": {"hypervisor/", "arch/"},
    "libxlcfg": {"hypervisor/base/", "hypervisor/abi/"},
    "toolstack": {"libxlcfg/", "hypervisor/base/", "hypervisor/abi/", "boot/loader/", "drivers/acpi/"},
}
ARCHITECTURE = re.compile(r"^\s*#\s*(?:if|elif|ifdef|ifndef)\b.*\b(__x86_64__|__i386__|__aarch64__|__arm__|PX_ARCH\w*)")
# The one place of the ABI that looks at the target, as its title says.
MAY_TEST_ARCHITECTURE = {"hypervisor/abi/arch.hpp"}


def rule_of(path: str) -> tuple[str, set[str]] | None:
    matching = [folder for folder in RULES if path.startswith(folder + "/")]
    return (max(matching, key=len), RULES[max(matching, key=len)]) if matching else None


def faults_of(path: str) -> list[str]:
    rule = rule_of(path)
    if rule is None:
        return []
    own, allowed = rule
    generic = path.startswith(("hypervisor/", "boot/", "drivers/", "libxlcfg/")) and path not in MAY_TEST_ARCHITECTURE
    faults = []
    for number, line in enumerate((REPO / path).read_text(errors="replace").splitlines(), 1):
        included = re.match(r'\s*#\s*include "([^"]+)"', line)
        if included and not included[1].startswith((own + "/", *allowed)):
            faults.append(f"{path}:{number}: {own}/ may not include {included[1]}")
        if generic and ARCHITECTURE.match(line):
            faults.append(f"{path}:{number}: generic code may not test the architecture")
    return faults


def main() -> int:
    listed = subprocess.run(["git", "ls-files", "*.cpp", "*.hpp", "*.S"], cwd=REPO, text=True, capture_output=True, check=True)
    paths = [path for path in listed.stdout.splitlines() if (REPO / path).exists()]
    faults = [fault for path in paths for fault in faults_of(path)]
    print("\n".join(faults) if faults else f"layers: {len(paths)} files keep the rules")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
