"""PV guests with Debian's kernel, beside PVH ones, under either kind of dom0, made by Debian's xl and by ours."""
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import guests
import test_guest_io
from dom0 import Dom0, Spec
from runner import boot_test
from test_pv_dom0 import HVM, pv

DOM0S = {"pv-dom0": pv(Spec(cpus=2, vcpus=2)), "pv-dom0-hvm": pv(Spec(cpus=2, vcpus=2), HVM), "pvh-dom0": Spec(cpus=2, vcpus=2, cpu=HVM)}


def lives(dom0: Dom0, kind: str, vcpus: int = 1) -> None:
    """Comes up, says its word, and powers itself off when it is asked to."""
    name = f"{kind}{vcpus}"
    guests.create(dom0, name, guests.debian_config(name, vcpus=vcpus, word=f"salve-{name}", kind=kind))
    try:
        guests.await_console(dom0, name, "^GUEST-READY", 120)
        assert f"salve-{name}" in dom0.run(f"cat {guests.log_of(name)}")
        dom0.run(f"xl shutdown -w {name}", timeout=90)
        dom0.wait(f"! xl domid {name} 2>/dev/null", 30, f"{name} was removed by who watches over it")
    finally:
        dom0.run(f"xl destroy {name} 2>/dev/null; true")


for _title, _spec in DOM0S.items():
    for _vcpus in (1, 2):
        @boot_test(_spec, name=f"pv-guest-{_vcpus}-vcpus-{_title}")
        def pv_guest(dom0: Dom0, vcpus: int = _vcpus) -> None:
            lives(dom0, "pv", vcpus)


@boot_test(replace(DOM0S["pv-dom0"], tools="philoxen"), name="pv-guest-pv-dom0-philoxen")
def our_tools(dom0: Dom0) -> None:
    lives(dom0, "pv", 2)


@boot_test(replace(DOM0S["pvh-dom0"], tools="philoxen"), name="pv-guest-pvh-dom0-philoxen")
def our_tools_in_pvh(dom0: Dom0) -> None:
    lives(dom0, "pv", 2)


@boot_test(pv(test_guest_io.SPEC), name="pv-guest-disk-on-a-real-disk")
def real_disk(dom0: Dom0) -> None:
    test_guest_io.real_disk(dom0, "pv")


@boot_test(pv(test_guest_io.SPEC), name="pv-guest-packets-to-a-real-nic")
def real_nic(dom0: Dom0) -> None:
    test_guest_io.real_nic(dom0, "pv")


@boot_test(DOM0S["pv-dom0-hvm"], name="pvh-guest-pv-dom0")
def pvh_guest(dom0: Dom0) -> None:
    lives(dom0, "pvh")
