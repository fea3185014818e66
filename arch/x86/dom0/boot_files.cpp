// What the boot loader passed for the hardware domain.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/boot_files.hpp"

#include <algorithm>

#include "arch/memory.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px::dom0 {

BootFiles::BootFiles(const boot::BootInfo& info, const cmdline::BootOptions& options) : info_(info) {
    if (info.modules.empty()) panic("no dom0: the boot loader passed no module; the first must be dom0's kernel, the second is its initrd");
    add_word(info.modules[0].arguments);
    add_word(options.dom0_extra);
}

std::span<const u8> BootFiles::module(usize index) const {
    return {static_cast<const u8*>(arch::to_virtual(Paddr{info_.modules[index].start})), info_.modules[index].size};
}

loader::Payload BootFiles::payload() const {
    const auto first = loader::find_payload(module(0));
    for (usize i = 1; !first.ok() && i < info_.modules.size(); ++i) {
        if (!loader::find_payload(module(i)).ok()) continue;
        panic("the boot loader's first module isn't a kernel, but its module {} is: dom0's kernel comes first", i + 1);
    }
    if (!first.ok()) panic("dom0's kernel (the boot loader's first module) can't be read: {}", describe(first.error()));
    return *first;
}

std::span<const u8> BootFiles::ramdisk() const {
    if (info_.modules.size() > 1) return module(1);
    const auto end = loader::end_of_bzimage(module(0));
    return end ? module(0).subspan(*end) : std::span<const u8>{};
}

void BootFiles::add_word(std::string_view word) {
    if (word.empty() || used_ + word.size() + 1 >= sizeof command_line_) return;
    if (used_ != 0) command_line_[used_++] = ' ';
    std::memcpy(command_line_ + used_, word.data(), word.size());
    used_ += word.size();
}

void BootFiles::free() {
    // See set_up_memory() for the blocks' sizes.
    for (const boot::BootModule& module : info_.modules) {
        if (module.size == 0) continue;
        unsigned order = 0;
        while (page_size << order < module.size) ++order;
        free_frames(to_mfn(Paddr{module.start}), order);
    }
}

u32 vcpu_count(const cmdline::BootOptions& options, u32 most) { return std::min(options.dom0_max_vcpus.resolve(online_cpus()), most); }

void create_vcpus(Domain& domain, u32 count, const cmdline::BootOptions& options) {
    for (u32 i = 0; i < count; ++i) {
        const auto vcpu = domain.create_vcpu(VcpuId{i});
        if (!vcpu) panic("dom0's vCPU {} can't be created (error {})", i, vcpu.error());
        if (!options.dom0_vcpus_pin) continue;
        CpuMask one;
        one.add(CpuId{i % online_cpus()});
        (void)(*vcpu)->affinity.set_hard(one, false).ok();
    }
}

}  // namespace px::dom0
