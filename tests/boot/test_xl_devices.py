"""Disks, network cards and channels of guests: from the configuration, plugged in and out, and gone with the guest."""
# SPDX-License-Identifier: Apache-2.0
import json

from dom0 import Dom0, Spec
from guests import await_console, create, debian_config, destroy, in_guest
from runner import boot_test

SPEC = Spec(tools="philoxen", guests=("hello", "triple-fault"))
MAC = "00:16:3e:00:00:07"


def _image(dom0: Dom0, name: str, word: str) -> str:
    path = f"/tmp/{name}.img"
    dom0.run(f"dd if=/dev/zero of={path} bs=1M count=4 2>/dev/null; echo {word} | dd of={path} conv=notrunc 2>/dev/null")
    return path


def _left_over(dom0: Dom0) -> str:
    """Loop devices, network interfaces and nodes of guests in dom0."""
    return dom0.run("losetup -a; ls /sys/class/net | grep vif; for kind in vbd vif console; do "
                    "xenstore-ls /local/domain/0/backend/$kind 2>/dev/null; done", status=None).strip()


def _once(dom0: Dom0, name: str, condition: str, command: str) -> str:
    """What the command prints in the guest as soon as the condition holds there: its kernel hears of devices a moment later."""
    return in_guest(dom0, name, f"n=0; until {condition} || [ $n = 500 ]; do n=$((n + 1)); usleep 20000; done; {command}")


def disks(dom0: Dom0) -> None:
    first, second = _image(dom0, "first", "w-first"), _image(dom0, "second", "w-second")
    try:
        create(dom0, "disks", debian_config("disks", more=f'disk = [ "{first},raw,xvda,rw" ]'))
        await_console(dom0, "disks", "GUEST-READY", 90)
        assert in_guest(dom0, "disks", "head -n 1 /dev/xvda") == "w-first"
        in_guest(dom0, "disks", "echo w-written | dd of=/dev/xvda conv=notrunc,fsync 2>/dev/null")
        assert dom0.run(f"head -n 1 {first}").strip() == "w-written"

        dom0.run(f"xl block-attach disks {second},raw,xvdb,ro")
        assert _once(dom0, "disks", "[ -b /dev/xvdb ]", "cat /sys/block/xvdb/ro; head -n 1 /dev/xvdb") == "1 w-second"
        shown = json.loads(dom0.run("xl block-list --json disks"))
        assert [(disk["vdev"], disk["mode"], disk["state"]) for disk in shown] == [("xvda", "w", 4), ("xvdb", "r", 4)], shown
        dom0.run(f"xl block-attach disks {first},raw,xvdc,rw", status=1)  # two writers of one disk
        dom0.run("xl block-detach disks xvdb")
        assert _once(dom0, "disks", "[ ! -e /dev/xvdb ]", "echo gone") == "gone"
        assert len(dom0.run("xl block-list disks").splitlines()) == 2
        dom0.run("xl destroy disks")
        assert _left_over(dom0) == ""
    finally:
        destroy(dom0, "disks")
        dom0.run(f"rm -f {first} {second}")


def networks(dom0: Dom0) -> None:
    """A guest on a bridge answers pings; a card that is plugged in while it runs does too."""
    dom0.run("ip link add xenbr0 type bridge; ip addr add 10.7.0.1/24 dev xenbr0; ip link set xenbr0 up")
    try:
        create(dom0, "net", debian_config("net", more=f'vif = [ "mac={MAC}" ]'))
        await_console(dom0, "net", "GUEST-READY", 90)
        assert in_guest(dom0, "net", "cat /sys/class/net/eth0/address") == MAC
        in_guest(dom0, "net", "ip addr add 10.7.0.2/24 dev eth0; ip link set eth0 up")
        dom0.wait("ping -c 1 -W 1 10.7.0.2 >/dev/null", 30, "the guest answers over the bridge")
        assert in_guest(dom0, "net", "ping -c 1 -W 2 -s 8000 10.7.0.1 >/dev/null && echo yes") == "yes"

        dom0.run("xl network-attach net bridge=xenbr0")
        assert _once(dom0, "net", "ip link set eth1 up 2>/dev/null", "ip link show eth1 | grep -c UP") == "1"
        dom0.wait("xl network-list net | grep -q '^1 .* 4 '", 30, "both ends of the card are connected")
        shown = json.loads(dom0.run("xl network-list --json net"))
        assert [card["state"] for card in shown] == [4, 4] and shown[0]["mac"] == MAC, shown
        dom0.run("xl network-detach net 1")
        assert _once(dom0, "net", "[ ! -e /sys/class/net/eth1 ]", "echo gone") == "gone"
        dom0.run("xl network-attach net bridge=nowhere > /tmp/said 2>&1", status=1)
        assert "there is no bridge 'nowhere'" in dom0.run("cat /tmp/said")
        dom0.run("xl destroy net")
        assert _left_over(dom0) == ""
    finally:
        destroy(dom0, "net")
        dom0.run("ip link del xenbr0", status=None)


def channels(dom0: Dom0) -> None:
    """A byte stream between the guest's hvc1 and a terminal of dom0."""
    try:
        create(dom0, "chan", debian_config("chan", more='channel = [ "name=org.test.agent,connection=pty" ]'))
        await_console(dom0, "chan", "GUEST-READY", 90)
        dom0.wait("xl channel-list chan | grep -q '^1 .* 4 .*/dev/pts/'", 30, "both ends are connected")
        shown = json.loads(dom0.run("xl channel-list --json chan"))[0]
        assert shown["name"] == "org.test.agent", shown
        dom0.run(f"(head -n 1 {shown['terminal']} > /tmp/heard; echo w-answer > {shown['terminal']}) &")
        assert in_guest(dom0, "chan", "cat /sys/bus/xen/devices/console-1/nodename; stty raw -echo -F /dev/hvc1; "
                            "echo w-question > /dev/hvc1; head -n 1 /dev/hvc1").endswith("w-answer")
        assert dom0.run("cat /tmp/heard").strip() == "w-question"
        dom0.run("xl destroy chan")
        assert _left_over(dom0) == ""
    finally:
        destroy(dom0, "chan")


for _body in (disks, networks, channels):
    boot_test(SPEC, name=f"xl-{_body.__name__}-philoxen")(_body)
