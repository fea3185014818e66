"""xenstored is killed with -9 again and again: nobody who talks to it notices, Debian's xl and a guest's kernel included."""
# SPDX-License-Identifier: Apache-2.0
from dom0 import Dom0, Spec
from guests import await_console, create, debian_config, destroy, domains, guest_console, in_guest, run_in_guest
from runner import boot_test

PID = "/run/xenstored.pid"
# Kills whoever serves, a moment after it serves, until /tmp/killing is gone; counts the kills in /tmp/kills.
KILLER = f"""#!/bin/sh
n=0; last=
while [ -e /tmp/killing ]; do
    pid=$(cat {PID} 2>/dev/null)
    [ "$pid" != "$last" ] && [ -n "$pid" ] && kill -9 $pid 2>/dev/null && n=$((n + 1)) && last=$pid && echo $n > /tmp/kills
    usleep $((80000 + n * 7919 % 170000))
done
"""
# Each xenstore-write is a transaction of Debian's library. Whoever gets a wrong answer says so.
WRITER = """#!/bin/sh
i=0
while [ $i -lt $2 ]; do
    xenstore-write $1 $i || echo "write $i failed"
    [ "$(xenstore-read $1)" = $i ] || echo "read $i failed"
    i=$((i + 1))
done
echo wrote $i
"""
FILES = (("/killer", KILLER), ("/writer", WRITER))
DEBIAN = Spec(tools="debian", store="philoxen", guests=("hello",), files=FILES)
OURS = Spec(tools="philoxen", store="philoxen", guests=("hello",), files=FILES)


class Killing:
    """Within, xenstored is killed all the time."""

    def __init__(self, dom0: Dom0) -> None:
        self.dom0, self.kills = dom0, 0

    def __enter__(self) -> "Killing":
        self.dom0.run("echo 0 > /tmp/kills; touch /tmp/killing; sh /killer >/dev/null 2>&1 & echo $! > /tmp/killer.pid")
        return self

    def __exit__(self, *error: object) -> None:
        self.kills = int(self.dom0.run("rm /tmp/killing; while kill -0 $(cat /tmp/killer.pid) 2>/dev/null; do usleep 20000; done; cat /tmp/kills"))


def store_killed(dom0: Dom0) -> None:
    holder = dom0.run("pidof xenstore-holder")
    create(dom0, "kept", debian_config("kept", word="w-9"))
    try:
        await_console(dom0, "kept", "GUEST-READY", 90)
        home = f"/local/domain/{dom0.run('xl domid kept').strip()}"
        in_guest(dom0, "kept", "mkdir -p /dev/xen; xenstore-write data/probe 1; xenstore-read data/probe")
        transactions(dom0, home)
        lives(dom0)
        with guest_console(dom0, "kept") as console:
            console.type("still there?\n")
            console.expect(r"^GUEST-ANSWER w-9 heard: still there\?$", 30)
        assert sorted(domains(dom0)) == ["Domain-0", "kept"], domains(dom0)
        assert dom0.run(f"xenstore-read {home}/name") == "kept"
        assert dom0.run("pidof xenstore-holder") == holder
        both_killed(dom0, home)
        dom0.run("xl destroy kept")
        assert home.split("/")[-1] not in dom0.run("xenstore-list /local/domain").split(), "the guest's nodes are gone with it"
    finally:
        destroy(dom0, "kept")


def transactions(dom0: Dom0, home: str) -> None:
    """dom0's programs and the guest's ring, each with its own nodes, while xenstored dies."""
    dom0.run("(sh /writer /test/one 60; sh /writer /test/one 60) > /tmp/one 2>&1 & echo $! > /tmp/one.pid")
    with Killing(dom0) as killing, guest_console(dom0, "kept") as guest:
        said = run_in_guest(guest, "store-loop 60", timeout=240)
        assert said.split() == ["did", "60"], said
    assert killing.kills >= 5, f"{killing.kills} kills"
    dom0.wait("! kill -0 $(cat /tmp/one.pid) 2>/dev/null", 60, "the writer ends")
    assert dom0.run("cat /tmp/one").split() == ["wrote", "60"] * 2, dom0.run("cat /tmp/one")
    assert dom0.run(f"xenstore-read {home}/data/x") == "59"
    assert dom0.run("xenstore-ls /test").split() == ["one", "=", "\"59\""]


def lives(dom0: Dom0) -> None:
    """A guest is made and destroyed while xenstored dies."""
    with Killing(dom0) as killing:
        create(dom0, "brief", debian_config("brief"))
        await_console(dom0, "brief", "GUEST-UP", 90)
        assert sorted(domains(dom0)) == ["Domain-0", "brief", "kept"], domains(dom0)
        dom0.run("xl destroy brief", timeout=120)
        dom0.wait("! xl domid brief >/dev/null 2>&1", 60)
    assert killing.kills >= 5, f"{killing.kills} kills"


def both_killed(dom0: Dom0, home: str) -> None:
    """The holder too, and xenstored is started again: the guest's ring goes on. What in dom0 was connected must connect anew."""
    in_guest(dom0, "kept", "store-loop & echo on")
    dom0.wait(f"xenstore-read {home}/data/beat", 20)
    dom0.run(f"kill -9 $(pidof xenstore-holder); while pidof xenstored >/dev/null; do usleep 20000; done; usleep 500000; xenstored --pid-file {PID}")
    beat = dom0.run(f"xenstore-read {home}/data/beat")
    dom0.wait(f'[ "$(xenstore-read {home}/data/beat)" != "{beat}" ]', 20, "the guest writes on")
    assert dom0.run(f"xenstore-read {home}/data/x") == "59"
    assert sorted(domains(dom0)) == ["Domain-0", "kept"], domains(dom0)
    if dom0.spec.tools == "philoxen":
        dom0.run("kill $(pidof xenconsoled) 2>/dev/null; while pidof xenconsoled >/dev/null; do usleep 20000; done; "
                 "xenconsoled --pid-file=/run/xenconsoled.pid --log=all")
        assert in_guest(dom0, "kept", "xenstore-read data/x") == "59"
        assert "waiting for another one" in dom0.run("pidof xl && cat /var/log/xen/xl-kept.log"), "the guest is still watched over"


boot_test(DEBIAN, name="store-killed-debian")(store_killed)
boot_test(OURS, name="store-killed-philoxen", only_on="ours")(store_killed)
