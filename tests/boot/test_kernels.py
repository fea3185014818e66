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
