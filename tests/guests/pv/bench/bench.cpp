// Instructions per operation of a PV kernel, by a TSC that counts them: one `PX-BENCH operation count` line each.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "tests/guests/pv/common/pv.hpp"

namespace px::guest {

namespace {

constexpr unsigned rounds = 101;
constexpr u64 flags = pte_present | pte_accessed | pte_dirty;
alignas(page_size) constinit u8 pages[4][page_size]{}, page[page_size]{};

u64 counter() {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return low | u64{high} << 32;
}

/// The median: a timer interrupt of the hypervisor within an operation doesn't count.
void report(std::string_view name, u64 (&taken)[rounds]) {
    for (unsigned i = 1; i < rounds; ++i) {
        for (unsigned at = i; at > 0 && taken[at - 1] > taken[at]; --at) {
            const u64 larger = taken[at - 1];
            taken[at - 1] = taken[at];
            taken[at] = larger;
        }
    }
    print("PX-BENCH {} {}\n", name, taken[rounds / 2]);
}

template <class Operation>
void measure(std::string_view name, Operation operation) {
    static u64 taken[rounds];
    for (u64& time : taken) {
        const u64 start = counter();
        operation();
        time = counter() - start;
    }
    report(name, taken);
}

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
            list[i] = {machine_address(&entries(pages[0])[i]), (second ? mfn_of(page) : mfn_of(pages[3])) << page_shift | flags | pte_writable};
        }
        hypercall(abi::hypercall::mmu_update, reinterpret_cast<u64>(list), count, 0, abi::domid::self);
    });
}

extern "C" {
/// Two system calls of a user, and how far apart they were.
constinit u64 between = 0;
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
}

constinit u64 bounces[rounds]{};
constinit unsigned bounced = 0;

}  // namespace

extern "C" [[noreturn]] void leave_user();

void guest_main() {
    measure("null-hypercall", [] { call(abi::XenVersionOp::version); });
    measure("stack-switch", [] { hypercall(abi::hypercall::stack_switch, 0, 0x1000); });
    measure("set-segment-base", [] { hypercall(abi::hypercall::set_segment_base, 0, 0x1000); });
    measure("forced-cpuid", [] {
        u32 a = 1, b, c = 0, d;
        asm volatile("ud2; .ascii \"xen\"; cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    });
    measure("page-fault-bounce", [] { probe_read32(0x10000); });
    measure("undefined-opcode-bounce", [] { probe_ud2(); });
    measure("rdmsr", [] { probe_rdmsr(0xc0000100); });

    measure("update-va-mapping", [] { update_va(reinterpret_cast<u64>(page), mfn_of(page) << page_shift | flags | pte_writable); });
    std::memset(pages, 0, sizeof pages);
    set_writable(pages[0], false);
    mmuext(abi::MmuextOpCmd::pin_l1_table, mfn_of(pages[0]));
    mmu_updates("mmu-update-1", 1);
    mmu_updates("mmu-update-128", 128);
    mmuext(abi::MmuextOpCmd::unpin_table, mfn_of(pages[0]));
    set_writable(pages[0], true);
    std::memset(pages, 0, sizeof pages);

    for (unsigned level = 0; level < 3; ++level) {
        for (unsigned i = 0; i < 512; ++i) entries(pages[0])[i] = mfn_of(page) << page_shift | flags;
        entries(pages[level + 1])[0] = mfn_of(pages[level]) << page_shift | flags | pte_writable;
    }
    for (auto& table : pages) set_writable(table, false);
    measure("pin-unpin-4-levels", [] {
        if (mmuext(abi::MmuextOpCmd::pin_l4_table, mfn_of(pages[3])) || mmuext(abi::MmuextOpCmd::unpin_table, mfn_of(pages[3]))) give_up("pin");
    });

    const u64 root = mfn_of(reinterpret_cast<const void*>(pv_start_info().pt_base));
    measure("new-baseptr", [&] { mmuext(abi::MmuextOpCmd::new_baseptr, root); });
    init_users();
    set_handler(vector_syscall, [](Frame& frame) {
        if (frame.rax != 2) return;
        bounces[bounced++] = between;
        if (bounced == rounds) leave_user();
    });
    run_user_with_handlers(reinterpret_cast<u64>(user_calls));
    report("syscall-bounce", bounces);
}

}  // namespace px::guest
