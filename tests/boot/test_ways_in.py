"""The ways in: each starts a tiny kernel as dom0, and Debian's kernel with its initramfs to userspace."""
# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass

from dom0 import Dom0, Spec, hypervisor
from machine import Boot, Machine
from paths import GUESTS
from runner import boot_test, machine_test
from ways import MISTAKES


@dataclass(frozen=True)
class Way:
    way: str
    says: str                          # what the hypervisor's first line calls it
    packed: bool = False               # xen.gz


CASES = {
    "grub-multiboot": Way("grub-multiboot", r"Multiboot boot, loader GRUB 2"),
    "grub-multiboot2": Way("grub-multiboot2", r"Multiboot 2 boot, loader GRUB 2"),
    "grub-multiboot-gzip": Way("grub-multiboot", r"Multiboot boot, loader GRUB 2", packed=True),
    "grub-multiboot2-gzip": Way("grub-multiboot2", r"Multiboot 2 boot, loader GRUB 2", packed=True),
    "pvh": Way("pvh", r"PVH boot"),
    "syslinux": Way("syslinux", r"Multiboot boot, loader SYSLINUX|Multiboot boot, loader ISOLINUX", packed=True),
    "efi": Way("efi", r"EFI boot, loader EDK II"),
    "efi-systemd-boot": Way("efi-systemd-boot", r"EFI boot"),
    "efi-unified": Way("efi-unified", r"EFI boot"),
    "efi-shell": Way("efi-shell", r"EFI boot"),
    "efi-chainload": Way("efi-chainload", r"EFI boot"),
    "efi-multiboot2": Way("efi-multiboot2", r"Multiboot 2 EFI boot, loader GRUB 2"),
}


def spec_of(case: Way) -> Spec:
    return Spec(way=case.way, packed=case.packed, kernel_args="px.word=harbour")


def _register(name: str, case: Way) -> None:
    @machine_test(name=f"way-{name}-tiny", only_on="ours")
    def tiny(on: str) -> None:
        boot = Boot(xen=hypervisor(on, case.packed), kernel=GUESTS / "hello.elf", way=case.way, memory=512, seconds=120,
                    xen_args="dom0_mem=64M noreboot", kernel_args="word=olive")
        with Machine(boot, f"way-{name}-tiny") as machine:
            try:
                console = machine.console
                console.expect(rf"^\(PX\).*Philoxen .*{case.says}", timeout=90, fail=r"panic on CPU|^grub.*> |X64 Exception|was not started")
                console.expect(r"command line: console=com1 .* dom0_mem=64M noreboot", timeout=30)
                console.expect(r"dom0: command line: word=olive", timeout=60, fail=r"panic on CPU")
                console.expect(r"^PX-VERDICT hello pass", timeout=60, fail=r"panic on CPU|PX-VERDICT hello fail")
                assert machine.wait_end(20) == 0, "the machine did not end in order"
            except BaseException as error:
                error.console_tail = machine.console.tail()
                raise

    @boot_test(spec_of(case), name=f"way-{name}", only_on="ours")
    def debian(dom0: Dom0) -> None:
        assert dom0.console.seen(case.says), "booted in another way"
        assert "dom0_max_vcpus=1" in dom0.run("xl info xen_commandline")
        words = dom0.run("cat /proc/cmdline").split()
        assert "px.word=harbour" in words and "console=hvc0" in words, words


for _name, _case in CASES.items():
    _register(_name, _case)


@boot_test(spec_of(CASES["efi-systemd-boot"]), name="efi-runtime-services", only_on="ours")
def efi_runtime_services(dom0: Dom0) -> None:
    """dom0 reads the firmware's variables and its clock, and writes a variable that is there afterwards."""
    assert dom0.console.seen(r"EFI: runtime services"), "none were found"
    assert dom0.run("cat /sys/firmware/efi/fw_platform_size").strip() == "64"
    folder = "/sys/firmware/efi/efivars"
    dom0.run(f"mount -t efivarfs efivarfs {folder}")
    names = dom0.run(f"ls {folder}").split()
    assert any(name.startswith("BootOrder-") for name in names), names
    loader = dom0.run(f"tr -d '\\000' < {folder}/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f")
    assert "systemd-boot" in loader, loader
    # The firmware takes no new names in its own namespace, and Linux lets only some be removed: those of crash reports are such.
    ours = f"{folder}/PhiloxenTest-cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0"
    dom0.run(f"printf '\\007\\000\\000\\000olive' > {ours}")
    assert dom0.run(f"tail -c 5 {ours}") == "olive"
    dom0.run(f"rm {ours} && [ ! -e {ours} ]")


@machine_test(name="efi-mistakes", only_on="ours")
def efi_mistakes(on: str) -> None:
    """Each is a sentence, and a key leads back to the shell; after all of them the right arguments still boot."""
    boot = Boot(xen=hypervisor(on), kernel=GUESTS / "hello.elf", way="efi-mistakes", memory=512, seconds=200, xen_args="dom0_mem=64M noreboot")
    with Machine(boot, "efi-mistakes") as machine:
        console = machine.console
        try:
            for _, _, sentence in MISTAKES:
                console.expect(sentence, timeout=90, fail="X64 Exception")
                console.expect(r"Philoxen was not started\. Press a key", timeout=10)
                console.type(" ")
            console.expect(r"^PX-VERDICT hello pass", timeout=60, fail=r"panic on CPU|PX-VERDICT hello fail|X64 Exception")
        except BaseException as error:
            error.console_tail = console.tail()
            raise
