// The few stateful parts of xen.hpp: parameters, shared info, the clock.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/xen.hpp"

#include <atomic>

#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"

namespace px::guest {

namespace {

alignas(page_size) constinit u8 shared_info_page[page_size]{};
constinit std::atomic<bool> shared_info_mapped{false};

/// a * b >> 32 without losing the top.
u64 scale(u64 ticks, u32 multiplier) { return static_cast<u64>((static_cast<unsigned __int128>(ticks) * multiplier) >> 32); }

}  // namespace

u64 hvm_param(abi::HvmParam index) {
    abi::HvmParamArg param{abi::domid::self, 0, static_cast<u32>(index), 0};
    return call(abi::HvmOp::get_param, &param) == 0 ? param.value : 0;
}

abi::SharedInfo& shared_info() {
    if (!shared_info_mapped.exchange(true)) {
        abi::AddToPhysmap map{abi::domid::self, 0, static_cast<u32>(abi::MapSpace::shared_info), 0, frame_of(shared_info_page)};
        if (const i64 error = call(abi::MemoryOp::add_to_physmap, &map)) {
            print("add_to_physmap(shared_info): {}\n", error);
            give_up("no shared info page");
        }
    }
    return *reinterpret_cast<abi::SharedInfo*>(shared_info_page);
}

u64 system_time(unsigned vcpu) {
    const volatile abi::VcpuTimeInfo& clock = shared_info().vcpu_info[vcpu].time;
    for (;;) {
        const u32 version = clock.version;
        std::atomic_thread_fence(std::memory_order_acquire);
        u64 ticks = rdtsc() - clock.tsc_timestamp;
        const i8 shift = clock.tsc_shift;
        ticks = shift < 0 ? ticks >> -shift : ticks << shift;
        const u64 now = clock.system_time + scale(ticks, clock.tsc_to_system_mul);
        std::atomic_thread_fence(std::memory_order_acquire);
        if (!(version & 1) && version == clock.version) return now;
    }
}

}  // namespace px::guest
