"""The second half of ./x bench: virtual time of whole lives: dom0's boot, and domains made and destroyed.

QEMU with `-icount shift=0`: one instruction is one nanosecond of virtual time, and a CPU that idles skips to its next timer. The
machine has a VT-d IOMMU, so that both hypervisors boot the same PVH dom0; each runs its own toolstack.
"""
# SPDX-License-Identifier: Apache-2.0
import re
from dataclasses import dataclass

from bench_aims import Comparison
from dom0 import Dom0, Spec
from guests import debian_config, tiny_config

LIVES = 100                                # tiny domains, one after the other; some of the other kind among them, whose kernel takes
                                           # 4,000 million instructions to unpack
SHOWN = (2, LIVES)
KINDS = {"tiny": tiny_config("tiny", "tiny", memory=8, more='on_poweroff = "preserve"'), "debian": debian_config("debian")}
TOOLS = {"ours": "philoxen", "reference": "debian"}

# Prints `PX-LIFE kind number create destroy`, in nanoseconds of dom0's clock. /proc/timer_list has the finest clock of a bare shell.
SCRIPT = f"""now() {{ sed -n 's/^now at \\([0-9]*\\) nsecs$/\\1/p' /proc/timer_list; }}
[ -n "$(now)" ] || exit 9
life() {{
    start=$(now)
    xl create -q /$1.cfg || exit 1
    made=$(now)
    xl destroy $1 || exit 2
    while xl domid $1 >/dev/null 2>&1; do :; done
    echo PX-LIFE $1 $n $((made-start)) $(($(now)-made))
}}
n=0
while [ $n -lt {LIVES} ]; do
    n=$((n+1))
    life tiny
    case $n in 1|{'|'.join(map(str, SHOWN))}) life debian ;; esac
done
"""


@dataclass
class Lives:
    boot: int                              # from the machine's start to dom0's services
    lives: dict[str, dict[int, tuple[int, int]]]   # by kind and number: create, destroy


def measure(on: str) -> Lives:
    spec = Spec(tools=TOOLS[on], profile="q35-vtd", cpus=1, counted=True, guests=("tiny",), memory=2048, dom0_memory=768,
                files=(*((f"/{kind}.cfg", text) for kind, text in KINDS.items()), ("/autorun", SCRIPT)))
    dom0 = Dom0(spec, on, f"bench-lives-{on}", patience=600)
    try:
        boot = dom0.machine.virtual_time()
        text = dom0.autorun(timeout=2400)
    finally:
        dom0.stop()
    lives: dict[str, dict[int, tuple[int, int]]] = {kind: {} for kind in KINDS}
    for kind, number, create, destroy in re.findall(r"PX-LIFE (\w+) (\d+) (\d+) (\d+)", text):
        lives[kind][int(number)] = int(create), int(destroy)
    return Lives(boot, lives)


def rows(lives: Lives) -> dict[str, int]:
    """By name: millions of instructions."""
    table = {"dom0's boot": lives.boot // 10**6}
    for kind, numbers in lives.lives.items():
        for number in SHOWN:
            for what, cost in zip(("create", "destroy"), numbers[number]):
                table[f"{what} {kind}, number {number}"] = cost // 10**6
    return table


def report(comparison: Comparison) -> None:
    tables = {on: rows(measure(on)) for on in comparison.sides}
    print()
    comparison.print_title("millions of instructions")
    for name in tables[comparison.sides[0]]:
        comparison.print_row(name, {on: tables[on][name] for on in comparison.sides})
