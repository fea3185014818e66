// What the hypervisor's command line asks for.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "hypervisor/base/types.hpp"

namespace px::cmdline {

enum class ConsoleDevice : u8 { none, vga, com1, com2 };

/// Up to four devices, in the order given.
struct ConsoleList {
    std::array<ConsoleDevice, 4> devices{};
    u8 count = 0;

    constexpr bool contains(ConsoleDevice device) const {
        for (u8 i = 0; i < count; ++i) {
            if (devices[i] == device) return true;
        }
        return false;
    }
};

/// The values of an option whose list goes on where it is given again.
struct Lists {
    static constexpr u8 capacity = 4;
    std::array<std::string_view, capacity> values{};
    u8 count = 0;

    constexpr std::span<const std::string_view> all() const { return {values.data(), count}; }
};

/// How many of the levels error, warning, info, debug are printed: a line of LogLevel l passes if l <
/// threshold.
enum class Verbosity : u8 { none = 0, error = 1, warning = 2, info = 3, debug = 4 };

/// Lines up to `always` are printed; those above it and up to `rate_limited` are printed under a rate limit.
struct LogFilter {
    Verbosity always = Verbosity::none;
    Verbosity rate_limited = Verbosity::none;
    friend constexpr bool operator==(const LogFilter&, const LogFilter&) = default;
};

/// The mode that the screen is wanted in, 0: any; and whether it stays ours when dom0 starts.
struct VgaOption {
    enum class Kind : u8 { current, text, graphics, number, ask };
    Kind kind = Kind::current;
    u32 rows = 0;                          ///< of text
    u32 width = 0, height = 0, depth = 0;  ///< of graphics
    bool keep = false;
    friend constexpr bool operator==(const VgaOption&, const VgaOption&) = default;
};

/// Which file is the microcode: none, whatever lies in the initrd's first part, or a module by its number (negative: from the end).
struct MicrocodeOption {
    bool scan = false;
    std::optional<i32> module;
    friend constexpr bool operator==(const MicrocodeOption&, const MicrocodeOption&) = default;
};

enum class Timestamps : u8 { none, date, date_ms, boot, raw };

/// An amount of memory: bytes plus a percentage of all, or all but some bytes.
struct MemoryAmount {
    u64 bytes = 0;
    u8 percent = 0;
    bool all_but = false;  ///< `bytes` is what to leave

    /// Bytes, when there are `total`; never more than `total`.
    constexpr u64 resolve(u64 total) const {
        if (all_but) return bytes < total ? total - bytes : 0;
        const u64 share = total / 100 * percent + total % 100 * percent / 100;
        return bytes < total - share ? bytes + share : total;
    }
    friend constexpr bool operator==(const MemoryAmount&, const MemoryAmount&) = default;
};

struct Dom0Memory {
    std::optional<MemoryAmount> initial, min, max;
};

/// `min` to `max` vCPUs, as many as there are CPUs in between.
struct VcpuRange {
    static constexpr u32 unlimited = ~u32{0};
    u32 min = 1;
    u32 max = unlimited;

    constexpr u32 resolve(u32 cpus) const { return cpus < min ? min : cpus > max ? max : cpus; }
    friend constexpr bool operator==(const VcpuRange&, const VcpuRange&) = default;
};

/// How the hardware domain is run.
enum class Dom0Kind : u8 { pv, pvh };

struct Dom0Options {
    std::optional<Dom0Kind> kind;  ///< nothing: the hypervisor's choice
    bool verbose = false;
    bool bounce = true;  ///< append swiotlb=force to a PVH dom0 that has no IOMMU
};

enum class RebootMethod : u8 { automatic, triple_fault, keyboard, acpi, pci };

/// Supervisor-mode execution or access prevention: for ourselves and guests, or for HVM guests only.
enum class Prevention : u8 { off, on, hvm_only };

enum class ClockSource : u8 { automatic, pit, hpet, acpi };

/// How the hypervisor's own indirect branches are made.
enum class BranchThunk : u8 { automatic, jump, retpoline };

/// Mitigations of speculation: where the processor needs them, or not at all.
struct SpecCtrl {
    bool ibpb = true;       ///< a barrier of predictions between guests
    bool verw = true;       ///< buffers are cleared before a guest is entered
    bool l1d_flush = true;  ///< as is the first-level data cache
    bool ibrs = true;       ///< predictions of guests don't count in the hypervisor, where the processor sees to that by itself
    BranchThunk branches = BranchThunk::automatic;  ///< retpolines where it doesn't
    friend constexpr bool operator==(const SpecCtrl&, const SpecCtrl&) = default;
};

/// Texts point into the command line that was parsed, which must outlive this.
struct BootOptions {
    ConsoleList console{{ConsoleDevice::com1, ConsoleDevice::vga}, 2};
    VgaOption vga;
    std::string_view com1 = "";  ///< in the form that the UART driver parses
    std::string_view com2 = "";
    LogFilter loglvl{Verbosity::warning, Verbosity::warning};
    LogFilter guest_loglvl{Verbosity::none, Verbosity::warning};
    bool console_to_ring = false;
    Timestamps console_timestamps = Timestamps::none;
    char switch_letter = 'a';          ///< with Ctrl, three times
    bool input_to_hypervisor = false;  ///< at the start

    Dom0Options dom0;
    Dom0Memory dom0_mem;
    VcpuRange dom0_max_vcpus;
    bool dom0_vcpus_pin = false;
    bool pv = true;               ///< domains in PV mode
    std::string_view dom0_extra;  ///< what follows ` -- `: appended to dom0's command line

    u32 maxcpus = 0;  ///< 0: all
    bool nosmp = false;
    bool numa = true;
    u64 mem = 0;  ///< ignore RAM above this address; 0: use all
    std::string_view sched = "credit2";
    u32 gnttab_max_frames = 64;
    u32 gnttab_max_maptrack_frames = 1024;

    bool noreboot = false;
    RebootMethod reboot = RebootMethod::automatic;

    MicrocodeOption ucode;
    Lists cpuid;  ///< features to do without: the architecture knows their names
    bool x2apic = true;
    Prevention smep = Prevention::on;
    Prevention smap = Prevention::on;
    SpecCtrl spec_ctrl;
    bool tsc_unstable = false;  ///< not to be believed, whatever CPUID says
    ClockSource clocksource = ClockSource::automatic;
};

}  // namespace px::cmdline
