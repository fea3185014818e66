// The choice of dom0's kind: pure, so that each machine can be tried on the host.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/kind.hpp"

namespace px::dom0 {
namespace {

using cmdline::Dom0Kind;

constexpr std::string_view as_asked = "the command line says so";

KindChoice choose_asked_pvh(bool hvm) {
    if (hvm) return {Dom0Kind::pvh, as_asked};
    return {{}, "a PVH dom0 needs hardware virtualization; why there is none stands above; dom0=pv needs none"};
}

KindChoice choose_asked_pv(PvState pv) {
    switch (pv) {
    case PvState::usable: break;
    case PvState::turned_off: return {{}, "a PV dom0 needs PV, which pv=0 turns off"};
    case PvState::left_out: return {{}, "a PV dom0 needs PV, which was left out when this hypervisor was built"};
    }
    return {Dom0Kind::pv, as_asked};
}

KindChoice choose_without_pv(const KindFacts& facts) {
    const bool turned_off = facts.pv == PvState::turned_off;
    if (facts.hvm) return {Dom0Kind::pvh, turned_off ? "pv=0 turns PV off" : "PV was left out when this hypervisor was built"};
    return {{},
            turned_off ? "there can be no dom0: pv=0 turns PV off, and PVH needs hardware virtualization; "
                         "why there is none stands above"
                       : "there can be no dom0: PV was left out when this hypervisor was built, and PVH "
                         "needs hardware virtualization; "
                         "why there is none stands above"};
}

}  // namespace

KindChoice choose_kind(const KindFacts& facts) {
    if (facts.asked == Dom0Kind::pvh) return choose_asked_pvh(facts.hvm);
    if (facts.asked == Dom0Kind::pv) return choose_asked_pv(facts.pv);
    if (facts.pv != PvState::usable) return choose_without_pv(facts);
    if (!facts.hvm) return {Dom0Kind::pv, "there is no hardware virtualization that can be used"};
    if (!facts.iommu) return {Dom0Kind::pv, "no IOMMU is used, and its DMA needs none"};
    return {Dom0Kind::pvh, "there are hardware virtualization and an IOMMU"};
}

}  // namespace px::dom0
