// How hypercalls are made here; see hypercall.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/hypercall.hpp"

#include "tests/guests/common/cpu.hpp"

extern "C" const char hypercall_vmmcall[], hypercall_vmcall[];

namespace px::guest {

constinit u64 hypercall_base = 0;
constinit u64 hypercall_stride = 0;

u32 hypervisor_leaf() {
    for (u32 leaf = 0x4000'0000; leaf < 0x4001'0000; leaf += 0x100) {
        const CpuidResult r = cpuid(leaf);
        if (r.ebx == 0x566e6558 && r.ecx == 0x65584d4d && r.edx == 0x4d4d566e) return leaf;  // "XenVMMXenVMM"
    }
    return 0;
}

void init_hypercalls() {
    constexpr u32 genu = 0x756e6547;  // first letters of Intel's vendor string
    hypercall_base = reinterpret_cast<u64>(cpuid(0).ebx == genu ? hypercall_vmcall : hypercall_vmmcall);
}

void use_hypercall_page(void* page) {
    const u32 msr = cpuid(hypervisor_leaf() + 2).ebx;
    wrmsr(msr, reinterpret_cast<u64>(page));
    hypercall_base = reinterpret_cast<u64>(page);
    hypercall_stride = 32;
}

}  // namespace px::guest
