"""Options of the hypervisor's command line take effect: each row boots a tiny kernel as dom0, which takes a moment."""
# SPDX-License-Identifier: Apache-2.0
import re
from dataclasses import dataclass

from dom0 import hypervisor
from machine import Boot, Machine
from paths import GUESTS
from runner import machine_test
from test_guests import WITHOUT_VERDICT, judge


@dataclass(frozen=True)
class Row:
    """What is given, and what the console says and doesn't say (patterns of its lines)."""

    name: str
    options: str
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    kernel: str = "hello"
    told: str = ""                     # the kernel's own command line
    cpus: int = 1
    memory: int = 256                  # MiB
    dom0_memory: str = "dom0_mem=64M"
    typed: str = ""                    # once dom0 has started


SWITCH_B = "\x02" * 3
DOM0_STARTS = r"dom0: %s MiB, %s vCPUs?, starts$"


def dom0(memory: str = r"\d+", vcpus: str = r"\d+") -> tuple[str, ...]:
    return (DOM0_STARTS % (memory, vcpus),)


def refused(option: str, why: str) -> str:
    return rf"^\(PX\) warning: command line: '{re.escape(option)}': {re.escape(why)}"


NO_INFO = (r"^\(PX\) (?!error: |warning: |guest: )",)
ROWS = [
    Row("maxcpus", "maxcpus=2", (r"2 CPUs online$", *dom0(vcpus="2")), cpus=4),
    Row("maxcpus-beyond", "maxcpus=64", (r"3 CPUs online$",), cpus=3),
    Row("nosmp", "nosmp", (r"1 CPUs online$", *dom0(vcpus="1")), cpus=4),
    Row("mem", "mem=128M", (r"memory: 12[5-8] MiB of RAM",), memory=512, dom0_memory="dom0_mem=64M"),
    Row("dom0-vcpus", "dom0_max_vcpus=3", dom0(vcpus="3"), cpus=2),
    Row("dom0-vcpus-at-most", "dom0_max_vcpus=-2", dom0(vcpus="2"), cpus=4),
    Row("dom0-vcpus-at-least", "dom0_max_vcpus=6-", dom0(vcpus="6"), cpus=2),
    Row("dom0-vcpus-between", "dom0_max_vcpus=1-3", dom0(vcpus="3"), cpus=4),
    Row("dom0-memory-by-default", "", dom0("255"), memory=512, dom0_memory=""),
    Row("dom0-memory-percent", "", dom0("12[78]"), memory=512, dom0_memory="dom0_mem=25%"),
    Row("dom0-memory-all-but", "", dom0("1[12][0-9]"), memory=512, dom0_memory="dom0_mem=-384M"),
    Row("dom0-memory-sum", "", dom0("17[0-9]"), memory=512, dom0_memory="dom0_mem=128M+10%"),
    Row("dom0-memory-min", "", dom0("160"), memory=512, dom0_memory="dom0_mem=64M,min:160M"),
    Row("dom0-memory-max", "", dom0("96"), memory=512, dom0_memory="dom0_mem=max:96M"),
    Row("dom0-memory-max-wins", "", dom0("96"), memory=512, dom0_memory="dom0_mem=64M,min:160M,max:96M"),
    Row("dom0-memory-may-grow", "", (*dom0("64"), r"domain 0: \d+ of at most 32768 frames"), memory=512, dom0_memory="dom0_mem=64M,max:128M",
        kernel="spin", typed="\x01\x01\x01q"),
    Row("dom0-memory-more-than-there-is", "", dom0("(39|4[0-9])[0-9]"), memory=512, dom0_memory="dom0_mem=64G"),
    Row("cpuid", "cpuid=no-avx2,aesni=off", kernel="cpuid", told="avx2=0 aesni=0 avx=1"),
    Row("cpuid-with-what-depends-on-it", "cpuid=no-xsave", kernel="cpuid", told="xsave=0 avx=0 avx2=0 aesni=1"),
    Row("cpuid-what-cant-be", "cpuid=no-lm,no-such=on", (r"warning: command line: 'cpuid': can't be hidden: the hypervisor itself needs it: no-lm$",
                                                        r"warning: command line: 'cpuid': is no CPU feature that is known: no-such=on$"), kernel="cpuid"),
    Row("smep-and-smap-by-default", "", (r"CPU: SMEP, SMAP, ",), kernel="cpuid", told="smep=1 smap=1"),
    Row("no-smep", "no-smep", (r"CPU: SMAP, ",), kernel="cpuid", told="smep=0 smap=1"),
    Row("nosmap", "nosmap", (r"CPU: SMEP, (?!SMAP)",), kernel="cpuid", told="smep=1 smap=0"),
    Row("smap-off", "smep=no smap=off", (r"CPU: (?!SMEP|SMAP)",), kernel="cpuid", told="smep=0 smap=0"),
    Row("smap-for-guests", "smep=hvm smap=hvm", (r"CPU: (?!SMEP|SMAP)",), kernel="cpuid", told="smep=1 smap=1"),
    Row("timestamps", "console_timestamps=boot", (r"^\[ +\d+\.\d{6}\] \(PX\) dom0: ",), never=(r"^\(PX\) ",)),
    Row("timestamps-off", "console_timestamps=boot no-console_timestamps", (r"^\(PX\) dom0: ",), never=(r"^\[.*\(PX\) ",)),
    Row("loglvl-warning", "loglvl=warning nonsense", (refused("nonsense", "is not an option"),), never=NO_INFO),
    Row("loglvl-none", "loglvl=none nonsense", never=(r"^\(PX\)",)),
    Row("loglvl-info-under-a-limit", "loglvl=error/info", (r"^\(PX\) scheduler: ",), never=(DOM0_STARTS % (r"\d+", r"\d+"),)),  # ten lines at once
    Row("guest-loglvl-error", "guest_loglvl=error", (r"^\(PX\) guest: error: dom0 vcpu0: triple fault at ",), kernel="triple-fault"),
    Row("guest-loglvl-none", "guest_loglvl=none", dom0(), never=(r"^\(PX\) guest: ",), kernel="triple-fault"),
    Row("console-none", "console=none", never=(".",)),
    Row("console-again", "console=none console=com1", dom0()),
    Row("conswitch", "conswitch=b", (r"console input goes to the hypervisor \(type Ctrl-B three times to switch\)", r"'C': crash the hypervisor"),
        kernel="spin", typed=SWITCH_B + "h"),
    Row("conswitch-starts-with-hypervisor", "conswitch=bx", (r"'C': crash the hypervisor",), kernel="spin", typed="h"),
    Row("sched-null", "sched=null", (r"scheduler: null$",), cpus=2),
    Row("sched-unknown", "sched=rtds", (r"warning: sched=rtds: no such scheduler, 'credit2' is used", r"scheduler: credit2$")),
    Row("clocksource", "clocksource=pit", (r"TSC: .* by PIT$",)),
    Row("tsc", "tsc=unstable", kernel="timers"),
    Row("what-has-no-effect-says-so", "sync_console acpi=off iommu=no watchdog", (
        r"command line: 'sync_console': has no effect: each one is waited for", r"command line: 'acpi=off': has no effect: they are always used",
        r"command line: 'iommu=no': has no effect: ", r"command line: 'watchdog': has no effect: ", *dom0())),
]

# Unknown and malformed ones, all at once: each is named, none stops the boot, and what is right among them still counts.
WRONG = {
    "frobnicate": "is not an option",
    "frobnicate=7": "is not an option",
    "maxcpus=many": "", "maxcpus=0": "", "maxcpus": "needs a value", "no-maxcpus": "can't be negated",
    "dom0_max_vcpus=none": "is neither a number nor a range", "dom0_max_vcpus=3-2": "is neither a number nor a range",
    "dom0_mem=plenty": "is not an amount", "dom0_mem=0": "gives dom0 no memory", "dom0_mem=64M,least:1M": "is not an amount",
    "dom0_mem=": "has an empty value",
    "reboot=never-mind,x": "is not a way to reboot", "smap=perhaps": "is neither on, off nor hvm", "no-smap=1": "has both 'no-' and a value",
    "loglvl=loud": "is not a level", "guest_loglvl=error/loud": "is not a level", "console_timestamps=never": "is none of",
    "console=printer": "is not a console", "dom0=hvm": "", "nosmp=perhaps": "", "conswitch=7": "is not a letter", "clocksource=sundial": "",
    "mem=all": "", "tsc=odd": "", "sync_console=\"yes": "has a quote that is never closed",
}


def boot_row(row: Row) -> None:
    boot = Boot(xen=hypervisor("ours"), kernel=GUESTS / f"{row.kernel}.elf", cpus=row.cpus, memory=row.memory, seconds=60,
                xen_args=f"{row.dom0_memory} {row.options}".strip(), kernel_args=row.told)
    with Machine(boot, f"option-{row.name}") as machine:
        console = machine.console
        try:
            if row.typed:
                console.expect(dom0()[0], 30)
                console.type(row.typed)
            else:
                assert machine.wait_end(30) == 0, "the machine did not end in order"
            for pattern in row.says:
                console.position = 0
                console.expect(pattern, 10)
            for pattern in row.never:
                assert not (seen := re.search(pattern, console.text, re.M)), f"the console says '{console.text[seen.start():][:120]}'"
            if row.kernel not in WITHOUT_VERDICT and row.options != "console=none":
                judge(row.kernel, "ours", console.text)
        except BaseException as error:
            error.console_tail = console.tail()
            raise


for _row in ROWS:
    machine_test(name=f"option-{_row.name}", only_on="ours")(lambda on, row=_row: boot_row(row))


@machine_test(name="options-that-are-wrong", only_on="ours")
def wrong_ones(on: str) -> None:
    options = " ".join(WRONG)
    boot_row(Row("wrong", f"maxcpus=2 {options}", (*(refused(option.strip('"'), why) for option, why in WRONG.items()), r"2 CPUs online$", *dom0("64", "2")), cpus=3))
