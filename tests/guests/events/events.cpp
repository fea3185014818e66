// Two-level event channels: binding, sending, masks, upcalls, poll, and closing.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/events.hpp"
#include "tests/guests/common/guest.hpp"

namespace px::guest {

namespace {

constexpr u8 vector = 0x30;

void pairs() {
    const i64 unbound = alloc_unbound(abi::domid::self);
    PX_CHECK(unbound > 0);
    PX_CHECK_EQ(port_status(unbound).status, static_cast<u32>(abi::EvtchnStat::unbound));
    const i64 bound = bind_interdomain(abi::domid::self, unbound);
    PX_CHECK(bound > 0 && bound != unbound);
    const abi::EvtchnStatus status = port_status(bound);
    PX_CHECK_EQ(status.status, static_cast<u32>(abi::EvtchnStat::interdomain));
    PX_CHECK_EQ(status.u.interdomain.port, static_cast<u32>(unbound));
    PX_CHECK_EQ(status.u.interdomain.dom, own_domid());
    PX_CHECK(port_pending(bound));  // a fresh interdomain port is pending at once
    clear_port(bound);

    PX_CHECK_EQ(notify(bound), i64{0});
    PX_CHECK(port_pending(unbound) && !port_pending(bound));
    clear_port(unbound);
    PX_CHECK_EQ(notify(unbound), i64{0});
    PX_CHECK(port_pending(bound));
    clear_port(bound);

    PX_CHECK_EQ(bind_interdomain(abi::domid::self, unbound), minus(Errno::einval));  // bound already
    PX_CHECK_EQ(close_port(bound), i64{0});
    PX_CHECK_EQ(port_status(unbound).status, static_cast<u32>(abi::EvtchnStat::unbound));  // the peer waits again
    PX_CHECK_EQ(notify(unbound), i64{0});                                                  // to nobody: no error
    PX_CHECK_EQ(close_port(unbound), i64{0});
    PX_CHECK_EQ(notify(unbound), minus(Errno::einval));
    PX_CHECK_EQ(close_port(unbound), minus(Errno::einval));
}

void upcall_rules() {
    const u32 port = bind_ipi(0);
    abi::VcpuInfo& vcpu = shared_info().vcpu_info[0];
    const auto settle = [&] {
        vcpu.evtchn_pending_sel = 0;
        clear_port(port);
    };
    unmask_port(port);
    settle();

    interrupts_on();
    u32 before = upcalls();
    notify(port);
    PX_CHECK_EQ(upcalls(), before + 1);
    PX_CHECK(port_pending(port) && !vcpu.evtchn_upcall_pending && vcpu.evtchn_pending_sel >> (port / 64) & 1);

    notify(port);  // pending already: nothing new
    PX_CHECK_EQ(upcalls(), before + 1);
    settle();
    notify(port);
    PX_CHECK_EQ(upcalls(), before + 2);

    settle();
    mask_port(port);
    notify(port);
    PX_CHECK(port_pending(port) && upcalls() == before + 2);
    unmask_port(port);  // was pending behind the mask: delivered now
    PX_CHECK_EQ(upcalls(), before + 3);

    settle();
    interrupts_off();
    notify(port);
    PX_CHECK_EQ(upcalls(), before + 3);
    interrupts_on();
    relax();
    PX_CHECK_EQ(upcalls(), before + 4);
    interrupts_off();
    settle();
    PX_CHECK_EQ(close_port(port), i64{0});
}

void polling() {
    u32 port = bind_ipi(0);
    mask_port(port);
    const u64 due = system_time() + 20'000'000;
    abi::SchedPoll poll{handle(&port), 1, due};
    PX_CHECK_EQ(call(abi::SchedOp::poll, &poll), i64{0});
    PX_CHECK(system_time() + clock_slack >= due);  // nothing came: the whole timeout
    notify(port);
    poll.timeout = 0;  // for ever, but the port is pending
    PX_CHECK_EQ(call(abi::SchedOp::poll, &poll), i64{0});
    PX_CHECK_EQ(close_port(port), i64{0});
}

void bad_arguments() {
    PX_CHECK_EQ(notify(0), minus(Errno::einval));
    PX_CHECK_EQ(notify(~u32{0}), minus(Errno::einval));
    PX_CHECK_EQ(bind_ipi(1000), minus(Errno::enoent));
    PX_CHECK_EQ(bind_virq(static_cast<abi::Virq>(99), 0), minus(Errno::einval));
    PX_CHECK_EQ(bind_virq(abi::Virq::timer, 1000), minus(Errno::enoent));
    PX_CHECK_EQ(bind_interdomain(0x7000, 1), minus(Errno::esrch));
    PX_CHECK_EQ(bind_interdomain(abi::domid::self, 4000), minus(Errno::einval));

    const i64 timer = bind_virq(abi::Virq::timer, 0);
    PX_CHECK(timer > 0);
    PX_CHECK_EQ(bind_virq(abi::Virq::timer, 0), minus(Errno::eexist));
    abi::EvtchnBindVcpu bind{static_cast<u32>(timer), 0};
    PX_CHECK_EQ(call(abi::EvtchnOp::bind_vcpu, &bind), minus(Errno::einval));  // a per-vCPU VIRQ stays where it is
    PX_CHECK_EQ(close_port(timer), i64{0});
}

}  // namespace

void guest_main() {
    for (u64& word : shared_info().evtchn_mask) word = ~u64{0};
    enable_upcalls(vector);
    PX_PART(pairs());
    PX_PART(upcall_rules());
    PX_PART(polling());
    PX_PART(bad_arguments());
}

}  // namespace px::guest
