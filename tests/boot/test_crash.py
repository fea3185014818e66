"""The hypervisor's own crash, asked for by a debug key on the serial line or by a machine check from the emulator: its report, and what
happens after it."""
# SPDX-License-Identifier: Apache-2.0
import re
from collections.abc import Callable

from dom0 import hypervisor
from machine import Boot, Machine
from paths import GUESTS
from runner import machine_test

SWITCH = "\x01" * 3                        # Ctrl-A, three times
CORRECTED, FATAL = 0x9c00_0000_0000_0151, 0xbe00_0000_0000_0175
IDLE_CPU = 1                               # QEMU gives a machine check to whoever runs: a guest would have this one


def registers(console) -> dict[str, int]:
    """Of the report that comes; each of them must be there."""
    names = ("rip", "rsp", "rflags", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", *(f"r{n}" for n in range(8, 16)), "cr0", "cr2", "cr3", "cr4")
    values = {}
    for name in names:
        match = console.expect(rf"\b{name} +([0-9a-f]{{16}})\b", 10)
        values[name] = int(match[1], 16)
    image, paging, supervisor = 0xffff_8280_0000_0000, 1 << 31, 1 << 20
    assert values["rip"] >> 39 == image >> 39, f"rip is not in the image: {values['rip']:#x}"
    assert values["rsp"] >> 39 != values["rip"] >> 39 and values["rsp"] >> 47 == 0x1ffff, f"rsp is not on a stack: {values['rsp']:#x}"
    assert values["cr0"] & paging and values["cr4"] & supervisor and values["cr3"], values
    return values


def by_key(machine: Machine) -> None:
    console = machine.console
    console.type("C")
    console.expect(r"^\(PX\) panic on CPU \d: asked for by the debug key 'C'$", 10)
    registers(console)
    for function in ("px::console_poll_input", "px::process_softirqs", "px::cpu_loop"):
        console.expect(rf"^  from [0-9a-f]{{16}} {function}\(?.*\+0x[0-9a-f]+", 10)


def by_machine_check(machine: Machine) -> None:
    console = machine.console
    machine.monitor(f"mce {IDLE_CPU} 2 {CORRECTED:#x} 0 0xdead000 0")
    console.expect(rf"^\(PX\) warning: machine check on CPU {IDLE_CPU}: bank 2, corrected: code 0x151, status {CORRECTED:#x}, address 0xdead000, misc 0x0$", 20)
    machine.monitor(f"mce {IDLE_CPU} 4 {FATAL:#x} 4 0x12345000 0x8c")
    console.expect(rf"^\(PX\) the hypervisor crashed on CPU {IDLE_CPU}: machine check \(vector 18\)$", 10)
    console.expect(r"^  machine check status 0x4: the program can't be restarted$", 10)
    console.expect(rf"^  bank 4: uncorrected, the processor's state is lost: code 0x175, status {FATAL:x}, address {0x12345000:016x}, misc {0x8c:016x}$", 10)
    assert "bank 2" not in console.text[console.position:], "the corrected error was reported once and is still there"
    registers(console)
    console.expect(r"^  at   [0-9a-f]{16} px::arch::idle\(?.*\+0x[0-9a-f]+", 10)
    console.expect(r"^  from [0-9a-f]{16} px::arch::other_cpu_start\(?.*\+0x[0-9a-f]+", 10)


def _crash(name: str, xen_args: str, crash: Callable, after: Callable, profile: str = "qemu-svm") -> None:
    boot = Boot(xen=hypervisor("ours"), kernel=GUESTS / "spin.elf", cpus=2, memory=256, seconds=60, profile=profile,
                xen_args=f"dom0_mem=64M dom0_max_vcpus=1 dom0_vcpus_pin {xen_args}")
    with Machine(boot, name) as machine:
        console = machine.console
        try:
            console.expect(r"dom0: 64 MiB, 1 vCPU, starts", 30)
            console.type(SWITCH)
            console.expect(r"console input goes to the hypervisor", 10)
            console.type("h")
            console.expect(r"'C': crash the hypervisor", 10)
            machine.monitor("trace-event memory_region_ops_write on")
            crash(machine)
            after(machine)
        except BaseException as error:
            error.console_tail = console.tail()
            raise


def _resets(name: str, xen_args: str, write: tuple[int, int] | None, crash: Callable, profile: str = "qemu-svm") -> None:
    """`write`: port and value by which the machine is reset; nothing: by a triple fault."""
    def after(machine: Machine) -> None:
        machine.console.expect(r"^\(PX\) rebooting", 10)
        assert machine.wait_end(20) == 0, "the machine was not reset"
        ports = re.findall(r"memory_region_ops_write .*addr (0x[0-9a-f]+) value (0x[0-9a-f]+)", machine.emulator_log.read_text(errors="replace"))
        resets = [pair for pair in ((int(port, 16), int(value, 16)) for port, value in ports) if pair[0] in (0x64, 0xcf9)]
        assert len(ports) > 100 and resets == ([write] if write else []), f"{xen_args}: reset by {resets}, not {write}"

    @machine_test(name=name, only_on="ours")
    def body(on: str) -> None:
        _crash(name, xen_args, crash, after, profile)


KEYBOARD, PCI, ACPI = (0x64, 0xfe), (0xcf9, 0x06), (0xcf9, 0x0f)
_resets("crash-reboots", "", ACPI, by_key, "q35")             # whose FADT names a register; that of i440FX doesn't
_resets("crash-reboots-by-pci", "reboot=pci", PCI, by_key)
_resets("crash-reboots-by-keyboard-controller", "reboot=k", KEYBOARD, by_machine_check)
_resets("crash-reboots-by-triple-fault", "reboot=triple", None, by_key)


@machine_test(name="crash-halts", only_on="ours")
def halts(on: str) -> None:
    def after(machine: Machine) -> None:
        machine.console.expect(r"^\(PX\) noreboot: the machine stays as it is", 10)
        halted = machine.monitor("info cpus")
        assert machine.alive and halted.count("CPU #") == 2, halted
        machine.monitor("quit")
        assert machine.wait_end(20) == 0
    _crash("crash-halts", "reboot=no", by_machine_check, after)
