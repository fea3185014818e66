"""W^X by frame: no frame of the hypervisor is writable through one mapping and executable through another."""
# SPDX-License-Identifier: Apache-2.0
import re

from dom0 import Dom0, Spec
from runner import boot_test

HYPERVISOR = range(0xFFFF800000000000, 0xFFFF880000000000)
SIZES = {"4K": 1 << 12, "2M": 1 << 21, "1G": 1 << 30}


def mappings(text: str) -> list[tuple[int, int, int, bool, bool]]:
    """QEMU's `info tlb`: (virtual, physical, size, writable, executable). It names no sizes: P marks a large page, and
    what follows, or its alignment, tells 2 MiB from 1 GiB."""
    rows = [(int(va, 16), int(pa, 16), flags) for va, pa, flags in
            re.findall(r"^([0-9a-f]{16}): ([0-9a-f]{16}) (\S{9})", text, re.M)]
    found = []
    for index, (va, pa, flags) in enumerate(rows):
        size = SIZES["4K"]
        if "P" in flags:
            following = rows[index + 1][0] if index + 1 < len(rows) else 1 << 64
            gigabyte = not (va | pa) & (SIZES["1G"] - 1) and following - va >= SIZES["1G"]
            size = SIZES["1G" if gigabyte else "2M"]
        found.append((va, pa, size, "W" in flags, "X" not in flags))   # X: NX is set
    return found


def overlaps(spans: list[tuple[int, int]], others: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Two sorted lists of (begin, end): the first common part."""
    i = j = 0
    while i < len(spans) and j < len(others):
        begin, end = max(spans[i][0], others[j][0]), min(spans[i][1], others[j][1])
        if begin < end:
            return begin, end
        if spans[i][1] < others[j][1]:
            i += 1
        else:
            j += 1
    return None


@boot_test(Spec(cpus=2, vcpus=2), name="no-frame-writable-and-executable", only_on="ours")
def no_frame_writable_and_executable(dom0: Dom0) -> None:
    machine, looked_at = dom0.machine, set()
    writable, executable = [], []
    for _ in range(20):
        dom0.run("usleep 300000")          # idle, so that the CPUs are in the hypervisor's own tables
        for cpu in set(range(dom0.spec.cpus)) - looked_at:
            machine.monitor("stop")
            machine.monitor(f"cpu {cpu}")
            text = machine.monitor("info tlb")
            machine.monitor("cont")
            rows = mappings(text)
            if not any(va in HYPERVISOR for va, *_ in rows):
                continue                   # a guest ran: its tables were shown
            looked_at.add(cpu)
            writable += [(pa, pa + size) for _, pa, size, is_writable, _ in rows if is_writable]
            executable += [(pa, pa + size) for _, pa, size, _, is_executable in rows if is_executable]
        if len(looked_at) == dom0.spec.cpus:
            break
    assert len(looked_at) == dom0.spec.cpus, f"only CPUs {sorted(looked_at)} were seen in the hypervisor"
    assert executable, "no executable mapping at all: is the list read rightly?"
    common = overlaps(sorted(set(writable)), sorted(set(executable)))
    assert common is None, f"frames {common[0]:#x}-{common[1]:#x} are writable and executable"
