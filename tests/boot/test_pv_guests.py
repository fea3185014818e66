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


@boot_test(replace(DOM0S["pv-dom0"], tools="philoxen"), name="pv-guest-balloons-philoxen")
def balloons(dom0: Dom0) -> None:
    """Memory is given back and taken again, with page tables in use; what is stored in it afterwards stays."""
    size = "$(xl list air | awk 'NR == 2 { print $3 }')"
    guests.create(dom0, "air", guests.debian_config("air", memory=256, kind="pv"))
    try:
        guests.await_console(dom0, "air", "^GUEST-READY", 120)
        for _ in range(3):
            dom0.run("xl mem-set air 160m")
            dom0.wait(f"[ {size} -le 161 ]", 60, "the guest gives memory back")
            dom0.run("xl mem-set air 256m")
            dom0.wait(f"[ {size} -ge 254 ]", 60, "the guest takes it again")
        with guests.guest_console(dom0, "air") as guest:
            sums = guests.run_in_guest(guest, "dd if=/dev/urandom of=/seed bs=1M count=4 2>/dev/null; for n in $(seq 20); do cp /seed /copy$n; done; "
                                              "md5sum /seed /copy*; rm /copy*", 120)
        assert len(sums.splitlines()) == 21 and len({line.split()[0] for line in sums.splitlines()}) == 1, sums
        dom0.run("xl mem-set air 9g", status=1)
    finally:
        guests.destroy(dom0, "air")


@boot_test(replace(DOM0S["pv-dom0"], tools="philoxen"), name="pv-guest-vcpus-come-and-go-philoxen")
def vcpus_come_and_go(dom0: Dom0) -> None:
    online, system = "cat /sys/devices/system/cpu/online", "/sys/devices/system/cpu"

    def has(count: int) -> None:
        dom0.run(f"xl vcpu-set many {count}")
        # Linux takes a CPU away by itself; one that is there anew, udev's rules put to use.
        guests.in_guest(dom0, "many", f"for cpu in $(seq 1 {count - 1}); do until echo 1 > {system}/cpu$cpu/online; do usleep 50000; done; done")
        dom0.wait(f"xl list many | grep -qE '^many +[0-9]+ +[0-9]+ +{count} '", 60, f"{count} vCPUs are online")

    guests.create(dom0, "many", guests.debian_config("many", vcpus=1, more="maxvcpus = 3", kind="pv"))
    try:
        guests.await_console(dom0, "many", "^GUEST-READY", 120)
        for count, expected in ((3, "0-2"), (1, "0"), (2, "0-1")):
            has(count)
            assert guests.in_guest(dom0, "many", online) == expected
        with guests.guest_console(dom0, "many") as guest:
            for cpu in (0, 1):
                guests.run_in_guest(guest, f"taskset -c {cpu} sleep 0.2")
        dom0.run("xl vcpu-set many 4", status=1)
    finally:
        guests.destroy(dom0, "many")


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
