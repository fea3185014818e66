// The virtual IDT of a PV vCPU. [xen/public arch-x86/xen.h set_trap_table]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "hypervisor/abi/x86/vcpu_context.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/mm/progress.hpp"

namespace px::pv {

constexpr bool is_canonical(u64 address) {
    const u64 upper = address >> 47;
    return upper == 0 || upper == 0x1ffff;
}
/// A selector as a guest's kernel and users have it: both are in ring 3.
constexpr u16 guest_selector(u64 selector) { return static_cast<u16>(selector | 3); }

/// How a trap enters the guest's kernel.
struct TrapGate {
    u64 address = 0;  ///< 0: there is no handler
    u16 cs = 0;
    u8 privilege = 0;  ///< the outermost ring that may raise it by INT n: 0 nobody, 1 and 2 the kernel, 3 everybody
    bool masks_events = false;
    bool may_be_raised(bool by_kernel) const { return privilege >= (by_kernel ? 1 : 3); }
};

class TrapTable {
public:
    /// Takes over entries of the guest's list up to the one whose address is 0. `pause`: asked after each; then Progress::more, and
    /// `list` is what is left. A null list clears the table. Errors: efault, einval (an address that isn't canonical), with those before
    /// it taken over.
    template <class Pause>
    Result<Progress> load(GuestPtr<abi::x86::TrapInfo>& list, Pause pause) {
        if (list.is_null()) {
            gates_ = {};
            return Progress::done;
        }
        for (;;) {
            const abi::x86::TrapInfo entry = TRY(list.read());
            if (entry.address == 0) return Progress::done;
            REQUIRE(is_canonical(entry.address), einval);
            set(entry);
            list = list.at(1);
            if (pause()) return Progress::more;
        }
    }
    /// An entry with a canonical address.
    void set(const abi::x86::TrapInfo& entry) {
        gates_[entry.vector] = {entry.address, guest_selector(entry.cs), static_cast<u8>(entry.flags & privilege_bits),
                                (entry.flags & masks_events) != 0};
    }
    const TrapGate& gate(u8 vector) const { return gates_[vector]; }

private:
    static constexpr u8 privilege_bits = 3, masks_events = 4;
    std::array<TrapGate, 256> gates_{};
};

}  // namespace px::pv
