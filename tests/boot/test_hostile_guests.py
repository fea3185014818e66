"""Guests that misbehave: one kills its CPU, one never yields, one floods its console. dom0 stays well."""
# SPDX-License-Identifier: Apache-2.0
import time

from dom0 import Dom0, Spec
from guests import await_console, create, destroy, domains, log_of, tiny_config
from nmis import NmiStorm
from runner import boot_test

SPEC = Spec(guests=("triple-fault", "spin", "flood", "hello"))


def answers(dom0: Dom0, within: float = 5) -> None:
    """dom0's shell reacts."""
    started = time.monotonic()
    dom0.run("true")
    assert time.monotonic() - started < within, f"dom0's shell took {time.monotonic() - started:.1f} s"


@boot_test(SPEC, name="guest-triple-faults")
def triple_fault(dom0: Dom0) -> None:
    create(dom0, "fault", tiny_config("fault", "triple-fault", more='on_crash = "destroy"\non_reboot = "destroy"'))
    dom0.wait("! xl domid fault >/dev/null 2>&1", 30, "the domain that triple-faulted is removed")
    assert "PX-TRIPLE-FAULT follows" in dom0.run(f"cat {log_of('fault')}")
    assert "PX-VERDICT" not in dom0.run(f"cat {log_of('fault')}")
    assert list(domains(dom0)) == ["Domain-0"]


@boot_test(SPEC, name="guest-spins-with-interrupts-off")
def spin(dom0: Dom0) -> None:
    create(dom0, "spin", tiny_config("spin", "spin", vcpus=2, extra="vcpus=2"))
    await_console(dom0, "spin", "PX-SPIN", 30)
    for _ in range(5):
        answers(dom0)
        dom0.run("usleep 200000")
    assert float(domains(dom0)["spin"][4]) > 0.5
    destroy(dom0, "spin")
    answers(dom0)


@boot_test(SPEC, name="guest-floods-its-console")
def flood(dom0: Dom0) -> None:
    create(dom0, "flood", tiny_config("flood", "flood", extra="lines=3000"))
    await_console(dom0, "flood", "PX-VERDICT flood pass", 60)
    # Nothing is lost or torn: the lines are all there, in order.
    missing = dom0.run(f"tr -d '\\r' < {log_of('flood')} | grep '^PX-FLOOD' | "
                       "awk '$2 != NR - 1 || NF != 3 {print \"line\", NR, $0; exit} END {print NR}'")
    assert missing.strip() == "3000", missing
    destroy(dom0, "flood")

    create(dom0, "flood", tiny_config("flood", "flood"))
    await_console(dom0, "flood", "PX-FLOOD 2000 ", 60)
    answers(dom0)
    destroy(dom0, "flood")
    answers(dom0)


@boot_test(SPEC, name="weights-share-the-cpu")
def weights(dom0: Dom0) -> None:
    """Two guests that never yield, on one CPU, weights 256 and 512: their times stand 1:2, while NMIs storm."""
    for name, weight in (("light", 256), ("heavy", 512)):
        create(dom0, name, tiny_config(name, "spin", more=f'cpus = "1"\ncpu_weight = {weight}'))
        await_console(dom0, name, "PX-SPIN", 30)
    with NmiStorm(dom0):
        first = domains(dom0)
        for _ in range(40):
            answers(dom0)
            dom0.run("usleep 500000")
        last = domains(dom0)
    used = {name: float(last[name][4]) - float(first[name][4]) for name in ("light", "heavy")}
    for name in used:
        destroy(dom0, name)
    ratio = used["heavy"] / used["light"]
    assert 1.9 <= ratio <= 2.1, f"the CPU was shared 1:{ratio:.2f} ({used}), not 1:2"
