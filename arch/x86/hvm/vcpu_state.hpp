// A vCPU of an HVM-style domain as every back end (AMD-V, VT-x) sees it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <optional>

#include "arch/x86/hvm/registers.hpp"
#include "arch/x86/hvm/vlapic.hpp"
#include "hypervisor/mm/heap.hpp"

namespace px::pv {
struct VcpuState;
}
namespace px::svm {
struct VcpuSvm;
}
namespace px::vmx {
struct VcpuVmx;
}

namespace px::hvm {

/// An event to inject at the next entry; at most one, further ones wait in the virtual APIC.
struct Event {
    enum class Kind : u8 { none, external_interrupt, nmi, exception, software_interrupt };
    Kind kind = Kind::none;
    u8 vector = 0;
    bool has_error_code = false;
    u32 error_code = 0;
    u64 cr2 = 0;  ///< for #PF
};

/// Memory type range registers: kept for the guest to read back, without effect (the physmap decides memory types).
struct MtrrState {
    u64 default_type = 0xc06;  ///< enabled, fixed ranges enabled, write-back
    std::array<u64, 16> variable{};
    std::array<u64, 11> fixed{};

    /// Which of the 11 fixed-range registers; nothing for other MSRs.
    static constexpr std::optional<unsigned> fixed_slot(u32 index) {
        if (index == 0x250) return 0;
        if (index == 0x258 || index == 0x259) return index - 0x257;
        if (index >= 0x268 && index <= 0x26f) return index - 0x265;
        return std::nullopt;
    }
};

struct VcpuState {
    GuestRegisters registers{};
    ControlRegisters control{};      ///< read through current_control() while the vCPU runs
    bool control_is_current = true;  ///< false: the back end knows better
    Event pending{};                 ///< decided by us or interrupted delivery to be repeated
    bool nmi_pending = false;
    bool waits_for_startup = true;  ///< after RESET or INIT: only a startup IPI (or a toolstack) lets it begin
    bool upcall_by_vector = true;   ///< callback vector through the virtual APIC or injected directly
    u8 upcall_vector = 0;           ///< HVMOP_set_evtchn_upcall_vector: this vCPU's own; 0: the domain's callback
    u64 tsc_offset = 0;
    u64 tsc_aux = 0;
    u64 xcr0 = 1;
    u64 pat = 0x0007040600070406;
    u64 star = 0, lstar = 0, cstar = 0, sfmask = 0, kernel_gs_base = 0, sysenter_cs = 0, sysenter_esp = 0, sysenter_eip = 0;
    std::array<u64, 4> debug_address{};
    u64 dr6 = 0xffff0ff0, dr7 = 0x400;
    MtrrState mtrr;
    void* xsave_area = nullptr;  ///< 64-byte aligned; in the non-compacted format
    VirtualLocalApic apic;
    Box<svm::VcpuSvm> svm;   ///< the AMD-V back end's part; null under VT-x
    Box<vmx::VcpuVmx> vmx;   ///< the VT-x back end's part; null under AMD-V
    Box<pv::VcpuState> pv;   ///< of PV domains; null of others, as are what only virtualization needs of theirs
    u32 last_cpu = ~u32{0};  ///< CPU that ran it last: elsewhere its TLB tag means nothing

    explicit VcpuState(Vcpu& vcpu);
    ~VcpuState();
};

}  // namespace px::hvm
