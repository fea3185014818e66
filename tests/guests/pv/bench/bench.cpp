// Instructions per operation of a PV guest (tsc_mode="native", two vCPUs on one CPU).
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "tests/guests/common/events.hpp"
#include "tests/guests/common/measure.hpp"
#include "tests/guests/pv/common/pv.hpp"

namespace px::guest {

namespace {

constexpr u64 flags = pte_present | pte_accessed | pte_dirty;
alignas(page_size) constinit u8 pages[4][page_size]{}, page[page_size]{};

u64 machine_address(const volatile void* address) {
    return mfn_of(address) << page_shift | (reinterpret_cast<u64>(address) & (page_size - 1));
}
u64* entries(u8* table) { return reinterpret_cast<u64*>(table); }

void mmu_updates(std::string_view name, u64 count) {
    static abi::MmuUpdate list[128];
    // Between two writable pages, so that each update takes one and gives one back.
    static bool second = false;
    measure(name, [&] {
        second = !second;
        for (u64 i = 0; i < count; ++i) {
            list[i] = {machine_address(&entries(pages[0])[i]),
                       (second ? mfn_of(page) : mfn_of(pages[3])) << page_shift | flags | pte_writable};
        }
        hypercall(abi::hypercall::mmu_update, reinterpret_cast<u64>(list), count, 0, abi::domid::self);
    });
}

extern "C" {
constinit u64 between = 0;
/// Two system calls of a user, and how far apart they were.
[[gnu::naked]] void user_calls() {
    asm volatile(
        "xor %r15d, %r15d\n"
        "1: rdtsc\n"
        "mov %eax, %r14d\n"
        "mov $1, %eax\n"
        "syscall\n"
        "rdtsc\n"
        "sub %r14d, %eax\n"
        "mov %eax, between\n"
        "mov $2, %eax\n"
        "syscall\n"
        "jmp 1b\n");
}
[[gnu::naked]] void user_call_to_trace() {
    asm volatile(
        "xchg %bx, %bx\n"
        "mov $1, %eax\n"
        "syscall\n"
        "xchg %bx, %bx\n"
        "mov $2, %eax\n"
        "syscall\n");
}
[[noreturn]] void leave_user();
}

void measure_syscalls() {
    static Counts counts;
    init_users();
    set_handler(vector_event, [](Frame&) { ack_upcall(); });
    set_handler(vector_syscall, [](Frame& frame) {
        if (frame.rax != 2) return;
        counts.add(between);
        if (counts.full()) leave_user();
    });
    run_user_with_handlers(reinterpret_cast<u64>(user_calls));
    set_handler(vector_syscall, [](Frame& frame) {
        if (frame.rax == 2) leave_user();
    });
    run_user_with_handlers(reinterpret_cast<u64>(user_call_to_trace));
    counts.print_median("pv-syscall-bounce");
}

/// Blocks this vCPU until the port is pending.
void await(u32 port) {
    while (!port_pending(port)) {
        abi::SchedPoll poll{handle(&port), 1, 0};
        call(abi::SchedOp::poll, &poll);
    }
    clear_port(port);
}

constinit u32 to_other = 0, to_first = 0;

/// The other vCPU gives back each event that it gets.
[[noreturn]] void answer() {
    for (;;) {
        await(to_other);
        notify(to_first);
    }
}

void measure_switches() {
    alignas(16) static u8 stack[page_size];
    static abi::x86::VcpuGuestContext context{};
    namespace flat = abi::x86::flat_ring3;
    for (u64& word : shared_info().evtchn_mask) word = ~u64{0};  // polled for only
    to_other = static_cast<u32>(bind_ipi(1));
    to_first = static_cast<u32>(bind_ipi(0));
    context.flags = abi::x86::vgcf::in_kernel;
    context.user_regs.rip = reinterpret_cast<u64>(answer);
    context.user_regs.rsp = reinterpret_cast<u64>(stack + sizeof stack) - sizeof(u64);
    context.user_regs.rflags = 0x202;
    context.user_regs.cs = flat::cs64;
    context.user_regs.ss = flat::ss64;
    context.kernel_ss = flat::ss64;
    context.kernel_sp = context.user_regs.rsp;
    context.ctrlreg[3] = mfn_of(reinterpret_cast<const void*>(pv_start_info().pt_base)) << page_shift;
    if (call(abi::VcpuOp::initialise, 1, &context) || call(abi::VcpuOp::up, 1)) give_up("the other vCPU doesn't start");
    measure("pv-context-switch-and-back", [] {
        notify(to_other);
        await(to_first);
    });
}

}  // namespace

void guest_main() {
    measure("pv-null-hypercall", [] { call(abi::XenVersionOp::version); });
    measure("pv-stack-switch", [] { hypercall(abi::hypercall::stack_switch, 0, 0x1000); });
    measure("pv-set-segment-base", [] { hypercall(abi::hypercall::set_segment_base, 0, 0x1000); });
    measure("pv-forced-cpuid", [] {
        u32 a = 1, b, c = 0, d;
        asm volatile("ud2; .ascii \"xen\"; cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    });
    measure("pv-page-fault-bounce", [] { probe_read32(0x10000); });
    measure("pv-undefined-opcode-bounce", [] { probe_ud2(); });
    measure("pv-rdmsr", [] { probe_rdmsr(0xc0000100); });

    measure("pv-update-va-mapping", [] { update_va(reinterpret_cast<u64>(page), mfn_of(page) << page_shift | flags | pte_writable); });
    std::memset(pages, 0, sizeof pages);
    set_writable(pages[0], false);
    mmuext(abi::MmuextOpCmd::pin_l1_table, mfn_of(pages[0]));
    mmu_updates("pv-mmu-update-1", 1);
    mmu_updates("pv-mmu-update-128", 128);
    mmuext(abi::MmuextOpCmd::unpin_table, mfn_of(pages[0]));
    set_writable(pages[0], true);
    std::memset(pages, 0, sizeof pages);

    for (unsigned level = 0; level < 3; ++level) {
        for (unsigned i = 0; i < 512; ++i) entries(pages[0])[i] = mfn_of(page) << page_shift | flags;
        entries(pages[level + 1])[0] = mfn_of(pages[level]) << page_shift | flags | pte_writable;
    }
    for (auto& table : pages) set_writable(table, false);
    measure("pv-pin-unpin-4-levels", [] {
        if (mmuext(abi::MmuextOpCmd::pin_l4_table, mfn_of(pages[3])) || mmuext(abi::MmuextOpCmd::unpin_table, mfn_of(pages[3])))
            give_up("pin");
    });

    const u64 root = mfn_of(reinterpret_cast<const void*>(pv_start_info().pt_base));
    measure("pv-new-baseptr", [&] { mmuext(abi::MmuextOpCmd::new_baseptr, root); });
    measure_switches();
    measure_syscalls();
}

}  // namespace px::guest
