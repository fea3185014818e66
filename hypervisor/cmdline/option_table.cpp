// The option table: each option of the hypervisor's command line, once.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/cmdline/stores.hpp"
#include "hypervisor/cmdline/values.hpp"

namespace px::cmdline {
namespace {

constexpr Choice<Scheduler> schedulers[] = {{"credit", Scheduler::credit}, {"credit2", Scheduler::credit2}};
constexpr Choice<ClockSource> clock_sources[] = {{"pit", ClockSource::pit},
                                                 {"hpet", ClockSource::hpet},
                                                 {"acpi", ClockSource::acpi},
                                                 {"tsc", ClockSource::tsc}};
constexpr Choice<TscTrust> tsc_trusts[] = {{"unstable", TscTrust::unstable},
                                           {"skewed", TscTrust::skewed},
                                           {"stable:socket", TscTrust::stable_across_sockets}};

constexpr std::string_view uart_syntax =
    "<baud>|auto[/<base-baud>][,<DPS>[,<io-base>[,<irq>]]][,<name>=<value>…]";

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
constexpr Option inert(std::string_view name, std::string_view syntax, std::string_view doc,
                       const char* note) {
    return {name, Kind::string, syntax, "", doc, [](BootOptions&, const Argument&) { return Outcome{}; },
            true, note};
}

constexpr Option table[] = {
    // Console and log
    {"console", Kind::list, "vga | com1 | com2 | none", "com1,vga",
     "Where the hypervisor prints and, on serial ports, reads. `none` alone keeps it silent.", store_console},
    {"com1", Kind::string, uart_syntax, "auto",
     "Line of the first serial port, for example `115200,8n1`. `auto` keeps what the firmware set; an IRQ of 0 polls. "
     "Names: baud, clock-hz, data-bits, parity, stop-bits, io-base, irq, reg-shift, reg-width.",
     store_text<&BootOptions::com1>},
    {"com2", Kind::string, uart_syntax, "auto", "Line of the second serial port, as for `com1`.",
     store_text<&BootOptions::com2>},
    {"loglvl", Kind::string, "<level>[/<rate-limited level>]", "warning",
     "Which of our own messages are printed: none, error, warning, info, debug or all. Levels above the first and up to "
     "the second are printed under a rate limit.",
     store_loglvl},
    {"guest_loglvl", Kind::string, "<level>[/<rate-limited level>]", "none/warning",
     "The same for messages that a guest can provoke.", store_guest_loglvl},
    {"sync_console", Kind::boolean, "", "off",
     "Wait for each character to be sent. Slow, and a guest that provokes messages slows the machine: for debugging only.",
     store_bool<&BootOptions::sync_console>},
    {"console_to_ring", Kind::boolean, "", "off", "Keep what guests print in the ring of `xl dmesg` as well.",
     store_bool<&BootOptions::console_to_ring>},
    toggle(
        {"console_timestamps", Kind::string, "none | date | datems | boot | raw", "none",
         "What each printed line starts with: nothing, the date, the date with milliseconds, seconds since the start, or the "
         "raw clock. Without a value: date.",
         store_console_timestamps}),
    {"conring_size", Kind::size, "", "16k", "Size of the ring of `xl dmesg`, rounded up to a power of two.",
     store_size<&BootOptions::conring_size>},
    {"conswitch", Kind::string, "<letter>[x]", "a",
     "Ctrl and this letter, three times, switches serial input between hypervisor and dom0. With `x` the input does not go "
     "to dom0 at its start.",
     store_conswitch},
    {"vga", Kind::list, "current | text-80x<rows> | gfx-<width>x<height>x<depth> | mode-<number>, keep", "",
     "Video mode. `keep` goes on printing to the screen when dom0 runs.", store_vga},

    // dom0
    {"dom0", Kind::list, "pv | pvh, verbose=<bool>, cpuid-faulting=<bool>, msr-relaxed=<bool>, bounce=<bool>",
     "",
     "How dom0 is built. `no-bounce` leaves out the `swiotlb=force` that a PVH dom0 without an IOMMU is given: its DMA to "
     "pages of other domains then goes wrong.",
     store_dom0},
    deprecated({"dom0pvh", Kind::boolean, "", "off", "Old name of dom0=pvh.", store_dom0pvh},
               "is deprecated: write dom0=pvh"),
    {"dom0_mem", Kind::list, "<amount>, min:<amount>, max:<amount>", "all but 1/16, at most 128M",
     "Memory of dom0. An amount is a size, a negative size (all but that much), `<n>%` of all memory, or `<size>+<n>%`. "
     "`max:` also limits what dom0 can balloon up to, and wins over `min:`.",
     store_dom0_mem},
    {"dom0_max_vcpus", Kind::string, "<n> | [<min>]-[<max>]", "one per CPU", "Number of dom0's vCPUs.",
     store_dom0_max_vcpus},
    {"dom0_vcpus_pin", Kind::boolean, "", "off", "Pin each vCPU of dom0 to the CPU of its number.",
     store_bool<&BootOptions::dom0_vcpus_pin>},

    // Machine
    {"maxcpus", Kind::integer, "", "all", "Bring up at most this many CPUs.",
     store_integer<&BootOptions::maxcpus, 1, 4096>},
    {"nosmp", Kind::boolean, "", "off", "Bring up the boot CPU only.", store_bool<&BootOptions::nosmp>},
    {"mem", Kind::size, "", "all", "Ignore RAM above this address.", store_size<&BootOptions::mem>},
    {"sched", Kind::string, "credit | credit2", "credit2", "Scheduler of the first CPU pool.",
     store_choice<&BootOptions::sched, schedulers>},
    {"gnttab_max_frames", Kind::integer, "", "64", "Most grant table frames that any domain may have.",
     store_integer<&BootOptions::gnttab_max_frames, 1, 65536>},
    {"gnttab_max_maptrack_frames", Kind::integer, "", "1024",
     "Most frames that track the grants a domain has mapped.",
     store_integer<&BootOptions::gnttab_max_maptrack_frames, 1, 65536>},
    {"noreboot", Kind::boolean, "", "off", "Halt instead of rebooting, after a crash too.",
     store_bool<&BootOptions::noreboot>},
    {"reboot", Kind::list, "t[riple] | k[bd] | a[cpi] | p[ci] | P[ower] | e[fi] | n[o], w[arm] | c[old]",
     "by firmware", "How to reboot; `no` is `noreboot`.", store_reboot},
    toggle({"acpi", Kind::list, "<bool>, force, noirq, verbose", "on",
            "Use of the ACPI tables. `noirq` ignores the IO-APICs they list.", store_acpi}),
    {"x2apic", Kind::boolean, "", "on", "Use x2APIC mode where the CPUs have it.",
     store_bool<&BootOptions::x2apic>},
    {"hap", Kind::boolean, "", "on", "Use nested paging for HVM and PVH guests.",
     store_bool<&BootOptions::hap>},
    toggle({"smep", Kind::string, "<bool> | hvm", "on",
            "Supervisor-mode execution prevention; `hvm`: for HVM guests only.", store_smep}),
    toggle(
        {"smap", Kind::string, "<bool> | hvm", "on",
         "Supervisor-mode access prevention; `hvm`: for HVM guests only. `no-smap` helps under emulators that get it wrong.",
         store_smap}),
    {"cpuid", Kind::list, "[no-]<feature>", "", "CPU features to leave unused and hidden from guests.",
     store_cpuid},
    {"tsc", Kind::string, "unstable | skewed | stable:socket", "measured", "What to believe of the TSCs.",
     store_choice<&BootOptions::tsc, tsc_trusts>},
    {"clocksource", Kind::string, "pit | hpet | acpi | tsc", "best there is",
     "The clock that time is measured by.", store_choice<&BootOptions::clocksource, clock_sources>},
    toggle(
        {"iommu", Kind::list,
         "<bool>, force, verbose, debug, intremap, intpost, qinval, snoop, superpages, sharept, quarantine, igfx, "
         "crash-disable",
         "on",
         "Use of IOMMUs; each word can be negated (`no-intremap`) or given a boolean (`intremap=off`, `intremap:off`).",
         store_iommu}),

    // Accepted, so that command lines written for the reference work as they are
    inert("ucode", "<n> | scan, nmi, allow-same, digest-check", "Microcode to load.",
          "has no effect: microcode is the firmware's to load"),
    inert("watchdog", "<bool> | force", "NMI watchdog.", "has no effect: there is no watchdog"),
    inert("watchdog_timeout", "<seconds>", "Time until the watchdog fires.",
          "has no effect: there is no watchdog"),
    inert("cpufreq", "xen | dom0-kernel | none", "Who drives processor frequencies.",
          "has no effect: frequencies stay as the firmware left them"),
    inert("cpuidle", "<bool>", "Deep idle states.", "has no effect: idle CPUs halt"),
    inert("max_cstate", "<n>", "Deepest idle state.", "has no effect: idle CPUs halt"),
    inert("bootscrub", "idle | <bool>", "Scrubbing of free RAM at boot.",
          "has no effect: when RAM is scrubbed is not chosen here"),
    inert("spec-ctrl", "<list>", "Mitigations of speculation.",
          "has no effect: mitigations are not tuned here"),
    inert("xpti", "<list>", "Isolation of PV page tables.", "has no effect: mitigations are not tuned here"),
    inert("smt", "<bool>", "Use of sibling threads.", "has no effect: all threads are used"),
};

}  // namespace

std::span<const Option> option_table() { return table; }

}  // namespace px::cmdline
