"""The life of a PVH guest by xl: create, list, console, pause, unpause, vcpu-list, dmesg, destroy; Debian's tools and ours."""
# SPDX-License-Identifier: Apache-2.0
import re

from dom0 import Dom0, Spec
from guests import await_console, create, debian_config, destroy, domains, guest_console, tiny_config
from runner import boot_test


def info(dom0: Dom0) -> None:
    text = dom0.run("xl info")
    assert re.search(r"^xen_major +: 4$", text, re.M) and re.search(r"^xen_minor +: 17$", text, re.M), text
    assert re.search(rf"^nr_cpus +: {dom0.spec.cpus}$", text, re.M), text
    total, free = (int(re.search(rf"^{key} +: (\d+)$", text, re.M)[1]) for key in ("total_memory", "free_memory"))
    assert dom0.spec.memory - 64 <= total <= dom0.spec.memory, f"total_memory {total}"
    assert 0 < free < total - dom0.spec.dom0_memory + 1, f"free_memory {free} of {total}"


def life_of_a_guest(dom0: Dom0) -> None:
    create(dom0, "life", debian_config("life", vcpus=2, word="w-4711"))
    try:
        assert "word w-4711 type xen cpus 2" in await_console(dom0, "life", "GUEST-UP", 90)
        await_console(dom0, "life", "GUEST-READY", 60)
        assert domains(dom0)["life"][1:3] == ["192", "2"], domains(dom0)
        times = await_console(dom0, "life", "GUEST-TIME")
        assert re.findall(r"cpu (\d) advances", times) == ["0", "1"], times

        with guest_console(dom0, "life") as console:
            console.type("good morning\n")
            console.expect(r"^GUEST-ANSWER w-4711 heard: good morning$", 30)

        vcpus = dom0.run("xl vcpu-list life")
        assert len(re.findall(r"^life +\d+ +[01] ", vcpus, re.M)) == 2, vcpus

        dom0.run("xl pause life")
        assert "p" in domains(dom0)["life"][3]
        before = domains(dom0)["life"][4]
        dom0.run("usleep 500000")
        assert domains(dom0)["life"][4] == before, "a paused guest used the CPU"
        dom0.run("xl unpause life")
        assert "p" not in domains(dom0)["life"][3]
        with guest_console(dom0, "life") as console:
            console.type("still there?\n")
            console.expect(r"^GUEST-ANSWER w-4711 heard: still there\?$", 30)

        assert int(dom0.run("xl dmesg | wc -l")) > 10
        dom0.run("xl destroy life")
        assert list(domains(dom0)) == ["Domain-0"]
        dom0.run("xl list life", status=1)
    finally:
        destroy(dom0, "life")


def create_with_console(dom0: Dom0) -> None:
    """xl create -c: the console from the guest's first line on. Ctrl-] leaves it with the guest running; a guest's end leaves it by itself."""
    dom0.write("/tmp/seen.cfg", debian_config("seen", word="c-1808").replace("quiet", ""))
    try:
        with guest_console(dom0, "seen", "xl create -c /tmp/seen.cfg") as console:
            console.expect(r"Linux version \d+\.", 90)
            console.expect(r"^GUEST-UP word c-1808 ", 90)
            console.expect(r"^GUEST-READY", 60)
            console.type("from the first\n")
            console.expect(r"^GUEST-ANSWER c-1808 heard: from the first$", 30)
        assert "seen" in domains(dom0), "leaving the console ended the guest"
    finally:
        destroy(dom0, "seen")

    dom0.write("/tmp/short.cfg", tiny_config("short", "hello"))
    dom0.console.type("xl create -c /tmp/short.cfg; echo PX-'LEFT' $?\n")
    dom0.console.expect(r"^PX-VERDICT hello pass", 60)
    dom0.console.expect(r"PX-LEFT \d+$", 60)
    dom0.wait("! xl domid short >/dev/null 2>&1", 60, "the guest powers off and is removed")


def guest_powers_off(dom0: Dom0) -> None:
    """By SCHEDOP_shutdown of a tiny kernel: Debian's kernel as a PVH guest only halts, on the reference as well."""
    create(dom0, "off", tiny_config("off", "hello"))
    dom0.wait("! xl domid off >/dev/null 2>&1", 60, "the guest powers off and is removed")
    assert list(domains(dom0)) == ["Domain-0"]


def free_of_nodes(dom0: Dom0) -> list[int]:
    """MiB."""
    rows = re.findall(r"^ *(\d): +(\d+) +(\d+) +([\d,]+)$", dom0.run("xl info -n").split("numa_info")[1], re.M)
    assert [(row[0], row[3]) for row in rows] == [("0", "10,31"), ("1", "31,10")], rows
    assert all(abs(int(row[1]) - 1024) <= 16 for row in rows), rows
    return [int(row[2]) for row in rows]


def numa(dom0: Dom0) -> None:
    """A guest's memory comes from the node of the CPUs that it may use."""
    topology = re.findall(r"^ *(\d): +\d+ +\d+ +(\d)$", dom0.run("xl info -n").split("numa_info")[0], re.M)
    assert topology == [("0", "0"), ("1", "1")], topology
    before = free_of_nodes(dom0)
    create(dom0, "far", tiny_config("far", "hello", memory=128) + 'cpus = "node:1"\n', "-p")
    try:
        after = free_of_nodes(dom0)
        assert before[1] - after[1] >= 128 and before[0] - after[0] < 32, (before, after)
        assert re.search(r"^far +\d+ +0 .* 1 / ", dom0.run("xl vcpu-list far"), re.M)
    finally:
        destroy(dom0, "far")


TWO_NODES = (
    "-object", "memory-backend-ram,id=near,size=1024M", "-object", "memory-backend-ram,id=far,size=1024M",
    "-numa", "node,nodeid=0,cpus=0,memdev=near", "-numa", "node,nodeid=1,cpus=1,memdev=far",
    "-numa", "dist,src=0,dst=1,val=31",
)

for _tools in ("debian", "philoxen"):
    _cpu = Spec.cpu + (",+vgif" if _tools == "philoxen" else "")  # the others have none
    _spec = Spec(tools=_tools, cpu=_cpu, guests=("hello", "triple-fault"), devices=TWO_NODES)
    _on = "ours" if _tools == "philoxen" else None
    for _body in (info, life_of_a_guest, create_with_console, guest_powers_off, numa):
        boot_test(_spec, name=f"xl-{_body.__name__.replace('_', '-')}-{_tools}")(_body)
