"""64 guests are made at the same time, and removed at the same time; `xl list` is right all along."""
# SPDX-License-Identifier: Apache-2.0
import re

from dom0 import Dom0, Spec
from guests import domains, free_memory, tiny_config
from runner import boot_test

COUNT = 64
SPEC = Spec(tools="philoxen", guests=("tiny",), dom0_memory=640)
# `xl list` again and again until the programs whose numbers are in /tmp/pids have ended: how many guests each list held, and
# whatever is wrong with it. A domain has no name yet before it is entered in the store.
LISTS = """
while :; do
    more=; for pid in $(cat /tmp/pids); do kill -0 $pid 2>/dev/null && more=1 && break; done
    xl list > /tmp/list || echo wrong status $?
    awk 'NR == 1 { if ($1 != "Name" || NF != 6) print "wrong head" $0; next }
        NF != 6 || $2 !~ /^[0-9]+$/ || length($5) != 6 { print "wrong line " $0 }
        $1 !~ /^(Domain-0|g[0-9]+|\\(null\\))$/ { print "wrong name " $0 }
        $1 != "(null)" && named[$1]++ { print "wrong: twice " $0 }
        numbered[$2]++ { print "wrong: number twice " $0 }
        $1 ~ /^g/ && $3 > 16 { print "wrong memory " $0 }
        END { print "guests " NR - 2 }' /tmp/list
    [ -n "$more" ] || break
done
"""


def _in_parallel(dom0: Dom0, command: str) -> list[int]:
    """Runs `command` with $i from 1 to COUNT, all at once; how many guests each list had meanwhile."""
    dom0.run(f"rm -f /tmp/failed; : > /tmp/pids; i=1; while [ $i -le {COUNT} ]; do "
             f"({command} || echo $i >> /tmp/failed) >/tmp/said.$i 2>&1 & echo $! >> /tmp/pids; i=$((i+1)); done")
    said = dom0.run("sh /tmp/lists", timeout=400)
    assert "wrong" not in said, said[-1500:]
    assert dom0.run("cat /tmp/failed 2>/dev/null", status=None).strip() == "", dom0.run("cat /tmp/failed; cat /tmp/said.* | head", status=None)
    return [int(count) for count in re.findall(r"^guests (\d+)$", said, re.M)]


@boot_test(SPEC, name="64-guests-at-once-philoxen", only_on="ours", slow=True)
def many(dom0: Dom0) -> None:
    dom0.write("/tmp/lists", LISTS)
    config = tiny_config("g$i", "tiny", memory=16, more='on_poweroff = "preserve"').replace('"', '\\"')
    dom0.run(f'i=1; while [ $i -le {COUNT} ]; do echo "{config}" > /tmp/g$i.cfg; i=$((i+1)); done')
    dom0.run("xl create -q /tmp/g1.cfg && xl destroy g1")
    dom0.wait("! pidof xl >/dev/null", 60)
    free, nodes = free_memory(dom0), dom0.run("xenstore-ls -f")
    try:
        counts = _in_parallel(dom0, "xl create -q /tmp/g$i.cfg")
        assert counts == sorted(counts) and counts[-1] == COUNT and len(counts) > 2, counts
        names = {f"g{number}" for number in range(1, COUNT + 1)}
        assert set(domains(dom0)) == names | {"Domain-0"}
        dom0.wait(f"[ $(grep -l 'PX-VERDICT tiny pass' /var/log/xen/console/guest-g*.log | wc -l) = {COUNT} ]", 120, "each says its verdict")
        counts = _in_parallel(dom0, "xl destroy g$i")
        assert counts == sorted(counts, reverse=True) and counts[-1] == 0, counts
        dom0.wait("! pidof xl >/dev/null", 60, "nobody watches over a guest any more")
        assert dom0.run("xenstore-ls -f") == nodes
        assert free_memory(dom0) == free
    finally:
        dom0.run(f"for i in $(seq {COUNT}); do xl destroy g$i; done >/dev/null 2>&1", status=None, timeout=200)
