// Calling the firmware's runtime services.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/efi_runtime.hpp"

#include <algorithm>
#include <cstring>

#include "arch/x86/boot/efi_start.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/mm/address_space.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/mm/page_table.hpp"

namespace px::arch {
namespace {

using efi::MemoryDescriptor;
using efi::RuntimeServices;

/// x87 and SSE state as FXSAVE writes it.
struct alignas(16) FxArea {
    u8 bytes[512]{};
};

struct Runtime {
    PageTable<NativePaging> table;
    bool usable = false;
    FxArea guest_state{};
};
constinit Locked<Runtime, LockRank::heap> runtime;

constexpr unsigned first_upper_entry = 256, entries = 512;
constexpr u64 lower_half = u64{1} << 47;

NativePaging::Attributes rights_of(const MemoryDescriptor& descriptor) {
    const bool code = efi::MemoryType{descriptor.type} == efi::MemoryType::runtime_code;
    const bool device =
        efi::MemoryType{descriptor.type} == efi::MemoryType::mmio || efi::MemoryType{descriptor.type} == efi::MemoryType::mmio_ports;
    return {.writable = true, .executable = code, .cache = device ? Cache::uncached : Cache::write_back, .global = false};
}

Result<> map_region(PageTable<NativePaging>& table, const MemoryDescriptor& descriptor, const NativePaging::Attributes& rights) {
    REQUIRE(descriptor.physical % page_size == 0 && descriptor.physical < lower_half, einval);
    REQUIRE(descriptor.pages <= (lower_half - descriptor.physical) >> page_shift, einval);
    TRY(table.map_range(descriptor.physical >> page_shift, to_mfn(Paddr{descriptor.physical}), descriptor.pages, rights));
    return {};
}

/// The runtime regions of the memory map; then, where the firmware says more precisely what its pieces are for, those.
Result<> map_regions(PageTable<NativePaging>& table) {
    Result<> result;
    const auto runtime_only = [&](auto rights) {
        return [&, rights](const MemoryDescriptor& descriptor) {
            if ((descriptor.attributes & efi::memory_runtime) != 0) result = map_region(table, descriptor, rights(descriptor));
            return result.ok();
        };
    };
    boot::for_each_descriptor(efi_handover.map, efi_handover.map_size, efi_handover.descriptor_size, runtime_only(rights_of));
    if (!result) return result;
    boot::for_each_descriptor(efi_handover.rights, efi_handover.rights_size, efi_handover.rights_descriptor_size,
                              runtime_only([](const MemoryDescriptor& descriptor) {
                                  auto rights = rights_of(descriptor);
                                  rights.writable = (descriptor.attributes & efi::memory_read_only) == 0;
                                  rights.executable = rights.executable && (descriptor.attributes & efi::memory_not_executable) == 0;
                                  return rights;
                              }));
    return result;
}

/// Calls one service: `slot` is the member of RuntimeServices.
template <class... Parameters, class... Arguments>
Result<efi::Status> call(efi::Status (PX_EFI_CALL* RuntimeServices::*slot)(Parameters...), Arguments... arguments) {
    auto guard = runtime.lock();
    REQUIRE(guard->usable, enosys);
    const IrqState interrupts = irq_save();
    u64* const upper = NativePaging::entries(guard->table.root());
    std::copy_n(NativePaging::entries(address_space_root()) + first_upper_entry, entries - first_upper_entry, upper + first_upper_entry);

    constexpr u32 default_mxcsr = 0x1f80;
    const u64 own_root = read_cr<3>();
    asm volatile("fxsave64 %0; fninit; ldmxcsr %1" : "=m"(guard->guest_state) : "m"(default_mxcsr));
    write_cr<3>(to_paddr(guard->table.root()).raw);
    const auto* const services = reinterpret_cast<const RuntimeServices*>(efi_handover.runtime_table);
    const efi::Status status = (services->*slot)(arguments...);
    write_cr<3>(own_root);
    asm volatile("fxrstor64 %0" ::"m"(guard->guest_state));
    irq_restore(interrupts);
    return status;
}

}  // namespace

const boot::EfiHandover* efi_firmware() { return efi_handover.system_table != 0 ? &efi_handover : nullptr; }

void init_efi_runtime() {
    if (efi_firmware() == nullptr) return;
    if (efi_handover.keeps_boot_services != 0) log_info("EFI: the memory of boot services stays reserved (-mapbs)");
    auto guard = runtime.lock();
    if (!guard->table.create() || !map_regions(guard->table))
        return log_warning("EFI: the runtime services can't be mapped and aren't used");
    guard->usable = true;
    log_info("EFI: runtime services {}.{}, memory attributes {}", efi_handover.runtime_revision >> 16,
             (efi_handover.runtime_revision & 0xffff) / 10, efi_handover.rights_size != 0 ? "obeyed" : "not told");
}

Result<efi::Status> efi_get_time(efi::Time& time, efi::TimeCapabilities& capabilities) {
    return call(&RuntimeServices::get_time, &time, &capabilities);
}
Result<efi::Status> efi_set_time(const efi::Time& time) { return call(&RuntimeServices::set_time, &time); }
Result<efi::Status> efi_get_wakeup_time(bool& enabled, bool& pending, efi::Time& time) {
    return call(&RuntimeServices::get_wakeup_time, &enabled, &pending, &time);
}
Result<efi::Status> efi_set_wakeup_time(bool enable, const efi::Time* time) {
    return call(&RuntimeServices::set_wakeup_time, enable, time);
}
Result<efi::Status> efi_get_variable(const char16_t* name, const efi::Guid& vendor, u32& attributes, u64& size, void* data) {
    return call(&RuntimeServices::get_variable, name, &vendor, &attributes, &size, data);
}
Result<efi::Status> efi_set_variable(const char16_t* name, const efi::Guid& vendor, u32 attributes, u64 size, const void* data) {
    return call(&RuntimeServices::set_variable, name, &vendor, attributes, size, data);
}
Result<efi::Status> efi_next_variable(u64& size, char16_t* name, efi::Guid& vendor) {
    return call(&RuntimeServices::get_next_variable, &size, name, &vendor);
}
Result<efi::Status> efi_monotonic_count(u32& high) { return call(&RuntimeServices::get_monotonic_count, &high); }
Result<efi::Status> efi_query_variables(u32 attributes, u64& most, u64& left, u64& largest) {
    return call(&RuntimeServices::query_variable_info, attributes, &most, &left, &largest);
}

}  // namespace px::arch
