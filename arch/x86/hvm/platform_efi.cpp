// EFI for the hardware domain: what the firmware is, and its runtime services.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/platform_efi.hpp"

#include <algorithm>
#include <bit>

#include "arch/x86/machine/efi_runtime.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/mm/heap.hpp"

namespace px::hvm {
namespace {

using abi::EfiFunction;
using Call = abi::PlatformEfiRuntimeCall;

constexpr usize longest_name = 1024;            ///< characters of a variable's name, its NUL among them
constexpr u64 largest_variable = u64{1} << 16;  ///< bytes

static_assert(sizeof(abi::EfiTime) == sizeof(efi::Time) && sizeof(abi::EfiGuid) == sizeof(efi::Guid));
efi::Time time_of(const abi::EfiTime& time) {
    efi::Time result{};
    result.year = time.year, result.month = time.month, result.day = time.day;
    result.hour = time.hour, result.minute = time.min, result.second = time.sec;
    result.nanosecond = time.ns, result.time_zone = time.tz, result.daylight = time.daylight;
    return result;
}
abi::EfiTime time_of(const efi::Time& time) {
    return {time.year, time.month, time.day, time.hour, time.minute, time.second, time.nanosecond, time.time_zone, time.daylight};
}
efi::Guid guid_of(const abi::EfiGuid& guid) { return std::bit_cast<efi::Guid>(guid); }

/// A name in the guest's memory, up to its NUL.
Result<HeapArray<char16_t>> read_name(abi::GuestHandle<void> handle) {
    auto name = TRY(HeapArray<char16_t>::create(longest_name));
    const GuestPtr<char16_t> guest(handle.address);
    for (usize i = 0; i < longest_name; ++i) {
        name[i] = TRY(guest.at(i).read());
        if (name[i] == 0) return name;
    }
    return Err{Errno::e2big};
}

Result<> get_time(Call& call) {
    REQUIRE(call.misc == 0, einval);
    efi::Time time{};
    efi::TimeCapabilities capabilities{};
    call.status = TRY(arch::efi_get_time(time, capabilities));
    if (efi::failed(call.status)) return {};
    call.u.get_time.time = time_of(time);
    call.u.get_time.resolution = capabilities.resolution;
    call.u.get_time.accuracy = capabilities.accuracy;
    if (capabilities.sets_to_zero) call.misc |= abi::efi_misc::get_time_set_clears_ns;
    return {};
}

Result<> set_time(Call& call) {
    REQUIRE(call.misc == 0, einval);
    call.status = TRY(arch::efi_set_time(time_of(call.u.set_time)));
    return {};
}

Result<> get_wakeup_time(Call& call) {
    REQUIRE(call.misc == 0, einval);
    bool enabled = false, pending = false;
    efi::Time time{};
    call.status = TRY(arch::efi_get_wakeup_time(enabled, pending, time));
    if (efi::failed(call.status)) return {};
    call.u.get_wakeup_time = time_of(time);
    call.misc = (enabled ? abi::efi_misc::get_wakeup_time_enabled : 0) | (pending ? abi::efi_misc::get_wakeup_time_pending : 0);
    return {};
}

Result<> set_wakeup_time(Call& call) {
    using namespace abi::efi_misc;
    REQUIRE((call.misc & ~(set_wakeup_time_enable | set_wakeup_time_enable_only)) == 0, einval);
    const efi::Time time = time_of(call.u.set_wakeup_time);
    const bool with_time = (call.misc & set_wakeup_time_enable_only) == 0;
    call.status = TRY(arch::efi_set_wakeup_time((call.misc & set_wakeup_time_enable) != 0, with_time ? &time : nullptr));
    return {};
}

Result<> monotonic_count(Call& call) {
    REQUIRE(call.misc == 0, einval);
    call.status = TRY(arch::efi_monotonic_count(call.misc));
    return {};
}

Result<> get_variable(Call& call) {
    REQUIRE(call.misc == 0, einval);
    auto& variable = call.u.get_variable;
    REQUIRE(variable.size <= largest_variable, e2big);
    const auto name = TRY(read_name(variable.name));
    auto data = TRY(HeapArray<u8>::create(variable.size));
    u64 size = variable.size;
    call.status = TRY(arch::efi_get_variable(name.data(), guid_of(variable.vendor_guid), call.misc, size, data.data()));
    if (!efi::failed(call.status)) {
        REQUIRE(size <= data.size(), einval);
        TRY(GuestPtr<u8>(variable.data.address).write_many(data.data(), size));
    }
    variable.size = size;
    return {};
}

Result<> set_variable(Call& call) {
    const auto& variable = call.u.set_variable;
    REQUIRE(variable.size <= largest_variable, e2big);
    const auto name = TRY(read_name(variable.name));
    auto data = TRY(HeapArray<u8>::create(variable.size));
    if (variable.size != 0) TRY(GuestPtr<u8>(variable.data.address).read_many(data.data(), variable.size));
    call.status = TRY(arch::efi_set_variable(name.data(), guid_of(variable.vendor_guid), call.misc, variable.size, data.data()));
    return {};
}

Result<> next_variable(Call& call) {
    REQUIRE(call.misc == 0, einval);
    auto& next = call.u.get_next_variable_name;
    const auto before = TRY(read_name(next.name));
    auto name = TRY(HeapArray<char16_t>::create(longest_name));
    std::copy_n(before.data(), longest_name, name.data());
    u64 size = std::min<u64>(next.size, longest_name * sizeof(char16_t));
    efi::Guid vendor = guid_of(next.vendor_guid);
    call.status = TRY(arch::efi_next_variable(size, name.data(), vendor));
    if (!efi::failed(call.status)) {
        REQUIRE(size <= longest_name * sizeof(char16_t) && size <= next.size, einval);
        TRY(GuestPtr<char16_t>(next.name.address).write_many(name.data(), size / sizeof(char16_t)));
        next.vendor_guid = std::bit_cast<abi::EfiGuid>(vendor);
    }
    next.size = size;
    return {};
}

Result<> query_variables(Call& call) {
    REQUIRE((call.misc & ~abi::efi_misc::varinfo_boot_snapshot) == 0, einval);
    REQUIRE((call.misc & abi::efi_misc::varinfo_boot_snapshot) == 0, eopnotsupp);  // nothing was asked before boot services ended
    auto& info = call.u.query_variable_info;
    u64 most = 0, left = 0, largest = 0;
    call.status = TRY(arch::efi_query_variables(info.attr, most, left, largest));
    info.max_store_size = most;
    info.remain_store_size = left;
    info.max_size = largest;
    return {};
}

Result<> dispatch(Call& call) {
    switch (EfiFunction{call.function}) {
    case EfiFunction::get_time: return get_time(call);
    case EfiFunction::set_time: return set_time(call);
    case EfiFunction::get_wakeup_time: return get_wakeup_time(call);
    case EfiFunction::set_wakeup_time: return set_wakeup_time(call);
    case EfiFunction::get_next_high_monotonic_count: return monotonic_count(call);
    case EfiFunction::get_variable: return get_variable(call);
    case EfiFunction::set_variable: return set_variable(call);
    case EfiFunction::get_next_variable_name: return next_variable(call);
    case EfiFunction::query_variable_info: return query_variables(call);
    case EfiFunction::query_capsule_capabilities:
    case EfiFunction::update_capsule: return Err{Errno::enosys};
    }
    return Err{Errno::einval};
}

/// As much of the firmware's name as the guest has room for, NUL-terminated.
Result<> tell_vendor(const boot::EfiHandover& firmware, abi::PlatformFirmwareInfo& info) {
    auto& vendor = info.u.efi_info.vendor;
    const u32 room = vendor.bufsz / sizeof(char16_t);
    REQUIRE(room > 0, einval);
    const GuestPtr<char16_t> name(vendor.name.address);
    const u32 length = std::min(firmware.vendor.length, room - 1);
    for (u32 i = 0; i < length; ++i) TRY(name.at(i).write(static_cast<u8>(firmware.texts[firmware.vendor.offset + i])));
    TRY(name.at(length).write(u'\0'));
    vendor.revision = firmware.vendor_revision;
    return {};
}

/// The region that holds an address.
Result<> tell_memory(const boot::EfiHandover& firmware, abi::PlatformFirmwareInfo& info) {
    auto& memory = info.u.efi_info.mem;
    const u64 address = memory.addr;
    bool found = false;
    boot::for_each_descriptor(firmware.map, firmware.map_size, firmware.descriptor_size, [&](const efi::MemoryDescriptor& descriptor) {
        found = address >= descriptor.physical && (address - descriptor.physical) >> page_shift < descriptor.pages;
        if (!found) return true;
        memory.addr = descriptor.physical;
        memory.size = descriptor.pages << page_shift;
        memory.attr = descriptor.attributes;
        memory.type = descriptor.type;
        return false;
    });
    REQUIRE(found, einval);
    return {};
}

}  // namespace

Result<Reply> efi_firmware_info(abi::PlatformOp& op) {
    const boot::EfiHandover* const firmware = arch::efi_firmware();
    REQUIRE(firmware != nullptr, enosys);
    abi::PlatformFirmwareInfo& info = op.u.firmware_info;
    switch (abi::FirmwareEfiIndex{info.index}) {
    case abi::FirmwareEfiIndex::version: info.u.efi_info.version = firmware->firmware_revision; return Reply{};
    case abi::FirmwareEfiIndex::rt_version: info.u.efi_info.version = firmware->runtime_revision; return Reply{};
    case abi::FirmwareEfiIndex::config_table:
        info.u.efi_info.cfg.addr = firmware->tables;
        info.u.efi_info.cfg.nent = static_cast<u32>(firmware->tables_count);
        return Reply{};
    case abi::FirmwareEfiIndex::vendor: TRY(tell_vendor(*firmware, info)); return Reply{};
    case abi::FirmwareEfiIndex::mem_info: TRY(tell_memory(*firmware, info)); return Reply{};
    case abi::FirmwareEfiIndex::pci_rom: return Err{Errno::esrch};
    case abi::FirmwareEfiIndex::apple_properties: return Err{Errno::enodata};
    }
    return Err{Errno::einval};
}

Result<Reply> efi_runtime_call(abi::PlatformOp& op) {
    REQUIRE(arch::efi_firmware() != nullptr, enosys);
    TRY(dispatch(op.u.efi_runtime_call));
    return Reply{};
}

}  // namespace px::hvm
