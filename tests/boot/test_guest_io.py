"""A guest's disk on a real (emulated) disk, and its packets through a bridge to a real NIC: all of it arrives, with no IOMMU.

The pages of both are the guest's, mapped by grants into a dom0 whose own memory is 1:1: a device that was told a wrong address would
move other bytes.
"""
# SPDX-License-Identifier: Apache-2.0
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dom0 import Dom0, Spec
from guests import await_console, create, debian_config, destroy, guest_console, in_guest, run_in_guest
from paths import WORK
from runner import boot_test
from test_devices import checksum, disk

RECEIVED = WORK / "received"
SENT_MIB, SERVER = 8, "10.0.2.100"
DEVICES = ("-device", "ahci,id=ahci", "-drive", f"file={disk('guest')},if=none,id=disk,format=raw", "-device", "ide-hd,drive=disk,bus=ahci.0",
           # What is sent to port 7 of the server arrives in a file; port 8 sends the disk's first bytes.
           "-netdev", f"user,id=net,restrict=on,guestfwd=tcp:{SERVER}:7-cmd:tee {RECEIVED},"
                      f"guestfwd=tcp:{SERVER}:8-cmd:head -c {SENT_MIB << 20} {disk('guest')}",
           "-device", "e1000,netdev=net")
SPEC = Spec(tools="philoxen", cpus=2, vcpus=2, devices=DEVICES)


@contextmanager
def running_guest(dom0: Dom0, more: str, kind: str) -> Iterator[None]:
    try:
        create(dom0, "io", debian_config("io", memory=256, more=more, kind=kind))
        await_console(dom0, "io", "GUEST-READY", 90)
        yield
    finally:
        destroy(dom0, "io")


@boot_test(SPEC, name="guest-disk-on-a-real-disk")
def real_disk(dom0: Dom0, kind: str = "pvh") -> None:
    dom0.wait("[ -b /dev/sda ]", 30)
    with running_guest(dom0, 'disk = [ "phy:/dev/sda,xvda,w" ]', kind):
        assert in_guest(dom0, "io", "md5sum < /dev/xvda", timeout=120).split()[0] == checksum("guest")
        in_guest(dom0, "io", "dd if=/dev/xvda of=/piece bs=1M skip=40 count=8 2>/dev/null; "
                             "dd if=/piece of=/dev/xvda bs=64k conv=notrunc,fsync 2>/dev/null", timeout=120)
        content = (WORK / "guest.disk").read_bytes()
        assert content[:8 << 20] == content[40 << 20:48 << 20], "what the guest wrote did not reach the disk"
        in_guest(dom0, "io", "echo 3 > /proc/sys/vm/drop_caches")
        assert in_guest(dom0, "io", "md5sum < /dev/xvda", timeout=120).split()[0] == checksum("guest")


@boot_test(SPEC, name="guest-packets-to-a-real-nic")
def real_nic(dom0: Dom0, kind: str = "pvh") -> None:
    RECEIVED.unlink(missing_ok=True)
    dom0.run("ip link add xenbr0 type bridge; ip link set eth0 master xenbr0; ip link set eth0 up; ip link set xenbr0 up")
    try:
        with running_guest(dom0, 'vif = [ "bridge=xenbr0" ]', kind):
            in_guest(dom0, "io", "ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up; ip link set lo up")
            expected = hashlib.md5((WORK / "guest.disk").read_bytes()[:SENT_MIB << 20]).hexdigest()
            with guest_console(dom0, "io") as guest:
                run_in_guest(guest, f"nc {SERVER} 8 </dev/null > /got; ls -l /got", timeout=120)
                assert run_in_guest(guest, "md5sum < /got").split()[0] == expected, "received"
                # tee sends everything back; the connection ends when the guest's end does.
                run_in_guest(guest, f"(nc {SERVER} 7 < /got > /echo; true) & until [ $(wc -c < /echo) = {SENT_MIB << 20} ]; do usleep 100000; done; "
                                    "kill $!; true", timeout=120)
                assert run_in_guest(guest, "md5sum < /echo").split()[0] == expected, "sent there and back"
        deadline = time.monotonic() + 20
        while not (RECEIVED.exists() and hashlib.md5(RECEIVED.read_bytes()).hexdigest() == expected):
            assert time.monotonic() < deadline, "what the guest sent is not what arrived"
            dom0.console.pump(0.2)
    finally:
        dom0.run("ip link set eth0 nomaster; ip link del xenbr0", status=None)
