"""Real (emulated) devices in dom0: a virtio disk, an AHCI disk and an e1000 NIC move data rightly, with no IOMMU."""
# SPDX-License-Identifier: Apache-2.0
import hashlib
import os

from dom0 import Dom0, Spec
from paths import WORK
from runner import boot_test

DISK_MIB = 64


def disk(name: str) -> str:
    """A disk of random content, made once per checkout; its path."""
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / f"{name}.disk"
    if not path.exists():
        path.write_bytes(os.urandom(DISK_MIB << 20))
    return str(path)


def checksum(name: str) -> str:
    return hashlib.md5((WORK / f"{name}.disk").read_bytes()).hexdigest()


def reads_and_writes(dom0: Dom0, device: str, name: str) -> None:
    dom0.wait(f"[ -b {device} ]", 30)
    assert dom0.run(f"md5sum < {device}", timeout=120).split()[0] == checksum(name)
    # A megabyte from elsewhere on the disk to its start, past the page cache, and back again.
    dom0.run(f"dd if={device} of=/tmp/piece bs=1M skip=40 count=1 2>/dev/null; dd if=/tmp/piece of={device} bs=1M conv=fsync 2>/dev/null; "
             "echo 3 > /proc/sys/vm/drop_caches")
    assert dom0.run(f"dd if={device} bs=1M count=1 2>/dev/null | md5sum") == dom0.run("md5sum < /tmp/piece")
    content = (WORK / f"{name}.disk").read_bytes()
    assert content[:1 << 20] == content[40 << 20:41 << 20], "the write did not reach the disk"


VIRTIO = ("-drive", f"file={disk('virtio')},if=virtio,format=raw", "-nic", "user,model=e1000,restrict=on")
AHCI = ("-device", "ahci,id=ahci", "-drive", f"file={disk('ahci')},if=none,id=disk,format=raw", "-device", "ide-hd,drive=disk,bus=ahci.0")


@boot_test(Spec(devices=VIRTIO, cpus=2), name="dom0-virtio-disk")
def virtio_disk(dom0: Dom0) -> None:
    reads_and_writes(dom0, "/dev/vda", "virtio")


@boot_test(Spec(devices=VIRTIO, cpus=2), name="dom0-e1000")
def e1000(dom0: Dom0) -> None:
    dom0.run("ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0")
    dom0.run("ping -c 3 -W 5 10.0.2.2", timeout=40)
    dom0.run("ping -c 3 -W 5 -s 1400 10.0.2.2", timeout=40)


@boot_test(Spec(devices=AHCI, cpus=2), name="dom0-ahci-disk")
def ahci_disk(dom0: Dom0) -> None:
    reads_and_writes(dom0, "/dev/sda", "ahci")


@boot_test(Spec(devices=AHCI, cpus=2), name="dom0-disk-after-ballooning")
def after_ballooning(dom0: Dom0) -> None:
    """A frame that dom0 gave up comes back at its own place: 1:1 memory stays right for DMA."""
    dom0.wait("[ -b /dev/sda ]", 30)
    total = "awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo"
    before = int(dom0.run(total))
    for _ in range(3):
        dom0.run("xl mem-set Domain-0 448")
        dom0.wait(f"[ $({total}) -lt {before - 250} ]", 60, "dom0 gives memory back")
        dom0.run("xl mem-set Domain-0 768")
        dom0.wait(f"[ $({total}) -ge {before - 8} ]", 60, "dom0 takes it again")
    # Copies fill what came back; each is read from the disk anew.
    sums = dom0.run("for n in 1 2 3 4; do echo 1 > /proc/sys/vm/drop_caches; cp /dev/sda /tmp/copy$n; done; md5sum /tmp/copy*; rm /tmp/copy*", timeout=180)
    assert [line.split()[0] for line in sums.splitlines()] == [checksum("ahci")] * 4, sums


@boot_test(Spec(devices=AHCI, cpus=2, kernel_args="pci=nomsi"), name="dom0-ahci-disk-without-msi")
def ahci_disk_without_msi(dom0: Dom0) -> None:
    reads_and_writes(dom0, "/dev/sda", "ahci")
