// INIT and startup IPIs, and the start states of vCPUs.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/startup.hpp"

#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/hvm/initial_context.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {
namespace {

constexpr u16 attributes_code_16 = 0x009b, attributes_data_16 = 0x0093;
constexpr u16 attributes_code_32 = 0x0c9b, attributes_data_32 = 0x0c93, attributes_tss_32 = 0x008b, attributes_ldt = 0x0082;

void set_data_segments(Vcpu& vcpu, const SegmentRegister& value) {
    for (const Segment which : {Segment::es, Segment::ss, Segment::ds, Segment::fs, Segment::gs}) {
        backend()->set_segment(vcpu, which, value);
    }
}

void reset_state(Vcpu& vcpu) {
    VcpuState& state = vcpu.arch;
    state.registers = {};
    state.registers.rflags = 2;
    state.control = {};
    state.pending = {};
    state.nmi_pending = false;
    state.star = state.lstar = state.cstar = state.sfmask = state.kernel_gs_base = 0;
    state.sysenter_cs = state.sysenter_esp = state.sysenter_eip = 0;
    state.pat = 0x0007040600070406;
    state.debug_address = {};
    state.dr6 = 0xffff0ff0;
    state.dr7 = 0x400;
    backend()->set_segment(vcpu, Segment::ldtr, {0, attributes_ldt, 0xffff, 0});
    backend()->set_segment(vcpu, Segment::tr, {0, attributes_tss_32, 0xffff, 0});
    backend()->set_gdtr(vcpu, {0, 0xffff});
    backend()->set_idtr(vcpu, {0, 0xffff});
}

}  // namespace

void init_vcpu(Vcpu& target) {
    target.halt(Vcpu::down);
    target.pause();
    target.arch.apic.reset(true);
    target.arch.waits_for_startup = true;
    target.unpause();
}

void startup_vcpu(Vcpu& target, u8 page) {
    if (!target.arch.waits_for_startup) return;
    target.pause();
    target.arch.waits_for_startup = false;
    reset_state(target);
    // A toolstack may have given the first vCPU another clock: all count in step.
    target.arch.tsc_offset = target.domain.vcpu(VcpuId{0})->arch.tsc_offset;
    backend()->set_segment(target, Segment::cs, {static_cast<u16>(page << 8), attributes_code_16, 0xffff, u64{page} << 12});
    set_data_segments(target, {0, attributes_data_16, 0xffff, 0});
    target.arch.control.cr0 = arch::cr0::et;
    target.arch.registers.rip = 0;
    backend()->control_changed(target);
    target.resume(Vcpu::blocked);
    target.resume(Vcpu::down);
    target.unpause();
}

void set_pvh_entry(Vcpu& vcpu, u32 entry, u32 start_info) {
    reset_state(vcpu);
    backend()->set_segment(vcpu, Segment::cs, {0, attributes_code_32, ~u32{0}, 0});
    set_data_segments(vcpu, {0, attributes_data_32, ~u32{0}, 0});
    backend()->set_segment(vcpu, Segment::tr, {0, attributes_tss_32, 0x67, 0});
    vcpu.arch.control.cr0 = arch::cr0::pe | arch::cr0::et;
    vcpu.arch.registers.rip = entry;
    vcpu.arch.registers.rbx = start_info;
    backend()->control_changed(vcpu);
}

void apply(Vcpu& vcpu, const InitialContext& context) {
    reset_state(vcpu);
    vcpu.arch.registers = context.registers;
    vcpu.arch.control = context.control;
    set_data_segments(vcpu, {.attributes = attributes_data_32, .limit = ~u32{0}});
    backend()->set_segment(vcpu, Segment::cs, context.cs);
    backend()->set_segment(vcpu, Segment::ds, context.ds);
    backend()->set_segment(vcpu, Segment::ss, context.ss);
    backend()->set_segment(vcpu, Segment::es, context.es);
    backend()->set_segment(vcpu, Segment::tr, context.tr);
    backend()->control_changed(vcpu);
    vcpu.arch.waits_for_startup = false;
}

}  // namespace px::hvm
