"""./x bench: instructions per operation in Bochs, whose TSC counts them, for our hypervisor beside Debian's Xen."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import re
import sys
from collections import Counter
from dataclasses import dataclass

import bench_lives
import bochs
from bench_aims import Comparison
from dom0 import Dom0, Spec
from guests import log_of, tiny_config
from paths import DIST, REPO

REFERENCE_IMAGE = 1178795                  # bytes of Debian's xen-4.17-amd64.gz


@dataclass
class Row:
    instructions: int                      # the median of many
    hidden: Counter                        # of one more operation; see bochs.hidden_costs()


GUESTS = {"bench": "pvh", "pv-bench": "pv"}  # one after the other


def measure(on: str, profile: str) -> dict[str, Row]:
    """One boot: every row of the bench guests."""
    script = "".join(f"xl create -q /{name}.cfg || exit 1\n"
                     f"until grep -q PX-VERDICT {log_of(name)}; do usleep 100000; done\ncat {log_of(name)}\n" for name in GUESTS)
    native = 'tsc_mode = "native"'
    configs = tuple((f"/{name}.cfg", tiny_config(name, name, vcpus=2 if kind == "pv" else 1, more=native, kind=kind))
                    for name, kind in GUESTS.items())
    spec = Spec(guests=tuple(GUESTS), profile=profile, cpus=1, memory=1536, dom0="pv", xen_args="cpuidle=0",
                kernel_args="mitigations=off", debian_guest=False, trace=True, files=(*configs, ("/autorun", script)))
    dom0 = Dom0(spec, on, f"bench-{on}")
    try:
        text = dom0.autorun(timeout=300)
    finally:
        dom0.stop()
    for name in GUESTS:
        assert f"PX-VERDICT {name} pass" in text, text
    counts = re.findall(r"PX-BENCH (\S+) (\d+)", text)
    hidden = bochs.hidden_costs(dom0.machine.emulator_log)
    dom0.machine.emulator_log.unlink()     # some hundred megabytes
    assert len(hidden) == len(counts), f"{len(counts)} rows but {len(hidden)} traces"
    return {name: Row(int(count), costs) for (name, count), costs in zip(counts, hidden)}


def print_counts(rows: dict[str, dict[str, Row]], comparison: Comparison) -> None:
    comparison.print_title("instructions per operation")
    for name in rows[comparison.sides[0]]:
        free = "ours" in rows and rows["ours"][name].hidden["entries"] == 0
        comparison.print_row(name, {on: rows[on][name].instructions for on in comparison.sides}, free)


def print_hidden(rows: dict[str, dict[str, Row]], sides: list[str]) -> None:
    """What the counts hide. A TLB flush that a VMCB asks for shows in none of the instructions."""
    kinds = list(bochs.HIDDEN)
    print(f"\n{'one operation, ' + ' / '.join(sides):<36}" + "".join(f"{kind:>16}" for kind in kinds))
    for name in rows[sides[0]]:
        print(f"{name:<36}" + "".join(f"{' / '.join(str(rows[on][name].hidden[kind]) for on in sides):>16}" for kind in kinds))


def lines_of_code() -> int:
    """Of the image's sources, comments and blank lines included."""
    folders = ("hypervisor", "arch/x86", "arch/include", "drivers", "boot")
    files = [path for folder in folders for path in (REPO / folder).rglob("*") if path.suffix in {".cpp", ".hpp", ".S", ".inc"}]
    return sum(path.read_text().count("\n") for path in files)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./x bench", description=__doc__)
    parser.add_argument("--cpu", choices=["ryzen", "skylake"], default="ryzen", help="AMD-V or VT-x")
    parser.add_argument("--part", choices=["operations", "lives"], help="single operations (Bochs), or whole lives (QEMU), only")
    parser.add_argument("--only", choices=["ours", "reference"], help="one side only")
    arguments = parser.parse_args()
    sides = [arguments.only] if arguments.only else ["ours", "reference"]
    comparison = Comparison(sides)
    if arguments.part != "lives":
        rows = {on: measure(on, f"bochs-{arguments.cpu}") for on in sides}
        print_counts(rows, comparison)
        print_hidden(rows, sides)
    if arguments.part != "operations":
        bench_lives.report(comparison)
    if (DIST / "xen.gz").exists():
        size = (DIST / "xen.gz").stat().st_size
        print(f"{'gzipped image, bytes':<28}{size:>12,}{REFERENCE_IMAGE:>12,}{size / REFERENCE_IMAGE:>12.2f}")
    print(f"{'lines of the hypervisor':<28}{lines_of_code():>12,}")
    return comparison.verdict()


if __name__ == "__main__":
    sys.exit(main())
