// What x86 keeps for a domain.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>

#include "arch/x86/cpu_policy/cpu_policy.hpp"
#include "arch/x86/hvm/e820.hpp"
#include "arch/x86/hvm/mmio.hpp"
#include "arch/x86/hvm/vioapic.hpp"
#include "hypervisor/base/cpu_mask.hpp"
#include "hypervisor/base/static_vector.hpp"
#include "hypervisor/mm/heap.hpp"

namespace px::pv {
struct DomainState;
}

namespace px::hvm {

/// How event channel upcalls reach the guest [xen/public hvm/params.h HVM_PARAM_CALLBACK_IRQ].
struct Callback {
    enum class Via : u8 { none, gsi, pci_intx, vector };
    Via via = Via::none;
    u32 number = 0;  ///< GSI, PCI source, or vector
};

struct DomainState {
    DomainState();
    ~DomainState();

    static constexpr unsigned param_count = 39;
    std::array<u64, param_count> params{};
    Callback callback{};
    CpuPolicy policy{};     ///< through set_policy(), once there are vCPUs
    PagingLimits paging{};  ///< of the policy
    void set_policy(const CpuPolicy& chosen) {
        policy = chosen;
        paging = paging_limits(chosen);
    }
    static constexpr unsigned max_io_apics = 32;
    StaticVector<Box<VirtualIoApic>, max_io_apics> io_apics;  ///< where the emulation flags ask for them (hardware domain, HVM)
    E820Map e820;
    MmioHandlers mmio;
    PortHandlers ports;
    u32 tsc_mode = 0;  ///< XEN_DOMCTL tsc_mode
    u64 tsc_khz = 0;
    u64 paging_pool = 0;  ///< bytes that the toolstack set aside for page tables
    bool tsc_native = true;
    std::array<u8, 2 * 4096>* io_bitmap = nullptr;  ///< ports that the domain may use directly: bit clear
    void* apic_access_page = nullptr;               ///< at the local APICs' address, where the processor virtualizes accesses to it
    std::atomic<u64> physmap_generation{1};         ///< rises with each owed flush; compared at entry
    AtomicCpuMask physmap_known_to;                 ///< CPUs that flushed since then, where a flush drops what all vCPUs cached there
    AtomicCpuMask running_on;                       ///< CPUs that may hold its translations
    Box<pv::DomainState> pv;                        ///< of PV domains; null of others
};

}  // namespace px::hvm
