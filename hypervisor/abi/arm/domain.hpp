// Arm's parts of the per-domain and per-vCPU shared structures [xen/public arch-arm.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi::arm {

/// vCPUs whose VcpuInfo lies in the shared info page; further ones must register a place of their own.
inline constexpr unsigned legacy_max_vcpus = 1;

/// Parts of VcpuInfo and SharedInfo: nothing, which takes no room (GNU C's empty structures have size 0).
struct ArchVcpuInfo {
    u8 nothing[0];
};
struct ArchSharedInfo {
    u8 nothing[0];
};
static_assert(sizeof(ArchVcpuInfo) == 0 && sizeof(ArchSharedInfo) == 0);

using Callback = u64;

/// DomainConfig::gic_version.
namespace gic {
inline constexpr u8 native = 0, v2 = 1, v3 = 2;
}
/// DomainConfig::tee_type.
namespace tee {
inline constexpr u16 none = 0, optee = 1;
}

/// Part of DomctlCreatedomain and DomctlGetdomaininfo.
struct DomainConfig {
    u8 gic_version;  ///< OUT: what `native` is
    u16 tee_type;
    u32 nr_spis;          ///< shared peripheral interrupts
    u32 clock_frequency;  ///< OUT: of the timer, Hz, where the firmware says it apart; 0: it doesn't
};

}  // namespace px::abi::arm
