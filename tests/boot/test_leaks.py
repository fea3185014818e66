"""Creating and destroying leaves nothing behind."""
# SPDX-License-Identifier: Apache-2.0
import re

from dom0 import Dom0, Spec
from guests import free_memory, tiny_config
from nmis import NmiStorm
from runner import boot_test

WARM_UP = 5


def footprint(dom0: Dom0) -> dict[str, str]:
    """Everything that must be the same before and after."""
    return {
        "free memory": free_memory(dom0),
        "xenstore nodes": dom0.run("xenstore-ls -f | wc -l").strip(),
        "descriptors of xenstored": dom0.run("ls /proc/$(pidof xenstored)/fd | wc -l").strip(),
        "descriptors of xenconsoled": dom0.run("ls /proc/$(pidof xenconsoled)/fd | wc -l").strip(),
        "descriptors of everybody": dom0.run("ls /proc/[0-9]*/fd 2>/dev/null | wc -l").strip(),
        # On ours `xl debug-keys m` prints free pages, heap objects by type and event channels, one `PX-COUNT name value` each.
        # Its prefix is taken off: run() would take the lines for the hypervisor's own.
        **dict(re.findall(r"PX-COUNT (\S+) (\d+)", dom0.run("xl dmesg -c >/dev/null; xl debug-keys m; xl dmesg | sed -n 's/.*PX-COUNT/PX-COUNT/p'", status=None))),
    }


def cycles(dom0: Dom0, count: int) -> None:
    dom0.run(f"n=0; while [ $n -lt {count} ]; do xl create -q /tmp/cycle.cfg && xl destroy cycle || exit 1; n=$((n+1)); "
             "done", timeout=count * 6 + 60)
    dom0.wait("[ $(xl list | wc -l) = 2 ]", 30)
    dom0.wait("! pidof xl >/dev/null", 30, "the last domain's monitor, a client of xenstored, has ended")


def _register(tools: str, count: int, slow: bool) -> None:
    @boot_test(Spec(tools=tools, guests=("tiny",)), name=f"create-and-destroy-{count}-times-{tools}", slow=slow,
               only_on="ours" if tools == "philoxen" else None)
    def body(dom0: Dom0) -> None:
        dom0.write("/tmp/cycle.cfg", tiny_config("cycle", "tiny", memory=8, more='on_poweroff = "preserve"'))
        cycles(dom0, WARM_UP)
        before = footprint(dom0)
        with NmiStorm(dom0):
            cycles(dom0, count)
        after = footprint(dom0)
        changed = {what: (before.get(what), after.get(what)) for what in before | after if before.get(what) != after.get(what)}
        assert not changed, f"not the same after {count} creates and destroys: {changed}"
        if dom0.on == "ours":
            assert len(after) > 4, "`xl debug-keys m` told no counts of the hypervisor's objects"


_register("debian", 20, slow=False)
_register("debian", 200, slow=True)
_register("philoxen", 200, slow=False)
