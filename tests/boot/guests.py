"""Domains that several boot tests make: configurations, and what to wait for."""
# SPDX-License-Identifier: Apache-2.0
import contextlib
import re
from collections.abc import Iterator

from console import Console
from dom0 import Dom0


def debian_config(name: str, vcpus: int = 1, memory: int = 192, word: str = "none", extra: str = "", more: str = "", kind: str = "pvh") -> str:
    """A guest with Debian's kernel and our init, which prints GUEST-UP, GUEST-TIME and GUEST-READY."""
    return (f'name = "{name}"\ntype = "{kind}"\nmemory = {memory}\nvcpus = {vcpus}\nkernel = "/guests/vmlinuz"\n'
            f'ramdisk = "/guests/initrd"\nextra = "console=hvc0 quiet px.word={word} {extra}"\n{more}\n')


def tiny_config(name: str, kernel: str, vcpus: int = 1, memory: int = 32, extra: str = "", more: str = "", kind: str = "pvh") -> str:
    """One of tests/guests."""
    return (f'name = "{name}"\ntype = "{kind}"\nmemory = {memory}\nvcpus = {vcpus}\nkernel = "/guests/{kernel}.elf"\n'
            f'extra = "{extra}"\n{more}\n')


def log_of(name: str) -> str:
    """Where xenconsoled writes what the guest says."""
    return f"/var/log/xen/console/guest-{name}.log"


def create(dom0: Dom0, name: str, config: str, options: str = "") -> None:
    dom0.run(f"rm -f {log_of(name)}")
    dom0.write(f"/tmp/{name}.cfg", config)
    dom0.run(f"xl create -q {options} /tmp/{name}.cfg", timeout=90)


def await_console(dom0: Dom0, name: str, pattern: str, timeout: float = 60) -> str:
    """Waits until the guest's console log holds `pattern` (grep -E); the matching lines. What else it said is part of the failure."""
    try:
        dom0.wait(f"grep -qE '{pattern}' {log_of(name)} 2>/dev/null", timeout, f"'{pattern}' from guest {name}")
    except AssertionError as late:
        said = dom0.run(f"tail -n 12 {log_of(name)}; xl list; xl vcpu-list {name}", status=None)
        raise AssertionError(f"{late}; it said, and xl list says:\n{said}") from None
    return dom0.run(f"grep -E '{pattern}' {log_of(name)}")


@contextlib.contextmanager
def guest_console(dom0: Dom0, name: str, command: str = "") -> Iterator[Console]:
    """`xl console NAME`, or another command that connects to a guest's console: within, what is typed goes to the guest and what it says comes
    from the same console."""
    dom0.console.type(f"{command or f'xl console {name}'}; echo PX-'LEFT'\n")
    try:
        yield dom0.console
    finally:
        dom0.console.type("\x1d")          # Ctrl-], which counts only when it comes alone
        dom0.console.expect(r"^\s*PX-LEFT$", 30)


def run_in_guest(console: Console, command: str, timeout: float = 60) -> str:
    """A shell command within the guest whose console this is (guest_console()); its output. It must end with status 0."""
    console.type(f"run {command}\n")
    begin = console.expect(r"^GUEST-RUNS$", timeout)
    end = console.expect(r"^GUEST-RAN (\d+)$", timeout)
    output = console.text[begin.end():end.start()].strip("\n")
    assert end[1] == "0", f"`{command}` in the guest ended with {end[1]}: {output[-600:]}"
    return output


def in_guest(dom0: Dom0, name: str, command: str, timeout: float = 60) -> str:
    """What a shell command prints in a guest with Debian's kernel, in one line, whatever its status."""
    with guest_console(dom0, name) as console:
        return " ".join(run_in_guest(console, f"{command}; true", timeout).split())


def destroy(dom0: Dom0, name: str) -> None:
    """Ends the domain, if it is there, and waits until it is gone."""
    dom0.run(f"xl destroy {name} >/dev/null 2>&1; until ! xl domid {name} >/dev/null 2>&1; do usleep 50000; done", status=None)


def free_memory(dom0: Dom0) -> str:
    """MiB that the hypervisor could give to a guest."""
    return re.search(r"^free_memory +: (\d+)$", dom0.run("xl info"), re.M)[1]


def domains(dom0: Dom0) -> dict[str, list[str]]:
    """xl list by name: id, memory, vcpus, state, time."""
    rows = [line.split() for line in dom0.run("xl list").splitlines()[1:]]
    return {row[0]: row[1:] for row in rows if len(row) >= 6}
