"""What takes part in a create is killed with -9 on the way: nothing is left over afterwards, or the guest runs on."""
# SPDX-License-Identifier: Apache-2.0
import contextlib
from collections.abc import Iterator

from dom0 import Dom0, Spec
from guests import await_console, create, debian_config, destroy, domains, guest_console
from paths import REPO
from runner import boot_test

SPEC = Spec(tools="philoxen", guests=("hello", "triple-fault"))
BLOCK = REPO / "toolstack/device/scripts/block"
DEVICES = 'disk = [ "{}/tmp/k.img,raw,xvda,rw" ]\nvif = [ "bridge=xenbr0" ]'
# It runs: neither paused by whoever makes it, nor gone.
RUNS = "xl list k 2>/dev/null | awk 'NR == 2 && $5 !~ /p/ { found = 1 } END { exit !found }'"


def left_over(dom0: Dom0) -> str:
    """All that a guest could leave in dom0: nodes, loop devices, interfaces, kept configurations, domains."""
    return dom0.run("xenstore-ls -f; losetup -a; ls /sys/class/net /var/lib/xen; xl list | awk '{ print $1 }'")


@contextlib.contextmanager
def surroundings(dom0: Dom0) -> Iterator[str]:
    """A bridge and a disk's file; what there is once a first guest has come and gone."""
    dom0.run("ip link add xenbr0 type bridge; ip link set xenbr0 up; dd if=/dev/zero of=/tmp/k.img bs=1M count=1 2>/dev/null")
    try:
        create(dom0, "k", debian_config("k", more=DEVICES.format("")))
        destroy(dom0, "k")
        settled(dom0)
        yield left_over(dom0)
    finally:
        destroy(dom0, "k")
        dom0.run("ip link del xenbr0; rm -f /tmp/k.img", status=None)


def settled(dom0: Dom0) -> None:
    dom0.wait("! pidof xl >/dev/null", 60, "nobody makes, removes or watches over a guest any more")


def same(dom0: Dom0, before: str, when: str) -> None:
    after = left_over(dom0)
    if after != before:
        raise AssertionError(f"{when}: {sorted(set(after.splitlines()) ^ set(before.splitlines()))}")


def xl_killed(dom0: Dom0) -> None:
    with surroundings(dom0) as before:
        undone = ran_on = 0
        for delay_ms in (20, 120, 250, 400, 550, 700, 850, 1000, 1200, 1400, 1700, 2000):
            dom0.run(f"xl create -q /tmp/k.cfg >/dev/null 2>&1 & p=$!; usleep {delay_ms * 1000}; kill -9 $p 2>/dev/null; wait $p", status=None)
            dom0.wait(f"! pidof xl >/dev/null || {RUNS}", 60, "what was begun is undone, or the guest runs")
            if dom0.run("xl domid k 2>/dev/null", status=None).strip():
                dom0.run(RUNS)
                ran_on += 1
                destroy(dom0, "k")
            else:
                undone += 1
            settled(dom0)
            same(dom0, before, f"xl killed after {delay_ms} ms")
        assert undone >= 3, f"{undone} were undone, {ran_on} ran on"


def script_killed(dom0: Dom0) -> None:
    """The script of disks, killed after each line of what it does when a disk comes."""
    lines = BLOCK.read_text().splitlines()
    start = lines.index("add() {")
    with surroundings(dom0) as before:
        for line in range(start + 1, lines.index("}", start)):
            dom0.run(f"sed '{line + 1}a kill -9 $$' /etc/xen/scripts/block > /etc/xen/scripts/block-killed; chmod +x /etc/xen/scripts/block-killed")
            dom0.write("/tmp/k.cfg", debian_config("k", more=DEVICES.format("script=block-killed,")))
            said = dom0.run("xl create -q /tmp/k.cfg 2>&1", status=None)
            assert dom0.last_status == 1 and "block-killed failed" in said, said
            settled(dom0)
            same(dom0, before, f"killed after `{lines[line].strip()}`")
        dom0.run("rm /etc/xen/scripts/block-killed")


def console_daemon_killed(dom0: Dom0) -> None:
    with surroundings(dom0) as before:
        for delay_ms in (100, 600):
            dom0.run("rm -f /var/log/xen/console/guest-k.log; xl create -q /tmp/k.cfg > /tmp/said 2>&1 & echo $! > /tmp/create.pid")
            dom0.run(f"usleep {delay_ms * 1000}; kill -9 $(pidof xenconsoled); usleep 500000; "
                     "xenconsoled --pid-file=/run/xenconsoled.pid --log=all; while kill -0 $(cat /tmp/create.pid) 2>/dev/null; do usleep 50000; done; cat /tmp/said", timeout=90)
            await_console(dom0, "k", "GUEST-READY", 90)
            with guest_console(dom0, "k") as console:
                console.type("still there?\n")
                console.expect(r"^GUEST-ANSWER none heard: still there\?$", 30)
            destroy(dom0, "k")
            settled(dom0)
            same(dom0, before, f"xenconsoled killed after {delay_ms} ms")


def monitor_killed(dom0: Dom0) -> None:
    with surroundings(dom0) as before:
        create(dom0, "k", debian_config("k", more=DEVICES.format("")))
        dom0.run("kill -9 $(pidof xl)")
        await_console(dom0, "k", "GUEST-READY", 90)
        with guest_console(dom0, "k") as console:
            console.type("still there?\n")
            console.expect(r"^GUEST-ANSWER none heard: still there\?$", 30)
        assert sorted(domains(dom0)) == ["Domain-0", "k"]
        dom0.run("xl destroy k")
        settled(dom0)
        same(dom0, before, "the process that watches over the guest killed")


for _body in (xl_killed, script_killed, console_daemon_killed, monitor_killed):
    boot_test(SPEC, name=f"create-{_body.__name__.replace('_', '-')}-philoxen", only_on="ours")(_body)
