// CPU features that the hypervisor turns on for itself, and extended state.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/host_features.hpp"

#include <cstring>

#include "arch/x86/cpu/extended_state.hpp"
#include "arch/x86/cpu/hidden_features.hpp"
#include "arch/x86/mm/native_paging.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px::arch {
namespace {

constinit HostFeatureChoice chosen{};
constinit bool xsave = false;
constinit u64 xcr0 = 1;
constinit u32 state_size = 512;
constexpr u64 managed_components = 0xe7;  ///< x87, SSE, AVX, AVX-512

}  // namespace

constinit u64 detail::cr4_value = 0;

void choose_host_features(const HostFeatureChoice& choice) { chosen = choice; }

namespace {

/// Before the memory types of any entry but the first four are used; those keep their meaning. [intel/sdm3 11.12.4]
void load_pat() {
    asm volatile("wbinvd" ::: "memory");
    write_msr(msr::pat, pat_value);
    write_cr<4>(read_cr<4>() & ~cr4::pge);  // global translations go too
    write_cr<3>(read_cr<3>());
    asm volatile("wbinvd" ::: "memory");
}

}  // namespace

void enable_host_features() {
    if (read_msr(msr::pat) != pat_value) load_pat();
    const auto one = host_cpuid(1);
    const auto seven = cpuid(0).eax >= 7 ? host_cpuid(7) : CpuidLeaf{};
    u64 value = cr4::pae | cr4::pge | cr4::osfxsr | cr4::osxmmexcpt | cr4::mce;
    xsave = (one.ecx >> 26 & 1) != 0;
    if (xsave) value |= cr4::osxsave;
    if (chosen.smep && (seven.ebx >> 7 & 1) != 0) value |= cr4::smep;
    if (chosen.smap && (seven.ebx >> 20 & 1) != 0) value |= cr4::smap;
    if ((seven.ecx >> 2 & 1) != 0) value |= cr4::umip;
    if ((seven.ebx & 1) != 0) value |= cr4::fsgsbase;
    detail::cr4_value = value;
    write_cr<4>(value);
    write_cr<0>(cr0::pe | cr0::mp | cr0::et | cr0::ne | cr0::wp | cr0::pg);
    if (!xsave) return;
    const auto components = host_cpuid(0xd, 0);
    xcr0 = (u64{components.edx} << 32 | components.eax) & managed_components;
    load_xcr0(xcr0);
    state_size = cpuid(0xd, 0).ebx;
}

void add_to_host_cr4(u64 bits) {
    detail::cr4_value |= bits;
    write_cr<4>(detail::cr4_value);
}

bool has_xsave() { return xsave; }
u64 host_xcr0() { return xcr0; }
u32 extended_state_size() { return state_size; }

void save_extended_state(void* area) {
    if (xsave) asm volatile("xsave64 (%0)" ::"r"(area), "a"(static_cast<u32>(xcr0)), "d"(static_cast<u32>(xcr0 >> 32)) : "memory");
    else asm volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

void set_legacy_state(void* area, const void* image) {
    std::memcpy(area, image, 512);
    constexpr u64 x87_and_sse = 3;
    constexpr usize components_at = 512;  // XSTATE_BV
    if (xsave) std::memcpy(static_cast<u8*>(area) + components_at, &x87_and_sse, sizeof x87_and_sse);
}

void load_extended_state(const void* area) {
    if (xsave) asm volatile("xrstor64 (%0)" ::"r"(area), "a"(static_cast<u32>(xcr0)), "d"(static_cast<u32>(xcr0 >> 32)) : "memory");
    else asm volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

namespace {
/// Of the block that holds an area.
unsigned area_order() {
    unsigned order = 0;
    while ((page_size << order) < state_size) ++order;
    return order;
}
}  // namespace

Result<void*> allocate_extended_state() {
    void* const area = to_virtual(TRY(allocate_frames(area_order())));
    init_extended_state(area);
    return area;
}

void free_extended_state(void* area) {
    if (area != nullptr) free_frames(to_mfn(to_physical(area)), area_order());
}

void init_extended_state(void* area) {
    std::memset(area, 0, state_size);
    u8* const bytes = static_cast<u8*>(area);
    const u16 control_word = 0x037f;
    const u32 mxcsr = 0x1f80;
    std::memcpy(bytes, &control_word, sizeof control_word);
    std::memcpy(bytes + 24, &mxcsr, sizeof mxcsr);
}

}  // namespace px::arch
