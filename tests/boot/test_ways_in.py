"""The ways in: each starts a tiny kernel as dom0, and Debian's kernel with its initramfs to userspace."""
# SPDX-License-Identifier: Apache-2.0
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import microcode
from dom0 import Dom0, Spec, hypervisor
from machine import Boot, Machine
from paths import GUESTS, WORK
from runner import boot_test, machine_test
from ways import HELP, MISTAKES


@dataclass(frozen=True)
class Way:
    way: str
    says: str                          # what the hypervisor's first line calls it
    packed: bool = False               # xen.gz
    slow: bool = False                 # Debian's userspace by it only when it is asked for: a tiny kernel runs every time
    dom0: str = "pvh"                  # Debian's kind; nothing: the hypervisor's choice, which is PV
    tiny: str = "hello"                # the tiny kernel
    vga: str = ""                      # vga= for the tiny kernel's boot, and what is said of it
    vga_says: str = ""
    before: str = ""                   # what is said before the hypervisor starts


# Forms of vga=: modes are never changed by the hypervisor, so that a form names the present mode, or is told to be another one.
TEXT, STAYS = r"vga: text mode, 80x25$", r"warning: vga=: the screen stays in the mode that it is in: only the boot loader can change it"


CASES = {
    "grub-multiboot": Way("grub-multiboot", r"Multiboot boot, loader GRUB 2", vga="text-80x25", vga_says=TEXT),
    "grub-multiboot2": Way("grub-multiboot2", r"Multiboot 2 boot, loader GRUB 2", vga="gfx-800x600x32", vga_says=r"vga: graphics mode 800x600, 32 bits"),
    "grub-multiboot-gzip": Way("grub-multiboot", r"Multiboot boot, loader GRUB 2", packed=True, dom0="", vga="text-80x50", vga_says=STAYS),
    "grub-multiboot2-gzip": Way("grub-multiboot2", r"Multiboot 2 boot, loader GRUB 2", packed=True, dom0="", vga="text-80x25", vga_says=STAYS),
    "debian-multiboot": Way("debian-multiboot", r"Multiboot boot, loader GRUB 2", packed=True, slow=True),
    "debian-multiboot2": Way("debian-multiboot2", r"Multiboot 2 boot, loader GRUB 2", packed=True, slow=True),
    "pvh": Way("pvh", r"PVH boot", vga="ask", vga_says=STAYS),
    "syslinux": Way("syslinux", r"Multiboot boot, loader SYSLINUX|Multiboot boot, loader ISOLINUX", packed=True, dom0="", vga="mode-0x317", vga_says=STAYS),
    "efi": Way("efi", r"EFI boot, loader EDK II", dom0="", tiny="efi", vga="gfx-1024x768", vga_says=r"vga: graphics mode 1024x768"),
    "efi-systemd-boot": Way("efi-systemd-boot", r"EFI boot", vga="current,keep", vga_says=r"vga: graphics mode 1024x768"),
    "efi-unified": Way("efi-unified", r"EFI boot", slow=True, dom0="", vga="mode-x", vga_says=r"warning: command line: 'vga=mode-x': is none of current, ask, .*: mode-x"),
    "efi-shell": Way("efi-shell", r"EFI boot", vga="gfx-1024x768x16", vga_says=STAYS),
    "efi-systemd-boot-plain": Way("efi-systemd-boot-plain", r"EFI boot", slow=True),
    "efi-systemd-boot-initrd": Way("efi-systemd-boot-initrd", r"EFI boot", slow=True),
    "efi-offered-initrd": Way("efi-offered-initrd", r"EFI boot", slow=True),
    "efi-chainload": Way("efi-chainload", r"EFI boot", vga="ask,keep", vga_says=STAYS, before=HELP),
    "efi-multiboot2": Way("efi-multiboot2", r"Multiboot 2 EFI boot, loader GRUB 2", slow=True),
    "debian-efi": Way("debian-efi", r"Multiboot 2 EFI boot, loader GRUB 2", packed=True, dom0=""),
}


RAMDISK_SIZE = 123456


def some_initrd() -> Path:
    """For a kernel that doesn't look at it: only its size is compared."""
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / "some.img"
    path.write_bytes(bytes(range(1, 256)) * (RAMDISK_SIZE // 255) + b"." * (RAMDISK_SIZE % 255))
    return path


def spec_of(case: Way) -> Spec:
    return Spec(way=case.way, packed=case.packed, dom0=case.dom0, kernel_args="px.word=harbour")


def arrived(dom0: Dom0, says: str) -> None:
    """dom0's userspace is that of the initramfs, both command lines came through, and so did the ACPI tables: all CPUs are known by them."""
    assert dom0.console.seen(says), "booted in another way"
    assert dom0.console.seen(rf"\(PX\) {dom0.spec.cpus} CPUs online"), "CPUs are missing"
    assert "dom0_max_vcpus=1" in dom0.run("xl info xen_commandline")
    words = dom0.run("cat /proc/cmdline").split()
    assert "px.word=harbour" in words and "console=hvc0" in words, words
    assert bool(dom0.console.seen(r"dom0: PV, ")) == (dom0.spec.dom0 != "pvh"), "dom0 is of the other kind"


def _register(name: str, case: Way) -> None:
    @machine_test(name=f"way-{name}-tiny", only_on="ours")
    def tiny(on: str) -> None:
        # In PVH's one file the end of an ELF kernel isn't told, so that nothing can follow it.
        initrd = None if case.way == "pvh" else some_initrd()
        vga = f" vga={case.vga}" if case.vga else ""
        boot = Boot(xen=hypervisor(on, case.packed), kernel=GUESTS / f"{case.tiny}.elf", initrd=initrd, way=case.way, memory=512, seconds=120,
                    xen_args=f"dom0_mem=64M noreboot dom0=verbose{vga}", kernel_args="word=olive")
        with Machine(boot, f"way-{name}-tiny") as machine:
            try:
                console = machine.console
                console.expect(case.before, timeout=90)
                console.expect(rf"^\(PX\).*Philoxen .*{case.says}", timeout=90, fail=r"panic on CPU|^grub.*> |X64 Exception|was not started")
                console.expect(rf"command line: console=com1 .* dom0_mem=64M noreboot dom0=verbose{vga}( no-real-mode edd=off| -- word=olive)?$", timeout=30)
                console.expect(r"dom0: command line: (root=/dev/sr0 ro +)?word=olive", timeout=60, fail=r"panic on CPU")
                ramdisk = console.expect(r"dom0: start info \S+, ramdisk 0x([0-9a-f]+)-0x([0-9a-f]+),", timeout=10, fail=r"panic on CPU")
                size = int(ramdisk[2], 16) - int(ramdisk[1], 16)
                assert size == (RAMDISK_SIZE if initrd else 0), f"the ramdisk has {size} bytes"
                console.expect(rf"^PX-VERDICT {case.tiny} pass", timeout=60, fail=rf"panic on CPU|PX-VERDICT {case.tiny} fail")
                assert machine.wait_end(20) == 0, "the machine did not end in order"
                assert not console.seen(r"warning: ACPI table"), "the loader's ACPI root pointer is no good"
                if vga:
                    assert console.seen(case.vga_says), f"nothing is said of vga={case.vga}"
                    assert bool(console.seen(STAYS)) == (case.vga_says == STAYS), f"vga={case.vga}"
            except BaseException as error:
                error.console_tail = machine.console.tail()
                raise

    @boot_test(spec_of(case), name=f"way-{name}", only_on="ours", slow=case.slow)
    def debian(dom0: Dom0) -> None:
        arrived(dom0, case.says)


for _name, _case in CASES.items():
    _register(_name, _case)


MOUNT_VARIABLES = "ls /sys/firmware/efi/efivars/BootOrder-* >/dev/null 2>&1 || mount -t efivarfs efivarfs /sys/firmware/efi/efivars"


@boot_test(spec_of(CASES["efi-systemd-boot"]), name="efi-runtime-services", only_on="ours")
def efi_runtime_services(dom0: Dom0) -> None:
    """dom0 reads the firmware's variables and its clock, and writes a variable that is there afterwards."""
    assert dom0.console.seen(r"EFI: runtime services"), "none were found"
    assert dom0.run("cat /sys/firmware/efi/fw_platform_size").strip() == "64"
    folder = "/sys/firmware/efi/efivars"
    dom0.run(MOUNT_VARIABLES)
    names = dom0.run(f"ls {folder}").split()
    assert any(name.startswith("BootOrder-") for name in names), names
    loader = dom0.run(f"tr -d '\\000' < {folder}/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f")
    assert "systemd-boot" in loader, loader
    # The firmware takes no new names in its own namespace, and Linux lets only some be removed: those of crash reports are such.
    ours = f"{folder}/PhiloxenTest-cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0"
    dom0.run(f"printf '\\007\\000\\000\\000olive' > {ours}")
    assert dom0.run(f"tail -c 5 {ours}") == "olive"
    dom0.run(f"rm {ours} && [ ! -e {ours} ]")


@boot_test(spec_of(CASES["efi"]), name="efi-boot-entries-pv-dom0", only_on="ours")
@boot_test(spec_of(CASES["efi-systemd-boot"]), name="efi-boot-entries", only_on="ours")
def efi_boot_entries(dom0: Dom0) -> None:
    """Debian's efibootmgr lists the firmware's boot entries, and changes them."""
    assert dom0.console.seen(r"EFI: runtime services .*memory attributes obeyed"), "the firmware's pieces are mapped without their rights"
    dom0.run(MOUNT_VARIABLES)
    listed = dom0.run("efibootmgr")
    assert re.search(r"^BootOrder: [0-9A-F]{4}", listed, re.M) and re.search(r"^BootCurrent: [0-9A-F]{4}", listed, re.M), listed
    assert re.search(r"^Boot[0-9A-F]{4}\* UEFI QEMU HARDDISK", listed, re.M), listed
    dom0.run("efibootmgr -t 7")
    assert "Timeout: 7 seconds" in dom0.run("efibootmgr")
    first = re.search(r"^BootOrder: ([0-9A-F]{4})", listed, re.M)[1]
    dom0.run(f"efibootmgr -n {first}")
    assert f"BootNext: {first}" in dom0.run("efibootmgr")
    dom0.run("efibootmgr -N")
    assert "BootNext" not in dom0.run("efibootmgr")


@machine_test(name="efi-mistakes", only_on="ours")
def efi_mistakes(on: str) -> None:
    """Each is a sentence, and a key leads back to the shell; after all of them the right arguments still boot, through chain= and with -mapbs and -basevideo."""
    boot = Boot(xen=hypervisor(on), kernel=GUESTS / "tiny.elf", way="efi-mistakes", memory=512, seconds=200, xen_args="dom0_mem=64M noreboot")
    with Machine(boot, "efi-mistakes") as machine:
        console = machine.console
        try:
            for mistake in MISTAKES:
                console.expect(mistake.says, timeout=90, fail="X64 Exception")
                if mistake.waits:
                    console.expect(r"Philoxen was not started\. Press a key", timeout=10)
                    console.type(" ")
            for name in ("chain", "more", "last"):
                console.expect(rf"Philoxen: configuration {name}\.cfg", timeout=30)
            console.expect(r"the security policy isn't used: this hypervisor has no XSM", timeout=30)
            mode = console.expect(r"vga: graphics mode (\d+x\d+), ", timeout=30, fail="X64 Exception")
            console.expect(r"EFI: the memory of boot services stays reserved \(-mapbs\)", timeout=30)
            memory = console.expect(r"memory: (\d+) MiB of RAM", timeout=30)
            console.expect(r"^PX-VERDICT tiny pass", timeout=60, fail=r"panic on CPU|PX-VERDICT tiny fail|X64 Exception")
            assert mode[1] != "800x600", "-basevideo, and yet the mode that video= names"
            assert int(memory[1]) < 480, f"-mapbs keeps nothing back: {memory[1]} MiB"
        except BaseException as error:
            error.console_tail = console.tail()
            raise


def _says(name: str, boot: Callable[[], Boot], *sentences: str) -> None:
    """The hypervisor says each of the sentences, in this order."""
    @machine_test(name=name, only_on="ours")
    def body(on: str) -> None:
        with Machine(boot(), name) as machine:
            try:
                for sentence in sentences:
                    machine.console.expect(sentence, timeout=60, fail=r"X64 Exception")
            except BaseException as error:
                error.console_tail = machine.console.tail()
                raise


def _tiny(way: str = "kernel", **more) -> Boot:
    chosen = {"xen": hypervisor("ours"), "kernel": GUESTS / "hello.elf", "memory": 512, "seconds": 90, "xen_args": "dom0_mem=64M noreboot"} | more
    return Boot(way=way, **chosen)


NO_UPDATE = b"DMA\0" + bytes(4) + b"\xff" * 100
BARE = "EPYC,-monitor,-rdtscp,-hypervisor"  # an emulated CPU that says that it is none

_says("modules-none", lambda: _tiny("kernel-alone"), r"panic on CPU 0: no dom0: the boot loader passed no module; the first must be dom0's kernel")
_says("modules-swapped", lambda: _tiny("kernel-swapped", initrd=some_initrd()),
      r"panic on CPU 0: the boot loader's first module isn't a kernel, but its module 2 is: dom0's kernel comes first")
_says("modules-no-kernel", lambda: _tiny(kernel=some_initrd()), r"panic on CPU 0: dom0's kernel \(the boot loader's first module\) can't be read: ")


def _file(name: str, content: bytes) -> Path:
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / name
    path.write_bytes(content)
    return path


def _ucode_initrd(**of_update) -> Path:
    return _file("early.img", microcode.early_cpio(microcode.amd_file(**of_update)) + b"\x1f\x8b the rest")


_ARGS = "dom0_mem=64M noreboot "
_REFUSED = rf"warning: microcode: CPU 0 doesn't take revision {microcode.REVISION:#x} and stays at "
_says("microcode-emulated", lambda: _tiny(initrd=_ucode_initrd(), xen_args=_ARGS + "ucode=scan"), r"microcode: not loaded: this CPU is emulated or belongs to another hypervisor",
      r"^PX-VERDICT hello pass")
_says("microcode-scan", lambda: _tiny(initrd=_ucode_initrd(), xen_args=_ARGS + "ucode=scan", cpu=BARE, cpus=2), _REFUSED, _REFUSED.replace("CPU 0", "CPU 1"),
      r"^PX-VERDICT hello pass")
_says("microcode-scan-intel", lambda: _tiny(kernel=GUESTS / "pv-memory.elf", dom0="pv", cpu="Skylake-Client,-hypervisor,-smap", xen_args=_ARGS + "ucode=scan",
                                            initrd=_file("early.img", microcode.early_cpio(microcode.intel_file(), microcode.INTEL) + b"\x1f\x8b the rest")),
      _REFUSED, r"^.*PX-VERDICT pv-memory pass")
_says("microcode-scan-other-cpu", lambda: _tiny(initrd=_ucode_initrd(signature=0x00A20F10), xen_args=_ARGS + "ucode=scan", cpu=BARE),
      r"microcode: the file has nothing for this CPU \(signature 0x800f12, revision 0x[0-9a-f]+\): not loaded", r"^PX-VERDICT hello pass")
_says("microcode-scan-broken", lambda: _tiny(initrd=_file("early.img", microcode.early_cpio(NO_UPDATE)), xen_args=_ARGS + "ucode=scan", cpu=BARE), r"microcode: the file ends within a section", r"^PX-VERDICT hello pass")
_says("microcode-module", lambda: _tiny(initrd=_file("ucode.bin", microcode.amd_file()), xen_args=_ARGS + "ucode=-1 dom0=verbose", cpu=BARE), _REFUSED,
      r"dom0: start info \S+, ramdisk 0x0-0x0,", r"^PX-VERDICT hello pass")
_says("microcode-efi", lambda: _tiny("efi-microcode", initrd=some_initrd(), xen_args=_ARGS + "dom0=verbose", cpu=BARE), r"Philoxen: microcode ucode\.bin, 0 KiB", _REFUSED,
      r"dom0: start info \S+, ramdisk 0x[0-9a-f]{4}", r"^PX-VERDICT hello pass")
_says("no-acpi-tables", lambda: _tiny(kernel=GUESTS / "timers.elf", devices=("-machine", "pc,acpi=off")), r"warning: ACPI table RSDP not found", r"1 CPUs online",
      r"^PX-VERDICT timers pass")
