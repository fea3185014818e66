// What the boot loader passed for the hardware domain: kernel, ramdisk and command line, whatever kind of domain it becomes.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "boot/entry/boot_info.hpp"
#include "boot/loader/payload.hpp"
#include "hypervisor/cmdline/boot_options.hpp"

namespace px {
class Domain;
}

namespace px::dom0 {

class BootFiles {
public:
    static constexpr usize longest_command_line = 4096;

    /// Panics without a kernel.
    BootFiles(const boot::BootInfo& info, const cmdline::BootOptions& options);

    std::span<const u8> kernel() const { return module(0); }
    /// What the kernel's file holds. Panics where it holds none, and says if another module does.
    loader::Payload payload() const;
    /// The second module; or what follows a bzImage in the only one (PVH loaders pass one file). Empty: none.
    std::span<const u8> ramdisk() const;
    /// The loader's words behind the kernel, dom0_extra, and those of add_word(); lives as long as this.
    std::string_view command_line() const { return {command_line_, used_}; }
    /// Words that don't fit are left out.
    void add_word(std::string_view word);

    /// Their contents have been copied; from now on guests may have the memory.
    void free();

private:
    std::span<const u8> module(usize index) const;

    const boot::BootInfo& info_;
    char command_line_[longest_command_line];
    usize used_ = 0;
};

/// vCPUs of the hardware domain, at most `most`.
u32 vcpu_count(const cmdline::BootOptions& options, u32 most);
/// Makes them, pinned where the command line says so. Panics where it can't be done.
void create_vcpus(Domain& domain, u32 count, const cmdline::BootOptions& options);

}  // namespace px::dom0
