#!/usr/bin/env python3
"""The rules of docs/conventions.md that a script can see: who includes whom, architecture tests, titles, licence, size."""
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
# The contract of the architecture is "arch/<file>"; "arch/<architecture>/<file>" belongs to that architecture alone.
ONE_ARCHITECTURE = re.compile(r"arch/(\w+)/")
LONGEST_FILE = 800
ARCHITECTURE = re.compile(r"^\s*#\s*(?:if|elif|ifdef|ifndef)\b.*\b(__x86_64__|__i386__|__aarch64__|__arm__|PX_ARCH\w*)")
# The one place of the ABI that looks at the target, as its title says.
MAY_TEST_ARCHITECTURE = {"hypervisor/abi/arch.hpp"}
# Which vendor's virtualization there is, is known to its back end alone, and to the files that hold both of them.
BACK_ENDS = ("arch/x86/svm/", "arch/x86/vmx/")
VENDOR = re.compile(r"\b(svm|vmx)::|arch/x86/(svm|vmx)/")
MAY_NAME_BACK_ENDS = {"arch/x86/glue/state.cpp", "arch/x86/hvm/glue.cpp", "arch/x86/hvm/vcpu_state.hpp"}


def rule_of(path: str) -> tuple[str, set[str]] | None:
    matching = [folder for folder in RULES if path.startswith(folder + "/")]
    return (max(matching, key=len), RULES[max(matching, key=len)]) if matching else None


def form_faults(path: str, lines: list[str]) -> list[str]:
    """Title, a blank comment line, licence; and a size that can be read."""
    faults = [] if len(lines) < LONGEST_FILE else [f"{path}: {len(lines)} lines are too many"]
    head = []
    for line in lines:
        if not line.startswith("//"):
            break
        head.append(line)
    if not head or not re.match(r"// \S", head[0]):
        faults.append(f"{path}:1: no title line")
    if "// SPDX-License-Identifier: Apache-2.0" not in head:
        faults.append(f"{path}:1: no licence line in the title's comment")
    elif head[head.index("// SPDX-License-Identifier: Apache-2.0") - 1] != "//":
        faults.append(f"{path}:1: no blank comment line before the licence")
    return faults


def may_include(path: str, own: str, allowed: set[str], included: str) -> bool:
    architecture = ONE_ARCHITECTURE.match(included)
    if architecture and not path.startswith((architecture[0], "tests/")):
        return False
    return included.startswith((own + "/", *allowed))


def faults_in(path: str, lines: list[str]) -> list[str]:
    faults = form_faults(path, lines)
    rule = rule_of(path)
    if rule is None:
        return faults
    own, allowed = rule
    generic = path.startswith(("hypervisor/", "boot/", "drivers/", "libxlcfg/")) and path not in MAY_TEST_ARCHITECTURE
    for number, line in enumerate(lines, 1):
        included = re.match(r'\s*#\s*include "([^"]+)"', line)
        if included and not may_include(path, own, allowed, included[1]):
            faults.append(f"{path}:{number}: {own}/ may not include {included[1]}")
        code = line.split("//")[0]
        if not path.startswith(BACK_ENDS) and path not in MAY_NAME_BACK_ENDS and VENDOR.search(code):
            faults.append(f"{path}:{number}: only a back end knows its vendor; the others ask hvm::backend()")
        if generic and ARCHITECTURE.match(line):
            faults.append(f"{path}:{number}: generic code may not test the architecture")
    return faults


def faults_of(path: str) -> list[str]:
    return faults_in(path, (REPO / path).read_text(errors="replace").splitlines())


def main() -> int:
    listed = subprocess.run(["git", "ls-files", "*.cpp", "*.hpp", "*.S"], cwd=REPO, text=True, capture_output=True, check=True)
    paths = [path for path in listed.stdout.splitlines() if (REPO / path).exists()]
    faults = [fault for path in paths for fault in faults_of(path)]
    print("\n".join(faults) if faults else f"layers: {len(paths)} files keep the rules")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
