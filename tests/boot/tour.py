"""./x run: boots the hypervisor with Debian's kernel as dom0, shows a guest's life, then hands dom0's shell to the terminal."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import os
import random
import select
import sys
import termios
import time
import tty

from dom0 import Dom0, Spec
from guests import guest_console
from paths import DIST, WORK

WORDS = "olive harbour lantern meadow thistle compass walnut saffron amber juniper cedar pebble heron willow marble orchid".split()
LEAVE = b"\x1c"  # Ctrl-\

GUEST = """\
name = "visitor"
type = "pvh"
memory = 256
vcpus = 2
kernel = "/guests/vmlinuz"
ramdisk = "/guests/initrd"
extra = "console=hvc0 quiet px.word={word}"
"""


def say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def show(dom0: Dom0, command: str, lines: int = 30) -> str:
    """Runs a command in dom0 and prints it with what it said."""
    print(f"dom0# {command}", flush=True)
    output = dom0.run(command, timeout=120)
    print("\n".join(output.splitlines()[:lines]), flush=True)
    return output


def tour(dom0: Dom0) -> None:
    word = f"{random.choice(WORDS)}-{random.randrange(1000, 10000)}"
    say("The hypervisor, as dom0's toolstack sees it:")
    show(dom0, "xl info", 40)

    say(f"A PVH guest: Debian's kernel on 2 vCPUs. This run's word, on its command line, is {word}.")
    dom0.write("/root/visitor.cfg", GUEST.format(word=word))
    show(dom0, "cat /root/visitor.cfg")
    show(dom0, "xl create /root/visitor.cfg")

    say("Its console; its init prints the word, and answers a line that we type:")
    print("dom0# xl console visitor", flush=True)
    with guest_console(dom0, "visitor") as console:
        print(console.expect(rf"^GUEST-UP word {word} type xen cpus 2$", 120, fail=rf"GUEST-UP word (?!{word} ).*\n|Unable to attach")[0])
        for cpu in range(2):
            print(console.expect(rf"^GUEST-TIME cpu {cpu} advances$", 60, fail="stands still")[0], flush=True)
        console.expect(r"^GUEST-READY.*$", 60)
        line = f"hello, {random.choice(WORDS)}"
        print(f"(typed) {line}", flush=True)
        console.type(line + "\n")
        print(console.expect(rf"^GUEST-ANSWER {word} heard: {line}$", 60)[0], flush=True)

    say("Both domains:")
    listing = show(dom0, "xl list")
    assert "Domain-0" in listing and "visitor" in listing, "xl list does not show both domains"
    show(dom0, "xl vcpu-list visitor")


def hand_over(dom0: Dom0) -> None:
    """Joins the terminal to dom0's console until dom0 powers off, or Ctrl-\\ is typed."""
    say("dom0's shell is yours. Try `xl list`, `xl console visitor` (Ctrl-] leaves it), `xl dmesg`. "
        "`poweroff` ends the machine; Ctrl-\\ ends it at once.")
    console = dom0.console
    console.type("stty echo; export PS1='dom0# ' PS2='> '; clear\n")
    console.expect(r"dom0# ", 20)
    console._echo = lambda data: os.write(1, data)
    before = termios.tcgetattr(0)
    os.write(1, b"dom0# ")
    try:
        tty.setraw(0)
        while dom0.machine.alive:
            if select.select([0], [], [], 0)[0]:
                typed = os.read(0, 64)
                if not typed or LEAVE in typed:
                    break
                console.type(typed.decode("utf-8", "replace"))
            console.pump(0.05)
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        print()


def main() -> int:
    parser = argparse.ArgumentParser(prog="./x run", description=__doc__)
    parser.add_argument("--demo", action="store_true", help="only the tour; the machine is switched off after it")
    parser.add_argument("--no-tour", action="store_true", help="only the shell")
    parser.add_argument("--on", choices=["ours", "reference"], default="ours")
    parser.add_argument("--tools", choices=["philoxen", "debian"], help="whose xl and daemons (default: ours where they are built)")
    parser.add_argument("--cpus", type=int, default=2)
    arguments = parser.parse_args()
    ours = arguments.on == "ours" and (DIST / "root" / "usr" / "sbin" / "xl").exists()
    tools = arguments.tools or ("philoxen" if ours else "debian")
    spec = Spec(tools=tools, cpus=arguments.cpus, memory=3072, dom0="")

    say(f"Booting {'Philoxen' if arguments.on == 'ours' else 'the reference'} in QEMU, with Debian's kernel as dom0 "
        f"(the whole console: {WORK.relative_to(WORK.parents[1])}/run.console) …")
    started = time.monotonic()
    try:
        dom0 = Dom0(spec, arguments.on, "run")
    except AssertionError as error:
        print(getattr(error, "console_tail", ""))
        print(f"x run: dom0 did not come up: {error}", file=sys.stderr)
        return 1
    try:
        print("\n".join([line for line in dom0.console.text.splitlines() if line.startswith(("(PX)", "(XEN)"))][:8]))
        print(f"dom0 is up after {time.monotonic() - started:.0f} s.")
        if not arguments.no_tour:
            tour(dom0)
        if not arguments.demo and sys.stdin.isatty():
            hand_over(dom0)
        if dom0.machine.alive:
            say("Switching off.")
            dom0.console.type("poweroff -f\n")
            status = dom0.machine.wait_end(60)
            assert status == 0, f"the emulator ended with status {status}"
    except AssertionError as error:
        print(dom0.console.tail())
        print(f"x run: {error}", file=sys.stderr)
        return 1
    finally:
        dom0.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
