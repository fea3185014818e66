// What a PV guest's CPU may claim to be.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/cpuid_policy.hpp"

#include <initializer_list>

namespace px::pv {
namespace {

using hvm::CpuPolicy;
using hvm::Leaf;

struct Hidden {
    u32 leaf, subleaf;
    u32 Leaf::*reg;
    std::initializer_list<unsigned> bits;
};

void hide(CpuPolicy& policy, const Hidden& hidden) {
    Leaf* const leaf = policy.find(hidden.leaf, hidden.subleaf);
    if (leaf == nullptr) return;
    for (const unsigned bit : hidden.bits) leaf->*hidden.reg &= ~(u32{1} << bit);
}

}  // namespace

CpuPolicy maximum_policy(const CpuPolicy& host) {
    CpuPolicy policy = hvm::hvm_maximum(host);
    hide(policy, {1, 0, &Leaf::edx, {1, 3, 12, 13, 17}});                             // VME, PSE, MTRR, PGE, PSE36
    hide(policy, {1, 0, &Leaf::ecx, {17, 21, 24}});                                   // PCID, x2APIC, TSC deadline
    hide(policy, {7, 0, &Leaf::ebx, {1, 7, 10, 14, 20}});                             // TSC_ADJUST, SMEP, INVPCID, MPX, SMAP
    hide(policy, {7, 0, &Leaf::ecx, {2, 3}});                                         // UMIP, PKU
    hide(policy, {7, 0, &Leaf::edx, {28}});                                           // L1D_FLUSH
    hide(policy, {0xd, 1, &Leaf::eax, {3}});                                          // XSAVES
    hide(policy, {0x80000001, 0, &Leaf::ecx, {2, 4}});                                // SVM, CR8 for all
    hide(policy, {0x80000001, 0, &Leaf::edx, {1, 3, 12, 13, 17, 26}});                // as leaf 1; 1 GiB pages
    hide(policy, {0x80000008, 0, &Leaf::ebx, {14, 15, 16, 17, 18, 19, 20, 24, 28}});  // speculation controls, no long-mode limits
    return policy;
}

}  // namespace px::pv
