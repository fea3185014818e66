// A hostile PV kernel and its users, at the ways into and out of the hypervisor: debug traps held back until a system call, forged segment
// bases, forged returns, gates and SYSENTER. Over and over, so that NMIs come at each of them. What may be refused in several ways is only
// asked to come back to this kernel, and to leave the hypervisor as it was.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "tests/guests/pv/common/pv.hpp"

namespace px::guest {

namespace {

constexpr u64 not_canonical = u64{1} << 47;
constexpr u64 in_hypervisor = abi::x86::hypervisor_virt_start + (u64{8} << 39);  // its direct map
constexpr unsigned fault_db = 1, fault_bp = 3;
constexpr u32 kernel_gs_base = 0xc0000102;
constexpr u64 flags = pte_present | pte_accessed | pte_dirty;

constinit unsigned traps = 0;
void count_trap(Frame&) { ++traps; }

bool is_one_of(u64 value, std::initializer_list<u64> these) {
    for (const u64 each : these) {
        if (value == each) return true;
    }
    print("    vector {}\n", value);
    return false;
}

/// The hypervisor still answers, and with the right kernel's registers.
void all_is_well() { PX_CHECK_EQ(call(abi::XenVersionOp::version), i64{4} << 16 | 17); }

// ---- MOV SS holds a data breakpoint back until after the next instruction, which may be the way in [CVE-2018-8897].

extern "C" {
alignas(8) u16 watched_selector = abi::x86::flat_ring3::ss64;
[[gnu::naked]] void user_syscall() { asm volatile("mov $0x1234, %eax; syscall"); }
[[gnu::naked]] void mov_ss_syscall() { asm volatile("mov watched_selector, %ss; syscall"); }
[[gnu::naked]] void mov_ss_int80() { asm volatile("mov watched_selector, %ss; int $0x80"); }
[[gnu::naked]] void mov_ss_int3() { asm volatile("mov watched_selector, %ss; int3"); }
[[gnu::naked]] void mov_ss_icebp() { asm volatile("mov watched_selector, %ss; .byte 0xf1"); }
[[gnu::naked]] void mov_ss_ud2() { asm volatile("mov watched_selector, %ss; ud2"); }
[[gnu::naked]] void mov_ss_sysenter() { asm volatile("mov watched_selector, %ss; sysenter"); }
[[gnu::naked]] void mov_ss_twice() { asm volatile("mov watched_selector, %ss; mov watched_selector, %ss; syscall"); }
}

void watch(const volatile void* address, u64 control) {
    PX_CHECK_EQ(hypercall(abi::hypercall::set_debugreg, 0, reinterpret_cast<u64>(address)), 0);
    PX_CHECK_EQ(hypercall(abi::hypercall::set_debugreg, 7, control), 0);
}
constexpr u64 two_bytes_read_or_written = 0x70003, eight_bytes_read_or_written = 0xb0003;

void debug_traps_after_mov_ss() {
    watch(&watched_selector, two_bytes_read_or_written);
    for (void (*const way)() : {mov_ss_syscall, mov_ss_twice}) { PX_CHECK(is_one_of(run_user(way).vector, {vector_syscall, fault_db})); }
    PX_CHECK(is_one_of(run_user(mov_ss_int80).vector, {0x80, fault_db}));
    PX_CHECK(is_one_of(run_user(mov_ss_int3).vector, {fault_bp, fault_db}));
    PX_CHECK(is_one_of(run_user(mov_ss_icebp).vector, {fault_db}));
    PX_CHECK(is_one_of(run_user(mov_ss_ud2).vector, {fault_ud, fault_db}));
    PX_CHECK(is_one_of(run_user(mov_ss_sysenter).vector, {fault_ud, fault_gp, fault_db}));
    // With single steps as well.
    for (void (*const way)() : {mov_ss_syscall, mov_ss_int80})
        PX_CHECK(is_one_of(run_user(way, 1u << 8).vector, {vector_syscall, fault_db, 0x80}));

    // The kernel's own hypercalls.
    set_handler(fault_db, count_trap);
    for (unsigned i = 0; i < 3; ++i) {
        i64 number = static_cast<i64>(abi::hypercall::xen_version);
        asm volatile("mov watched_selector, %%ss; syscall" : "+a"(number) : "D"(0), "S"(0) : "rcx", "r11", "memory");
        PX_CHECK_EQ(number, i64{4} << 16 | 17);
    }
    // What the hypervisor copies for us lies under a breakpoint.
    alignas(8) static constinit char text[16]{};
    watch(text, eight_bytes_read_or_written);
    PX_CHECK_EQ(call(abi::XenVersionOp::extraversion, text), 0);
    set_handler(fault_db, nullptr);
    PX_CHECK_EQ(hypercall(abi::hypercall::set_debugreg, 7, 0), 0);
    all_is_well();
}

// ---- Segment bases that a user writes by himself.

bool has_fsgsbase() {
    u32 a = 7, b, c = 0, d;
    asm volatile("ud2; .ascii \"xen\"; cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (b & 1) != 0;
}

extern "C" {
u64 forged_base = 0;
[[gnu::naked]] void gs_syscall() { asm volatile("mov forged_base, %rax; wrgsbase %rax; wrfsbase %rax; syscall"); }
[[gnu::naked]] void gs_int80() { asm volatile("mov forged_base, %rax; wrgsbase %rax; wrfsbase %rax; int $0x80"); }
[[gnu::naked]] void gs_ud2() { asm volatile("mov forged_base, %rax; wrgsbase %rax; wrfsbase %rax; ud2"); }
[[gnu::naked]] void gs_faults() { asm volatile("mov forged_base, %rax; wrgsbase %rax; wrfsbase %rax; mov 0x10000, %eax; ud2"); }
[[gnu::naked]] void gs_reads_hypervisor() { asm volatile("mov forged_base, %rax; wrgsbase %rax; mov %gs:0, %rax; ud2"); }
}

u64 read_gs_base() {
    u64 base;
    asm volatile("rdgsbase %0" : "=r"(base));
    return base;
}

/// Off the CPU and on it again.
void sleep_a_moment() {
    static const abi::SharedInfo* const shared = [] {
        alignas(page_size) static constinit u8 page[page_size]{};
        if (update_va(reinterpret_cast<u64>(page), pv_start_info().shared_info | flags | pte_writable))
            give_up("the shared info can't be mapped");
        return reinterpret_cast<const abi::SharedInfo*>(page);
    }();
    const volatile abi::VcpuTimeInfo& time = shared->vcpu_info[0].time;
    const u64 ticks = rdtsc() - time.tsc_timestamp;
    const u64 scaled = time.tsc_shift >= 0 ? ticks << time.tsc_shift : ticks >> -time.tsc_shift;
    const u64 now = time.system_time + static_cast<u64>(static_cast<unsigned __int128>(scaled) * time.tsc_to_system_mul >> 32);
    abi::SchedPoll poll{{}, 0, now + 200'000};
    PX_CHECK_EQ(call(abi::SchedOp::poll, &poll), 0);
}

void forged_segment_bases() {
    if (!has_fsgsbase()) return;
    for (const u64 base : {in_hypervisor, abi::x86::mach2phys_virt_start, ~u64{0} << 12, u64{0}}) {
        forged_base = base;
        PX_CHECK_EQ(run_user(gs_syscall).vector, u64{vector_syscall});
        PX_CHECK_EQ(probe_rdmsr(kernel_gs_base).value, base);  // it is the user's, and not lost
        PX_CHECK_EQ(run_user(gs_int80).vector, u64{0x80});
        PX_CHECK_EQ(run_user(gs_ud2).vector, u64{fault_ud});
        PX_CHECK_EQ(run_user(gs_faults).vector, u64{fault_pf});
        if (base == in_hypervisor) PX_CHECK_EQ(run_user(gs_reads_hypervisor).vector, u64{fault_pf});
        // The kernel's own, across hypercalls and a context switch.
        asm volatile("wrgsbase %0" ::"r"(base));
        all_is_well();
        sleep_a_moment();
        PX_CHECK_EQ(read_gs_base(), base);
    }
    asm volatile("wrgsbase %0" ::"r"(u64{0}));
    forged_base = not_canonical;
    PX_CHECK(is_one_of(run_user(gs_syscall).vector, {fault_gp, vector_syscall}));  // QEMU 7.2 loads it
}

// ---- Returns whose state is no user's.

/// Whatever a processor or the hypervisor makes of it: the kernel is entered again.
constexpr std::initializer_list<u64> any_refusal = {vector_failsafe, fault_gp,      fault_pf, fault_ud, 10, 11, 12, 17,
                                                    fault_db,        vector_syscall};

void forged_returns() {
    constexpr u64 in_syscall = 1u << 8;  // VGCF: by SYSRET, if the hypervisor believes it
    constexpr u64 hypervisor_code = 0xe008, hypervisor_data = 0xe010, all_flags = 0xffff'ffff;
    for (const u64 how : {u64{0}, in_syscall}) {
        const auto forged = [&](auto change) {
            UserFrame frame = user_frame(reinterpret_cast<u64>(user_syscall));
            frame.flags = how;
            change(frame);
            PX_CHECK(is_one_of(run_user(frame).vector, any_refusal));
        };
        for (const u64 rip : {not_canonical, not_canonical - 1, u64{1} << 63, in_hypervisor, abi::x86::mach2phys_virt_start, ~u64{0}}) {
            forged([&](UserFrame& frame) { frame.rip = rip; });
        }
        for (const u64 rsp : {not_canonical, in_hypervisor, ~u64{0}}) forged([&](UserFrame& frame) { frame.rsp = rsp; });
        for (const u64 cs : {hypervisor_code, hypervisor_code | 3, u64{0}, u64{abi::x86::flat_ring3::ss64}, u64{0xffff}}) {
            forged([&](UserFrame& frame) { frame.cs = cs; });
        }
        for (const u64 ss : {hypervisor_data, hypervisor_data | 3, u64{0}, u64{abi::x86::flat_ring3::cs64}, u64{0xffff}}) {
            forged([&](UserFrame& frame) { frame.ss = ss; });
        }
        for (const u64 rflags : {all_flags, u64{0}, ~u64{0}}) forged([&](UserFrame& frame) { frame.rflags = rflags & ~u64{0x100}; });
        forged([&](UserFrame& frame) { frame.rip = not_canonical, frame.rsp = in_hypervisor, frame.rflags = all_flags; });
    }
    all_is_well();
}

// ---- Gates and SYSENTER.

extern "C" {
alignas(8) struct [[gnu::packed]] {
    u64 offset;
    u16 selector;
} far_target{};
[[gnu::naked]] void user_sysenter() { asm volatile("mov %rsp, %rcx; mov $1f, %rdx; sysenter; 1: ud2"); }
[[gnu::naked]] void user_calls_far() { asm volatile("rex.W lcall *far_target"); }
[[gnu::naked]] void user_jumps_far() { asm volatile("rex.W ljmp *far_target"); }
}

alignas(page_size) constinit u64 descriptors[512]{};

/// A call gate of 64-bit mode, for users.
void write_gate(unsigned at, u16 code, u64 entry) {
    descriptors[at] = (entry & 0xffff) | u64{code} << 16 | u64{0xec00} << 32 | (entry >> 16 & 0xffff) << 48;
    descriptors[at + 1] = entry >> 32;
}

void gates() {
    constexpr u16 at = 4;
    std::memset(descriptors, 0, sizeof descriptors);
    write_gate(at, abi::x86::flat_ring3::cs64, reinterpret_cast<u64>(user_syscall));
    PX_CHECK_EQ(set_writable(descriptors, false), 0);
    u64 frames[1] = {mfn_of(descriptors)};
    PX_CHECK_EQ(hypercall(abi::hypercall::set_gdt, reinterpret_cast<u64>(frames), 512), 0);
    PX_CHECK_EQ(mmuext(abi::MmuextOpCmd::set_ldt, reinterpret_cast<u64>(descriptors), 512), 0);
    constexpr u16 local = 4, user = 3;
    for (const u16 table : {u16{0}, local}) {
        far_target.selector = static_cast<u16>(at << 3 | table | user);
        for (void (*const way)() : {user_calls_far, user_jumps_far}) {
            const Frame frame = run_user(way);
            PX_CHECK_EQ(frame.vector, u64{fault_gp});
            PX_CHECK_EQ(frame.error & 0xfff8, u64{at << 3});
        }
    }
    // Into the hypervisor's code, without a gate.
    for (const u16 selector : {u16{0xe008}, u16{0xe00b}}) {
        far_target.selector = selector;
        far_target.offset = in_hypervisor;
        PX_CHECK_EQ(run_user(user_jumps_far).vector, u64{fault_gp});
    }
    PX_CHECK_EQ(mmuext(abi::MmuextOpCmd::set_ldt, 0, 0), 0);
    PX_CHECK_EQ(hypercall(abi::hypercall::set_gdt, reinterpret_cast<u64>(frames), 0), 0);
    PX_CHECK_EQ(set_writable(descriptors, true), 0);
    // A gate to the hypervisor's code isn't taken at all.
    write_gate(at, 0xe008, in_hypervisor);
    PX_CHECK_EQ(set_writable(descriptors, false), 0);
    PX_CHECK(hypercall(abi::hypercall::set_gdt, reinterpret_cast<u64>(frames), 512) < 0);
    PX_CHECK_EQ(set_writable(descriptors, true), 0);
}

void sysenter() { PX_CHECK(is_one_of(run_user(user_sysenter).vector, {fault_ud, fault_gp})); }

}  // namespace

void guest_main() {
    init_users();
    PX_PART(debug_traps_after_mov_ss());
    PX_PART(forged_segment_bases());
    PX_PART(forged_returns());
    PX_PART(gates());
    PX_PART(sysenter());
    const u64 rounds = option("rounds", 1);
    print("PX-PART {} {} rounds\n", guest_name, rounds);
    for (u64 i = 1; i < rounds; ++i) {
        debug_traps_after_mov_ss();
        forged_segment_bases();
        forged_returns();
        gates();
        sysenter();
    }
}

}  // namespace px::guest
