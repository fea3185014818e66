// What this CPU's AMD-V can do. [amd/apm3 E.4.9 CPUID 8000_000A]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::svm {

struct Features {
    bool nested_paging = false;
    bool next_rip = false;
    bool clean_bits = false;
    bool flush_by_asid = false;
    bool decode_assists = false;
    bool virtual_gif = false;
    bool pause_filter = false;
    bool pause_threshold = false;
    bool gigabyte_pages = false;  ///< leaves of nested tables, as of the host's own [amd/apm3 E.4.2]
    u32 asids = 0;
    /// QEMU (TCG): it may deliver an injected interrupt twice, the second time whatever the guest's interrupt flag says.
    bool injects_twice = false;

    /// `ebx` and `edx` of leaf 8000_000A, `extended_edx` of leaf 8000_0001.
    static constexpr Features decode(u32 ebx, u32 edx, u32 extended_edx) {
        const auto bit = [edx](unsigned number) { return (edx >> number & 1) != 0; };
        return {.nested_paging = bit(0),
                .next_rip = bit(3),
                .clean_bits = bit(5),
                .flush_by_asid = bit(6),
                .decode_assists = bit(7),
                .virtual_gif = bit(16),
                .pause_filter = bit(10),
                .pause_threshold = bit(12),
                .gigabyte_pages = (extended_edx >> 26 & 1) != 0,
                .asids = ebx};
    }
};

/// By CPUID 4000_0000's registers, where there is a hypervisor or an emulator below us.
constexpr bool is_qemu(u32 ebx, u32 ecx, u32 edx) {
    return ebx == 0x54474354 && ecx == 0x43544743 && edx == 0x47435447;  // "TCGTCGTCGTCG"
}

namespace detail {
extern constinit Features host_features;
}
/// Read once by the boot CPU; the same on all.
inline const Features& features() { return detail::host_features; }

}  // namespace px::svm
