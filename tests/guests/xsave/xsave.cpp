// Extended state: each vCPU keeps its x87, SSE and AVX registers across switches to others. Wants more vCPUs than CPUs.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/apic.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/smp.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

constexpr unsigned max_vcpus = 4, rounds = 2000;
constexpr u64 cr4_osxsave = 1 << 18;
constexpr u32 msr_xss = 0xda0;
constexpr u64 xcr0_x87 = 1, xcr0_sse = 2, xcr0_avx = 4;
constinit std::atomic<u32> wrong{0}, done{0};
constinit bool has_avx = false;

/// Now and then a vCPU doesn't give the CPU away: it works for longer than a slice, until the others' turn comes anyway.
void let_others_run(unsigned round) {
    if (round % 64 != 0) return yield();
    const u64 end = system_time(cpu_number()) + 15'000'000;
    while (system_time(cpu_number()) < end) {}
}

/// Fills a register with this vCPU's number, lets others run, and looks again.
template <bool avx>
void keep(unsigned self) {
    alignas(32) u64 in[4], out[4];
    for (unsigned i = 0; i < rounds; ++i) {
        for (u64& word : in) word = u64{self + 1} << 32 | i;
        const u32 control = 0x1f80 | (self & 3) << 13;  // MXCSR with a rounding mode of its own
        u32 control_after;
        asm volatile("ldmxcsr %0" ::"m"(control));
        if constexpr (avx) asm volatile("vmovdqa %0, %%ymm5" ::"m"(in));
        else asm volatile("movdqa %0, %%xmm5" ::"m"(in));
        asm volatile("movdqa %0, %%xmm15; fninit; fildll %1" ::"m"(in), "m"(in[0]));
        let_others_run(i);
        u64 x87;
        asm volatile("fistpll %0" : "=m"(x87));
        if constexpr (avx) asm volatile("vmovdqa %%ymm5, %0" : "=m"(out));
        else asm volatile("movdqa %%xmm5, %0; movdqa %%xmm15, %1" : "=m"(out), "=m"(out[2]));
        asm volatile("stmxcsr %0" : "=m"(control_after));
        bool good = x87 == in[0] && control_after == control;
        for (unsigned w = 0; w < 4; ++w) good &= out[w] == in[w];
        wrong += !good;
    }
}

void enable() {
    write_cr4(read_cr4() | cr4_osxsave);
    probe_xsetbv(0, xcr0_x87 | xcr0_sse | (has_avx ? xcr0_avx : 0));
}

void secondary() {
    enable();
    has_avx ? keep<true>(cpu_number()) : keep<false>(cpu_number());
    ++done;
}

/// XSAVES keeps what XRSTORS brings back, compacted; IA32_XSS has no bit to set.
void supervisor_saves() {
    constexpr u32 xsavec = 1 << 1, xsaves = 1 << 3;
    const CpuidResult more = cpuid(0xd, 1);
    if (more.eax & (xsavec | xsaves)) PX_CHECK_EQ(more.ebx, 512u + 64u);  // XCR0 is x87 and SSE here
    if (!(more.eax & xsaves)) {
        PX_CHECK(probe_rdmsr(msr_xss).faulted(fault_gp));
        PX_CHECK(probe_wrmsr(msr_xss, 0).faulted(fault_gp));
        return;
    }
    PX_CHECK_EQ(probe_rdmsr(msr_xss).value, u64{0});
    PX_CHECK(probe_wrmsr(msr_xss, 0).fine());
    PX_CHECK(probe_wrmsr(msr_xss, 1 << 8).faulted(fault_gp));
    alignas(64) static u8 area[1024];
    alignas(16) u64 in[2] = {0x1234, 0x5678}, out[2] = {};
    constexpr u32 both = xcr0_x87 | xcr0_sse;
    asm volatile("movdqa %2, %%xmm7; xsaves64 %1; pxor %%xmm7, %%xmm7; xrstors64 %1; movdqa %%xmm7, %0"
                 : "=m"(out), "+m"(area)
                 : "m"(in), "a"(both), "d"(0)
                 : "memory");
    PX_CHECK(out[0] == in[0] && out[1] == in[1]);
    PX_CHECK(area[512 + 15] & 0x80);  // XCOMP_BV says: compacted
}

void rules() {
    PX_CHECK(!(cpuid(1).ecx & 1 << 27));  // OSXSAVE follows CR4
    PX_CHECK(probe_xsetbv(0, 1).faulted(fault_ud));
    write_cr4(read_cr4() | cr4_osxsave);
    PX_CHECK(cpuid(1).ecx & 1 << 27);
    const CpuidResult main = cpuid(0xd);
    PX_CHECK(main.eax & xcr0_x87 && main.eax & xcr0_sse);
    PX_CHECK_EQ(has_avx, (main.eax & xcr0_avx) != 0);
    PX_CHECK(probe_xsetbv(0, 0).faulted(fault_gp));                        // x87 must stay on
    PX_CHECK(probe_xsetbv(0, xcr0_x87 | xcr0_avx).faulted(fault_gp));      // AVX without SSE
    PX_CHECK(probe_xsetbv(0, xcr0_x87 | u64{1} << 62).faulted(fault_gp));  // not in CPUID
    PX_CHECK(probe_xsetbv(1, xcr0_x87).faulted(fault_gp));                 // no such register
    PX_CHECK(probe_xsetbv(0, xcr0_x87 | xcr0_sse).fine());
    PX_CHECK_EQ(cpuid(0xd).ebx, 512u + 64u);  // what XCR0 needs now
    supervisor_saves();
    if (!has_avx) return;
    PX_CHECK(probe_xsetbv(0, xcr0_x87 | xcr0_sse | xcr0_avx).fine());
    PX_CHECK(cpuid(0xd).ebx >= 512u + 64u + 256u);
    PX_CHECK(cpuid(0xd).ecx >= cpuid(0xd).ebx);
}

}  // namespace

void guest_main() {
    has_avx = cpuid(1).ecx & 1 << 28;
    const unsigned vcpus = option("vcpus", 1);
    const bool has_xsave = cpuid(1).ecx & 1 << 26;
    print("XSAVE {}, AVX {}, {} vCPUs\n", has_xsave, has_avx, vcpus);
    if (has_xsave) rules();
    // QEMU 7.2 forgets that AVX is on when a guest comes back from #NM, under any hypervisor: `avx=1` is for other machines.
    has_avx = has_xsave && has_avx && option("avx", 0);
    for (unsigned vcpu = 1; vcpu < vcpus && vcpu < max_vcpus; ++vcpu) PX_CHECK_EQ(start_by_vcpu_op(vcpu, secondary), i64{0});
    has_avx ? keep<true>(0) : keep<false>(0);
    PX_CHECK(wait_for([&] { return done == vcpus - 1; }, 60'000'000'000));
    PX_CHECK_EQ(wrong.load(), 0u);
}

}  // namespace px::guest
