"""./x bench: instructions per operation in Bochs, whose TSC counts them, for our hypervisor beside Debian's Xen."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import re
import sys

from dom0 import Dom0, Spec
from guests import log_of, tiny_config
from paths import DIST

AIM = {"null-hypercall": 0.35}             # all others: 0.5
REFERENCE_IMAGE = 1178795                  # bytes of Debian's xen-4.17-amd64.gz


def measure(on: str, profile: str) -> dict[str, int]:
    """One boot: every row of the bench guest."""
    # Bochs drops characters that come faster than its UART is emptied, so little is typed there.
    script = ("xl create -q /bench.cfg || exit 1\n"
              f"until grep -q PX-VERDICT {log_of('bench')}; do usleep 100000; done\ncat {log_of('bench')}\n")
    config = tiny_config("bench", "bench", more='tsc_mode = "native"')
    spec = Spec(guests=("bench",), profile=profile, cpus=1, memory=1536, xen_args="cpuidle=0",
                files=(("/bench.cfg", config), ("/b", script)))
    dom0 = Dom0(spec, on, f"bench-{on}", patience=900)
    try:
        text = dom0.run("sh /b", timeout=300)
        assert "PX-VERDICT bench pass" in text, text
        return {name: int(count) for name, count in re.findall(r"PX-BENCH (\S+) (\d+)", text)}
    finally:
        dom0.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="./x bench", description=__doc__)
    parser.add_argument("--cpu", choices=["ryzen", "skylake"], default="ryzen", help="AMD-V or VT-x")
    parser.add_argument("--only", choices=["ours", "reference"], help="one side only")
    arguments = parser.parse_args()
    sides = [arguments.only] if arguments.only else ["ours", "reference"]
    rows = {on: measure(on, f"bochs-{arguments.cpu}") for on in sides}

    print(f"{'instructions per operation':<28}" + "".join(f"{on:>12}" for on in sides) + ("       ratio    aim" if len(sides) == 2 else ""))
    for name in rows[sides[0]]:
        line = f"{name:<28}" + "".join(f"{rows[on][name]:>12,}" for on in sides)
        if len(sides) == 2:
            ratio, aim = rows["ours"][name] / rows["reference"][name], AIM.get(name, 0.5)
            line += f"{ratio:>12.2f}{aim:>7.2f}{'' if ratio <= aim else '  missed'}"
        print(line)
    if (DIST / "xen.gz").exists():
        size = (DIST / "xen.gz").stat().st_size
        print(f"{'gzipped image, bytes':<28}{size:>12,}{REFERENCE_IMAGE:>12,}{size / REFERENCE_IMAGE:>12.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
