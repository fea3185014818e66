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


@boot_test(pv(Spec(devices=test_devices.AHCI, cpus=2, kernel_args="pci=nomsi")), name="pv-dom0-ahci-disk-without-msi")
def ahci_disk_without_msi(dom0: Dom0) -> None:
    test_devices.reads_and_writes(dom0, "/dev/sda", "ahci")


test_dom0.ends_the_machine("pv-dom0-powers-off", "poweroff -f", pv(Spec()))
test_dom0.ends_the_machine("pv-dom0-reboots", "reboot -f", pv(Spec()))
