// The CPU as a tiny kernel uses it: registers, interrupts and exceptions, faults that are expected, a lock.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "hypervisor/base/types.hpp"

namespace px::guest {

struct CpuidResult {
    u32 eax, ebx, ecx, edx;
};
inline CpuidResult cpuid(u32 leaf, u32 subleaf = 0) {
    CpuidResult r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

inline u64 rdmsr(u32 msr) {
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | u64{high} << 32;
}
inline void wrmsr(u32 msr, u64 value) {
    asm volatile("wrmsr" ::"c"(msr), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)) : "memory");
}
inline u64 rdtsc() {
    u32 low, high;
    asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return low | u64{high} << 32;
}
inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
inline u8 in8(u16 port) {
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline u64 read_cr4() {
    u64 v;
    asm volatile("mov %%cr4, %0" : "=r"(v));
    return v;
}
inline void write_cr4(u64 v) { asm volatile("mov %0, %%cr4" ::"r"(v) : "memory"); }
inline void invlpg(const void* address) { asm volatile("invlpg (%0)" ::"r"(address) : "memory"); }

inline void interrupts_on() { asm volatile("sti" ::: "memory"); }
inline void interrupts_off() { asm volatile("cli" ::: "memory"); }
inline void halt() { asm volatile("sti; hlt" ::: "memory"); }
inline void relax() { asm volatile("pause" ::: "memory"); }

/// Registers as the interrupt stubs leave them.
struct Frame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    u64 vector, error, rip, cs, rflags, rsp, ss;
};

using Handler = void (*)(Frame&);

/// `handler` runs for `vector` with interrupts off, on any CPU. nullptr restores the default: print a verdict of failure and stop.
/// PV kernels are entered for more than the 256 vectors (pv/common/pv.hpp).
inline constexpr unsigned most_vectors = 260;
void set_handler(unsigned vector, Handler handler);

/// Loads the interrupt table on this CPU; once on each.
void load_interrupt_table();

/// What an instruction that may fault did: vector of the fault, or `no_fault`.
inline constexpr unsigned no_fault = 256;
struct Probe {
    unsigned fault = no_fault;
    u64 value = 0;
    bool faulted(unsigned vector) const { return fault == vector; }
    bool fine() const { return fault == no_fault; }
};
Probe probe_rdmsr(u32 msr);
Probe probe_wrmsr(u32 msr, u64 value);
Probe probe_xsetbv(u32 index, u64 value);
Probe probe_write_cr4(u64 value);
Probe probe_ud2();
Probe probe_read32(u64 address);
Probe probe_write32(u64 address, u32 value);

inline constexpr unsigned fault_ud = 6, fault_gp = 13, fault_pf = 14;

/// Test-and-set lock that keeps interrupts off while it is held.
class SpinLock {
public:
    u64 lock() {
        u64 flags;
        asm volatile("pushfq; pop %0; cli" : "=r"(flags)::"memory");
        while (held_.test_and_set(std::memory_order_acquire)) relax();
        return flags;
    }
    void unlock(u64 flags) {
        held_.clear(std::memory_order_release);
        asm volatile("push %0; popfq" ::"r"(flags) : "memory", "cc");
    }

private:
    std::atomic_flag held_;
};
class SpinGuard {
public:
    explicit SpinGuard(SpinLock& lock) : lock_(lock), flags_(lock.lock()) {}
    ~SpinGuard() { lock_.unlock(flags_); }
    SpinGuard(const SpinGuard&) = delete;
    SpinGuard& operator=(const SpinGuard&) = delete;

private:
    SpinLock& lock_;
    u64 flags_;
};

}  // namespace px::guest
