// The interrupt table of a kernel in ring 0.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/cpu.hpp"

extern "C" const char interrupt_stubs[];

namespace px::guest {

namespace {

struct Gate {
    u16 offset_low;
    u16 selector;
    u16 attributes;
    u16 offset_mid;
    u32 offset_high;
    u32 reserved;
};
constinit Gate gates[256]{};
constexpr u16 present_interrupt_gate = 0x8e00;
constexpr usize stub_size = 16;

}  // namespace

void load_interrupt_table() {
    for (usize v = 0; v < 256; ++v) {
        const u64 stub = reinterpret_cast<u64>(interrupt_stubs) + v * stub_size;
        gates[v] = {static_cast<u16>(stub), 8, present_interrupt_gate, static_cast<u16>(stub >> 16), static_cast<u32>(stub >> 32), 0};
    }
    const struct [[gnu::packed]] {
        u16 limit;
        const Gate* base;
    } pointer{sizeof(gates) - 1, gates};
    asm volatile("lidt %0" ::"m"(pointer));
}

}  // namespace px::guest
