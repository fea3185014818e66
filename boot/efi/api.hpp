// The part of the EFI interface that is used here: tables, protocols, GUIDs. [uefi 2.10]
//
// Fields that are never used are `Unused`: a slot of the right size.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/efi.hpp"
#include "hypervisor/base/types.hpp"

namespace px::efi {

using Handle = void*;
using Event = void*;
using Unused = void*;

/// Errors have the highest bit set. [uefi appendix D]
using Status = u64;
constexpr Status error_bit = u64{1} << 63;
constexpr Status success = 0, load_error = error_bit | 1, invalid_parameter = error_bit | 2, unsupported = error_bit | 3,
                 buffer_too_small = error_bit | 5, device_error = error_bit | 7, out_of_resources = error_bit | 9,
                 volume_corrupted = error_bit | 10, no_media = error_bit | 12, media_changed = error_bit | 13, not_found = error_bit | 14,
                 access_denied = error_bit | 15, security_violation = error_bit | 26;
constexpr bool failed(Status status) { return (status & error_bit) != 0; }

struct Guid {
    u32 a;
    u16 b, c;
    u8 d[8];
    bool operator==(const Guid&) const = default;
};

inline constexpr Guid loaded_image_guid{0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
inline constexpr Guid file_system_guid{0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
inline constexpr Guid file_info_guid{0x09576e92, 0x6d3f, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
inline constexpr Guid load_file2_guid{0x4006c0c1, 0xfcb3, 0x403e, {0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d}};
inline constexpr Guid initrd_media_guid{0x5568e427, 0x68fc, 0x4f3d, {0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68}};
inline constexpr Guid acpi_table_guid{0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};
inline constexpr Guid acpi1_table_guid{0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
inline constexpr Guid memory_attributes_guid{0xdcfa911d, 0x26eb, 0x469f, {0xa2, 0x20, 0x38, 0xb7, 0xdc, 0x46, 0x12, 0x20}};
inline constexpr Guid global_variable_guid{0x8be4df61, 0x93ca, 0x11d2, {0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};
inline constexpr Guid shim_lock_guid{0x605dab50, 0xe046, 0x4300, {0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23}};

inline constexpr Guid graphics_output_guid{0x9042a9de, 0x23dc, 0x4a38, {0x96, 0xfb, 0x7a, 0xde, 0xd0, 0x80, 0x51, 0x6a}};

struct TableHeader {
    u64 signature;
    u32 revision, size, crc32, reserved;
};

struct InputKey {
    u16 scan_code;
    char16_t character;
};
struct TextInput {
    Unused reset;
    Status(PX_EFI_CALL* read_key)(TextInput*, InputKey*);
    Event wait_for_key;
};
struct TextOutput {
    Unused reset;
    Status(PX_EFI_CALL* output)(TextOutput*, const char16_t*);
};

enum class MemoryType : u32 {
    reserved,
    loader_code,
    loader_data,
    boot_code,
    boot_data,
    runtime_code,
    runtime_data,
    conventional,
    unusable,
    acpi_reclaim,
    acpi_nvs,
    mmio,
    mmio_ports,
    pal_code,
    persistent,
};
constexpr u64 memory_uncached = 0x1, memory_write_back = 0x8, memory_not_executable = 0x4000, memory_read_only = 0x20000,
              memory_runtime = u64{1} << 63;

/// One of GetMemoryMap()'s; the firmware's may be longer.
struct MemoryDescriptor {
    u32 type, padding;
    u64 physical, virtual_address, pages, attributes;
};

/// The head of the memory attributes table, whose descriptors follow. [uefi 4.6.4]
struct MemoryAttributes {
    u32 version, entries, descriptor_size, flags;
};

/// A list of nodes, each a type, a subtype, and its own length. [uefi 10.2]
struct DevicePath {
    u8 type, subtype;
    u8 length[2];
    u16 size() const { return static_cast<u16>(length[0] | length[1] << 8); }
};

enum class Allocate : u32 { any, below, at };
enum class TimerDelay : u32 { cancel, periodic, relative };
constexpr u32 timer_event = 0x80000000;

struct BootServices {
    TableHeader header;
    Unused raise_tpl, restore_tpl;
    Status(PX_EFI_CALL* allocate_pages)(Allocate, MemoryType, u64 pages, u64* address);
    Status(PX_EFI_CALL* free_pages)(u64 address, u64 pages);
    Status(PX_EFI_CALL* get_memory_map)(u64* size, void* map, u64* key, u64* descriptor_size, u32* version);
    Unused allocate_pool;
    Status(PX_EFI_CALL* free_pool)(void*);
    Status(PX_EFI_CALL* create_event)(u32 type, u64 level, void* notify, void* context, Event*);
    Status(PX_EFI_CALL* set_timer)(Event, TimerDelay, u64 hundred_nanoseconds);
    Status(PX_EFI_CALL* wait_for_event)(u64 count, Event*, u64* index);
    Unused signal_event;
    Status(PX_EFI_CALL* close_event)(Event);
    Unused check_event, install_protocol, reinstall_protocol, uninstall_protocol;
    Status(PX_EFI_CALL* handle_protocol)(Handle, const Guid*, void** interface);
    Unused reserved, register_notify, locate_handle;
    Status(PX_EFI_CALL* locate_device_path)(const Guid*, const DevicePath**, Handle*);
    Unused install_table;
    Status(PX_EFI_CALL* load_image)(bool boot_policy, Handle parent, const DevicePath*, const void* source, u64 size, Handle*);
    Unused start_image;
    Status(PX_EFI_CALL* exit)(Handle, Status, u64 size, const char16_t*);
    Status(PX_EFI_CALL* unload_image)(Handle);
    Status(PX_EFI_CALL* exit_boot_services)(Handle, u64 key);
    Unused monotonic_count, stall;
    Status(PX_EFI_CALL* set_watchdog)(u64 seconds, u64 code, u64 size, const char16_t*);
    Unused connect, disconnect, open_protocol, close_protocol, protocol_information, protocols_per_handle, locate_handles;
    Status(PX_EFI_CALL* locate_protocol)(const Guid*, void* registration, void** interface);
};

/// [uefi 8.3]
struct Time {
    u16 year;
    u8 month, day, hour, minute, second, padding;
    u32 nanosecond;
    i16 time_zone;
    u8 daylight, padding2;
};
struct TimeCapabilities {
    u32 resolution, accuracy;
    bool sets_to_zero;
};

struct RuntimeServices {
    TableHeader header;
    Status(PX_EFI_CALL* get_time)(Time*, TimeCapabilities*);
    Status(PX_EFI_CALL* set_time)(const Time*);
    Status(PX_EFI_CALL* get_wakeup_time)(bool* enabled, bool* pending, Time*);
    Status(PX_EFI_CALL* set_wakeup_time)(bool enable, const Time*);
    Unused set_virtual_map, convert_pointer;
    Status(PX_EFI_CALL* get_variable)(const char16_t*, const Guid*, u32* attributes, u64* size, void*);
    Status(PX_EFI_CALL* get_next_variable)(u64* size, char16_t*, Guid*);
    Status(PX_EFI_CALL* set_variable)(const char16_t*, const Guid*, u32 attributes, u64 size, const void*);
    Status(PX_EFI_CALL* get_monotonic_count)(u32*);
    Unused reset_system, update_capsule, query_capsule;
    Status(PX_EFI_CALL* query_variable_info)(u32 attributes, u64* most, u64* left, u64* largest);
};

struct ConfigurationTable {
    Guid guid;
    void* table;
};

struct SystemTable {
    TableHeader header;
    const char16_t* vendor;
    u32 vendor_revision;
    Handle input_handle;
    TextInput* input;
    Handle output_handle;
    TextOutput* output;
    Handle error_handle;
    TextOutput* error;
    RuntimeServices* runtime;
    BootServices* boot;
    u64 tables_count;
    const ConfigurationTable* tables;
};

struct LoadedImage {
    u32 revision;
    Handle parent;
    SystemTable* system;
    Handle device;
    const DevicePath* file_path;
    Unused reserved;
    u32 options_size;
    const void* options;
    void* base;
    u64 size;
};

struct File {
    u64 revision;
    Status(PX_EFI_CALL* open)(File*, File** opened, const char16_t* name, u64 mode, u64 attributes);
    Status(PX_EFI_CALL* close)(File*);
    Unused remove;
    Status(PX_EFI_CALL* read)(File*, u64* size, void*);
    Unused write, get_position, set_position;
    Status(PX_EFI_CALL* get_info)(File*, const Guid*, u64* size, void*);
};
constexpr u64 file_read = 1;
constexpr u64 file_is_directory = 0x10;

struct FileInfo {
    u64 size, file_size, physical_size;
    u8 times[3][16];
    u64 attributes;
};

struct FileSystem {
    u64 revision;
    Status(PX_EFI_CALL* open_volume)(FileSystem*, File** root);
};

struct LoadFile2 {
    Status(PX_EFI_CALL* load)(LoadFile2*, const DevicePath*, bool boot_policy, u64* size, void* buffer);
};

/// [uefi 12.9]
enum class PixelFormat : u32 { rgb, bgr, masks, blt_only };
struct GraphicsMode {
    u32 version, width, height;
    PixelFormat format;
    u32 red_mask, green_mask, blue_mask, reserved_mask;
    u32 pixels_per_line;
};
struct GraphicsState {
    u32 modes, mode;
    const GraphicsMode* info;
    u64 info_size, framebuffer, framebuffer_size;
};
struct GraphicsOutput {
    Status(PX_EFI_CALL* query_mode)(GraphicsOutput*, u32 mode, u64* size, GraphicsMode** info);  ///< info is of the pool
    Status(PX_EFI_CALL* set_mode)(GraphicsOutput*, u32 mode);
    Unused blt;
    const GraphicsState* state;
};

/// Shim's own protocol, whose functions have the compiler's calling convention, not the firmware's.
struct ShimLock {
    Status (*verify)(const void* buffer, u32 size);
};

static_assert(sizeof(BootServices) == 24 + 38 * 8 && sizeof(SystemTable) == 120 && sizeof(MemoryDescriptor) == 40);
static_assert(sizeof(GraphicsMode) == 36 && sizeof(GraphicsState) == 40);
static_assert(sizeof(RuntimeServices) == 24 + 14 * 8 && sizeof(Time) == 16);
static_assert(sizeof(FileInfo) == 80 && sizeof(LoadedImage) == 80 && sizeof(File) == 72);

}  // namespace px::efi
