// What the firmware says about CPUs and interrupt controllers, in terms of our own.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/acpi/fixed_list.hpp"
#include "drivers/acpi/layout.hpp"

namespace px::acpi {

struct Cpu {
    u32 apic_id = 0;  ///< sparse; 255 and above only through x2APIC entries
    u32 uid = 0;      ///< the firmware's own number of it
    bool enabled = false;
    bool online_capable = false;  ///< not enabled, but may be plugged in later
};

struct IoApic {
    u8 id = 0;
    Paddr address;
    u32 gsi_base = 0;
};

/// An ISA interrupt that isn't wired one to one.
struct SourceOverride {
    u8 source = 0;
    u32 gsi = 0;
    IntiFlags flags;
};

/// An input of an IO-APIC that is to deliver NMIs.
struct NmiSource {
    u32 gsi = 0;
    IntiFlags flags;
};

/// A local interrupt pin that receives NMIs.
struct LocalNmi {
    static constexpr u32 all_cpus = ~u32{0};
    u32 uid = all_cpus;
    IntiFlags flags;
    u8 lint = 1;
};

/// About 20 KiB: keep it in static memory, not on a stack.
struct Topology {
    static constexpr usize max_cpus = 1024;

    Paddr local_apic;
    bool legacy_pics = false;
    FixedList<Cpu, max_cpus> cpus;  ///< in the firmware's order, without duplicates and never usable ones
    usize cpus_dropped = 0;         ///< CPUs beyond max_cpus
    FixedList<IoApic, 128> io_apics;
    FixedList<SourceOverride, 32> overrides;
    FixedList<NmiSource, 32> nmi_sources;
    FixedList<LocalNmi, max_cpus> local_nmis;
};

struct CpuAffinity {
    u32 apic_id = 0;
    u32 proximity = 0;
};

struct MemoryAffinity {
    Paddr base;
    u64 length = 0;
    u32 proximity = 0;
    bool hot_pluggable = false;
    bool non_volatile = false;
};

/// Which node each CPU and each range of memory belongs to; disabled entries are left out.
struct Affinity {
    FixedList<CpuAffinity, Topology::max_cpus> cpus;
    FixedList<MemoryAffinity, 256> memory;
};

}  // namespace px::acpi
