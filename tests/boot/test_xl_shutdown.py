"""Guests that stop: by xl shutdown and reboot, by themselves, by crashing; and what on_poweroff=, on_reboot=, on_crash= make of it."""
# SPDX-License-Identifier: Apache-2.0
from dom0 import Dom0, Spec
from guests import await_console, create, debian_config, destroy, domains, log_of, tiny_config
from runner import boot_test


def shutdown_waits(dom0: Dom0) -> None:
    """-w comes back when the guest has powered off; its watching process removes it then."""
    try:
        create(dom0, "obeys", debian_config("obeys", word="w-obeys"))
        await_console(dom0, "obeys", "GUEST-READY", 90)
        dom0.run("xl shutdown -w obeys", timeout=90)
        dom0.wait("! xl domid obeys >/dev/null 2>&1", 30, "the guest is removed once it is off")
        assert list(domains(dom0)) == ["Domain-0"]
    finally:
        destroy(dom0, "obeys")


def reboot_then_shutdown_all(dom0: Dom0) -> None:
    """The domain after the reboot is another one of the same name, UUID and configuration."""
    try:
        create(dom0, "again", debian_config("again", word="w-again"))
        await_console(dom0, "again", "GUEST-READY", 90)
        first, uuid = dom0.run("xl domid again"), dom0.run("xl list -v again | grep -oE '[0-9a-f]{8}-[0-9a-f-]{27}'")
        said = dom0.run("xl reboot -w again", timeout=90)
        assert f"Domain {first} has been" in said, said
        dom0.wait(f"[ \"$(grep -c GUEST-READY {log_of('again')})\" = 2 ]", 90, "the guest is up again")
        assert int(dom0.run("xl domid again")) > int(first)
        assert uuid in dom0.run("xl list -v again")
        log = dom0.run("cat /var/log/xen/xl-again.log")
        assert "wants a reboot" in log and "starting it again" in log, log
        said = dom0.run("xl shutdown -a -w", timeout=90)
        assert "Shutting down domain" in said, said
        dom0.wait("! xl domid again >/dev/null 2>&1", 30, "the guest is removed once it is off")
    finally:
        destroy(dom0, "again")


def actions(dom0: Dom0) -> None:
    """preserve keeps a guest that powered off, and one that reset itself by a triple fault. (A crash: test_xl_commands.py.)"""
    try:
        create(dom0, "kept", tiny_config("kept", "hello", more='on_poweroff = "preserve"'))
        dom0.wait("xl list --json kept | grep -q shutdown_reason", 30, "the guest is shut down, and there")
        assert dom0.run("xl list --json kept | grep shutdown_reason").strip().endswith(": 0")
        destroy(dom0, "kept")

        create(dom0, "reboots", tiny_config("reboots", "triple-fault", more='on_reboot = "preserve"'))
        dom0.wait("xl list --json reboots | grep -q '\"shutdown_reason\": 1'", 30, "the guest wants to be reset, and is there")
        destroy(dom0, "reboots")
    finally:
        for name in ("kept", "reboots"):
            destroy(dom0, name)


for _tools in ("debian", "philoxen"):
    boot_test(Spec(tools=_tools, guests=("hello", "triple-fault")), name=f"xl-shutdown-waits-{_tools}")(shutdown_waits)
_spec = Spec(tools="philoxen", guests=("hello", "triple-fault"))
boot_test(_spec, name="xl-reboot-then-shutdown-all-philoxen")(reboot_then_shutdown_all)
boot_test(_spec, name="xl-actions-philoxen")(actions)
