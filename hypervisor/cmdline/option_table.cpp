// The option table: each option of the hypervisor's command line, once.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/cmdline/stores.hpp"
#include "hypervisor/cmdline/values.hpp"

namespace px::cmdline {
namespace {

constexpr Choice<ClockSource> clock_sources[] = {{"pit", ClockSource::pit}, {"hpet", ClockSource::hpet}, {"acpi", ClockSource::acpi}};
constexpr std::string_view uart_syntax = "<baud>|auto[/<base-baud>][,<DPS>[,<io-base>[,<irq>]]][,<name>=<value>…]";

/// Also valid without a value, and with `no-`.
constexpr Option toggle(Option option) {
    option.toggles = true;
    return option;
}

constexpr Option deprecated(Option option, const char* note) {
    option.note = note;
    return option;
}

/// Accepted in any form, without an effect.
constexpr Option inert(std::string_view name, std::string_view syntax, std::string_view doc, const char* note) {
    return {name, Kind::string, syntax, "", doc, [](BootOptions&, const Argument&) { return Outcome{}; }, true, note};
}

constexpr Option table[] = {
    // Console and log
    {"console", Kind::list, "vga | com1 | com2 | none", "com1,vga",
     "Where the hypervisor prints and, on serial ports, reads. `none` alone keeps it silent.", store_console},
    {"com1", Kind::string, uart_syntax, "auto",
     "Line of the first serial port, for example `115200,8n1`. `auto` keeps what the firmware set; an IRQ of 0 polls. "
     "Names: baud, clock-hz, data-bits, parity, stop-bits, io-base, irq, reg-shift, reg-width.",
     store_text<&BootOptions::com1>},
    {"com2", Kind::string, uart_syntax, "auto", "Line of the second serial port, as for `com1`.", store_text<&BootOptions::com2>},
    {"vga", Kind::list, "current | ask | text-80x<rows> | gfx-<width>x<height>x<depth> | mode-<n>, keep", "current",
     "The screen's mode, which firmware or boot loader has set (GRUB's gfxpayload, video= of xen.cfg): one that differs is told in the log "
     "and left as it is, and nobody is asked. Dom0 is given the screen when it starts; `keep` goes on printing there.",
     store_vga},
    {"loglvl", Kind::string, "<level>[/<rate-limited level>]", "warning",
     "Which of our own messages are printed: none, error, warning, info, debug or all. Levels above the first and up to "
     "the second are printed under a rate limit.",
     store_loglvl},
    {"guest_loglvl", Kind::string, "<level>[/<rate-limited level>]", "none/warning", "The same for messages that a guest can provoke.",
     store_guest_loglvl},
    {"console_to_ring", Kind::boolean, "", "off", "Keep what dom0 prints in the ring of `xl dmesg` as well.",
     store_bool<&BootOptions::console_to_ring>},
    toggle({"console_timestamps", Kind::string, "none | date | datems | boot | raw", "none",
            "What each printed line starts with: nothing, or seconds since the start, whichever of the other words is given.",
            store_console_timestamps}),
    {"conswitch", Kind::string, "<letter>[x]", "a",
     "Ctrl and this letter, three times, switches serial input between hypervisor and dom0. With `x` the input does not go "
     "to dom0 at its start.",
     store_conswitch},
    // dom0
    {"dom0", Kind::list, "pv | pvh, verbose=<bool>, bounce=<bool>", "pv; pvh with an IOMMU and hardware virtualization, or without PV",
     "How dom0 is built; the log tells why. `no-bounce` leaves out the `swiotlb=force` that a PVH dom0 without an IOMMU is given: its "
     "DMA to pages of other domains then goes wrong.",
     store_dom0},
    deprecated({"dom0pvh", Kind::boolean, "", "off", "Old name of dom0=pvh.", store_dom0pvh}, "is deprecated: write dom0=pvh"),
    toggle({"pv", Kind::list, "<bool> | 32=<bool>", "on", "Domains in PV mode, dom0 among them. Those of 32 bits aren't supported.",
            store_pv}),
    {"dom0_mem", Kind::list, "<amount>, min:<amount>, max:<amount>", "half, at most 8G",
     "Memory of dom0. An amount is a size, a negative size (all but that much), `<n>%` of all memory, or `<size>+<n>%`. "
     "`max:` also limits what dom0 can balloon up to, and wins over `min:`.",
     store_dom0_mem},
    {"dom0_max_vcpus", Kind::string, "<n> | [<min>]-[<max>]", "one per CPU", "Number of dom0's vCPUs.", store_dom0_max_vcpus},
    {"dom0_vcpus_pin", Kind::boolean, "", "off", "Pin each vCPU of dom0 to the CPU of its number.",
     store_bool<&BootOptions::dom0_vcpus_pin>},

    // Machine
    {"maxcpus", Kind::integer, "", "all", "Bring up at most this many CPUs.", store_integer<&BootOptions::maxcpus, 1, 4096>},
    {"nosmp", Kind::boolean, "", "off", "Bring up the boot CPU only.", store_bool<&BootOptions::nosmp>},
    {"numa", Kind::boolean, "", "on", "Use of the nodes that ACPI's SRAT describes. `off`: one node with all memory and CPUs.",
     store_bool<&BootOptions::numa>},
    {"mem", Kind::size, "", "all", "Ignore RAM above this address.", store_size<&BootOptions::mem>},
    {"sched", Kind::string, "credit2 | null", "credit2", "Scheduler of the first CPU pool.", store_text<&BootOptions::sched>},
    {"gnttab_max_frames", Kind::integer, "", "64",
     "Most grant table frames that dom0, and a domain whose toolstack says nothing, may have.",
     store_integer<&BootOptions::gnttab_max_frames, 1, 65536>},
    {"gnttab_max_maptrack_frames", Kind::integer, "", "1024",
     "Most frames that track the grants which dom0, or a domain whose toolstack says nothing, has mapped.",
     store_integer<&BootOptions::gnttab_max_maptrack_frames, 1, 65536>},
    {"noreboot", Kind::boolean, "", "off", "Halt instead of rebooting, after a crash too.", store_bool<&BootOptions::noreboot>},
    {"reboot", Kind::list, "t[riple] | k[bd] | a[cpi] | p[ci] | n[o]", "by firmware", "How to reboot; `no` is `noreboot`.", store_reboot},
    {"x2apic", Kind::boolean, "", "on", "Use x2APIC mode where the CPUs have it. Where the firmware has turned it on, it stays on.",
     store_bool<&BootOptions::x2apic>},
    {"ucode", Kind::list, "<n> | scan, nmi, allow-same, digest-check", "none",
     "Microcode for every CPU: the module of that number (0 is dom0's kernel, -1 the last), or with `scan` what lies "
     "uncompressed at the start of dom0's initrd. EFI's xen.cfg names a file instead. Not loaded under another hypervisor or an emulator. "
     "The other words have no "
     "effect.",
     store_ucode},
    {"cpuid", Kind::list, "<feature>=<bool>,…", "as the CPU has it",
     "CPU features to do without (`no-avx`, `avx=off`): neither we nor guests use them, nor what depends on them. Names are those of "
     "`cpuid=` in xl.cfg(5). What the hypervisor itself needs can't be hidden, and what the CPU lacks not be added.",
     store_lists<&BootOptions::cpuid>},
    toggle({"smep", Kind::string, "<bool> | hvm", "on",
            "Supervisor-mode execution prevention; `hvm`: for HVM guests only; off: for them neither.", store_smep}),
    toggle({"smap", Kind::string, "<bool> | hvm", "on",
            "Supervisor-mode access prevention; `hvm`: for HVM guests only; off: for them neither. `no-smap` helps under emulators that "
            "get it wrong.",
            store_smap}),
    {"tsc", Kind::string, "unstable | skewed", "measured", "What to believe of the TSCs: both words, not that they agree.", store_tsc},
    {"clocksource", Kind::string, "pit | hpet | acpi", "best there is",
     "The clock by which the TSC is measured at boot; where it isn't there, the best that is.",
     store_choice<&BootOptions::clocksource, clock_sources>},
    toggle({"spec-ctrl", Kind::list, "<bool> | ibpb=<bool>, verw=<bool>, l1d-flush=<bool>, ibrs=<bool>, bti-thunk=retpoline|jmp", "on",
            "Mitigations of speculation, each where the processor needs it and has what it takes: `ibpb` between guests, `verw` (or "
            "`md-clear`) and `l1d-flush` before each entry of a guest; for the hypervisor's own branches `ibrs` where the processor keeps "
            "that up by itself, else retpolines, which `bti-thunk` chooses or leaves out.",
            store_spec_ctrl}),
    // Accepted, so that command lines written for the reference work as they are
    inert("sync_console", "<bool>", "Wait for each character to be sent.", "has no effect: each one is waited for"),
    inert("conring_size", "<size>", "Size of the ring of `xl dmesg`.", "has no effect: it holds 64 KiB"),
    inert("edd", "off | on | skipmbr", "Questions to the BIOS about its disks.", "has no effect: the BIOS is asked nothing"),
    inert("real-mode", "<bool>", "Calls of the BIOS; Debian's menu of GRUB on EFI says `no-real-mode`.",
          "has no effect: the BIOS is asked nothing"),
    inert("acpi", "<bool>, force, noirq, verbose", "Use of the ACPI tables.", "has no effect: they are always used"),
    inert("hap", "<bool>", "Nested paging.", "has no effect: it is always used"),
    inert("iommu", "<list>", "Use of IOMMUs.", "has no effect: there is no driver for one yet"),
    inert("watchdog", "<bool> | force", "NMI watchdog.", "has no effect: there is no watchdog"),
    inert("watchdog_timeout", "<seconds>", "Time until the watchdog fires.", "has no effect: there is no watchdog"),
    inert("cpufreq", "xen | dom0-kernel | none", "Who drives processor frequencies.",
          "has no effect: frequencies stay as the firmware left them"),
    inert("cpuidle", "<bool>", "Deep idle states.", "has no effect: idle CPUs halt"),
    inert("max_cstate", "<n>", "Deepest idle state.", "has no effect: idle CPUs halt"),
    inert("bootscrub", "idle | <bool>", "Scrubbing of free RAM at boot.", "has no effect: when RAM is scrubbed is not chosen here"),
    inert("xpti", "<list>", "Isolation of PV page tables.", "has no effect: mitigations are not tuned here"),
    inert("smt", "<bool>", "Use of sibling threads.", "has no effect: all threads are used"),
};

}  // namespace

std::span<const Option> option_table() { return table; }

}  // namespace px::cmdline
