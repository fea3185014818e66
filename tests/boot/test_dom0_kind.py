"""Which kind of dom0 boots on which machine, and what is said where none can, or where guests of one kind can't be made."""
# SPDX-License-Identifier: Apache-2.0
import base64
import gzip
import struct
from dataclasses import replace

from dom0 import PV_CPU, Dom0, hypervisor
from guests import debian_config, domains
from machine import Boot, Machine
from paths import GUESTS, XEN_WITHOUT_PV
from runner import boot_test, machine_test
from test_pv_guests import DOM0S

NO_HVM = r"no hardware virtualization: PVH and HVM domains can't be created"
NO_NPT = r"AMD-V without nested paging can't be used"
LOCKED_OFF = r"VT-x is locked off by the firmware \(IA32_FEATURE_CONTROL\)"
NO_EPT = r"VT-x without extended page tables \(EPT\) can't be used"
PV_STARTS = r"dom0: PV, for there is no hardware virtualization that can be used"
PVH_STOPS = r"panic on CPU 0: a PVH dom0 needs hardware virtualization; why there is none stands above; dom0=pv needs none"
PV_VERDICT, PVH_VERDICT = r"^PX-VERDICT pv-cpu pass", r"^PX-VERDICT hello pass"

# Name; what differs from the usual machine, with AMD-V and no IOMMU; what the log says, in this order.
CASES = {
    "default": ({"cpu": PV_CPU}, (r"AMD-V: nested paging", r"dom0: PV, for no IOMMU is used", r"dom0: PV, 64 MiB")),
    "default-with-amd-iommu-unused": ({"cpu": PV_CPU, "profile": "q35", "devices": ("-device", "amd-iommu")}, (r"dom0: PV, for no IOMMU is used",)),
    "pvh": ({"dom0": "pvh"}, (r"dom0: PVH, for the command line says so", PVH_VERDICT)),
    "none-of-both": ({"cpu": "qemu64,-svm"}, (NO_HVM, PV_STARTS, PV_VERDICT)),
    "pvh-without-hvm": ({"cpu": "qemu64,-svm", "dom0": "pvh"}, (NO_HVM, PVH_STOPS)),
    "amd-without-npt": ({"cpu": "qemu64,+svm,-npt"}, (NO_NPT, NO_HVM, PV_STARTS, PV_VERDICT)),
    "pvh-amd-without-npt": ({"cpu": "qemu64,+svm,-npt", "dom0": "pvh"}, (NO_NPT, PVH_STOPS)),
    "vmx-locked-off": ({"profile": "bochs-skylake", "vmx_locked_off": True, "seconds": 240}, (LOCKED_OFF, NO_HVM, PV_STARTS, PV_VERDICT)),
    "vmx-without-ept": ({"profile": "bochs-penryn", "seconds": 240}, (NO_EPT, NO_HVM, PV_STARTS, PV_VERDICT)),
    "pv-off": ({"xen_args": "pv=0"}, (r"dom0: PVH, for pv=0 turns PV off", PVH_VERDICT)),
    "pv-off-without-hvm": ({"xen_args": "pv=0", "cpu": "qemu64,-svm"},
                           (NO_HVM, r"panic on CPU 0: there can be no dom0: pv=0 turns PV off, and PVH needs hardware virtualization")),
    "pv-off-but-asked": ({"xen_args": "pv=0", "dom0": "pv"}, (r"panic on CPU 0: a PV dom0 needs PV, which pv=0 turns off",)),
    "pv-left-out": ({"xen": XEN_WITHOUT_PV}, (r"dom0: PVH, for PV was left out when this hypervisor was built", PVH_VERDICT)),
    "pv-left-out-without-hvm": ({"xen": XEN_WITHOUT_PV, "cpu": "qemu64,-svm"}, (r"panic on CPU 0: there can be no dom0: PV was left out",)),
    "pv-left-out-but-asked": ({"xen": XEN_WITHOUT_PV, "dom0": "pv"}, (r"panic on CPU 0: a PV dom0 needs PV, which was left out",)),
}


def boot_of(more: dict, says: tuple[str, ...]) -> Boot:
    kernel = "hello" if PVH_VERDICT in says else "pv-cpu"
    boot = Boot(xen=hypervisor("ours"), kernel=GUESTS / f"{kernel}.elf", memory=512, dom0="", seconds=60)
    args = f"dom0_mem=64M dom0_max_vcpus=1 noreboot {more.get('xen_args', '')}".strip()
    return replace(boot, **{**more, "xen_args": args})


def _register(name: str, more: dict, says: tuple[str, ...]) -> None:
    @machine_test(name=f"dom0-kind-{name}", only_on="ours")
    def body(on: str) -> None:
        with Machine(boot_of(more, says), f"dom0-kind-{name}") as machine:
            try:
                for line in says:
                    machine.console.expect(line, timeout=200, fail="PX-VERDICT" if "panic" in line else "panic on CPU")
            except BaseException as error:
                error.console_tail = machine.console.tail()
                raise


for _name, (_more, _says) in CASES.items():
    _register(_name, _more, _says)


def is_refused(dom0: Dom0, config: str, *words: str) -> None:
    """xl says why, and no half-made domain stays. Debian's says it in lines of its own."""
    dom0.write("/tmp/refused.cfg", config)
    output = dom0.run("xl create -q /tmp/refused.cfg 2>&1", timeout=90, status=None)
    assert dom0.last_status != 0, f"xl create succeeded: {output}"
    assert any(word in output for word in words), f"the message names none of {words}: {output}"
    if dom0.spec.tools == "philoxen":
        assert len(output.strip().splitlines()) == 1, f"not one clear sentence: {output}"
    assert list(domains(dom0)) == ["Domain-0"], "a half-made domain stayed behind"


def narrow_pv_kernel() -> bytes:
    """The start of a 32-bit PV kernel: an ELF file of one segment, with the notes that Linux had."""
    def note(kind: int, value: bytes) -> bytes:
        padded = value + bytes(-len(value) % 4)
        return struct.pack("<III4s", 4, len(value), kind, b"Xen\0") + padded

    word = struct.Struct("<I").pack
    # Entry, hypercall page, base, physical offset, Xen's version, guest OS, its version, loader, PAE, features. [xen/public elfnote.h]
    notes = b"".join((note(1, word(0xc0100000)), note(2, word(0xc0101000)), note(3, word(0xc0000000)), note(4, word(0)), note(5, b"xen-3.0\0"),
                      note(6, b"linux\0"), note(7, b"2.6\0"), note(8, b"generic\0"), note(9, b"yes\0"), note(10, b"!writable_page_tables|pae_pgdir_above_4gb\0")))
    headers = 52 + 2 * 32
    text = bytes(8192)
    load = struct.pack("<8I", 1, headers, 0xc0100000, 0x100000, len(text), len(text), 7, 4096)
    noted = struct.pack("<8I", 4, headers + len(text), 0, 0, len(notes), len(notes), 4, 4)
    machine_386, executable = 3, 2
    header = b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", executable, machine_386, 1, 0xc0100000, 52, 0, 0, 52, 32, 2, 40, 0, 0)
    return header + load + noted + text + notes


for _tools in ("debian", "philoxen"):
    _spec = replace(DOM0S["pv-dom0"], tools=_tools)

    @boot_test(_spec, name=f"pvh-guest-without-hvm-{_tools}", only_on="ours")
    def pvh_guest(dom0: Dom0) -> None:
        is_refused(dom0, debian_config("bad"), "no hardware virtualization that can be used", "neither hap nor shadow paging available")

    @boot_test(_spec, name=f"pv-guest-of-32-bits-{_tools}")
    def narrow(dom0: Dom0) -> None:
        packed = base64.b64encode(gzip.compress(narrow_pv_kernel())).decode()
        dom0.run(f"echo {packed} | base64 -d | gunzip > /guests/narrow.elf")
        is_refused(dom0, 'name = "narrow"\ntype = "pv"\nmemory = 32\nkernel = "/guests/narrow.elf"\n', "it is a 32-bit PV kernel", "x86_32p")


@boot_test(replace(DOM0S["pvh-dom0"], tools="philoxen", xen_args="pv=0"), name="pv-guest-where-pv-is-off-philoxen", only_on="ours")
def pv_guest_where_pv_is_off(dom0: Dom0) -> None:
    is_refused(dom0, debian_config("bad", kind="pv"), "this hypervisor has no PV guests")
