"""Bochs: the CPUs that QEMU's emulation lacks (AMD-V with NRIPS, VT-x, x2APIC), started from a GRUB ISO."""
# SPDX-License-Identifier: Apache-2.0
import os
import re
import tty
from collections import Counter
from pathlib import Path

import ways

MODELS = {
    "bochs-ryzen": "ryzen",
    "bochs-skylake": "corei7_skylake_x",
    "bochs-sandy-bridge": "corei7_sandy_bridge_2600k",   # VT-x without the newer controls
    "bochs-penryn": "core2_penryn_t9600",                # VT-x without EPT
}

CONFIG = """\
display_library: rfb, options="timeout=0"
cpu: model={model}, count={cpus}, ips=50000000, reset_on_triple_fault=0
memory: guest={memory}, host={memory}
romimage: file={bios}
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=term, dev={serial}
log: bochs.log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
clock: sync=none
speaker: enabled=0
sound: driver=dummy
magic_break: enabled={trace:d}
"""

BIOS = Path("/usr/share/bochs/BIOS-bochs-latest")
# What the BIOS does on each CPU: IA32_FEATURE_CONTROL |= 5, then WRMSR. With 1 it locks VT-x off, as some machines' do.
LOCKS_VMX_ON, LOCKS_VMX_OFF = bytes.fromhex("83c8050f30"), bytes.fromhex("83c8010f30")

# A guest's marks (`xchg bx, bx`) come in pairs: what lies between them is traced.
TRACE_COMMANDS = "c\ntrace on\nc\ntrace off\n"
MOST_TRACES = 64

# A line of the trace: (cpu).[time] [physical] selector:linear (context): instruction ; bytes
TRACED = re.compile(r"\(\d+\)\.\s?\[[^]]*\] \[0x[0-9a-f]+\] [0-9a-f]+:([0-9a-f]+) \(.*?\): (.*?)\s*;")
HYPERVISOR = range(0xffff_8000_0000_0000, 0xffff_8800_0000_0000)  # as the ABI of PV has it
HIDDEN = {name: re.compile(pattern) for name, pattern in {
    "entries": r"vmrun|vmresume|vmlaunch|sysret|iret",
    "state switches": r"vmload|vmsave|vmptrld|xsave|xrstor|fxsave|fxrstor",
    "WRMSR": "wrmsr",
    "I/O": r"(in|out) ",
    "locked": r"lock |xchg .*\[",
    "TLB flushes": r"invlpg|invpcid|invept|invvpid|mov cr3",
}.items()}


def _bios(boot, scratch: Path) -> Path:
    if not boot.vmx_locked_off:
        return BIOS
    image = BIOS.read_bytes()
    assert image.count(LOCKS_VMX_ON) == 2, f"{BIOS} locks VT-x on in another way than was known: look at it with objdump"
    changed = scratch / "bios"
    changed.write_bytes(image.replace(LOCKS_VMX_ON, LOCKS_VMX_OFF))
    return changed


def prepare(boot, scratch: Path):
    """(command, read fd, write fd) for a machine.Boot."""
    iso = ways.grub_iso(boot, scratch, "multiboot")
    master, slave = os.openpty()
    tty.setraw(slave)
    (scratch / "bochsrc").write_text(CONFIG.format(
        model=MODELS[boot.profile], bios=_bios(boot, scratch), cpus=boot.cpus, memory=boot.memory, iso=iso,
        serial=os.ttyname(slave), trace=boot.trace))
    # Debian builds the debugger in: its first command is to continue.
    (scratch / "go").write_text(TRACE_COMMANDS * MOST_TRACES if boot.trace else "c\n")
    # Bochs wants a terminal; script(1) gives it one. The slave stays open here, so that the console never hangs up.
    command = ["env", "TERM=xterm", "script", "-qec", "bochs-bin -q -f bochsrc -rc go", "/dev/null"]
    return command, master, master


def hidden_costs(log: Path) -> list[Counter]:
    """What a count of instructions hides, for each traced pair of marks: events of the hypervisor by name."""
    sections: list[Counter] = []
    inside = False
    with log.open(errors="replace") as lines:
        for line in lines:
            if line.startswith("Tracing "):
                inside = line.startswith("Tracing enabled")
                if inside:
                    sections.append(Counter())
            elif inside and (match := TRACED.match(line)) and int(match[1], 16) in HYPERVISOR:
                sections[-1].update(name for name, pattern in HIDDEN.items() if pattern.match(match[2]))
    return sections
