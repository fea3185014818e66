// Dispatch of interrupts and the table of faults that are expected.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/cpu.hpp"

#include "tests/guests/common/guest.hpp"

extern "C" {
struct Fixup {
    px::u64 at, go;
};
extern const Fixup fixups_begin[], fixups_end[];
}

namespace px::guest {

namespace {

constinit Handler handlers[most_vectors]{};

// A probe is one instruction at label 1, its resumption at 2; the dispatcher puts the vector into r11 on a fault.
#define PX_PROBE(instruction, outputs, ...)                                                          \
    u64 fault = no_fault;                                                                            \
    {                                                                                                \
        register u64 r11 asm("r11") = no_fault;                                                      \
        asm volatile("1: " instruction "; 2: .pushsection .fixups, \"a\"; .quad 1b, 2b; .popsection" \
                     : "+r"(r11)outputs:__VA_ARGS__                                                  \
                     : "memory");                                                                    \
        fault = r11;                                                                                 \
    }
#define PX_ALSO(...) , __VA_ARGS__

}  // namespace

void set_handler(unsigned vector, Handler handler) { handlers[vector] = handler; }

extern "C" void on_interrupt(Frame& frame) {
    if (const Handler handler = handlers[frame.vector]) return handler(frame);
    for (const Fixup* fixup = fixups_begin; fixup != fixups_end; ++fixup) {
        if (fixup->at != frame.rip || frame.vector >= 32) continue;
        frame.rip = fixup->go;
        frame.r11 = frame.vector;
        return;
    }
    u64 cr2;
    asm volatile("mov %%cr2, %0" : "=r"(cr2));
    print("unexpected vector {} error {x} rip {x} rsp {x} cr2 {x}\n", frame.vector, frame.error, frame.rip, frame.rsp, cr2);
    give_up("unexpected interrupt or exception");
}

Probe probe_rdmsr(u32 msr) {
    u32 low = 0, high = 0;
    PX_PROBE("rdmsr", PX_ALSO("+a"(low), "+d"(high)), "c"(msr));
    return {static_cast<unsigned>(fault), low | u64{high} << 32};
}
Probe probe_wrmsr(u32 msr, u64 value) {
    PX_PROBE("wrmsr", , "c"(msr), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)));
    return {static_cast<unsigned>(fault)};
}
Probe probe_xsetbv(u32 index, u64 value) {
    PX_PROBE("xsetbv", , "c"(index), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)));
    return {static_cast<unsigned>(fault)};
}
Probe probe_write_cr4(u64 value) {
    PX_PROBE("mov %1, %%cr4", , "r"(value));
    return {static_cast<unsigned>(fault)};
}
Probe probe_read32(u64 address) {
    u32 value = 0;
    PX_PROBE("mov (%2), %1", PX_ALSO("+&r"(value)), "r"(address));
    return {static_cast<unsigned>(fault), value};
}
Probe probe_write32(u64 address, u32 value) {
    PX_PROBE("mov %2, (%1)", , "r"(address), "r"(value));
    return {static_cast<unsigned>(fault)};
}
Probe probe_ud2() {
    PX_PROBE("ud2", , "r"(0));
    return {static_cast<unsigned>(fault)};
}

}  // namespace px::guest
