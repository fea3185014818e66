"""The console on the screen: what a screenshot shows is what was printed on the serial line, read glyph by glyph."""
# SPDX-License-Identifier: Apache-2.0
import re
import time

import screenshot
from dom0 import Dom0, hypervisor
from machine import Boot, Machine
from paths import GUESTS
from runner import boot_test, machine_test
from test_ways_in import CASES, spec_of

SWITCH = "\x01" * 3                        # Ctrl-A, three times
FIRST = "(PX) vga:"                        # what the console says first


def wrapped(text: str, columns: int) -> list[str]:
    lines = []
    for line in text.split("\n"):
        pieces = [line[at:at + columns] for at in range(0, len(line), columns)] or [""]
        lines += [piece.rstrip() for piece in pieces]
    return lines


def compare(machine: Machine, read) -> None:
    """Waits until the screen shows the end of the serial line's text: the emulator paints it a moment later."""
    deadline = time.monotonic() + 20
    while True:
        while machine.console.pump(0.2):
            pass
        shown = read(screenshot.take(machine))
        said = machine.console.text[machine.console.text.index(FIRST):]
        wanted = wrapped(said, _columns(read, machine))[-len(shown):]
        wanted += [""] * (len(shown) - len(wanted))
        if shown == wanted:
            return
        if time.monotonic() > deadline:
            difference = [f"{a!r} instead of {b!r}" for a, b in zip(shown, wanted) if a != b]
            raise AssertionError(f"{len(difference)} rows of the screen differ: {'; '.join(difference[:3])}")


def _columns(read, machine: Machine) -> int:
    picture = screenshot.take(machine)
    return 80 if read is screenshot.vga_text else picture.width // (6 * max(1, min(picture.width // 480, picture.height // 250)))


def _register(name: str, way: str, says: str, read, xen_args: str = "", slow: bool = False) -> None:
    @machine_test(name=name, only_on="ours", slow=slow)
    def body(on: str) -> None:
        boot = Boot(xen=hypervisor(on), kernel=GUESTS / "spin.elf", way=way, memory=256, seconds=90,
                    xen_args=f"console=com1,vga vga=keep{xen_args} dom0_mem=64M dom0_max_vcpus=1 noreboot")
        with Machine(boot, name) as machine:
            console = machine.console
            try:
                console.expect(says, timeout=60, fail=r"panic on CPU|X64 Exception")
                console.expect(r"^PX-SPIN begins", timeout=30, fail=r"panic on CPU")
                compare(machine, read)
                # More lines than the screen has: it scrolls.
                console.type(SWITCH)
                console.expect(r"console input goes to the hypervisor", 10)
                for _ in range(6):
                    console.type("h")
                    console.expect(r"'C': crash the hypervisor", 10)
                compare(machine, read)
            except BaseException as error:
                error.console_tail = console.tail()
                raise


_register("screen-vga-text", "kernel", r"vga: text mode, 80x25", screenshot.vga_text)
_register("screen-efi", "efi", r"vga: graphics mode 1024x768, 32 bits per pixel", screenshot.framebuffer_text)
_register("screen-grub", "grub-multiboot2", r"vga: graphics mode 800x600, 32 bits per pixel", screenshot.framebuffer_text)
_register("screen-grub-efi", "efi-multiboot2", r"vga: graphics mode \d+x\d+, 32 bits per pixel", screenshot.framebuffer_text, slow=True)
_register("screen-other-mode", "kernel", r"warning: vga=: the screen stays in the mode that it is in", screenshot.vga_text, ",gfx-1024x768x32")


def _no_screen(name: str, *devices: str) -> None:
    @machine_test(name=name, only_on="ours", slow=True)
    def body(on: str) -> None:
        """The firmware's screen has no pixels to write to, or there is none: the serial line is enough."""
        boot = Boot(xen=hypervisor(on), kernel=GUESTS / "hello.elf", way="efi", memory=512, seconds=90, devices=("-vga", "none", *devices),
                    xen_args="console=com1,vga vga=keep dom0_mem=64M dom0_max_vcpus=1 noreboot")
        with Machine(boot, name) as machine:
            try:
                machine.console.expect(r"vga: this machine has no screen that can be used", timeout=60, fail=r"panic on CPU|X64 Exception")
                machine.console.expect(r"^PX-VERDICT hello pass", timeout=30, fail=r"panic on CPU")
            except BaseException as error:
                error.console_tail = machine.console.tail()
                raise


_no_screen("screen-none")
_no_screen("screen-without-pixels", "-device", "virtio-gpu-pci")


@machine_test(name="screen-is-given-up", only_on="ours")
def screen_is_given_up(on: str) -> None:
    """Without vga=keep nothing of dom0's is shown, but a crash is."""
    boot = Boot(xen=hypervisor(on), kernel=GUESTS / "spin.elf", memory=256, seconds=60, xen_args="console=com1,vga dom0_mem=64M dom0_max_vcpus=1 noreboot")
    with Machine(boot, "screen-is-given-up") as machine:
        console = machine.console
        try:
            console.expect(r"^\(PX\) vga: is dom0's from now on", 30)
            console.expect(r"^PX-SPIN begins", 30)
            shown = screenshot.vga_text(screenshot.take(machine))
            assert not any("PX-SPIN" in line for line in shown), shown
            assert "(PX) vga: is dom0's from now on" in shown, shown
            console.type(SWITCH + "C")
            console.expect(r"noreboot: the machine stays as it is", 20)
            shown = screenshot.vga_text(screenshot.take(machine))
            assert any(line.startswith("(PX) noreboot: the machine stays") for line in shown), shown
        except BaseException as error:
            error.console_tail = console.tail()
            raise


def wait_for_picture(machine: Machine, good) -> None:
    deadline = time.monotonic() + 20
    while not good(screenshot.take(machine)):
        assert time.monotonic() < deadline, "the screen shows something else"
        time.sleep(0.2)


def _dom0_screen(name: str, case: str, driver: str) -> None:
    @boot_test(spec_of(CASES[case]), name=name, only_on="ours")
    def body(dom0: Dom0) -> None:
        """Debian's kernel drives the framebuffer that the firmware or GRUB has set up."""
        mode = re.search(r"vga: graphics mode (\d+)x(\d+), 32 bits", dom0.console.text)
        assert mode, "the hypervisor found no framebuffer"
        assert driver in dom0.run("cat /proc/fb"), dom0.run("dmesg | grep -i -e fb -e vga -e console")
        assert dom0.run("cat /sys/class/graphics/fb0/virtual_size").strip() == f"{mode[1]},{mode[2]}"
        # What is written there is shown, but for the text console's cursor.
        width, rows = int(mode[1]), 64
        for byte, wanted in ((r"\377", True), (r"\000", False)):
            dom0.run(f"head -c {width * 4 * rows} /dev/zero | tr '\\000' '{byte}' > /dev/fb0")
            wait_for_picture(dom0.machine, lambda picture: sum(picture.lit(x, y) == wanted for x in range(width) for y in range(rows)) > width * rows * 0.98)


_dom0_screen("screen-dom0-efi", "efi-systemd-boot", "EFI VGA")
_dom0_screen("screen-pv-dom0-efi", "efi", "EFI VGA")
_dom0_screen("screen-dom0-grub", "grub-multiboot2", "VESA VGA")
_dom0_screen("screen-pv-dom0-grub", "grub-multiboot2-gzip", "VESA VGA")
