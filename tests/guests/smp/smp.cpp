// More CPUs: started by hypercall and by INIT-SIPI, interrupted by events and by APIC IPIs, taken down again. Wants 3 vCPUs.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/smp.hpp"

#include "tests/guests/common/apic.hpp"
#include "tests/guests/common/events.hpp"
#include "tests/guests/common/guest.hpp"

namespace px::guest {

namespace {

constexpr unsigned vcpus = 3;
constexpr u8 ipi_vector = 0x52, event_vector = 0x30;
constinit std::atomic<u32> running[vcpus]{}, ipis[vcpus]{}, events[vcpus]{};
constinit std::atomic<u32> seen_id[vcpus]{};
constinit std::atomic<bool> leave{false};

void secondary() {
    const unsigned self = cpu_number();
    apic_enable();
    seen_id[self] = cpuid(1).ebx >> 24;
    ++running[self];
    interrupts_on();
    while (!leave) halt();
    call(abi::VcpuOp::down, self);
}

void ping(unsigned vcpu) {
    const u32 before = ipis[vcpu];
    for (u32 i = 1; i <= 50; ++i) {
        send_ipi(apic_id_of(vcpu), ipi_vector | ipi_assert);
        if (!PX_CHECK(wait_for([&] { return ipis[vcpu] == before + i; }))) return;
    }
}

void signal(unsigned vcpu) {
    const i64 port = bind_ipi(vcpu);
    PX_CHECK(port > 0);
    PX_CHECK_EQ(port_status(port).vcpu, vcpu);
    unmask_port(port);
    for (u32 i = 1; i <= 50; ++i) {
        notify(port);
        if (!PX_CHECK(wait_for([&] { return events[vcpu] == i; }))) break;
        clear_port(port);
    }
    close_port(port);
}

}  // namespace

void guest_main() {
    for (u64& word : shared_info().evtchn_mask) word = ~u64{0};
    set_handler(ipi_vector, [](Frame&) {
        ++ipis[cpu_number()];
        apic_eoi();
    });
    enable_upcalls(event_vector, [] {
        const unsigned self = cpu_number();
        shared_info().vcpu_info[self].evtchn_pending_sel = 0;
        ++events[self];
    });
    apic_enable();
    interrupts_on();

    PX_CHECK_EQ(call(abi::VcpuOp::is_up, 0), i64{1});
    PX_CHECK_EQ(call(abi::VcpuOp::is_up, 1), i64{0});
    PX_CHECK_EQ(start_by_vcpu_op(1, secondary), i64{0});
    PX_CHECK_EQ(start_by_sipi(2, secondary), i64{0});
    for (unsigned vcpu = 1; vcpu < vcpus; ++vcpu) {
        if (!PX_CHECK(wait_for([&] { return running[vcpu] == 1; }))) continue;
        PX_CHECK_EQ(seen_id[vcpu].load(), apic_id_of(vcpu));
        PX_CHECK_EQ(call(abi::VcpuOp::is_up, vcpu), i64{1});
        ping(vcpu);
        signal(vcpu);
    }
    abi::arch::VcpuHvmContext context{};
    PX_CHECK_EQ(call(abi::VcpuOp::initialise, 1, &context), minus(Errno::eexist));

    leave = true;
    for (unsigned vcpu = 1; vcpu < vcpus; ++vcpu) {
        send_ipi(apic_id_of(vcpu), ipi_vector | ipi_assert);
        PX_CHECK(wait_for([&] { return call(abi::VcpuOp::is_up, vcpu) == 0; }));
    }
}

}  // namespace px::guest
