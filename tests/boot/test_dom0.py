"""dom0 itself: userspace on 1, 2 and 4 vCPUs, its devices, power-off and reboot."""
# SPDX-License-Identifier: Apache-2.0
from dom0 import Dom0, Spec
from runner import boot_test, machine_test


def comes_up(dom0: Dom0) -> None:
    assert dom0.run("nproc").strip() == str(dom0.spec.vcpus)
    assert "control_d" in dom0.run("cat /proc/xen/capabilities")
    assert dom0.run("cat /sys/hypervisor/type").strip() == "xen"
    assert dom0.run("cat /sys/hypervisor/version/major /sys/hypervisor/version/minor").split() == ["4", "17"]
    for cpu in range(dom0.spec.vcpus):
        dom0.run(f"taskset -c {cpu} sh -c 'a=$(cut -d. -f1 /proc/uptime); n=0; "
                 "while [ $(cut -d. -f1 /proc/uptime) = $a ]; do n=$((n+1)); [ $n -lt 100000 ] || exit 1; done'")
    text = dom0.run("dmesg")
    for bad in ("BUG:", "Oops", "WARNING: CPU", "soft lockup", "unchecked MSR access"):
        assert bad not in text, next(line for line in text.splitlines() if bad in line)


for _vcpus in (1, 2, 4):
    boot_test(Spec(cpus=_vcpus, vcpus=_vcpus), name=f"dom0-{_vcpus}-vcpus")(comes_up)

boot_test(Spec(profile="q35", cpus=2, vcpus=2), name="dom0-q35")(comes_up)


def ends_the_machine(name: str, command: str, spec: Spec = Spec()) -> None:
    """Registers a test: the command in dom0 ends the emulator as it should."""
    @machine_test(name=name)
    def body(on: str) -> None:
        dom0 = Dom0(spec, on, f"{name}-{on}")
        try:
            dom0.console.type(f"{command}\n")
            status = dom0.machine.wait_end(60)
            assert status == 0, f"the emulator ended with status {status}"
        except BaseException as error:
            error.console_tail = dom0.console.tail()
            raise
        finally:
            dom0.stop()


ends_the_machine("dom0-powers-off", "poweroff -f")
ends_the_machine("dom0-reboots", "reboot -f")         # -no-reboot makes of it an end of the emulator
