// Event channels; see events.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/events.hpp"

#include "hypervisor/abi/x86/cpuid.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/smp.hpp"

namespace px::guest {

namespace {

constinit std::atomic<u32> upcall_count{0};
using Function = void (*)();
constinit Function on_upcall = nullptr;

}  // namespace

void enable_upcalls(u8 vector, void (*also)()) {
    on_upcall = also;
    set_handler(vector, [](Frame&) {
        ack_upcall(cpu_number());  // the upcall is raised again as long as this is set
        ++upcall_count;
        if (on_upcall) on_upcall();
    });
    abi::HvmParamArg param{abi::domid::self, 0, static_cast<u32>(abi::HvmParam::callback_irq),
                           u64{static_cast<u8>(abi::HvmCallbackType::vector)} << 56 | vector};
    if (call(abi::HvmOp::set_param, &param)) give_up("the callback vector was refused");
}

u32 upcalls() { return upcall_count; }

i64 bind_ipi(unsigned vcpu) {
    abi::EvtchnBindIpi bind{vcpu, 0};
    const i64 error = call(abi::EvtchnOp::bind_ipi, &bind);
    return error ? error : bind.port;
}

i64 bind_virq(abi::Virq virq, unsigned vcpu) {
    abi::EvtchnBindVirq bind{static_cast<u32>(virq), vcpu, 0};
    const i64 error = call(abi::EvtchnOp::bind_virq, &bind);
    return error ? error : bind.port;
}

i64 alloc_unbound(u16 remote) {
    abi::EvtchnAllocUnbound alloc{abi::domid::self, remote, 0};
    const i64 error = call(abi::EvtchnOp::alloc_unbound, &alloc);
    return error ? error : alloc.port;
}

i64 bind_interdomain(u16 remote, u32 remote_port) {
    abi::EvtchnBindInterdomain bind{remote, remote_port, 0};
    const i64 error = call(abi::EvtchnOp::bind_interdomain, &bind);
    return error ? error : bind.local_port;
}

i64 close_port(u32 port) {
    abi::EvtchnClose close{port};
    return call(abi::EvtchnOp::close, &close);
}

i64 unmask_port(u32 port) {
    abi::EvtchnUnmask unmask{port};
    return call(abi::EvtchnOp::unmask, &unmask);
}

abi::EvtchnStatus port_status(u32 port) {
    abi::EvtchnStatus status{};
    status.dom = abi::domid::self;
    status.port = port;
    if (call(abi::EvtchnOp::status, &status)) status.status = ~u32{0};
    return status;
}

u16 own_domid() {
    const CpuidResult r = cpuid(hypervisor_leaf() + 4);
    if (!(r.eax & abi::x86::xen_cpuid::hvm_domid_present)) give_up("CPUID does not tell the domain's number");
    return static_cast<u16>(r.ecx);
}

}  // namespace px::guest
