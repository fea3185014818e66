"""What Debian's xl makes of a configuration, and what ours does: the same meaning, as far as both show it as JSON (`create -n`)."""
# SPDX-License-Identifier: Apache-2.0
import json
import subprocess
import tempfile
from pathlib import Path

from dom0 import Dom0, Spec
from paths import DIST, REPO
from runner import boot_test

BASE = 'name = "a"\nkernel = "/k"\nmemory = 256\n'
CONFIGS = {
    "least": BASE,
    "pvh": BASE + 'type = "pvh"\nvcpus = 4\nmaxvcpus = 8\nramdisk = "/r"\n',
    "pv": BASE + "type = 'pv'\nmaxmem = 512\n",
    "root and extra": BASE + 'root = "/dev/xvda1 ro"\nextra = "quiet console=hvc0"\n',
    "cmdline": BASE + 'cmdline = "one two"\n',
    "actions": BASE + 'on_poweroff = "preserve"\non_reboot = "destroy"\non_crash = "coredump-restart"\non_watchdog = "restart"\non_soft_reset = "preserve"\n',
    "positional disks": BASE + 'disk = [ "/a.img,raw,xvda,rw", "/b.img,,xvdb,r", "/dev/c,raw,hda,w" ]\n',
    "disks by key": BASE + 'disk = [ "format=raw, vdev=xvdc, access=ro, target=/d.img", "vdev=xvdd,format=qcow2,target=/with,comma" ]\n',
    "old disks": BASE + "disk = [ 'phy:/dev/vg/a,xvda,w', 'file:/b.img,sda1,r' ]\n",
    "a script": BASE + 'disk = [ "vdev=xvda,script=block-iscsi,target=iqn.x:y" ]\n',
    "cards": BASE + 'vif = [ "mac=00:16:3e:01:02:03,bridge=br7", "script=vif-nat,ip=10.0.0.2", "rate=10Mb/s,type=vif", "" ]\n',
    "affinity": BASE + 'vcpus = 2\ncpus = "0-1"\n',
    "affinity of each": BASE + 'vcpus = 2\ncpus = [ "1", "0" ]\n',
    "not that one": BASE + 'vcpus = 1\ncpus = "0-1,^0"\n',
    "other numbers": 'name = "a"\nkernel = "/k"\nmemory = 0x100\nvcpus = 03\n',
    "no final newline": BASE + "vcpus = 2",
    "comments and semicolons": "# first\n" + BASE + 'vcpus = 2; maxvcpus = 3 # and so on\nvif = [ # one\n  "bridge=a",\n  # two\n  "bridge=b", ]\n',
    "uuid": BASE + 'uuid = "01234567-89ab-cdef-0123-456789abcdef"\n',
    "twice": BASE + "vcpus = 2\nvcpus = 3\n",
    "quotes": "name = 'a\"b'\nkernel = \"/it's\"\nmemory = 64\n",
}
SAMPLES = ("pvh-linux.cfg", "pv-linux.cfg")
DEFAULT_ACTIONS = {"poweroff": "destroy", "reboot": "restart", "crash": "destroy", "watchdog": "destroy", "soft_reset": "soft-reset"}


def _cpus(text: str) -> set[int]:
    chosen: set[int] = set()
    for part in text.split(","):
        first, _, last = part.lstrip("^").partition("-")
        numbers = set(range(int(first), int(last or first) + 1))
        chosen = chosen - numbers if part.startswith("^") else chosen | numbers
    return chosen


def _rate(text: str) -> float:
    """Bytes per second of "10Mb/s"."""
    return int(text.removesuffix("Mb/s")) * 1e6 / 8


def _rate_of_debians(card: dict) -> float:
    return card["rate_bytes_per_interval"] * 1e6 / card["rate_interval_usecs"] if card.get("rate_bytes_per_interval") else 0


def of_debians(shown: dict) -> dict:
    """libxl_domain_config. What is its type's default is left out there: destroy, for an action."""
    create, build = shown["c_info"], shown["b_info"]
    vcpus = build.get("max_vcpus", 1)
    return {
        "name": create["name"], "type": create.get("type", "pv"), "uuid": create.get("uuid"),
        "vcpus": len(build.get("avail_vcpus", [0])), "max vcpus": vcpus,
        "memory": build["target_memkb"], "max memory": build["max_memkb"],
        "kernel": build.get("kernel"), "ramdisk": build.get("ramdisk"), "arguments": build.get("cmdline", ""),
        "actions": {name: shown.get(f"on_{name}", "destroy").replace("_", "-") for name in DEFAULT_ACTIONS},
        "cpus": [sorted(cpus) for cpus in build.get("vcpu_hard_affinity", [])],
        "disks": [(disk["pdev_path"], disk["vdev"], disk.get("format", "raw"), bool(disk.get("readwrite")), disk.get("script")) for disk in shown.get("disks", [])],
        "cards": [(card.get("mac"), card.get("bridge"), card.get("script"), card.get("ip"), _rate_of_debians(card)) for card in shown.get("nics", [])],
    }


def of_ours(shown: dict) -> dict:
    """xl.cfg's own keys."""
    vcpus = shown.get("vcpus", 1)
    cpus = shown.get("cpus", [])
    affinity = [sorted(_cpus(part)) for part in ([cpus] * vcpus if isinstance(cpus, str) else cpus)]
    root, extra = shown.get("root"), shown.get("extra")
    arguments = shown.get("cmdline") or " ".join(filter(None, [root and f"root={root}", extra]))
    return {
        "name": shown["name"], "type": shown.get("type", "pv"), "uuid": shown.get("uuid"),
        "vcpus": vcpus, "max vcpus": shown.get("maxvcpus", vcpus),
        "memory": shown["memory"] * 1024, "max memory": shown.get("maxmem", shown["memory"]) * 1024,
        "kernel": shown.get("kernel"), "ramdisk": shown.get("ramdisk"), "arguments": arguments,
        "actions": {name: shown.get(f"on_{name}", default) for name, default in DEFAULT_ACTIONS.items()},
        "cpus": affinity,
        "disks": [(disk["target"], disk["vdev"], disk.get("format", "raw"), disk.get("access", "rw") in ("rw", "w"), disk.get("script")) for disk in shown.get("disk", [])],
        "cards": [(card.get("mac"), card.get("bridge"), card.get("script"), card.get("ip"), _rate(card.get("rate", "0Mb/s"))) for card in shown.get("vif", [])],
    }


def ours(text: str) -> dict:
    """Needs no hypervisor: it runs here."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "a.cfg"
        path.write_text(text)
        done = subprocess.run([DIST / "root/usr/sbin/xl", "create", "-n", "-q", path], text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"ours refuses what Debian's takes: {text}\n{done.stdout}{done.stderr}"
        return of_ours(json.loads(done.stdout))


def debians(dom0: Dom0, text: str) -> dict:
    dom0.write("/tmp/a.cfg", text)
    said = dom0.run("xl create -n -q /tmp/a.cfg 2>/tmp/errors || cat /tmp/errors")
    assert said.lstrip().startswith("{"), f"Debian's xl refuses it: {text}\n{said}"
    return of_debians(json.loads(said))


@boot_test(Spec(debian_guest=False), name="configs-mean-the-same")
def same_meaning(dom0: Dom0) -> None:
    configs = {**CONFIGS, **{name: (REPO / "tests/unit/xlcfg/samples" / name).read_text() for name in SAMPLES}}
    differences = []
    for name, text in configs.items():
        try:
            expected, found = debians(dom0, text), ours(text)
        except (AssertionError, KeyError) as refused:
            differences.append(f"{name}: {refused!r}")
            continue
        if "uuid" not in text:
            expected["uuid"] = None  # Debian's chooses one here, ours when it makes the guest
        differences += [f"{name}: {key} is {found[key]} for ours and {expected[key]} for Debian's" for key in expected if expected[key] != found[key]]
    assert not differences, "\n".join(differences)
