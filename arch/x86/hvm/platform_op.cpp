// HYPERVISOR_platform_op: the hardware domain's calls on the machine. [xen/public platform.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/platform.hpp"

#include <cstring>

#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/hypercalls.hpp"
#include "arch/x86/hvm/platform_efi.hpp"
#include "arch/x86/machine/acpi_tables.hpp"
#include "arch/x86/machine/crash.hpp"
#include "arch/x86/machine/screen.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px::hvm {
namespace {

using abi::PlatformOpCmd;

/// `op` is written back when the handler succeeds.
using Handler = Result<Reply> (*)(abi::PlatformOp& op);

Result<Reply> set_time(u64 seconds, u32 nanoseconds, u64 system_time) {
    REQUIRE(nanoseconds < 1'000'000'000, einval);
    set_wall_clock(seconds, nanoseconds, Nanoseconds{static_cast<i64>(system_time)});
    return Reply{};
}
Result<Reply> settime32(abi::PlatformOp& op) { return set_time(op.u.settime32.secs, op.u.settime32.nsecs, op.u.settime32.system_time); }
Result<Reply> settime64(abi::PlatformOp& op) {
    REQUIRE(op.u.settime64.mbz == 0, einval);
    return set_time(op.u.settime64.secs, op.u.settime64.nsecs, op.u.settime64.system_time);
}

/// Nothing was asked of the BIOS at boot: its disks, screens and shift keys are unknown.
Result<Reply> firmware_info(abi::PlatformOp& op) {
    switch (abi::FirmwareInfoType{op.u.firmware_info.type}) {
    case abi::FirmwareInfoType::disk_info:
    case abi::FirmwareInfoType::disk_mbr_signature:
    case abi::FirmwareInfoType::vbeddc_info: return Err{Errno::esrch};
    case abi::FirmwareInfoType::efi_info: return efi_firmware_info(op);
    case abi::FirmwareInfoType::kbd_shift_flags:
        REQUIRE(op.u.firmware_info.index == 0, esrch);
        op.u.firmware_info.u.kbd_shift_flags = 0;
        return Reply{};
    }
    return Err{Errno::einval};
}

Result<Reply> enter_acpi_sleep(abi::PlatformOp& op) {
    constexpr u32 deepest = 5;
    REQUIRE(op.u.enter_acpi_sleep.sleep_state >= 1 && op.u.enter_acpi_sleep.sleep_state <= deepest, einval);
    REQUIRE((op.u.enter_acpi_sleep.flags & ~abi::acpi_sleep_extended) == 0, einval);
    REQUIRE(op.u.enter_acpi_sleep.sleep_state == deepest, eopnotsupp);  // suspend isn't supported
    arch::power_off_machine();
}

/// Frequencies and idle states are left to the firmware; a kernel that uploads its tables isn't troubled with that.
Result<Reply> set_processor_pminfo(abi::PlatformOp& op) {
    REQUIRE(op.u.set_pminfo.type == abi::processor_pm::type_cx || op.u.set_pminfo.type == abi::processor_pm::type_px, einval);
    return Reply{};
}

Result<Reply> get_cpuinfo(abi::PlatformOp& op) {
    auto& info = op.u.pcpu_info;
    const PerCpu* const cpu = info.xen_cpuid < max_cpus ? per_cpu(CpuId{info.xen_cpuid}) : nullptr;
    info.max_present = online_cpus() - 1;
    info.flags = cpu == nullptr ? abi::pcpu_flags_invalid : cpu->online ? abi::pcpu_flags_online : 0;
    if (cpu == nullptr) return Reply{};
    info.apic_id = cpu->arch.apic_id;
    info.acpi_id = cpu->arch.acpi_uid;
    return Reply{};
}

Result<Reply> get_cpu_version(abi::PlatformOp& op) {
    auto& version = op.u.pcpu_version;
    version.max_present = online_cpus() - 1;
    std::memset(version.vendor_id, 0, sizeof version.vendor_id);
    version.family = version.model = version.stepping = 0;
    if (version.xen_cpuid >= online_cpus()) return Reply{};
    // All CPUs of a machine are of one kind.
    const auto vendor = arch::cpuid(0);
    const u32 signature = arch::cpuid(1).eax;
    std::memcpy(version.vendor_id, &vendor.ebx, 4);
    std::memcpy(version.vendor_id + 4, &vendor.edx, 4);
    std::memcpy(version.vendor_id + 8, &vendor.ecx, 4);
    version.family = (signature >> 8 & 0xf) + ((signature >> 8 & 0xf) == 0xf ? signature >> 20 & 0xff : 0);
    version.model = (signature >> 4 & 0xf) | (version.family >= 6 ? signature >> 12 & 0xf0 : 0);
    version.stepping = signature & 0xf;
    return Reply{};
}

Result<const PerCpu*> present_cpu(u32 number) {
    const PerCpu* const cpu = number < max_cpus ? per_cpu(CpuId{number}) : nullptr;
    REQUIRE(cpu != nullptr, einval);
    return cpu;
}
Result<Reply> cpu_online(abi::PlatformOp& op) {
    REQUIRE(TRY(present_cpu(op.u.cpu_ol.cpuid))->online, eopnotsupp);
    return Reply{};
}
Result<Reply> cpu_offline(abi::PlatformOp& op) {
    REQUIRE(!TRY(present_cpu(op.u.cpu_ol.cpuid))->online, eopnotsupp);
    return Reply{};
}

/// The machine's model-specific registers stay ours: every entry is refused, the first one says so.
Result<Reply> resource_op(abi::PlatformOp& op) {
    constexpr u32 most_entries = 3;
    const auto& request = op.u.resource_op;
    REQUIRE(request.nr_entries <= most_entries, e2big);
    if (request.nr_entries == 0) return Reply{};
    REQUIRE(request.cpu < online_cpus(), enodev);
    const GuestPtr<abi::PlatformResourceEntry> first(request.entries);
    auto entry = TRY(first.read());
    entry.u.ret = -static_cast<i32>(Errno::eacces);
    TRY(first.write(entry));
    return Reply{};  // none was done
}

/// Its size is the answer. Of later versions of the ABI; Linux asks for it as a PVH dom0.
Result<Reply> get_dom0_console(abi::PlatformOp& op) {
    op.u.dom0_console = TRY(arch::screen_of_owner());
    return Reply{sizeof op.u.dom0_console};
}

Result<Reply> refuse_hotplug(abi::PlatformOp&) { return Err{Errno::eopnotsupp}; }

Handler handler_of(u32 command) {
    switch (PlatformOpCmd{command}) {
    case PlatformOpCmd::settime32: return settime32;
    case PlatformOpCmd::settime64: return settime64;
    case PlatformOpCmd::firmware_info: return firmware_info;
    case PlatformOpCmd::efi_runtime_call: return efi_runtime_call;
    case PlatformOpCmd::enter_acpi_sleep: return enter_acpi_sleep;
    case PlatformOpCmd::set_processor_pminfo: return set_processor_pminfo;
    case PlatformOpCmd::get_cpuinfo: return get_cpuinfo;
    case PlatformOpCmd::get_cpu_version: return get_cpu_version;
    case PlatformOpCmd::cpu_online: return cpu_online;
    case PlatformOpCmd::cpu_offline: return cpu_offline;
    case PlatformOpCmd::cpu_hotadd: return refuse_hotplug;
    case PlatformOpCmd::mem_hotadd: return refuse_hotplug;
    case PlatformOpCmd::resource_op: return resource_op;
    case PlatformOpCmd::get_dom0_console: return get_dom0_console;
    default: return nullptr;  // frequency control, MTRRs, microcode, symbols
    }
}

}  // namespace

/// args: (argument)
Result<Reply> hypercall_platform_op(Vcpu& caller, HypercallArgs& args) {
    const auto pointer = guest_ptr<abi::PlatformOp>(args[0]);
    abi::PlatformOp op = TRY(pointer.read());
    REQUIRE(op.interface_version == abi::platform_interface_version, eacces);
    REQUIRE(caller.domain.settings.control, eperm);
    const Handler handler = handler_of(op.cmd);
    REQUIRE(handler != nullptr, enosys);
    const Reply reply = TRY(handler(op));
    TRY(pointer.write(op));
    return reply;
}

}  // namespace px::hvm
