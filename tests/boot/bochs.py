"""Bochs: the CPUs that QEMU's emulation lacks (AMD-V with NRIPS, VT-x, x2APIC), started from a GRUB ISO."""
# SPDX-License-Identifier: Apache-2.0
import os
import tty
from pathlib import Path

import ways

MODELS = {"bochs-ryzen": "ryzen", "bochs-skylake": "corei7_skylake_x"}

CONFIG = """\
display_library: rfb, options="timeout=0"
cpu: model={model}, count={cpus}, ips=50000000, reset_on_triple_fault=0
memory: guest={memory}, host={memory}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
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
"""

def prepare(boot, scratch: Path):
    """(command, read fd, write fd) for a machine.Boot."""
    iso = ways.grub_iso(boot, scratch, "multiboot")
    master, slave = os.openpty()
    tty.setraw(slave)
    (scratch / "bochsrc").write_text(CONFIG.format(
        model=MODELS[boot.profile], cpus=boot.cpus, memory=boot.memory, iso=iso, serial=os.ttyname(slave)))
    (scratch / "go").write_text("c\n")     # Debian builds the debugger in: its first command is to continue
    # Bochs wants a terminal; script(1) gives it one. The slave stays open here, so that the console never hangs up.
    command = ["script", "-qec", "bochs-bin -q -f bochsrc -rc go", "/dev/null"]
    return command, master, master
