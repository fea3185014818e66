// Layouts of the ACPI tables that a hypervisor reads or writes, as in memory [acpi/6.4 5.2].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/acpi/error.hpp"

namespace px::acpi {

struct [[gnu::packed]] RsdpLayout {
    char signature[8];  ///< "RSD PTR "
    u8 checksum;        ///< over the first 20 bytes
    char oem_id[6];
    u8 revision;  ///< 0: ends here after rsdt; 2: all fields
    u32 rsdt;
    u32 length;
    u64 xsdt;
    u8 extended_checksum;
    u8 reserved[3];
};
static_assert(sizeof(RsdpLayout) == 36);
inline constexpr usize rsdp_v1_length = 20;
inline constexpr std::string_view rsdp_signature{"RSD PTR "};

struct [[gnu::packed]] Header {
    Signature signature;
    u32 length;  ///< of the whole table
    u8 revision;
    u8 checksum;  ///< makes the sum of all bytes zero
    char oem_id[6];
    char oem_table_id[8];
    u32 oem_revision;
    char creator_id[4];
    u32 creator_revision;
};
static_assert(sizeof(Header) == 36);

enum class AddressSpace : u8 { memory = 0, io = 1, pci_config = 2 };

/// Generic Address Structure [acpi/6.4 5.2.3.2].
struct [[gnu::packed]] GenericAddress {
    AddressSpace space = AddressSpace::memory;
    u8 bit_width = 0;
    u8 bit_offset = 0;
    u8 access_size = 0;  ///< 0 undefined, 1 byte, 2 word, 3 dword, 4 qword
    u64 address = 0;

    constexpr bool present() const { return address != 0; }
    friend constexpr bool operator==(const GenericAddress&, const GenericAddress&) = default;
};
static_assert(sizeof(GenericAddress) == 12);

struct [[gnu::packed]] FadtLayout {
    Header header;
    u32 facs;
    u32 dsdt;
    u8 reserved0;
    u8 preferred_profile;
    u16 sci_interrupt;
    u32 smi_command;
    u8 acpi_enable, acpi_disable, s4bios_request, pstate_control;
    u32 pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
    u8 pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
    u8 gpe0_length, gpe1_length, gpe1_base, cst_control;
    u16 c2_latency, c3_latency, flush_size, flush_stride;
    u8 duty_offset, duty_width, day_alarm, month_alarm, century;
    u16 boot_architecture;
    u8 reserved1;
    u32 flags;
    GenericAddress reset_register;
    u8 reset_value;
    u16 arm_boot_architecture;
    u8 minor_version;
    u64 x_facs, x_dsdt;
    GenericAddress x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control, x_pm_timer, x_gpe0, x_gpe1;
    GenericAddress sleep_control, sleep_status;
    u64 hypervisor_vendor;
};
static_assert(offsetof(FadtLayout, flags) == 112 && offsetof(FadtLayout, x_dsdt) == 140 && sizeof(FadtLayout) == 276);
inline constexpr usize fadt_v1_length = 116;

struct [[gnu::packed]] MadtLayout {
    Header header;
    u32 local_apic;
    u32 flags;  ///< bit 0: the machine has 8259s as well
};
static_assert(sizeof(MadtLayout) == 44);

/// First bytes of each entry of MADT and SRAT.
struct [[gnu::packed]] EntryHeader {
    u8 type;
    u8 length;
};

/// Interrupt polarity and trigger of an override or NMI [acpi/6.4 table 5.26].
struct [[gnu::packed]] IntiFlags {
    u16 polarity : 2 = 0;  ///< 0 as the bus says, 1 active high, 3 active low
    u16 trigger : 2 = 0;   ///< 0 as the bus says, 1 edge, 3 level
    u16 reserved : 12 = 0;

    constexpr bool active_low() const { return polarity == 3; }
    constexpr bool level() const { return trigger == 3; }
};

namespace madt {
enum class Type : u8 {
    local_apic = 0,
    io_apic = 1,
    source_override = 2,
    nmi_source = 3,
    local_nmi = 4,
    local_apic_address = 5,
    local_x2apic = 9,
    local_x2apic_nmi = 10
};

struct [[gnu::packed]] CpuFlags {
    u32 enabled : 1 = 0;
    u32 online_capable : 1 = 0;
    u32 reserved : 30 = 0;
};
struct [[gnu::packed]] LocalApic {
    EntryHeader entry{0, 8};
    u8 processor_uid;
    u8 apic_id;
    CpuFlags flags;
};
struct [[gnu::packed]] IoApic {
    EntryHeader entry{1, 12};
    u8 id;
    u8 reserved = 0;
    u32 address;
    u32 gsi_base;
};
struct [[gnu::packed]] SourceOverride {
    EntryHeader entry{2, 10};
    u8 bus = 0;  ///< 0: ISA
    u8 source;
    u32 gsi;
    IntiFlags flags;
};
struct [[gnu::packed]] NmiSource {
    EntryHeader entry{3, 8};
    IntiFlags flags;
    u32 gsi;
};
struct [[gnu::packed]] LocalNmi {
    EntryHeader entry{4, 6};
    u8 processor_uid;  ///< 0xff: all
    IntiFlags flags;
    u8 lint;
};
struct [[gnu::packed]] LocalApicAddress {
    EntryHeader entry{5, 12};
    u16 reserved = 0;
    u64 address;
};
struct [[gnu::packed]] LocalX2Apic {
    EntryHeader entry{9, 16};
    u16 reserved = 0;
    u32 x2apic_id;
    CpuFlags flags;
    u32 processor_uid;
};
struct [[gnu::packed]] LocalX2ApicNmi {
    EntryHeader entry{10, 12};
    IntiFlags flags;
    u32 processor_uid;  ///< 0xffffffff: all
    u8 lint;
    u8 reserved[3] = {};
};
static_assert(sizeof(LocalApic) == 8 && sizeof(IoApic) == 12 && sizeof(SourceOverride) == 10 && sizeof(NmiSource) == 8);
static_assert(sizeof(LocalNmi) == 6 && sizeof(LocalApicAddress) == 12 && sizeof(LocalX2Apic) == 16);
static_assert(sizeof(LocalX2ApicNmi) == 12);
}  // namespace madt

struct [[gnu::packed]] HpetLayout {
    Header header;
    u32 block_id;
    GenericAddress address;
    u8 number;
    u16 minimum_tick;
    u8 attributes;
};
static_assert(sizeof(HpetLayout) == 56);

struct [[gnu::packed]] McfgEntry {
    u64 base;
    u16 segment;
    u8 first_bus;
    u8 last_bus;
    u32 reserved;
};
static_assert(sizeof(McfgEntry) == 16);
inline constexpr usize mcfg_entries_offset = sizeof(Header) + 8;

namespace srat {
enum class Type : u8 { local_apic = 0, memory = 1, local_x2apic = 2 };
inline constexpr usize entries_offset = sizeof(Header) + 12;

struct [[gnu::packed]] LocalApic {
    EntryHeader entry{0, 16};
    u8 proximity_low;
    u8 apic_id;
    u32 flags;  ///< bit 0: enabled
    u8 local_sapic_eid;
    u8 proximity_high[3];  ///< from revision 2 on
    u32 clock_domain;
};
struct [[gnu::packed]] Memory {
    EntryHeader entry{1, 40};
    u32 proximity;
    u16 reserved0;
    u64 base;
    u64 length;
    u32 reserved1;
    u32 flags;  ///< bit 0: enabled, 1: hot-pluggable, 2: non-volatile
    u64 reserved2;
};
struct [[gnu::packed]] LocalX2Apic {
    EntryHeader entry{2, 24};
    u16 reserved0;
    u32 proximity;
    u32 x2apic_id;
    u32 flags;
    u32 clock_domain;
    u32 reserved1;
};
static_assert(sizeof(LocalApic) == 16 && sizeof(Memory) == 40 && sizeof(LocalX2Apic) == 24);
}  // namespace srat

}  // namespace px::acpi
