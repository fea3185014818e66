// Calls of the hardware domain on the machine [xen/public platform.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/handle.hpp"
#include "hypervisor/abi/start_info.hpp"

namespace px::abi {

inline constexpr u32 platform_interface_version = 0x03000001;

enum class PlatformOpCmd : u32 {
    settime32 = 17,
    add_memtype = 31,
    del_memtype = 32,
    read_memtype = 33,
    microcode_update = 35,
    platform_quirk = 39,
    get_cpu_version = 48,
    efi_runtime_call = 49,
    firmware_info = 50,
    enter_acpi_sleep = 51,
    change_freq = 52,
    getidletime = 53,
    set_processor_pminfo = 54,
    get_cpuinfo = 55,
    cpu_online = 56,
    cpu_offline = 57,
    cpu_hotadd = 58,
    mem_hotadd = 59,
    core_parking = 60,
    resource_op = 61,
    settime64 = 62,
    get_symbol = 63,
    get_dom0_console = 64,  ///< of version 4.18
};

/// The wall clock at system_time.
struct PlatformSettime32 {
    u32 secs;
    u32 nsecs;
    u64 system_time;
};
struct PlatformSettime64 {
    u64 secs;
    u32 nsecs;
    u32 mbz;
    u64 system_time;
};

/// MTRRs. OUT: handle, reg.
struct PlatformAddMemtype {
    u64 mfn;
    u64 nr_mfns;
    u32 type;
    u32 handle;
    u32 reg;
};
struct PlatformDelMemtype {
    u32 handle;
    u32 reg;
};
struct PlatformReadMemtype {
    u32 reg;
    u64 mfn;      ///< OUT
    u64 nr_mfns;  ///< OUT
    u32 type;     ///< OUT
};

struct PlatformMicrocodeUpdate {
    GuestHandle<const void> data;
    u32 length;
};

enum class PlatformQuirkId : u32 { noirqbalancing = 1, ioapic_bad_regsel = 2, ioapic_good_regsel = 3 };
struct PlatformQuirk {
    u32 quirk_id;
};

enum class EfiFunction : u32 {
    get_time = 1,
    set_time = 2,
    get_wakeup_time = 3,
    set_wakeup_time = 4,
    get_next_high_monotonic_count = 5,
    get_variable = 6,
    set_variable = 7,
    get_next_variable_name = 8,
    query_variable_info = 9,
    query_capsule_capabilities = 10,
    update_capsule = 11,
};

struct EfiTime {
    u16 year;
    u8 month, day, hour, min, sec;
    u32 ns;
    i16 tz;
    u8 daylight;
};
struct EfiGuid {
    u32 data1;
    u16 data2, data3;
    u8 data4[8];
};

/// PlatformEfiRuntimeCall::misc, by function.
namespace efi_misc {
inline constexpr u32 get_time_set_clears_ns = 1;
inline constexpr u32 get_wakeup_time_enabled = 1, get_wakeup_time_pending = 2;
inline constexpr u32 set_wakeup_time_enable = 1, set_wakeup_time_enable_only = 2;
inline constexpr u32 variable_non_volatile = 1, variable_bootservice_access = 2, variable_runtime_access = 4;
inline constexpr u32 varinfo_boot_snapshot = 1;
}  // namespace efi_misc

struct EfiVariable {
    GuestHandle<void> name;  ///< UCS-2
    u64 size;
    GuestHandle<void> data;
    EfiGuid vendor_guid;
};

struct PlatformEfiRuntimeCall {
    u32 function;  ///< EfiFunction
    u32 misc;      ///< efi_misc; also the count of get_next_high_monotonic_count
    u64 status;    ///< OUT: EFI status
    union {
        struct {
            EfiTime time;
            u32 resolution;
            u32 accuracy;
        } get_time;
        EfiTime set_time;
        EfiTime get_wakeup_time;
        EfiTime set_wakeup_time;
        EfiVariable get_variable, set_variable;
        struct {
            u64 size;
            GuestHandle<void> name;
            EfiGuid vendor_guid;
        } get_next_variable_name;
        struct {
            u32 attr;
            u64 max_store_size;
            u64 remain_store_size;
            u64 max_size;
        } query_variable_info;
        struct {
            GuestHandle<void> capsule_header_array;
            u64 capsule_count;
            u64 max_capsule_size;
            u32 reset_type;
        } query_capsule_capabilities;
        struct {
            GuestHandle<void> capsule_header_array;
            u64 capsule_count;
            u64 sg_list;  ///< machine address
        } update_capsule;
    } u;
};

enum class FirmwareInfoType : u32 {
    disk_info = 1,
    disk_mbr_signature = 2,
    vbeddc_info = 3,
    efi_info = 4,
    kbd_shift_flags = 5,
};
/// PlatformFirmwareInfo::index of efi_info.
enum class FirmwareEfiIndex : u32 {
    version = 0,
    config_table = 1,
    vendor = 2,
    mem_info = 3,
    rt_version = 4,
    pci_rom = 5,
    apple_properties = 6,
};

struct PlatformFirmwareInfo {
    u32 type;  ///< FirmwareInfoType
    u32 index;
    union {
        struct {
            u8 device;
            u8 version;
            u16 interface_support;
            u16 legacy_max_cylinder;
            u8 legacy_max_head;
            u8 legacy_sectors_per_track;
            GuestHandle<void> edd_params;
        } disk_info;
        struct {
            u8 device;
            u32 mbr_signature;
        } disk_mbr_signature;
        struct {
            u8 capabilities;
            u8 edid_transfer_time;
            GuestHandle<u8> edid;
        } vbeddc_info;
        union {
            u32 version;
            struct {
                u64 addr;
                u32 nent;
            } cfg;
            struct {
                u32 revision;
                u32 bufsz;
                GuestHandle<void> name;
            } vendor;
            struct {
                u64 addr;
                u64 size;
                u64 attr;
                u32 type;
            } mem;
            struct {
                u16 segment;
                u8 bus;
                u8 devfn;
                u16 vendor;
                u16 devid;
                u64 address;
                u64 size;
            } pci_rom;
            struct {
                u64 address;
                u64 size;
            } apple_properties;
        } efi_info;
        u8 kbd_shift_flags;
    } u;
};

inline constexpr u32 acpi_sleep_extended = 1;  ///< val_a, val_b are sleep types of hardware-reduced ACPI
struct PlatformEnterAcpiSleep {
    u16 val_a;  ///< PM1a control
    u16 val_b;  ///< PM1b control
    u32 sleep_state;
    u32 flags;
};

struct PlatformChangeFreq {
    u32 flags;
    u32 cpu;
    u64 freq;  ///< Hz
};

struct PlatformGetidletime {
    GuestHandle<u8> cpumap_bitmap;
    u32 cpumap_nr_cpus;
    GuestHandle<u64> idletime;  ///< ns each
    u64 now;
};

/// C- and P-states that dom0's ACPI code found.
namespace processor_pm {
inline constexpr u32 bits_cx = 1, bits_px = 2, bits_tx = 4;                ///< StartInfo::flags >> 8
inline constexpr u32 type_cx = 0, type_px = 1, type_tx = 2, type_pdc = 3;  ///< PlatformSetProcessorPminfo::type
inline constexpr u32 px_pct = 1, px_pss = 2, px_ppc = 4, px_psd = 8;       ///< ProcessorPerformance::flags
inline constexpr u32 shared_type_hw = 1, shared_type_all = 2, shared_type_any = 3;
}  // namespace processor_pm

struct PowerRegister {
    u32 space_id;
    u32 bit_width;
    u32 bit_offset;
    u32 access_size;
    u64 address;
};
struct ProcessorCsd {
    u32 domain;
    u32 coord_type;
    u32 num;
};
struct ProcessorCx {
    PowerRegister reg;
    u8 type;
    u32 latency;
    u32 power;
    u32 dpcnt;
    GuestHandle<ProcessorCsd> dp;
};
struct ProcessorFlags {
    u32 bm_control : 1;
    u32 bm_check : 1;
    u32 has_cst : 1;
    u32 power_setup_done : 1;
    u32 bm_rld_set : 1;
};
struct ProcessorPower {
    u32 count;
    ProcessorFlags flags;
    GuestHandle<ProcessorCx> states;
};
struct PctRegister {
    u8 descriptor;
    u16 length;
    u8 space_id;
    u8 bit_width;
    u8 bit_offset;
    u8 reserved;
    u64 address;
};
struct ProcessorPx {
    u64 core_frequency;
    u64 power;
    u64 transition_latency;
    u64 bus_master_latency;
    u64 control;
    u64 status;
};
struct PsdPackage {
    u64 num_entries;
    u64 revision;
    u64 domain;
    u64 coord_type;
    u64 num_processors;
};
struct ProcessorPerformance {
    u32 flags;
    u32 platform_limit;
    PctRegister control_register;
    PctRegister status_register;
    u32 state_count;
    GuestHandle<ProcessorPx> states;
    PsdPackage domain_info;
    u32 shared_type;
};
struct PlatformSetProcessorPminfo {
    u32 id;    ///< ACPI id
    u32 type;  ///< processor_pm::type_*
    union {
        ProcessorPower power;
        ProcessorPerformance perf;
        GuestHandle<u32> pdc;
    } u;
};

inline constexpr u32 pcpu_flags_online = 1, pcpu_flags_invalid = 2;
struct PlatformPcpuinfo {
    u32 xen_cpuid;    ///< IN
    u32 max_present;  ///< OUT, as the rest
    u32 flags;
    u32 apic_id;
    u32 acpi_id;
};
struct PlatformPcpuVersion {
    u32 xen_cpuid;
    u32 max_present;
    char vendor_id[12];
    u32 family;
    u32 model;
    u32 stepping;
};
struct PlatformCpuOl {
    u32 cpuid;
};
struct PlatformCpuHotadd {
    u32 apic_id;
    u32 acpi_id;
    u32 pxm;
};
struct PlatformMemHotadd {
    u64 spfn;
    u64 epfn;
    u32 pxm;
    u32 flags;
};

inline constexpr u32 core_parking_set = 1, core_parking_get = 2;
struct PlatformCoreParking {
    u32 type;
    u32 idle_nums;
};

inline constexpr u32 resource_op_msr_read = 0, resource_op_msr_write = 1;
struct PlatformResourceEntry {
    union {
        u32 cmd;  ///< IN
        i32 ret;  ///< OUT
    } u;
    u32 rsvd;
    u64 idx;
    u64 val;
};
struct PlatformResourceOp {
    u32 nr_entries;
    u32 cpu;
    GuestHandle<PlatformResourceEntry> entries;
};

struct PlatformSymdata {
    u32 namelen;
    u32 symnum;
    GuestHandle<char> name;
    u64 address;
    char type;
};

/// The argument of platform_op.
struct PlatformOp {
    u32 cmd;                ///< PlatformOpCmd
    u32 interface_version;  ///< platform_interface_version
    union {
        PlatformSettime64 settime;
        PlatformSettime32 settime32;
        PlatformSettime64 settime64;
        PlatformAddMemtype add_memtype;
        PlatformDelMemtype del_memtype;
        PlatformReadMemtype read_memtype;
        PlatformMicrocodeUpdate microcode;
        PlatformQuirk platform_quirk;
        PlatformEfiRuntimeCall efi_runtime_call;
        PlatformFirmwareInfo firmware_info;
        PlatformEnterAcpiSleep enter_acpi_sleep;
        PlatformChangeFreq change_freq;
        PlatformGetidletime getidletime;
        PlatformSetProcessorPminfo set_pminfo;
        PlatformPcpuinfo pcpu_info;
        PlatformPcpuVersion pcpu_version;
        PlatformCpuOl cpu_ol;
        PlatformCpuHotadd cpu_add;
        PlatformMemHotadd mem_add;
        PlatformCoreParking core_parking;
        PlatformResourceOp resource_op;
        PlatformSymdata symdata;
        Dom0VgaConsoleInfo dom0_console;
        u8 pad[128];
    } u;
};

}  // namespace px::abi
