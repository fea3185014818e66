// Which translations of guests are stale on a CPU, and the instructions that drop them. [intel/sdm3 29.4]
//
// Linear translations are tagged by VPID, guest-physical ones by the EPT pointer, and those of linear addresses through an
// EPT by both. INVVPID drops what has a VPID; INVEPT what has an EPT pointer, whatever its VPID. So a changed physmap owes
// an INVEPT on each CPU that used it, and a VPID that was used before owes an INVVPID.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/vmx/capabilities.hpp"

namespace px::vmx {

class [[nodiscard]] OwedFlush {
public:
    static constexpr OwedFlush none() { return {}; }
    /// The physmap changed, or another domain had its root's frame before.
    static constexpr OwedFlush physmap() { return {true, false}; }
    /// A VPID was given out; `anew`: this CPU's VPIDs were used up and begin again, so any may have another's translations.
    static constexpr OwedFlush given_vpid(const FlushAbilities& can, bool anew) { return {false, anew || !can.vpid_all}; }

    constexpr OwedFlush operator|(OwedFlush other) const { return {ept_ || other.ept_, vpid_ || other.vpid_}; }
    constexpr bool nothing() const { return !ept_ && !vpid_; }

    /// Does what is owed, before the entry with these. `io`: invept(type, ept_pointer), invvpid(type, vpid).
    template <class Io>
    constexpr void settle(const FlushAbilities& can, u64 ept_pointer, u16 vpid, Io&& io) const {
        if (ept_) io.invept(can.ept_single ? one : all, can.ept_single ? ept_pointer : 0);
        if (vpid_) io.invvpid(can.vpid_all ? all : one, can.vpid_all ? u16{0} : vpid);
    }
    /// Types of both instructions: of one EPT pointer or VPID, or of all of them.
    static constexpr u64 one = 1, all = 2;

private:
    constexpr OwedFlush() = default;
    constexpr OwedFlush(bool ept, bool vpid) : ept_(ept), vpid_(vpid) {}
    bool ept_ = false, vpid_ = false;
};

}  // namespace px::vmx
