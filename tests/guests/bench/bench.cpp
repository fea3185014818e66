// Instructions per operation of a PVH guest (tsc_mode="native").
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/apic.hpp"
#include "tests/guests/common/events.hpp"
#include "tests/guests/common/grants.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/measure.hpp"
#include "tests/guests/common/smp.hpp"

namespace px::guest {

namespace {

alignas(page_size) constinit u8 source[page_size]{}, target[page_size]{}, spare[64][page_size]{};

void memory(std::string_view name, u64 pages, unsigned count) {
    static u64 frames[64];
    measure(
        name,
        [&] {
            for (u64 i = 0; i < pages; ++i) frames[i] = frame_of(spare[i]);
            abi::MemoryReservation list{handle(frames), pages, 0, 0, abi::domid::self};
            if (call(abi::MemoryOp::decrease_reservation, &list) != static_cast<i64>(pages)) give_up("decrease_reservation");
            for (u64 i = 0; i < pages; ++i) frames[i] = frame_of(spare[i]);
            list = {handle(frames), pages, 0, 0, abi::domid::self};
            if (call(abi::MemoryOp::populate_physmap, &list) != static_cast<i64>(pages)) give_up("populate_physmap");
        },
        count);
}

}  // namespace

void guest_main() {
    for (u64& word : shared_info().evtchn_mask) word = ~u64{0};
    const u16 self = own_domid();
    auto* const table = static_cast<abi::GrantEntryV1*>(grant_table_frame());
    table[8] = {abi::gtf::permit_access, self, static_cast<u32>(frame_of(source))};
    const u32 port = bind_ipi(0);

    measure("null-hypercall", [] { call(abi::XenVersionOp::version); });
    measure("cpuid", [] { cpuid(1); });
    measure("event-channel-send", [&] {
        notify(port);
        clear_port(port);
    });
    measure("yield", [] { yield(); });
    measure("set-singleshot-timer", [] {
        abi::VcpuSetSingleshotTimer timer{u64{1} << 60, 0};
        call(abi::VcpuOp::set_singleshot_timer, 0, &timer);
    });
    measure("grant-copy-64", [&] { copy_from_grant(self, 8, 0, target, 64); });
    measure("grant-copy-4096", [&] { copy_from_grant(self, 8, 0, target, 4096); });
    memory("decrease-populate-1", 1, 50);
    memory("decrease-populate-64", 64, 5);
    apic_enable();
    measure("xapic-mmio-read", [] { *reinterpret_cast<volatile u32*>(apic_mmio + static_cast<u32>(ApicReg::ldr)); });
    apic_enter_x2();
    measure("x2apic-write", [] { wrmsr(x2apic_msr(ApicReg::tpr), 0); });
}

}  // namespace px::guest
