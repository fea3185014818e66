// What `cpuid=` on the command line hides of the CPU, from ourselves as from guests.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "arch/x86/cpu/registers.hpp"
#include "hypervisor/abi/x86/cpuid_features.hpp"

namespace px::arch {

/// Pure data: no CPUID is executed here.
class HiddenFeatures {
public:
    constexpr HiddenFeatures() = default;

    /// One item of the list: `enabled` is false for `no-NAME` and `NAME=off`. The last word on a name counts. Returns why it can't be
    /// followed, or null.
    const char* say(std::string_view name, bool enabled);
    /// After all items: hides what depends on a hidden feature too.
    void close();

    /// What is left of a CPUID leaf.
    CpuidLeaf filter(u32 leaf, u32 subleaf, CpuidLeaf raw) const;

private:
    static constexpr usize count = std::size(abi::x86::cpuid_features);
    bool hidden(std::string_view name) const;

    std::array<bool, count> hidden_{};
    bool any_ = false;
};

/// Before the first use of host_cpuid() on this machine.
void hide_host_features(const HiddenFeatures& hidden);
/// One more, which a back end can't let guests use; before the host's policy is read. `name` is known and not needed by ourselves.
void hide_host_feature(std::string_view name);
/// The CPUID instruction, without what is hidden.
CpuidLeaf host_cpuid(u32 leaf, u32 subleaf = 0);

}  // namespace px::arch
