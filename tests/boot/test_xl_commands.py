"""xl's commands on one running guest: what lists show, and that what is set takes effect in the guest."""
# SPDX-License-Identifier: Apache-2.0
import json
import re

from dom0 import Dom0, Spec
from guests import await_console, create, debian_config, destroy, in_guest, log_of
from runner import boot_test

SPEC = Spec(tools="philoxen", guests=("hello", "triple-fault"))


def _json(dom0: Dom0, command: str):
    return json.loads(dom0.run(command))


def commands(dom0: Dom0) -> None:
    try:
        create(dom0, "cmd", debian_config("cmd", vcpus=2, memory=192, more='maxvcpus = 3\ncpu_weight = 300\non_crash = "preserve"\ncpuid = "host,aesni=0"'))
        await_console(dom0, "cmd", "GUEST-READY", 90)
        names(dom0)
        lists(dom0)
        vcpus(dom0)
        memory(dom0)
        keys(dom0)
        crash(dom0)
    finally:
        destroy(dom0, "cmd")


def names(dom0: Dom0) -> None:
    domid = dom0.run("xl domid cmd").strip()
    dom0.run("xl rename cmd other")
    assert dom0.run(f"xl domname {domid}").strip() == "other"
    dom0.run("xl rename other Domain-0", status=1)
    dom0.run("xl rename other cmd")
    dom0.run("xl domid other", status=1)


def lists(dom0: Dom0) -> None:
    shown = _json(dom0, "xl list -l cmd")[0]
    assert (shown["name"], shown["vcpus"], shown["max_vcpus"], shown["config"]["memory"]) == ("cmd", 2, 3, 192), shown
    assert shown["config"]["uuid"] == shown["uuid"]
    assert [domain["name"] for domain in _json(dom0, "xl list --json")] == ["Domain-0", "cmd"]
    assert [domain["name"] for domain in _json(dom0, "xl vm-list --json")] == ["cmd"]
    assert _json(dom0, "xl uptime --json cmd")[0]["seconds"] < 300
    assert re.match(r"up +0:0\d:\d\d, cmd \(\d+\)$", dom0.run("xl uptime -s cmd").strip())
    assert re.search(r"^Pool-0 +\d +credit2 +y +2$", dom0.run("xl cpupool-list"), re.M)
    assert _json(dom0, "xl sched-credit2 --json -d cmd")["domains"][0]["weight"] == 300
    assert len(dom0.run("xl claims").splitlines()) == 3
    top = dom0.run("xl top -b -i 1")
    assert re.search(r"^ +cmd +[-dsbpr]{5} ", top, re.M), top
    for unsupported in ("save", "migrate", "vtpm-list", "sched-credit", "getenforce"):
        said = dom0.run(f"xl {unsupported} cmd 2>&1", status=1).strip()
        assert said.startswith(f"xl {unsupported}: this command isn't supported: ") and "\n" not in said, said


def vcpus(dom0: Dom0) -> None:
    dom0.run("xl vcpu-set cmd 1")
    dom0.wait("xl list cmd | grep -qE '^cmd +[0-9]+ +[0-9]+ +1 '", 30, "a vCPU is offline")
    assert in_guest(dom0, "cmd", "nproc; grep -cw aes /proc/cpuinfo") == "1 0"
    dom0.run("xl vcpu-set cmd 9", status=1)
    dom0.run("xl vcpu-pin cmd 0 1 0-1")
    vcpu = _json(dom0, "xl vcpu-list --json cmd")[0]
    assert (vcpu["hard_affinity"], vcpu["soft_affinity"]) == ("1", "all"), vcpu
    dom0.run("xl vcpu-pin cmd all all")
    dom0.run("xl sched-credit2 -d cmd -w 512 -c 50")
    assert re.search(r"^cmd +\d+ +512 +50$", dom0.run("xl sched-credit2"), re.M)


def memory(dom0: Dom0) -> None:
    """The guest's balloon driver obeys."""
    dom0.run("xl mem-set cmd 160m")
    dom0.wait("[ \"$(xl list cmd | awk 'NR == 2 { print $3 }')\" -le 161 ]", 30, "the guest gives memory back")
    dom0.run("xl mem-max cmd 32", status=1)
    dom0.run("xl mem-set cmd 192m")
    dom0.wait("[ \"$(xl list cmd | awk 'NR == 2 { print $3 }')\" -ge 190 ]", 30, "the guest takes it again")
    dom0.run("xl mem-set cmd 9g", status=1)


def keys(dom0: Dom0) -> None:
    in_guest(dom0, "cmd", "dmesg -n 8; echo 1 > /proc/sys/kernel/sysrq")  # Debian's default allows some keys only
    dom0.run("xl sysrq cmd m")
    dom0.wait(f"grep -q 'sysrq: Show Memory' {log_of('cmd')}", 30, "the guest's kernel heard the key")
    dom0.run("xl trigger cmd reset 9", status=1)
    dom0.run("xl trigger cmd sparkle", status=1)
    dom0.run("xl debug-keys h")


def crash(dom0: Dom0) -> None:
    dom0.run("xl sysrq cmd c")
    dom0.wait("xl list cmd | grep -q -- '-sc- '", 30, "the guest has crashed, and is kept")
    assert _json(dom0, "xl list --json cmd")[0]["shutdown_reason"] == 3
    assert "crashed" in dom0.run("cat /var/log/xen/xl-cmd.log")


boot_test(SPEC, name="xl-commands-philoxen")(commands)
