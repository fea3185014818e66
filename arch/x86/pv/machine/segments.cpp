// Segment registers of the current PV vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/segments.hpp"

#include "arch/x86/cpu/host_features.hpp"
#include "arch/x86/cpu/registers.hpp"

namespace px::pv {
namespace {

namespace msr = arch::msr;

/// Loads a segment register; null where the selector is refused, and then false.
#define PX_LOAD_SEGMENT(name)                                    \
    bool load_##name(u16 selector) {                             \
        bool failed = true;                                      \
        asm volatile("1: movw %w1, %%" #name                     \
                     "\n"                                        \
                     "   movb $0, %0\n"                          \
                     "   jmp 3f\n"                               \
                     "2: xorl %k1, %k1\n"                        \
                     "   movw %w1, %%" #name                     \
                     "\n"                                        \
                     "3:\n"                                      \
                     "   .pushsection .exception_table, \"a\"\n" \
                     "   .quad 1b, 2b\n"                         \
                     "   .popsection"                            \
                     : "+r"(failed), "+r"(selector)::"memory");  \
        return !failed;                                          \
    }
PX_LOAD_SEGMENT(ds)
PX_LOAD_SEGMENT(es)
PX_LOAD_SEGMENT(fs)
PX_LOAD_SEGMENT(gs)
#undef PX_LOAD_SEGMENT

bool has_fsgsbase() { return (arch::host_cr4() & arch::cr4::fsgsbase) != 0; }

u64 fs_base() {
    if (!has_fsgsbase()) return arch::read_msr(msr::fs_base);
    u64 value;
    asm volatile("rdfsbase %0" : "=r"(value));
    return value;
}
u64 gs_base() {
    if (!has_fsgsbase()) return arch::read_msr(msr::gs_base);
    u64 value;
    asm volatile("rdgsbase %0" : "=r"(value));
    return value;
}

}  // namespace

void load_segments(const SegmentState& segments) {
    // A selector that is loaded sets the base; the bases come after them.
    load_ds(segments.ds);
    load_es(segments.es);
    load_fs(segments.fs);
    load_gs(segments.gs);
    arch::write_msr(msr::fs_base, segments.fs_base);
    arch::write_msr(msr::gs_base, segments.gs_base);
    arch::write_msr(msr::kernel_gs_base, segments.other_gs_base);
}

void save_segments(VcpuState& state) {
    SegmentState& to = state.segments;
    asm volatile("movw %%ds, %0; movw %%es, %1; movw %%fs, %2; movw %%gs, %3" : "=r"(to.ds), "=r"(to.es), "=r"(to.fs), "=r"(to.gs));
    to.fs_base = fs_base();
    to.gs_base = gs_base();
    to.other_gs_base = arch::read_msr(msr::kernel_gs_base);
    // Nothing of them is used here, and a descriptor table that goes away mustn't be needed for an interrupt's return.
    load_ds(0);
    load_es(0);
}

bool load_user_gs_selector(u16 selector) {
    asm volatile("swapgs" ::: "memory");
    const bool loaded = load_gs(selector);
    asm volatile("mfence; swapgs" ::: "memory");  // no speculation with the base in between
    return loaded;
}

}  // namespace px::pv
