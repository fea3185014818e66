"""xen-nat-network between network namespaces of this machine: a guest gets a lease and reaches a world that doesn't know its address."""
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import tempfile
from pathlib import Path

import debian
from paths import REPO
from runner import Skipped, machine_test

SCRIPT = REPO / "toolstack/init/xen-nat-network"
LEASE = '#!/bin/sh\n[ "$1" = bound ] && ip addr add $ip/$mask dev $interface && ip route add default via $router && echo $ip > @/lease\nexit 0\n'
DOM0, GUEST, WORLD = (f"px-{name}-{os.getpid()}" for name in ("dom0", "guest", "world"))


def _run(*words: object, status: int | None = 0, where: str = "", **environment: str) -> str:
    command = ["ip", "netns", "exec", where] if where else []
    done = subprocess.run([*command, *map(str, words)], text=True, capture_output=True, timeout=60, env={**os.environ, **environment})
    assert status is None or done.returncode == status, f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def _make_world() -> None:
    """dom0 has a wire to the world, which has no route back, and one to the guest."""
    for name in (DOM0, GUEST, WORLD):
        _run("ip", "netns", "add", name)
        _run("ip", "link", "set", "lo", "up", where=name)
    for ours, theirs, other in (("w1", "w0", WORLD), ("g1", "g0", GUEST)):
        _run("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", other, where=DOM0)
        _run("ip", "link", "set", ours, "up", where=DOM0)
        _run("ip", "link", "set", theirs, "up", where=other)
    _run("ip", "addr", "add", "192.0.2.2/24", "dev", "w1", where=DOM0)
    _run("ip", "addr", "add", "192.0.2.1/24", "dev", "w0", where=WORLD)


def _state() -> str:
    return _run("sh", "-c", "ip -4 -o addr; ip link show type bridge; nft list ruleset; cat /proc/sys/net/ipv4/ip_forward", where=DOM0)


@machine_test("nat-network", suite="package", only_on="ours")
def nat_network(on: str) -> None:
    if os.geteuid():
        raise Skipped("only root may make network namespaces")
    with tempfile.TemporaryDirectory() as directory:
        work = {"XEN_NAT_RUN": f"{directory}/run", "XEN_NAT_SETTINGS": f"{directory}/settings"}
        lease = Path(directory, "on-lease")
        lease.write_text(LEASE.replace("@", directory))
        lease.chmod(0o755)
        try:
            _make_world()
            before = _state()
            _run(SCRIPT, "start", where=DOM0, **work)
            _run(SCRIPT, "status", where=DOM0, **work)
            assert "runs already" in _run(SCRIPT, "start", where=DOM0, status=1, **work)
            _run("ip", "link", "set", "g1", "master", "xennat0", where=DOM0)
            _run(debian.BUSYBOX, "udhcpc", "-i", "g0", "-n", "-q", "-t", "20", "-T", "1", "-s", lease, where=GUEST)
            assert Path(directory, "lease").read_text().startswith("10.199.0."), "the address is of the range"
            _run(debian.BUSYBOX, "ping", "-c", "2", "-W", "5", "192.0.2.1", where=GUEST)
            _run(SCRIPT, "stop", where=DOM0, **work)
            _run(SCRIPT, "status", where=DOM0, status=1, **work)
            assert _state() == before, "stop leaves nothing"
            Path(work["XEN_NAT_SETTINGS"]).write_text("leases=nonsense\n")
            assert "dnsmasq" in _run(SCRIPT, "start", where=DOM0, status=1, **work)
            assert _state() == before, "a start that fails leaves nothing"
        finally:
            _run(SCRIPT, "stop", where=DOM0, status=None, **work)
            for name in (DOM0, GUEST, WORLD):
                _run("ip", "netns", "del", name, status=None)
