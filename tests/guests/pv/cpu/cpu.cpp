// The virtual CPU of a PV kernel: traps, callbacks, instructions that are done for it, its users, and returns with forged state.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/pv/common/pv.hpp"

namespace px::guest {

namespace {

namespace msr {
constexpr u32 efer = 0xc0000080, fs_base = 0xc0000100, gs_base = 0xc0000101, kernel_gs_base = 0xc0000102, nobodys = 0x5deece66;
}
constexpr u64 not_canonical = u64{1} << 47;
constexpr unsigned fault_db = 1, fault_bp = 3;

constinit Frame seen{};
constinit unsigned count = 0;
void note(Frame& frame) {
    seen = frame;
    ++count;
}

void traps() {
    PX_CHECK(probe_ud2().faulted(fault_ud));
    set_handler(fault_bp, note);
    set_handler(0x80, note);
    asm volatile("int3");
    PX_CHECK_EQ(count, 1u);
    PX_CHECK_EQ(seen.cs & 3, u64{0});  // the kernel sees itself as ring 0
    asm volatile("int $0x80");
    PX_CHECK_EQ(count, 2u);
    set_handler(fault_bp, nullptr);
    set_handler(0x80, nullptr);
    PX_CHECK(probe_read32(u64{0x10000}).faulted(fault_pf));
    PX_CHECK(probe_read32(not_canonical).faulted(fault_gp));
    PX_CHECK(probe_write32(abi::x86::mach2phys_virt_start, 0).faulted(fault_pf));
    PX_CHECK(probe_read32(abi::x86::mach2phys_virt_start + 8 * mfn_of(&seen)).fine());
    PX_CHECK(probe_read32(abi::x86::hypervisor_virt_end - page_size).faulted(fault_pf));

    abi::x86::TrapInfo list[2] = {{7, 0, 0, not_canonical}, {}};
    PX_CHECK_EQ(hypercall(abi::hypercall::set_trap_table, reinterpret_cast<u64>(list)), minus(Errno::einval));
    PX_CHECK_EQ(hypercall(abi::hypercall::set_trap_table, abi::x86::hypervisor_virt_end - page_size), minus(Errno::efault));
}

/// The signature of the hypervisor's first leaf, by the prefix that asks it.
void forced_cpuid() {
    u32 a = 0x40000000, b, c = 0, d;
    asm volatile("ud2; .ascii \"xen\"; cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    PX_CHECK_EQ(b, 0x566e6558u);
    PX_CHECK_EQ(c, 0x65584d4du);
    PX_CHECK_EQ(d, 0x4d4d566eu);
    a = 1, c = 0;
    asm volatile("ud2; .ascii \"xen\"; cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    constexpr u32 pse = 1u << 3, pge = 1u << 13, vme = 1u << 1, hypervisor = 1u << 31;
    PX_CHECK_EQ(d & (pse | pge | vme), 0u);
    PX_CHECK_EQ(c & hypervisor, hypervisor);
}

void registers() {
    constexpr u64 sce = 1, lma = 1u << 10, nxe = 1u << 11;
    const Probe efer = probe_rdmsr(msr::efer);
    PX_CHECK(efer.fine());
    PX_CHECK_EQ(efer.value & (sce | lma | nxe), sce | lma | nxe);
    PX_CHECK(probe_rdmsr(msr::nobodys).faulted(fault_gp));
    PX_CHECK(probe_wrmsr(msr::fs_base, 0x1234'5000).fine());
    PX_CHECK_EQ(probe_rdmsr(msr::fs_base).value, u64{0x1234'5000});
    PX_CHECK(probe_wrmsr(msr::fs_base, not_canonical).faulted(fault_gp));

    using enum abi::x86::SegmentBase;
    const auto set_base = [](abi::x86::SegmentBase which, u64 base) {
        return hypercall(abi::hypercall::set_segment_base, static_cast<u64>(which), base);
    };
    PX_CHECK_EQ(set_base(fs, 0x7000), 0);
    PX_CHECK_EQ(probe_rdmsr(msr::fs_base).value, u64{0x7000});
    PX_CHECK_EQ(set_base(gs_kernel, 0x8000), 0);
    PX_CHECK_EQ(probe_rdmsr(msr::gs_base).value, u64{0x8000});
    PX_CHECK_EQ(set_base(gs_user, 0x9000), 0);
    PX_CHECK_EQ(probe_rdmsr(msr::kernel_gs_base).value, u64{0x9000});
    PX_CHECK_EQ(set_base(fs, not_canonical), minus(Errno::einval));
    PX_CHECK_EQ(set_base(abi::x86::SegmentBase{9}, 0), minus(Errno::einval));

    PX_CHECK(probe_write_cr4(read_cr4()).fine());
    PX_CHECK_EQ(hypercall(abi::hypercall::set_debugreg, 0, 0x1000), 0);
    PX_CHECK_EQ(hypercall(abi::hypercall::get_debugreg, 0), 0x1000);
    PX_CHECK_EQ(hypercall(abi::hypercall::set_debugreg, 0, abi::x86::hypervisor_virt_end - page_size), minus(Errno::eperm));
    PX_CHECK(hypercall(abi::hypercall::set_debugreg, 7, 1u << 13) < 0);  // general detect
    PX_CHECK(hypercall(abi::hypercall::set_debugreg, 9, 0) < 0);
    PX_CHECK_EQ(hypercall(abi::hypercall::set_debugreg, 7, 0), 0);
}

/// Any number, without the page.
i64 by_syscall(u64 number) {
    asm volatile("syscall" : "+a"(number)::"rcx", "r11", "memory");
    return static_cast<i64>(number);
}

void callbacks() {
    abi::CallbackRegister op{static_cast<u16>(abi::CallbackType::event), 0, not_canonical};
    const auto callback = [&](u64 operation) { return hypercall_ptr(abi::hypercall::callback_op, operation, &op); };
    PX_CHECK_EQ(callback(0), minus(Errno::einval));
    op = {99, 0, 0};
    PX_CHECK_EQ(callback(0), minus(Errno::enosys));
    PX_CHECK_EQ(callback(7), minus(Errno::enosys));
    PX_CHECK_EQ(hypercall(abi::hypercall::callback_op, 0, abi::x86::hypervisor_virt_end - page_size), minus(Errno::efault));
    PX_CHECK_EQ(hypercall(abi::hypercall::nmi_op, 9), minus(Errno::enosys));
    PX_CHECK_EQ(hypercall(60), minus(Errno::enosys));
    PX_CHECK_EQ(by_syscall(1000), minus(Errno::enosys));
    PX_CHECK_EQ(by_syscall(u64{1} << 63), minus(Errno::enosys));
}

// ---- Users. Each of these is executed in ring 3 with the users' tables.

extern "C" {
[[gnu::naked]] void user_syscall() { asm volatile("mov $0x1234, %eax; syscall"); }
[[gnu::naked]] void user_ud2() { asm volatile("ud2"); }
[[gnu::naked]] void user_int80() { asm volatile("int $0x80"); }
[[gnu::naked]] void user_cli() { asm volatile("cli"); }
[[gnu::naked]] void user_port() { asm volatile("in $0x71, %al"); }
[[gnu::naked]] void user_rdmsr() { asm volatile("mov $0xc0000080, %ecx; rdmsr"); }
[[gnu::naked]] void user_reads_hypervisor() { asm volatile("movabs $0xffff880000000000 - 4096, %rax; mov (%rax), %rax"); }
[[gnu::naked]] void user_reads_m2p() { asm volatile("movabs $0xffff800000000000, %rax; mov (%rax), %rax; ud2"); }
[[gnu::naked]] void user_loads_bad_segment() { asm volatile("mov $0xe040, %eax; mov %eax, %ds"); }
[[gnu::naked]] void user_loads_hypervisor_code() { asm volatile("push $0xe008; push $0; lretq"); }
[[gnu::naked]] void user_step() { asm volatile("nop; nop; ud2"); }
[[gnu::naked]] void user_debug_after_mov_ss() { asm volatile("mov %ss, %eax; mov %ax, -64(%rsp); mov -64(%rsp), %ss; syscall"); }
}

constexpr u64 from_user = 3;

void users() {
    init_users();
    Frame frame = run_user(user_syscall);
    PX_CHECK_EQ(frame.vector, u64{vector_syscall});
    PX_CHECK_EQ(frame.rax, u64{0x1234});
    PX_CHECK_EQ(frame.cs & 3, from_user);
    frame = run_user(user_ud2);
    PX_CHECK_EQ(frame.vector, u64{fault_ud});
    PX_CHECK_EQ(frame.rip, reinterpret_cast<u64>(user_ud2));
    PX_CHECK_EQ(frame.cs & 3, from_user);
    frame = run_user(user_int80);
    PX_CHECK_EQ(frame.vector, u64{0x80});
    PX_CHECK_EQ(frame.rip, reinterpret_cast<u64>(user_int80) + 2);
    PX_CHECK_EQ(run_user(user_cli).vector, u64{fault_gp});
    PX_CHECK_EQ(run_user(user_port).vector, u64{fault_gp});
    PX_CHECK_EQ(run_user(user_rdmsr).vector, u64{fault_gp});
    PX_CHECK_EQ(run_user(user_loads_bad_segment).vector, u64{fault_gp});
    PX_CHECK_EQ(run_user(user_loads_hypervisor_code).vector, u64{fault_gp});
    frame = run_user(user_reads_hypervisor);
    PX_CHECK_EQ(frame.vector, u64{fault_pf});
    PX_CHECK_EQ(frame.error & 6, u64{4});  // a user's read
    constexpr u64 trap_flag = 1u << 8;
    frame = run_user(user_step, trap_flag);
    PX_CHECK_EQ(frame.vector, u64{fault_db});
    PX_CHECK_EQ(frame.rip, reinterpret_cast<u64>(user_step) + 1);
}

/// Returns that the processor refuses: the kernel hears of it, and nobody else.
void forged_returns() {
    const auto refused = [](const Frame& frame) {
        return frame.vector == vector_failsafe || frame.vector == fault_gp || frame.vector == fault_pf;
    };
    PX_CHECK(refused(run_user(not_canonical)));
    PX_CHECK(refused(run_user(u64{0x8000'0000'0000'0000})));
    PX_CHECK(refused(run_user(abi::x86::mach2phys_virt_start)));
    // Flags that aren't a guest's: I/O privilege, virtual 8086, nested task, interrupts off.
    const Frame frame = run_user(user_ud2, 3u << 12 | 1u << 17 | 1u << 14);
    PX_CHECK_EQ(frame.vector, u64{fault_ud});
    PX_CHECK_EQ(frame.rflags & (1u << 17), u64{0});
    PX_CHECK_EQ(frame.rflags & (1u << 9), u64{1u << 9});
    PX_CHECK_EQ(run_user(user_port, 3u << 12).vector, u64{fault_gp});
}

/// The machine-to-physical table is its kernel's and its users', or its kernel's alone.
void strict_m2p() {
    const auto assist = [](abi::VmassistCmd command) {
        return hypercall(abi::hypercall::vm_assist, static_cast<u64>(command), static_cast<u64>(abi::VmassistType::m2p_strict));
    };
    const u64 of_ours = abi::x86::mach2phys_virt_start + 8 * mfn_of(&seen);
    PX_CHECK_EQ(run_user(user_reads_m2p).vector, u64{fault_ud});
    PX_CHECK_EQ(assist(abi::VmassistCmd::enable), 0);
    PX_CHECK_EQ(reload_users(), 0);
    PX_CHECK(probe_read32(of_ours).fine());
    PX_CHECK_EQ(run_user(user_reads_m2p).vector, u64{fault_pf});
    PX_CHECK(probe_read32(of_ours).fine());
    PX_CHECK_EQ(run_user(user_reads_m2p).vector, u64{fault_pf});
    PX_CHECK_EQ(assist(abi::VmassistCmd::disable), 0);
}

/// SYSCALL as the last instruction below the hole: the way back isn't canonical, and SYSRET would fault in ring 0 there.
void sysret_to_the_hole() {
    constexpr u64 last_page = not_canonical - page_size;
    alignas(page_size) static constinit u8 code[page_size]{};
    alignas(page_size) static constinit u8 tables[3][page_size]{};
    code[page_size - 2] = 0x0f;
    code[page_size - 1] = 0x05;  // syscall
    const u64 flags = pte_present | pte_accessed | pte_dirty | pte_user;
    reinterpret_cast<u64*>(tables[0])[511] = mfn_of(code) << page_shift | flags;
    for (unsigned level = 0; level < 3; ++level) {
        if (set_writable(tables[level], false)) give_up("a table can't be made read-only");
        u64* const above = level == 2 ? entry_on_way(last_page, 4) : &reinterpret_cast<u64*>(tables[level + 1])[511];
        const u64 entry = mfn_of(tables[level]) << page_shift | flags | pte_writable;
        if (level < 2) *above = entry;
        else PX_CHECK_EQ(mmu_update(mfn_of(above) << page_shift | (reinterpret_cast<u64>(above) & (page_size - 1)), entry), 0);
    }
    // In the kernel: a hypercall whose return address is 2^47.
    PX_CHECK_EQ(probe_read32(last_page).fault, no_fault);
    for (const unsigned vector : {unsigned{fault_gp}, unsigned{fault_pf}, vector_failsafe}) {
        set_handler(vector, [](Frame& frame) {
            seen = frame;
            ++count;
            frame.rip = *reinterpret_cast<const u64*>(frame.rsp);  // the caller's return address
            frame.rsp += 8;
        });
    }
    count = 0;
    i64 result = static_cast<i64>(abi::hypercall::xen_version);
    asm volatile("call *%1" : "+a"(result) : "r"(not_canonical - 2), "D"(0), "S"(0) : "rcx", "r11", "memory");
    PX_CHECK_EQ(count, 1u);
    PX_CHECK_EQ(seen.rip, not_canonical);
    for (const unsigned vector : {unsigned{fault_gp}, unsigned{fault_pf}, vector_failsafe}) set_handler(vector, nullptr);
}

}  // namespace

void guest_main() {
    PX_PART(traps());
    PX_PART(forced_cpuid());
    PX_PART(registers());
    PX_PART(callbacks());
    PX_PART(users());
    PX_PART(forged_returns());
    PX_PART(strict_m2p());
    PX_PART(sysret_to_the_hole());
    // A data breakpoint that MOV SS holds back until after SYSCALL hits the hypervisor [CVE-2018-8897].
    run_user(user_debug_after_mov_ss);
}

}  // namespace px::guest
