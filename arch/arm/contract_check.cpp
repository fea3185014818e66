// What of AArch64's side of the contract can be checked while it is compiled: the ABI's layouts, and stage 2's descriptors.
//
// SPDX-License-Identifier: Apache-2.0
#define __XEN_TOOLS__ 1
#include <cstddef>
#include <cstdint>
extern "C" {
#include <xen/xen.h>
}
#undef __XEN_TOOLS__

#include "arch/physmap.hpp"
#include "hypervisor/abi/shared_info.hpp"

namespace px {
namespace {

namespace arm = abi::arm;

static_assert(sizeof(arm::VcpuGuestContext) == sizeof(vcpu_guest_context));
static_assert(offsetof(arm::VcpuGuestContext, user_regs) == offsetof(vcpu_guest_context, user_regs));
static_assert(offsetof(arm::VcpuGuestContext, sctlr) == offsetof(vcpu_guest_context, sctlr));
static_assert(offsetof(arm::VcpuGuestCoreRegs, pc) == offsetof(vcpu_guest_core_regs, pc64));
static_assert(offsetof(arm::VcpuGuestCoreRegs, spsr_abt) == offsetof(vcpu_guest_core_regs, spsr_abt));
static_assert(offsetof(arm::VcpuGuestCoreRegs, elr_el1) == offsetof(vcpu_guest_core_regs, elr_el1));
static_assert(sizeof(arm::DomainConfig) == sizeof(xen_arch_domainconfig));
static_assert(offsetof(arm::DomainConfig, tee_type) == offsetof(xen_arch_domainconfig, tee_type));
static_assert(offsetof(arm::DomainConfig, nr_spis) == offsetof(xen_arch_domainconfig, nr_spis));
static_assert(offsetof(arm::DomainConfig, clock_frequency) == offsetof(xen_arch_domainconfig, clock_frequency));
static_assert(arm::gic::v3 == XEN_DOMCTL_CONFIG_GIC_V3 && arm::tee::optee == XEN_DOMCTL_CONFIG_TEE_OPTEE);
static_assert(arm::legacy_max_vcpus == XEN_LEGACY_MAX_VCPUS);
// C++ gives the reference's empty structures a size, so these figures are of its headers in C.
static_assert(sizeof(abi::VcpuInfo) == 48 && offsetof(abi::VcpuInfo, time) == 16);
static_assert(sizeof(abi::SharedInfo) == 1088 && offsetof(abi::SharedInfo, evtchn_mask) == 560);

using Policy = arch::PhysmapPolicy;
constexpr Mfn frame{0x12345};
constexpr u64 leaf_of(GfnType type, unsigned level = 0, bool read_only = false) { return Policy::leaf(frame, level, {type, read_only}); }

// Valid, a page, normal memory, readable and writable, inner shareable, accessed; a block has bit 1 clear.
static_assert(leaf_of(GfnType::ram) == (u64{1} << 55 | 0x12345000 | 0x7ff));
static_assert(leaf_of(GfnType::ram, 1) == (u64{1} << 55 | 0x12345000 | 0x7fd));
static_assert((leaf_of(GfnType::ram_read_only) & 0xc0) == 0x40 && (leaf_of(GfnType::log_dirty) & 0xc0) == 0x40);
static_assert((leaf_of(GfnType::mmio_direct) & (u64{1} << 54 | 0x3c)) == (u64{1} << 54 | 0x04));  // a device: never executed
static_assert((leaf_of(GfnType::mmio_emulated) & 1) == 0 && Policy::present(leaf_of(GfnType::mmio_emulated)));
static_assert(!Policy::present(0) && Policy::present(Policy::table(frame)) && !Policy::is_leaf(Policy::table(frame), 1));

constexpr bool comes_back(GfnType type, unsigned level, bool read_only) {
    const u64 entry = leaf_of(type, level, read_only);
    return Policy::is_leaf(entry, level) && Policy::frame(entry, level) == frame &&
           Policy::attributes(entry, level) == Policy::Attributes{type, read_only};
}
constexpr bool all_come_back() {
    for (u8 type = 1; type <= static_cast<u8>(GfnType::populate_on_demand); ++type) {
        for (unsigned level = 0; level <= Policy::max_leaf_level; ++level) {
            if (!comes_back(GfnType{type}, level, false)) return false;
        }
    }
    return comes_back(GfnType::mmio_direct, 0, true) && comes_back(GfnType::mmio_emulated, 1, true);
}
static_assert(all_come_back());

}  // namespace
}  // namespace px
