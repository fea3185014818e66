// Loading microcode.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/microcode/microcode.hpp"

#include <cstring>

#include "arch/memory.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/microcode/container.hpp"
#include "boot/loader/cpio.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px::arch {
namespace {

enum class Vendor : u8 { other, intel, amd };

constexpr u32 hypervisor_bit = 1u << 31;  ///< of CPUID 1 ECX: this isn't a bare CPU

/// A copy in frames of its own: whole pages, so aligned as either vendor wants it.
struct Loaded {
    Vendor vendor = Vendor::other;
    u64 address = 0;  ///< virtual; 0: no update
    u32 revision = 0;
};
constinit Loaded update;

Vendor vendor_of_cpu() {
    const auto leaf = cpuid(0);
    char name[12];
    std::memcpy(name, &leaf.ebx, 4);
    std::memcpy(name + 4, &leaf.edx, 4);
    std::memcpy(name + 8, &leaf.ecx, 4);
    const std::string_view text(name, sizeof name);
    return text == "GenuineIntel" ? Vendor::intel : text == "AuthenticAMD" ? Vendor::amd : Vendor::other;
}

/// Intel's CPUs tell it after a CPUID only, and if it was set to 0 before. [intel/sdm3 9.11.7.1]
u32 running_revision(Vendor vendor) {
    if (vendor == Vendor::amd) return static_cast<u32>(read_msr_safe(msr::microcode_revision).value_or(0));
    (void)write_msr_safe(msr::microcode_revision, 0).ok();
    (void)cpuid(1);
    return static_cast<u32>(read_msr_safe(msr::microcode_revision).value_or(0) >> 32);
}

microcode::Cpu this_kind_of_cpu(Vendor vendor) {
    const u64 platform = vendor == Vendor::intel ? read_msr_safe(msr::platform_id).value_or(0) >> 50 & 7 : 0;
    return {cpuid(1).eax, vendor == Vendor::intel ? 1u << platform : 0, running_revision(vendor)};
}

std::span<const u8> content_of(const boot::BootModule& module) {
    return {static_cast<const u8*>(to_virtual(Paddr{module.start})), module.size};
}

/// The module that `ucode=` or the loader names. Number 0 is dom0's kernel.
std::optional<usize> named_module(const boot::BootInfo& info, const cmdline::MicrocodeOption& option) {
    if (info.microcode_module) return info.microcode_module;
    if (!option.module) return std::nullopt;
    const i64 count = static_cast<i64>(info.modules.size());
    const i64 index = *option.module < 0 ? count + *option.module : *option.module;
    if (index > 0 && index < count) return static_cast<usize>(index);
    log_warning("microcode: ucode={} names none of the {} modules behind dom0's kernel", *option.module, count == 0 ? 0 : count - 1);
    return std::nullopt;
}

/// Module memory is a block whose order its size gives: see set_up_memory().
void drop_module(boot::BootInfo& info, usize index) {
    const boot::BootModule module = info.modules[index];
    auto kept = info.modules;
    info.modules.clear();
    for (usize i = 0; i < kept.size(); ++i) {
        if (i != index) (void)info.modules.push_back(kept[i]).ok();
    }
    info.microcode_module.reset();
    if (module.size == 0) return;
    unsigned order = 0;
    while (page_size << order < module.size) ++order;
    free_frames(to_mfn(Paddr{module.start}), order);
}

/// Where updates of this vendor lie in an initrd, by Linux's convention.
std::span<const u8> scan_initrd(const boot::BootInfo& info, Vendor vendor) {
    const std::string_view path =
        vendor == Vendor::intel ? "kernel/x86/microcode/GenuineIntel.bin" : "kernel/x86/microcode/AuthenticAMD.bin";
    for (usize i = 1; i < info.modules.size(); ++i) {
        if (const auto file = loader::find_in_cpio(content_of(info.modules[i]), path)) return *file;
    }
    log_info("microcode: no initrd begins with {}", path);
    return {};
}

void keep_update(Vendor vendor, const microcode::Update& found) {
    unsigned order = 0;
    while (page_size << order < found.bytes.size()) ++order;
    const auto frames = allocate_frames(order);
    if (!frames) return log_warning("microcode: no memory for an update of {} KiB", found.bytes.size() >> 10);
    u8* const copy = static_cast<u8*>(to_virtual(*frames));
    std::memcpy(copy, found.bytes.data(), found.bytes.size());
    update = {vendor, reinterpret_cast<u64>(copy) + static_cast<u64>(found.loaded.data() - found.bytes.data()), found.revision};
}

void use_file(std::span<const u8> file, Vendor vendor) {
    const microcode::Cpu cpu = this_kind_of_cpu(vendor);
    const auto found = vendor == Vendor::intel ? microcode::find_intel(file, cpu) : microcode::find_amd(file, cpu);
    if (!found)
        return log_info("microcode: the file {} (signature {:#x}, revision {:#x}): not loaded", found.error(), cpu.signature, cpu.revision);
    keep_update(vendor, *found);
    load_microcode();
    if (running_revision(vendor) == found->revision)
        log_info("microcode: revision {:#x} loaded, in place of {:#x}", found->revision, cpu.revision);
}

}  // namespace

void load_microcode() {
    if (update.address == 0 || static_cast<i32>(running_revision(update.vendor)) >= static_cast<i32>(update.revision)) return;
    const u32 command = update.vendor == Vendor::intel ? msr::microcode_load_intel : msr::microcode_load_amd;
    asm volatile("wbinvd" ::: "memory");  // some of Intel's CPUs want the update to be in memory
    const bool written = write_msr_safe(command, update.address).ok();
    if (const u32 now = running_revision(update.vendor); !written || now != update.revision) {
        log_warning("microcode: CPU {} doesn't take revision {:#x} and stays at {:#x}", this_cpu().id, update.revision, now);
    }
}

void init_microcode(boot::BootInfo& info, const cmdline::MicrocodeOption& option) {
    const auto module = named_module(info, option);
    if (!module && !option.scan) return;
    const Vendor vendor = vendor_of_cpu();
    if ((cpuid(1).ecx & hypervisor_bit) != 0) log_info("microcode: not loaded: this CPU is emulated or belongs to another hypervisor");
    else if (vendor == Vendor::other) log_info("microcode: not loaded: this CPU's maker is unknown");
    else if (const auto file = module ? content_of(info.modules[*module]) : scan_initrd(info, vendor); !file.empty())
        use_file(file, vendor);
    if (module) drop_module(info, *module);
}

}  // namespace px::arch
