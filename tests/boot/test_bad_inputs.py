"""What can't work: one clear sentence that names the cause, a status other than 0, and no half-made domain."""
# SPDX-License-Identifier: Apache-2.0
from dom0 import Dom0, Spec
from guests import debian_config, domains, tiny_config
from runner import boot_test

def damage(source: str, at: int) -> str:
    """Commands that make /tmp/damaged of a file, some bytes of its being others."""
    return f"cp {source} /tmp/damaged && tr '\\0' x </dev/zero | head -c 512 | dd of=/tmp/damaged bs=1 seek={at} conv=notrunc 2>/dev/null"


# Name, configuration, commands before, and a word that the message must hold (of our tools; Debian's say less).
CASES = [
    ("missing-config", None, "", "/tmp/bad.cfg"),
    ("corrupt-config", 'name = "bad\nmemory = \n', "", "/tmp/bad.cfg"),
    ("missing-kernel", tiny_config("bad", "nowhere"), "", "/guests/nowhere.elf"),
    ("empty-kernel", tiny_config("bad", "empty"), ": > /guests/empty.elf", "/guests/empty.elf"),
    ("truncated-kernel", tiny_config("bad", "half"), "head -c 3000 /guests/hello.elf > /guests/half.elf", "/guests/half.elf"),
    ("truncated-bzimage", debian_config("bad").replace("/guests/vmlinuz", "/tmp/half"), "head -c 2000000 /guests/vmlinuz > /tmp/half", "/tmp/half"),
    ("damaged-kernel", tiny_config("bad", "hello").replace("/guests/hello.elf", "/tmp/damaged"), damage("/guests/hello.elf", 32), "/tmp/damaged"),
    ("damaged-bzimage", debian_config("bad").replace("/guests/vmlinuz", "/tmp/damaged"), damage("/guests/vmlinuz", 4_000_000), "is damaged"),
    ("no-pvh-note", tiny_config("bad", "noise").replace("noise.elf", "../bin/busybox"), "", "busybox"),
    ("missing-initrd", debian_config("bad").replace("/guests/initrd", "/guests/gone"), "", "/guests/gone"),
    ("too-much-memory", tiny_config("bad", "hello", memory=900000), "", "memory"),
    ("no-memory-at-all", tiny_config("bad", "hello", memory=0), "", "memory"),
]
# What Debian's tools don't notice.
OUR_CASES = [
    ("truncated-initrd", debian_config("bad").replace("/guests/initrd", "/tmp/half"), "head -c 100000 /guests/initrd > /tmp/half", "/tmp/half"),
    ("damaged-initrd", debian_config("bad").replace("/guests/initrd", "/tmp/damaged"), damage("/guests/initrd", 100_000), "is damaged"),
    ("missing-disk", tiny_config("bad", "hello", more='disk = [ "/tmp/gone,raw,xvda,rw" ]'), "", "/tmp/gone"),
    ("missing-bridge", tiny_config("bad", "hello", more='vif = [ "bridge=nowhere" ]'), "", "there is no bridge 'nowhere'"),
]


def _register(tools: str, name: str, config: str | None, before: str, word: str) -> None:
    @boot_test(Spec(tools=tools, guests=("hello", "triple-fault")), name=f"bad-{name}-{tools}")
    def body(dom0: Dom0) -> None:
        dom0.run(f"rm -f /tmp/bad.cfg; {before or 'true'}")
        if config is not None:
            dom0.write("/tmp/bad.cfg", config)
        output = dom0.run("xl create -q /tmp/bad.cfg 2>&1", timeout=90, status=None)
        assert dom0.last_status != 0, f"xl create succeeded: {output}"
        assert output.strip(), "xl create failed without a word"
        if tools == "philoxen":
            assert word in output, f"the message does not name '{word}': {output}"
            assert len(output.strip().splitlines()) <= 4, f"not one clear sentence: {output}"
        assert list(domains(dom0)) == ["Domain-0"], "a half-made domain stayed behind"


for _case in CASES:
    _register("philoxen", *_case)
    if _case[0] in ("too-much-memory", "no-memory-at-all"):  # the hypervisor refuses; the rest would test Debian's tools
        _register("debian", *_case)
for _case in OUR_CASES:
    _register("philoxen", *_case)
