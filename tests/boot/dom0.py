"""dom0 of the boot tests: its initramfs, and a session at its shell."""
# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import debian
from initramfs import Initramfs, busybox_base
from machine import Boot, Machine
from paths import DEBIAN_KERNEL, DIST, GUESTS, OUR_XEN, REFERENCE_XEN, WORK

HERE = Path(__file__).resolve().parent
XEN_LIB = "usr/lib/xen-4.17"
XEN_MODULES = ("xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xenfs")
DEVICE_MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "e1000", "ahci", "sd_mod")
BACK_ENDS = ("xen-blkback", "xen-netback", "loop", "bridge")  # for guests' disks and network cards, which our tools serve
FRONT_ENDS = ("xen-blkfront", "xen-netfront")
DEBIAN_TOOLS = ("xl", "xenstored", "xenconsoled", "xen-init-dom0")
LIBXL_HELPERS = ("xenconsole", "libxl-save-helper")  # which libxl runs by their own path
STORE_TOOLS = ("xenstore", "xenstore-ls", "xenstore-read", "xenstore-write", "xenstore-list", "xenstore-rm", "xenstore-watch")

PV_CPU = "EPYC,-smap,-monitor,-rdtscp"


@dataclass(frozen=True)
class Spec:
    """What a test wants of dom0. Tests with equal specs share one boot."""

    tools: str = "debian"              # whose xl, xenstored and xenconsoled: debian or philoxen
    cpus: int = 2                      # of the machine
    vcpus: int = 1                     # of dom0
    memory: int = 2048                 # of the machine, MiB
    dom0_memory: int = 768             # MiB
    dom0: str = "pvh"                  # its kind, pvh or pv; nothing: the hypervisor's choice
    guests: tuple[str, ...] = ()       # tiny kernels to find in /guests
    devices: tuple[str, ...] = ()      # arguments of QEMU; their drivers are loaded
    profile: str = "qemu-svm"
    cpu: str = Boot.cpu                # QEMU's -cpu
    way: str = "kernel"                # how the machine starts: ways.py
    packed: bool = False               # the gzip-compressed image
    xen_args: str = ""
    kernel_args: str = ""
    debian_guest: bool = True          # Debian's kernel and our init for it are in /guests
    trace: bool = False                # see machine.Boot
    counted: bool = False              # see machine.Boot
    files: tuple[tuple[str, str], ...] = ()  # further text files of dom0: path and content
    copies: tuple[tuple[str, str], ...] = ()  # further files of dom0: path there and here
    store: str = ""                    # philoxen: our xenstored, whoever's xl; its tools are in the guest too


def hypervisor(on: str, packed: bool = False) -> Path:
    if packed:
        return DIST / "xen.gz"
    return {"ours": OUR_XEN, "reference": REFERENCE_XEN}[on]


def _add_debian_tools(image: Initramfs) -> None:
    root = debian.XEN_ROOT
    libraries = f"{root}/usr/lib/x86_64-linux-gnu"
    for tool in DEBIAN_TOOLS:
        image.program(f"/bin/{tool}", root / XEN_LIB / "bin" / tool, libraries)
    for tool in STORE_TOOLS:
        image.program(f"/bin/{tool}", root / "usr" / "bin" / tool, libraries)
    for helper in LIBXL_HELPERS:
        image.program(f"/{XEN_LIB}/bin/{helper}", root / XEN_LIB / "bin" / helper, libraries)
    # libxl calls dlopen for nothing that these tests use, but its threads need this one at their end.
    image.file("/usr/lib/x86_64-linux-gnu/libgcc_s.so.1", Path("/lib/x86_64-linux-gnu/libgcc_s.so.1"))


def _add_our_tools(image: Initramfs) -> None:
    root = DIST / "root"
    if not root.is_dir():
        raise AssertionError("dist/root is missing: run `./x build` first")
    for path in sorted(root.rglob("*")):
        name = "/" + str(path.relative_to(root))
        if path.is_dir():
            image.directory(name, mode=path.stat().st_mode & 0o777)
        elif path.is_symlink():
            image.link(name, str(path.readlink()))
        elif path.stat().st_mode & 0o100 and path.read_bytes()[:4] == b"\x7fELF":
            image.program(name, path, f"{root}/usr/lib/x86_64-linux-gnu")
        else:
            image.file(name, path)


def _add_our_store(image: Initramfs) -> None:
    """Found before Debian's by the path that dom0's init sets."""
    for program in ("/usr/sbin/xenstored", "/usr/lib/xen/bin/xenstore-holder"):
        image.file(program, DIST / "root" / program[1:])


def _add_modules(image: Initramfs, names: tuple[str, ...]) -> None:
    paths = debian.modules(*names)
    for path in paths:
        image.file(f"/modules/{path.name}", path)
    image.text("/modules/order", "".join(f"{path.name}\n" for path in paths))


def guest_initrd(store_tools: bool = False) -> Path:
    """What Debian's kernel runs as a guest: says its word, answers lines."""
    image = busybox_base(debian.BUSYBOX)
    if store_tools:
        image.file("/bin/xenstore", DIST / "root/usr/bin/xenstore")
        image.file("/bin/store-loop", HERE / "files" / "guest-store-loop")
        for applet in ("read", "write"):
            image.link(f"/bin/xenstore-{applet}", "xenstore")
    image.file("/init", HERE / "files" / "guest-init")
    _add_modules(image, FRONT_ENDS)
    for ending in ("poweroff", "reboot"):  # what the kernel runs when it is asked to stop
        image.text(f"/sbin/{ending}", f"#!/bin/sh\nexec /bin/{ending} -f\n", executable=True)
    return image.write(WORK / ("guest-store.img" if store_tools else "guest.img"))


def dom0_initrd(spec: Spec, interactive: bool = False) -> Path:
    image = busybox_base(debian.BUSYBOX)
    image.directory("/etc/xen", "/var/lib/xen", "/var/lib/xenstored", "/var/log/xen/console", "/guests")
    image.link("/lib/x86_64-linux-gnu", "../usr/lib/x86_64-linux-gnu")
    image.link("/var/run", "/run")
    image.link("/var/lock", "/run/lock")
    image.text("/etc/xen/xl.conf", "")
    {"debian": _add_debian_tools, "philoxen": _add_our_tools}[spec.tools](image)
    if spec.store:
        _add_our_store(image)
    _add_modules(image, XEN_MODULES + (DEVICE_MODULES if spec.devices else ()) + (BACK_ENDS if spec.tools == "philoxen" else ())
                 + (("efivarfs",) if spec.way.startswith("efi") else ()))
    if spec.way.startswith("efi"):
        image.program("/bin/efibootmgr", Path("/usr/bin/efibootmgr"))
    if spec.debian_guest:
        image.file("/guests/vmlinuz", DEBIAN_KERNEL)
        image.file("/guests/initrd", guest_initrd(bool(spec.store)))
    for guest in spec.guests:
        image.file(f"/guests/{guest}.elf", GUESTS / f"{guest}.elf")
    for path, content in spec.files:
        image.text(path, content)
    for path, source in spec.copies:
        image.file(path, Path(source))
    image.text("/etc/px.conf", f"TOOLS={spec.tools}\nINTERACTIVE={int(interactive)}\n")
    image.file("/init", HERE / "files" / "dom0-init")
    key = hashlib.sha1(f"{spec}{interactive}".encode()).hexdigest()[:8]
    return image.write(WORK / f"dom0-{key}.img")


def boot_of(spec: Spec, on: str, interactive: bool = False) -> Boot:
    reference, in_bochs = on == "reference", spec.profile.startswith("bochs")
    # The reference has no PVH dom0 without an IOMMU.
    kind = "" if reference and spec.dom0 == "pvh" and spec.profile != "q35-vtd" else spec.dom0
    return Boot(
        xen=hypervisor(on, spec.packed), kernel=debian.unpacked_kernel() if in_bochs else DEBIAN_KERNEL,
        initrd=dom0_initrd(spec, interactive), profile=spec.profile, way=spec.way, cpus=spec.cpus, memory=spec.memory,
        devices=spec.devices, trace=spec.trace, counted=spec.counted,
        seconds=3600 if interactive or spec.counted else 1200 if in_bochs else 600,
        # QEMU 7.2 can't run PV kernels with SMAP: it faults an iret in ring 3.
        cpu=PV_CPU if (reference or kind != "pvh") and spec.cpu == Boot.cpu else spec.cpu,
        dom0=kind, xen_args=f"dom0_mem={spec.dom0_memory}M,max:{spec.dom0_memory}M dom0_max_vcpus={spec.vcpus} {spec.xen_args}".strip(),
        kernel_args=f"console=hvc0 panic=1 {spec.kernel_args}".strip())


KERNEL_DIED = r"Kernel panic|^\(PX\) Panic|^\(XEN\) Panic|Reboot in five seconds"
PIECE = 72  # bytes of a command that are typed at once


class CommandFailed(AssertionError):
    """A command at dom0's shell had another status than expected."""


class Dom0:
    """A booted dom0 whose shell takes commands."""

    def __init__(self, spec: Spec, on: str, name: str, echo=None, patience: float = 0) -> None:
        self.spec, self.on = spec, on
        patience = patience or (600 if spec.profile.startswith("bochs") else 180)
        self.machine = Machine(boot_of(spec, on), name, echo)
        self.console = self.machine.console
        self._serial = 0
        try:
            self.console.expect(r"^PX-DOM0-READY", timeout=patience, fail=f"PX-DOM0-FAILED|{KERNEL_DIED}")
        except BaseException as error:
            error.console_tail = self.console.tail()
            self.machine.stop()
            raise

    def run(self, command: str, timeout: float = 60, status: int | None = 0) -> str:
        """Runs a shell command; its output without the hypervisor's own lines. `status=None` accepts any."""
        self._serial += 1
        mark = f"PX-{self._serial}"
        # The hypervisor's receive buffer holds some 100 bytes and dom0 may be busy, so a command goes over in acknowledged
        # pieces; base64 keeps quotes and newlines out of the shell's way.
        encoded = base64.b64encode(command.encode()).decode()
        for start in range(0, len(encoded), PIECE):
            self.console.type(f"c={'${c}' if start else ''}{encoded[start:start + PIECE]};echo PX'+'\n")
            self.console.expect(r"^PX\+$", timeout=60, fail=KERNEL_DIED)
        self.console.type(f"eval \"$(echo $c|base64 -d)\" </dev/null;s=$?;echo;echo PX'-{self._serial}' $s\n")
        before = self.console.position
        end = self.console.expect(rf"^{mark} (\d+)$", timeout, fail=KERNEL_DIED)
        output = self.console.text[before:end.start()]
        output = "".join(line + "\n" for line in output.splitlines() if not re.match(r"\((XEN|PX)\)", line)).strip("\n")
        self.last_status = int(end[1])
        if status is not None and self.last_status != status:
            raise CommandFailed(f"`{command}` ended with {self.last_status}, not {status}: {output.strip()[-600:]}")
        return output

    def autorun(self, timeout: float) -> str:
        """What the file /autorun of this dom0 said, which its init runs by itself: for Bochs, which drops characters that
        come faster than its UART is emptied."""
        before = self.console.position
        end = self.console.expect(r"^PX-AUTORUN (\d+)$", timeout, fail=KERNEL_DIED)
        text = self.console.text[before:end.start()]
        if end[1] != "0":
            raise CommandFailed(f"/autorun ended with {end[1]}: {text.strip()[-600:]}")
        return text

    def write(self, path: str, text: str) -> None:
        """A small text file in dom0."""
        self.run(f"printf %s {shlex.quote(text)} > {path}")

    def wait(self, condition: str, timeout: float = 60, what: str = "") -> None:
        """Waits in dom0 until the shell condition holds."""
        self.run(f"e=$(($(date +%s) + {timeout:.0f})); until {condition}; do [ $(date +%s) -lt $e ] || break; usleep 50000; done; "
                 f"{condition}", timeout + 30, status=None)
        if self.last_status:
            raise AssertionError(f"not within {timeout:.0f} s: {what or condition}")

    def stop(self) -> None:
        self.machine.stop()
