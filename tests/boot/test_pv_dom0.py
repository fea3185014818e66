"""A PV dom0, on a processor without virtualization and beside it: userspace, its devices by PIRQs, the toolstack, power-off and reboot."""
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import test_devices
import test_dom0
from dom0 import PV_CPU, Dom0, Spec
from runner import boot_test

NO_HVM, HVM = "qemu64,-svm", PV_CPU


def pv(spec: Spec, cpu: str = NO_HVM) -> Spec:
    return replace(spec, dom0="pv", cpu=cpu)


def comes_up(dom0: Dom0) -> None:
    test_dom0.comes_up(dom0)
    assert ("no hardware virtualization" in dom0.console.text) == (dom0.spec.cpu == NO_HVM)
    assert "Booting kernel on Xen" in dom0.run("dmesg") and "PVH" not in dom0.run("dmesg | grep -i 'booting'")


boot_test(replace(pv(Spec()), dom0=""), name="pv-dom0-1-vcpus")(comes_up)  # by default
for _vcpus in (2, 4):
    boot_test(pv(Spec(cpus=_vcpus, vcpus=_vcpus)), name=f"pv-dom0-{_vcpus}-vcpus")(comes_up)
boot_test(pv(Spec(cpus=2, vcpus=2), HVM), name="pv-dom0-beside-hvm")(comes_up)
boot_test(pv(Spec(cpus=2, vcpus=2, profile="q35")), name="pv-dom0-q35")(comes_up)


@boot_test(pv(Spec(devices=test_devices.VIRTIO, cpus=2)), name="pv-dom0-virtio-disk")
def virtio_disk(dom0: Dom0) -> None:
    test_devices.reads_and_writes(dom0, "/dev/vda", "virtio")


@boot_test(pv(Spec(devices=test_devices.VIRTIO, cpus=2)), name="pv-dom0-e1000")
def e1000(dom0: Dom0) -> None:
    test_devices.e1000(dom0)


@boot_test(pv(Spec(devices=test_devices.AHCI, cpus=2)), name="pv-dom0-ahci-disk")
def ahci_disk(dom0: Dom0) -> None:
    test_devices.reads_and_writes(dom0, "/dev/sda", "ahci")


@boot_test(pv(Spec(devices=test_devices.AHCI, cpus=2)), name="pv-dom0-disk-after-ballooning")
def after_ballooning(dom0: Dom0) -> None:
    test_devices.after_ballooning(dom0)


@boot_test(pv(Spec(devices=test_devices.AHCI, cpus=2)), name="pv-dom0-disk-under-memory-pressure")
def under_pressure(dom0: Dom0) -> None:
    """The whole disk, piece by piece, through what memory is left; another program goes on taking and giving back all but that."""
    dom0.wait("[ -b /dev/sda ]", 30)
    piece, before = 8, test_devices.checksum("ahci")
    left = "awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo"
    dom0.run("mkdir -p /hog; mount -t tmpfs -o size=100% hog /hog; (until [ -e /tmp/enough ]; do "
             f"dd if=/dev/zero of=/hog/full bs=1M count=$(($({left}) - 40)) 2>/dev/null; sleep 1; rm /hog/full; done; touch /tmp/ended) >/dev/null 2>&1 &")
    try:
        dom0.wait(f"[ $({left}) -lt 60 ]", 60, "memory is short")
        pieces = range(0, test_devices.DISK_MIB, piece)
        dom0.run(f"for at in {' '.join(map(str, pieces))}; do dd if=/dev/sda of=/tmp/piece bs=1M skip=$at count={piece} 2>/dev/null && "
                 "dd if=/tmp/piece of=/dev/sda bs=1M seek=$at conv=notrunc,fsync 2>/dev/null || exit 1; done", timeout=300)
        assert dom0.run("md5sum < /dev/sda", timeout=120).split()[0] == before, "what was read"
    finally:
        dom0.run("touch /tmp/enough", status=None)
        dom0.wait("[ -e /tmp/ended ]", 120, "the other program ends")
    assert test_devices.checksum("ahci") == before, "what was written"
    assert not dom0.run("dmesg | grep -E 'BUG:|Oops|Out of memory|I/O error'; true").strip()


@boot_test(pv(Spec(devices=test_devices.AHCI, cpus=2, kernel_args="pci=nomsi")), name="pv-dom0-ahci-disk-without-msi")
def ahci_disk_without_msi(dom0: Dom0) -> None:
    test_devices.reads_and_writes(dom0, "/dev/sda", "ahci")


test_dom0.ends_the_machine("pv-dom0-powers-off", "poweroff -f", pv(Spec()))
test_dom0.ends_the_machine("pv-dom0-reboots", "reboot -f", pv(Spec()))
