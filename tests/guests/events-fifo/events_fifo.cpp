// FIFO event channels: control block, event words, queues by priority, the link protocol.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/events.hpp"
#include "tests/guests/common/guest.hpp"

namespace px::guest {

namespace {

namespace fifo = abi::evtchn_fifo;
constexpr u32 pending = 1u << fifo::pending_bit, masked = 1u << fifo::masked_bit, linked = 1u << fifo::linked_bit;

alignas(page_size) constinit u8 control_page[page_size]{};
alignas(page_size) constinit u32 words[page_size / 4]{};

std::atomic_ref<u32> word(u32 port) { return std::atomic_ref{words[port]}; }
abi::EvtchnFifoControlBlock& control() { return *reinterpret_cast<abi::EvtchnFifoControlBlock*>(control_page); }

/// Takes the first port of a queue as a guest does: follow the head's link, then clear LINKED. 0 when empty.
u32 take(unsigned queue) {
    u32& head = control().head[queue];
    const u32 port = head;
    if (port == 0) return 0;
    const u32 old = word(port).fetch_and(~(linked | fifo::link_mask));
    head = old & fifo::link_mask;
    if (head == 0) std::atomic_ref{control().ready}.fetch_and(~(1u << queue));
    return port;
}

u32 open_port(u32 priority) {
    const i64 port = bind_ipi(0);
    PX_CHECK(port > 0);
    abi::EvtchnSetPriority set{static_cast<u32>(port), priority};
    PX_CHECK_EQ(call(abi::EvtchnOp::set_priority, &set), i64{0});
    word(port).fetch_and(~masked);
    return port;
}

void set_up() {
    abi::EvtchnInitControl init{};
    init.control_gfn = frame_of(control_page);
    init.offset = 4;
    PX_CHECK_EQ(call(abi::EvtchnOp::init_control, &init), minus(Errno::einval));  // not a multiple of 8
    init.offset = page_size - 8;
    PX_CHECK_EQ(call(abi::EvtchnOp::init_control, &init), minus(Errno::einval));  // leaves the page
    init.offset = 0;
    init.vcpu = 1000;
    PX_CHECK_EQ(call(abi::EvtchnOp::init_control, &init), minus(Errno::enoent));
    init.vcpu = 0;
    PX_CHECK_EQ(call(abi::EvtchnOp::init_control, &init), i64{0});
    PX_CHECK_EQ(u32{init.link_bits}, u32{fifo::link_bits});

    for (u32& w : words) w = masked;
    abi::EvtchnExpandArray expand{frame_of(words)};
    PX_CHECK_EQ(call(abi::EvtchnOp::expand_array, &expand), i64{0});
}

void priorities() {
    const u32 low = open_port(12), normal = open_port(fifo::priority_default), high = open_port(1), high_too = open_port(1);
    for (u32 port : {low, normal, high, high_too}) PX_CHECK_EQ(notify(port), i64{0});
    PX_CHECK_EQ(control().ready, 1u << 12 | 1u << 7 | 1u << 1);
    PX_CHECK(word(high).load() & pending);
    PX_CHECK(word(high).load() & linked);
    PX_CHECK_EQ(word(high).load() & fifo::link_mask, high_too);  // first in, first out
    PX_CHECK_EQ(take(1), high);
    PX_CHECK_EQ(take(1), high_too);
    PX_CHECK_EQ(take(1), u32{0});
    PX_CHECK_EQ(take(7), normal);
    PX_CHECK_EQ(take(12), low);
    PX_CHECK_EQ(control().ready, u32{0});

    word(high).fetch_and(~pending);
    word(high).fetch_or(masked);
    notify(high);
    PX_CHECK((word(high).load() & (pending | linked)) == pending);  // masked: pending, in no queue
    PX_CHECK_EQ(unmask_port(high), i64{0});
    PX_CHECK_EQ(word(high).load() & (pending | masked | linked), pending | linked);
    PX_CHECK_EQ(take(1), high);

    abi::EvtchnSetPriority bad{high, fifo::priority_min + 1};
    PX_CHECK_EQ(call(abi::EvtchnOp::set_priority, &bad), minus(Errno::einval));
    for (u32 port : {low, normal, high, high_too}) PX_CHECK_EQ(close_port(port), i64{0});
}

void many_ports() {
    constexpr u32 count = 500;
    static u32 ports[count];
    for (u32& port : ports) port = open_port(fifo::priority_default);
    for (u32 port : ports) notify(port);
    bool in_order = true;
    for (u32 port : ports) in_order &= take(fifo::priority_default) == port;
    PX_CHECK(in_order);
    for (u32 port : ports) close_port(port);
}

}  // namespace

void guest_main() {
    enable_upcalls(0x30);
    PX_PART(set_up());
    PX_PART(priorities());
    PX_PART(many_ports());

    const u32 port = open_port(fifo::priority_default);
    interrupts_on();
    const u32 before = upcalls();
    notify(port);
    PX_CHECK_EQ(upcalls(), before + 1);
    interrupts_off();
}

}  // namespace px::guest
