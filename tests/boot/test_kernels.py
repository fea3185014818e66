"""dom0's kernel in every form that the loader takes, and in forms that it must refuse in a sentence."""
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import kernels
from dom0 import hypervisor
from machine import Boot, Machine
from paths import DEBIAN_KERNEL, GUESTS
from runner import machine_test


def _boot(name: str, kernel: Path, memory: int, says: str, fail: str = r"^\(PX\) panic", ends: bool = False) -> None:
    boot = Boot(xen=hypervisor("ours"), kernel=kernel, memory=memory, seconds=120, xen_args=f"dom0_mem={memory // 2}M dom0_max_vcpus=1",
                kernel_args="earlyprintk=xen console=hvc0")
    with Machine(boot, name) as machine:
        try:
            machine.console.expect(says, 90, fail=fail)
            if ends:
                machine.console.expect(r"^\(PX\) rebooting", 10)
                assert machine.wait_end(20) == 0, "the machine was not reset"
        except BaseException as error:
            error.console_tail = machine.console.tail()
            raise


def _register_debian(form: str) -> None:
    @machine_test(name=f"kernel-bzimage-{form}", only_on="ours")
    def body(on: str) -> None:
        """As far as the kernel's own banner: what it does then depends on how it was packed no more."""
        _boot(f"kernel-bzimage-{form}", kernels.debian_as(form), 1024, r"Linux version \d+\.")


def _register_elf(form: str) -> None:
    @machine_test(name=f"kernel-elf-{form}", only_on="ours")
    def body(on: str) -> None:
        kernel = kernels.repacked(f"hello-{form}", GUESTS / "hello.elf", kernels.COMPRESSORS[form])
        _boot(f"kernel-elf-{form}", kernel, 256, r"^PX-VERDICT hello pass")


def _register_damaged(form: str) -> None:
    @machine_test(name=f"kernel-damaged-{form}", only_on="ours")
    def body(on: str) -> None:
        """Found while unpacking, whatever the format: one sentence, then the machine is reset."""
        kernel = kernels.repacked(f"damaged-{form}", GUESTS / "cpuid.elf", lambda elf: kernels.damaged(kernels.COMPRESSORS[form](elf), form))
        _boot(f"kernel-damaged-{form}", kernel, 256, r"panic on CPU 0: dom0's kernel .*: (the compressed kernel is damaged|the kernel unpacks to another size than "
              r"the file says: the file is damaged)$", fail="PX-VERDICT", ends=True)


for _form in ("gzip", "zstd", "lz4"):
    _register_debian(_form)
for _form in kernels.COMPRESSORS:
    _register_elf(_form)
    _register_damaged(_form)


@machine_test(name="kernel-damaged-debian", only_on="ours")
def damaged_debian(on: str) -> None:
    kernel = kernels.repacked("damaged-debian", DEBIAN_KERNEL, kernels.damaged)
    _boot("kernel-damaged-debian", kernel, 1024, r"panic on CPU 0: dom0's kernel .*: the compressed kernel is damaged$", fail="Linux version", ends=True)


@machine_test(name="kernel-truncated-debian", only_on="ours")
def truncated_debian(on: str) -> None:
    kernel = kernels.repacked("truncated-debian", DEBIAN_KERNEL, lambda image: image[:3_000_000])
    _boot("kernel-truncated-debian", kernel, 1024, r"panic on CPU 0: dom0's kernel .*: the bzImage is truncated: ", fail="Linux version", ends=True)


@machine_test(name="kernel-where-ram-has-a-hole", only_on="ours")
def in_a_hole(on: str) -> None:
    """Firmware keeps memory at the kernel's own address, and the kernel can't be anywhere else: what lies there is told piece by piece."""
    boot = Boot(xen=hypervisor(on), kernel=GUESTS / "hello.elf", way="efi-hole", profile="q35-smm", memory=1024, seconds=120, xen_args="dom0_mem=512M")
    with Machine(boot, "kernel-where-ram-has-a-hole") as machine:
        console = machine.console
        try:
            kernel = console.expect(r"^\(PX\) error: dom0's kernel must be at 0x(1000000)-0x([0-9a-f]+), all of it memory of dom0's; but there is:$", 60,
                                    fail="X64 Exception|PX-VERDICT|panic on CPU")
            hole = console.expect(r"^\(PX\) error:   0x([0-9a-f]+)-0x([0-9a-f]+) memory of the firmware or of the hypervisor$", 10, fail="panic on CPU")
            assert int(hole[1], 16) <= int(kernel[1], 16) < int(hole[2], 16), f"{hole[0]} isn't in the way of {kernel[0]}"
            console.expect(r"panic on CPU 0: dom0's kernel can't be loaded: it isn't relocatable, and this machine's memory has a hole at its address$", 10)
            console.expect(r"^\(PX\) rebooting", 10)
            assert machine.wait_end(20) == 0, "the machine was not reset"
        except BaseException as error:
            error.console_tail = console.tail()
            raise


@machine_test(name="kernel-beyond-dom0s-memory", only_on="ours")
def beyond_its_memory(on: str) -> None:
    """There is RAM, but dom0_mem ends before it."""
    boot = Boot(xen=hypervisor(on), kernel=GUESTS / "hello.elf", memory=256, seconds=60, xen_args="dom0_mem=12M")
    with Machine(boot, "kernel-beyond-dom0s-memory") as machine:
        try:
            machine.console.expect(r"^\(PX\) error:   0x[0-9a-f]+-0x[0-9a-f]+ memory beyond dom0_mem$", 30, fail="PX-VERDICT|panic on CPU")
            machine.console.expect(r"panic on CPU 0: dom0's kernel can't be loaded", 10)
            assert machine.wait_end(20) == 0, "the machine was not reset"
        except BaseException as error:
            error.console_tail = machine.console.tail()
            raise
