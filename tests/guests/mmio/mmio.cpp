// Instructions that touch emulated MMIO, by their encodings: the registers of the local APIC are the target.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/apic.hpp"
#include "tests/guests/common/guest.hpp"

namespace px::guest {

namespace {

// ICR high keeps what is written into its top byte and does nothing by itself; timer_divide keeps bits 0, 1 and 3.
constexpr u64 scratch = apic_mmio + static_cast<u32>(ApicReg::icr_high);
static_assert(scratch == 0xfee0'0310);  // the two forms below with an absolute address name it literally
constexpr u64 divide = apic_mmio + static_cast<u32>(ApicReg::timer_divide);

void store(u32 value) { *reinterpret_cast<volatile u32*>(scratch) = value; }
u32 load() { return *reinterpret_cast<volatile u32*>(scratch); }

void moves() {
    asm volatile("movl $0x12000000, (%0)" ::"r"(scratch) : "memory");
    PX_CHECK_EQ(load(), 0x1200'0000u);
    asm volatile("mov %1, (%0)" ::"r"(scratch), "r"(0x3400'0000u) : "memory");
    PX_CHECK_EQ(load(), 0x3400'0000u);
    u64 value = ~u64{0};
    asm volatile("mov (%1), %k0" : "+r"(value) : "r"(scratch));
    PX_CHECK_EQ(value, u64{0x3400'0000});  // a 32-bit load clears the upper half
    asm volatile("mov %1, %%r13; movl $0x56000000, 0x10(%%r13)" ::"i"(0), "r"(scratch - 0x10) : "r13", "memory");
    PX_CHECK_EQ(load(), 0x5600'0000u);
    asm volatile("movl %2, -0x40(%0,%1,4)" ::"r"(scratch), "r"(u64{16}), "r"(0x7800'0000u) : "memory");
    PX_CHECK_EQ(load(), 0x7800'0000u);
    asm volatile("movabs %%eax, 0xfee00310" ::"a"(0x1a00'0000u) : "memory");
    PX_CHECK_EQ(load(), 0x1a00'0000u);
    u32 by_address;
    asm volatile("movabs 0xfee00310, %%eax" : "=a"(by_address));
    PX_CHECK_EQ(by_address, 0x1a00'0000u);
    asm volatile("addr32 movl %1, (%k0)" ::"r"(scratch), "r"(0x1b00'0000u) : "memory");
    PX_CHECK_EQ(load(), 0x1b00'0000u);
    i64 extended;
    store(0x8100'0000);
    asm volatile("movslq (%1), %0" : "=r"(extended) : "r"(scratch));
    PX_CHECK_EQ(extended, i64{static_cast<i32>(0x8100'0000)});
}

void arithmetic() {
    store(0x0f00'0000);
    asm volatile("orl $0x30000000, (%0)" ::"r"(scratch) : "memory", "cc");
    PX_CHECK_EQ(load(), 0x3f00'0000u);
    asm volatile("andl %1, (%0)" ::"r"(scratch), "r"(0xf1ff'ffffu) : "memory", "cc");
    PX_CHECK_EQ(load(), 0x3100'0000u);
    asm volatile("xorl %1, (%0)" ::"r"(scratch), "r"(0x0100'0000u) : "memory", "cc");
    PX_CHECK_EQ(load(), 0x3000'0000u);
    asm volatile("addl $0x01000000, (%0)" ::"r"(scratch) : "memory", "cc");
    PX_CHECK_EQ(load(), 0x3100'0000u);
    u32 sum = 1;
    asm volatile("add (%1), %0" : "+r"(sum) : "r"(scratch) : "cc");
    PX_CHECK_EQ(sum, 0x3100'0001u);
    u8 below, equal;
    asm volatile("cmpl $0x32000000, (%2); setb %0; cmpl $0x31000000, (%2); sete %1" : "=&q"(below), "=&q"(equal) : "r"(scratch) : "cc");
    PX_CHECK(below && equal);
    u8 zero;
    asm volatile("testl $0x40000000, (%1); setz %0" : "=q"(zero) : "r"(scratch) : "cc");
    PX_CHECK(zero);
    asm volatile("incl (%0)" ::"r"(divide) : "memory", "cc");  // 0 + 1: bit 0 is kept
    PX_CHECK_EQ(*reinterpret_cast<volatile u32*>(divide), 1u);
    asm volatile("btsl $3, (%0)" ::"r"(divide) : "memory", "cc");
    PX_CHECK_EQ(*reinterpret_cast<volatile u32*>(divide), 9u);
    asm volatile("btrl $0, (%0)" ::"r"(divide) : "memory", "cc");
    PX_CHECK_EQ(*reinterpret_cast<volatile u32*>(divide), 8u);
    asm volatile("notl (%0)" ::"r"(divide) : "memory");
    PX_CHECK_EQ(*reinterpret_cast<volatile u32*>(divide), 3u);
}

void exchanges() {
    store(0x2200'0000);
    u32 value = 0x4400'0000;
    asm volatile("xchg %0, (%1)" : "+r"(value) : "r"(scratch) : "memory");
    PX_CHECK_EQ(value, 0x2200'0000u);
    PX_CHECK_EQ(load(), 0x4400'0000u);
    u32 expected = 0x4400'0000;
    asm volatile("lock cmpxchg %2, (%1)" : "+a"(expected) : "r"(scratch), "r"(0x5500'0000u) : "memory", "cc");
    PX_CHECK_EQ(expected, 0x4400'0000u);
    PX_CHECK_EQ(load(), 0x5500'0000u);
    u32 added = 0x0100'0000;
    asm volatile("lock xadd %0, (%1)" : "+r"(added) : "r"(scratch) : "memory", "cc");
    PX_CHECK_EQ(added, 0x5500'0000u);
    PX_CHECK_EQ(load(), 0x5600'0000u);
}

void strings() {
    u32 memory = 0;
    u64 from = scratch;
    void* to = &memory;
    asm volatile("movsl" : "+S"(from), "+D"(to)::"memory");
    PX_CHECK_EQ(memory, load());
    PX_CHECK_EQ(from, scratch + 4);
    memory = 0x6600'0000;
    from = reinterpret_cast<u64>(&memory);
    u64 target = scratch;
    asm volatile("movsl" : "+S"(from), "+D"(target)::"memory");
    PX_CHECK_EQ(load(), 0x6600'0000u);
    target = scratch;
    asm volatile("stosl" : "+D"(target) : "a"(0x7700'0000u) : "memory");
    PX_CHECK_EQ(load(), 0x7700'0000u);
    from = scratch;
    u32 loaded;
    asm volatile("lodsl" : "+S"(from), "=a"(loaded)::"memory");
    PX_CHECK_EQ(loaded, 0x7700'0000u);
    u64 stack_top;
    asm volatile("pushq $0; mov %%rsp, %0; popq %%rax" : "=r"(stack_top)::"rax", "memory");
    PX_CHECK(stack_top != 0);
}

}  // namespace

void guest_main() {
    PX_CHECK(!apic_is_x2());
    apic_enable();
    apic_write(ApicReg::lvt_timer, lvt_masked);
    *reinterpret_cast<volatile u32*>(divide) = 0;
    PX_PART(moves());
    PX_PART(arithmetic());
    PX_PART(exchanges());
    PX_PART(strings());
}

}  // namespace px::guest
