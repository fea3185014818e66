// What interrupts a vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/interrupts.hpp"

#include "arch/smp.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/hvm/vioapic.hpp"
#include "arch/x86/machine/smp.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "hypervisor/abi/sched.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {
namespace {

bool upcall_pending(Vcpu& vcpu) { return __atomic_load_n(&vcpu.info().evtchn_upcall_pending, __ATOMIC_ACQUIRE) != 0; }

bool upcall_by_domain_vector(Vcpu& vcpu) { return vcpu.arch.upcall_vector == 0 && vcpu.domain.arch.callback.via == Callback::Via::vector; }

bool is_contributory(u8 vector) {
    return vector == arch::exception::divide || (vector >= arch::exception::invalid_tss && vector <= arch::exception::general_protection);
}

void queue_exception(Vcpu& vcpu, Event event) {
    const Event& first = vcpu.arch.pending;
    if (first.kind == Event::Kind::exception) {
        const bool was_page_fault = first.vector == arch::exception::page_fault;
        if (first.vector == arch::exception::double_fault) {
            vcpu.domain.shutdown(static_cast<u8>(abi::ShutdownReason::crash));
            return;
        }
        if ((is_contributory(first.vector) && is_contributory(event.vector)) ||
            (was_page_fault && (is_contributory(event.vector) || event.vector == arch::exception::page_fault))) {
            event = {.kind = Event::Kind::exception, .vector = arch::exception::double_fault, .has_error_code = true};
        }
    }
    vcpu.arch.pending = event;
}

}  // namespace

Event next_direct_interrupt(Vcpu& vcpu) {
    if (vcpu.arch.nmi_pending) return {.kind = Event::Kind::nmi, .vector = 2};
    if (upcall_by_domain_vector(vcpu) && upcall_pending(vcpu)) {
        return {.kind = Event::Kind::external_interrupt, .vector = static_cast<u8>(vcpu.domain.arch.callback.number)};
    }
    return {};
}

Event next_interrupt(Vcpu& vcpu) {
    if (const Event direct = next_direct_interrupt(vcpu); direct.kind != Event::Kind::none) return direct;
    if (const auto vector = vcpu.arch.apic.deliverable()) return {.kind = Event::Kind::external_interrupt, .vector = *vector};
    return {};
}

bool another_waits(Vcpu& vcpu, const Event& taken) {
    const Event direct = next_direct_interrupt(vcpu);
    const bool same = direct.kind == taken.kind && direct.vector == taken.vector;
    return (direct.kind != Event::Kind::none && !same) || vcpu.arch.apic.deliverable();
}

void interrupt_taken(Vcpu& vcpu, const Event& event) {
    if (event.kind == Event::Kind::nmi) vcpu.arch.nmi_pending = false;
    else if (!(upcall_by_domain_vector(vcpu) && event.vector == vcpu.domain.arch.callback.number && upcall_pending(vcpu))) {
        vcpu.arch.apic.accept(event.vector);
    }
}

void inject_exception(Vcpu& vcpu, u8 vector) { queue_exception(vcpu, {.kind = Event::Kind::exception, .vector = vector}); }
void inject_exception(Vcpu& vcpu, u8 vector, u32 error_code) { queue_exception(vcpu, {Event::Kind::exception, vector, true, error_code}); }
void inject_page_fault(Vcpu& vcpu, u64 linear, u32 error_code) {
    queue_exception(vcpu, {Event::Kind::exception, arch::exception::page_fault, true, error_code, linear});
}

void set_upcall(Vcpu& vcpu) {
    if (vcpu.arch.upcall_vector != 0) return vcpu.arch.apic.request(vcpu.arch.upcall_vector, false);
    const Callback& callback = vcpu.domain.arch.callback;
    if (callback.via == Callback::Via::gsi && vcpu.id.raw == 0) {
        for (const auto& io_apic : vcpu.domain.arch.io_apics) io_apic->set_line(callback.number, true);
    }
    vcpu.kick();
}

bool deliverable(Vcpu& vcpu) {
    return vcpu.arch.pending.kind != Event::Kind::none || next_interrupt(vcpu).kind != Event::Kind::none ||
           vcpu.info().evtchn_upcall_pending != 0;
}

/// Whoever kicks has stored its reason before: where that is nothing but posted requests, the vCPU needn't leave its guest.
void kick(Vcpu& vcpu) {
    const CpuId cpu = vcpu.unit.cpu();
    if (cpu == this_cpu().id) return;
    if (vcpu.arch.apic.posted_edges_alone() && !may_have_direct_event(vcpu)) return arch::interrupt_cpu_for_posted(cpu);
    arch::interrupt_cpu(cpu);
}

}  // namespace px::hvm
