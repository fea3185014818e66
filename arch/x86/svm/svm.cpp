// The AMD-V back end: per-CPU set-up, a vCPU's control block, entry.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/svm/svm.hpp"

#include <algorithm>
#include <cstring>

#include "arch/smp.hpp"
#include "arch/x86/cpu/hidden_features.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/svm/nested_paging.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::svm {
namespace {

using detail::host_features;

constinit u64 all_ports_exit = 0;  ///< address of an I/O bitmap of ones
constexpr unsigned io_bitmap_order = 2, msr_bitmap_order = 1;
/// So many PAUSEs exit; where there is a threshold, only those that are no further apart than so many cycles.
/// [amd/apm2 15.14.4]
constexpr u16 pauses_before_exit = 4000, pause_loop_gap = 128;

static_assert(offsetof(hvm::GuestRegisters, rcx) == 8 && offsetof(hvm::GuestRegisters, rbp) == 40);
static_assert(offsetof(hvm::GuestRegisters, rsi) == 48 && offsetof(hvm::GuestRegisters, r8) == 64);
extern "C" void svm_loop(Vcpu* vcpu, hvm::GuestRegisters* registers);

Vmcb& vmcb_of(const Vcpu& vcpu) { return *vcpu.arch.svm->vmcb; }

VmcbSegment& place_of(Vmcb& vmcb, hvm::Segment which) {
    switch (which) {
    case hvm::Segment::es: return vmcb.es;
    case hvm::Segment::cs: return vmcb.cs;
    case hvm::Segment::ss: return vmcb.ss;
    case hvm::Segment::ds: return vmcb.ds;
    case hvm::Segment::fs: return vmcb.fs;
    case hvm::Segment::gs: return vmcb.gs;
    case hvm::Segment::ldtr: return vmcb.ldtr;
    case hvm::Segment::tr: return vmcb.tr;
    }
    __builtin_unreachable();
}

/// The VMCB's hidden state is current, to be read.
void save_hidden_state(const Vcpu& vcpu) {
    VcpuSvm& svm = *vcpu.arch.svm;
    if (svm.hidden_state != HiddenState::on_cpu) return;
    asm volatile("vmsave %0" ::"a"(svm.vmcb_address) : "memory");
    svm.hidden_state = HiddenState::both;
}
/// The VMCB's hidden state is current and alone counts, for the caller changes it or takes the CPU away.
void take_hidden_state(const Vcpu& vcpu) {
    save_hidden_state(vcpu);
    vcpu.arch.svm->hidden_state = HiddenState::in_vmcb;
}
void load_hidden_state(const Vcpu& vcpu) {
    VcpuSvm& svm = *vcpu.arch.svm;
    if (svm.hidden_state == HiddenState::in_vmcb) asm volatile("vmload %0" ::"a"(svm.vmcb_address) : "memory");
    svm.hidden_state = HiddenState::on_cpu;
}

/// MSRs that the guest owns while it runs: VMLOAD and VMSAVE switch them.
constexpr u32 guest_owned_msrs[] = {arch::msr::fs_base,      arch::msr::gs_base,     arch::msr::kernel_gs_base, arch::msr::star,
                                    arch::msr::lstar,        arch::msr::cstar,       arch::msr::sfmask,         arch::msr::sysenter_cs,
                                    arch::msr::sysenter_esp, arch::msr::sysenter_eip};

void set_up_controls(Vcpu& vcpu) {
    Vmcb& vmcb = vmcb_of(vcpu);
    using namespace intercept3;
    vmcb.intercepts3 = intr | nmi | smi | init | rdpmc | cpuid | invd | hlt | invlpga | io | msr | task_switch | shutdown;
    vmcb.intercepts4 = intercept4::vmrun | intercept4::vmmcall | intercept4::vmload | intercept4::vmsave | intercept4::stgi |
                       intercept4::clgi | intercept4::skinit | intercept4::monitor | intercept4::mwait | intercept4::xsetbv |
                       intercept4::rdpru;
    if (!vcpu.domain.settings.hardware) vmcb.intercepts4 |= intercept4::wbinvd;
    if (host_features.pause_filter) {
        vmcb.intercepts3 |= pause;
        vmcb.pause_count = pauses_before_exit;
        if (host_features.pause_threshold) vmcb.pause_threshold = pause_loop_gap;
    }
    vmcb.cr_write = 1u << 4;                // CR4: the guest's idea of it is checked against its CPU policy
    vmcb.dr_read = vmcb.dr_write = 0xffff;  // until it uses them: DR0-3 are not in the VMCB
    vmcb.exceptions = 1u << arch::exception::machine_check;
    vmcb.io_bitmap =
        vcpu.domain.arch.io_bitmap != nullptr ? to_paddr(to_mfn(arch::to_physical(vcpu.domain.arch.io_bitmap))).raw : all_ports_exit;
    vmcb.msr_bitmap = arch::to_physical(vcpu.arch.svm->msr_bitmap).raw;
    vmcb.interrupt_control = virtual_interrupt::masking;
    // Its global interrupt flag is its own, and always set: STGI and CLGI stay #UD.
    if (host_features.virtual_gif) vmcb.interrupt_control |= virtual_interrupt::gif | virtual_interrupt::gif_enable;
    vmcb.nested_enable = 1;
    vmcb.nested_cr3 = to_paddr(vcpu.domain.physmap.root()).raw;
    vmcb.pat = 0x0007040600070406;
}

/// As after RESET [amd/apm2 14.1.3], but for what a builder sets.
void set_up_state(Vcpu& vcpu) {
    Vmcb& vmcb = vmcb_of(vcpu);
    const VmcbSegment data{0, 0x93, 0xffff, 0};
    vmcb.es = vmcb.ss = vmcb.ds = vmcb.fs = vmcb.gs = data;
    vmcb.cs = {0xf000, 0x9b, 0xffff, 0xffff0000};
    vmcb.ldtr = {0, 0x82, 0xffff, 0};
    vmcb.tr = {0, 0x8b, 0xffff, 0};
    vmcb.gdtr = vmcb.idtr = {0, 0, 0xffff, 0};
    vmcb.dr6 = 0xffff0ff0;
    vmcb.dr7 = 0x400;
    vcpu.arch.registers.rflags = 2;
    vcpu.arch.registers.rip = 0xfff0;
}

/// CR8 lives in the VMCB while the guest runs, else in the virtual APIC: of its register, bits 4…7.
u8 task_priority_class(const Vcpu& vcpu) { return vcpu.arch.apic.task_priority() >> 4; }
u8 virtual_task_priority(const Vmcb& vmcb) { return static_cast<u8>(vmcb.interrupt_control); }

/// The VMCB's ASID holds no translation that the guest may not use any more.
bool asid_is_good(const Vcpu& vcpu, const VcpuSvm& svm, const PerCpu& cpu) {
    return vcpu.arch.last_cpu == cpu.id.raw && cpu.arch.tlb_tags.holds(svm.asid) &&
           svm.physmap_generation == vcpu.domain.arch.physmap_generation.load(std::memory_order_acquire);
}

void give_asid(Vcpu& vcpu, PerCpu& cpu) {
    VcpuSvm& svm = *vcpu.arch.svm;
    Vmcb& vmcb = *svm.vmcb;
    const bool same_tag = vcpu.arch.last_cpu == cpu.id.raw && cpu.arch.tlb_tags.holds(svm.asid);
    svm.physmap_generation = vcpu.domain.arch.physmap_generation.load(std::memory_order_acquire);
    if (vcpu.arch.last_cpu != cpu.id.raw) vmcb.clean_bits = 0;  // what is kept of a VMCB is another CPU's [amd/apm2 15.15.1]
    if (same_tag && features().flush_by_asid) {
        vmcb.tlb_control = TlbControl::flush_asid;
        return;
    }
    const hvm::TlbTags::Given given = cpu.arch.tlb_tags.give();
    if (given.anew) vmcb.tlb_control = TlbControl::flush_all;
    svm.asid = given.tag;
    vmcb.asid = given.tag.number;
    vmcb.clean_bits &= ~clean::asid;
    vcpu.arch.last_cpu = cpu.id.raw;
}

/// Most entries follow an exit that changed nothing but registers; the others come here.
bool entry_needs_work(Vcpu& vcpu, const VcpuSvm& svm, const Vmcb& vmcb, const PerCpu& cpu) {
    const bool watches = (vmcb.intercepts3 & intercept3::vintr) != 0 || (vmcb.cr_write & 1u << 8) != 0;
    return watches || hvm::may_have_event(vcpu) || svm.hidden_state != HiddenState::on_cpu || !asid_is_good(vcpu, svm, cpu) ||
           virtual_task_priority(vmcb) != task_priority_class(vcpu);
}

u64 finish_entry(const hvm::GuestRegisters& registers, const VcpuSvm& svm, Vmcb& vmcb) {
    vmcb.rax = registers.rax;
    vmcb.rsp = registers.rsp;
    vmcb.rip = registers.rip;
    vmcb.rflags = registers.rflags;
    return svm.vmcb_address;
}

[[gnu::noinline]] u64 enter_with_work(Vcpu& vcpu, PerCpu& cpu) {
    VcpuSvm& svm = *vcpu.arch.svm;
    Vmcb& vmcb = *svm.vmcb;
    vmcb.interrupt_control = (vmcb.interrupt_control & ~virtual_interrupt::tpr_mask) | task_priority_class(vcpu);
    vmcb.clean_bits &= ~clean::tpr;
    choose_event(vcpu);
    load_hidden_state(vcpu);
    if (!asid_is_good(vcpu, svm, cpu)) give_asid(vcpu, cpu);
    return finish_entry(vcpu.arch.registers, svm, vmcb);
}

/// A virtual interrupt that doesn't stand for the window: the exit came before it, or (QEMU 7.2) interrupted its delivery.
bool interrupt_was_missed(const Vmcb& vmcb) {
    return (vmcb.interrupt_control & virtual_interrupt::pending) != 0 && (vmcb.intercepts3 & intercept3::vintr) == 0;
}

/// An event is to be delivered again.
[[gnu::noinline]] void handle_exit_and_repeat(Vcpu& vcpu, u64 interrupted) {
    if (interrupt_was_missed(*vcpu.arch.svm->vmcb)) withdraw_interrupt(vcpu);
    else repeat_event(vcpu, interrupted);
    handle_exit(vcpu);
}

}  // namespace

constinit Features detail::host_features;

bool Svm::probe() {
    if (arch::cpuid(0x80000000).eax < 0x8000000a || (arch::host_cpuid(0x80000001).ecx >> 2 & 1) == 0) return false;
    const auto leaf = arch::host_cpuid(0x8000000a);
    host_features = Features::decode(leaf.ebx, leaf.edx, arch::host_cpuid(0x80000001).edx);
    if ((arch::cpuid(1).ecx >> 31 & 1) != 0) {
        const auto below = arch::cpuid(0x40000000);
        host_features.injects_twice = is_qemu(below.ebx, below.ecx, below.edx);
    }
    if ((arch::read_msr(arch::msr::vm_cr) >> 4 & 1) != 0) {
        log_warning("AMD-V is locked off by the firmware (VM_CR.SVMDIS)");
        return false;
    }
    if (!host_features.nested_paging || host_features.asids < 2) {
        log_warning("AMD-V without nested paging can't be used");
        return false;
    }
    hvm::PhysmapPolicy::choose(nested_paging, host_features.gigabyte_pages ? 18 : 9);
    const auto ones = allocate_frames(io_bitmap_order);
    if (!ones) panic("no memory for the I/O bitmap");
    std::memset(to_virtual(*ones), 0xff, page_size << io_bitmap_order);
    all_ports_exit = to_paddr(*ones).raw;
    log_info("AMD-V: nested paging, {} ASIDs{}{}{}{}{}{}", host_features.asids, host_features.next_rip ? ", next RIP" : "",
             host_features.flush_by_asid ? ", flush by ASID" : "", host_features.decode_assists ? ", decode assists" : "",
             host_features.clean_bits ? ", clean bits" : "", host_features.virtual_gif ? ", virtual GIF" : "",
             host_features.injects_twice ? "; QEMU's: interrupts go as virtual ones" : "");
    return true;
}

Result<> Svm::enable_cpu() {
    PerCpu& cpu = this_cpu();
    cpu.arch.host_save = TRY(allocate_frames(0));
    cpu.arch.host_vmcb = TRY(allocate_frames(0));
    arch::write_msr(arch::msr::efer, arch::read_msr(arch::msr::efer) | arch::efer::svme);
    arch::write_msr(arch::msr::vm_hsave_pa, to_paddr(cpu.arch.host_save).raw);
    asm volatile("vmsave %0" ::"a"(to_paddr(cpu.arch.host_vmcb).raw) : "memory");
    cpu.arch.tlb_tags.begin(host_features.asids);
    return {};
}

Result<> Svm::create(Vcpu& vcpu) {
    vcpu.arch.svm = TRY(make<VcpuSvm>());
    VcpuSvm& svm = *vcpu.arch.svm;
    const Mfn vmcb = TRY(allocate_frames(0));
    svm.vmcb = static_cast<Vmcb*>(to_virtual(vmcb));
    svm.vmcb_address = to_paddr(vmcb).raw;
    svm.msr_bitmap = static_cast<MsrBitmap*>(to_virtual(TRY(allocate_frames(msr_bitmap_order))));
    std::memset(svm.msr_bitmap, 0xff, sizeof(MsrBitmap));
    for (const u32 index : guest_owned_msrs) svm.msr_bitmap->set(index, false, false);
    svm.clean_bits = host_features.clean_bits ? clean::all : 0;
    set_up_controls(vcpu);
    set_up_state(vcpu);
    control_changed(vcpu);
    return {};
}

void Svm::destroy(Vcpu& vcpu) {
    if (!vcpu.arch.svm) return;
    VcpuSvm& svm = *vcpu.arch.svm;
    if (svm.vmcb != nullptr) free_frames(to_mfn(Paddr{svm.vmcb_address}), 0);
    if (svm.msr_bitmap != nullptr) free_frames(to_mfn(arch::to_physical(svm.msr_bitmap)), msr_bitmap_order);
    vcpu.arch.svm.reset();
}

void Svm::load(Vcpu& vcpu) {
    // While guest state is loaded, TR is the guest's: emergency stacks can't be used.
    arch::use_emergency_stacks(false);
    load_hidden_state(vcpu);
}

void Svm::save(Vcpu& vcpu) {
    take_hidden_state(vcpu);
    if (vcpu.arch.svm->debug_registers_loaded) {
        arch::read_debug_addresses(vcpu.arch.debug_address);
        vcpu.arch.svm->debug_registers_loaded = false;
        vmcb_of(vcpu).dr_read = vmcb_of(vcpu).dr_write = 0xffff;
        vmcb_of(vcpu).clean_bits = 0;
    }
    asm volatile("vmload %0" ::"a"(to_paddr(this_cpu().arch.host_vmcb).raw) : "memory");
    arch::use_emergency_stacks(true);
}

void Svm::run(Vcpu& vcpu) { svm_loop(&vcpu, &vcpu.arch.registers); }

/// Everything up to VMRUN: the VMCB's physical address with GIF off; or 0 with GIF on, when the vCPU isn't to be entered now.
///
/// With GIF off, whoever has something for this vCPU either stored it before our looks below, or the interrupt that it
/// sends afterwards is held back and ends the guest's run at once. switch_in()'s locked operation orders these looks
/// behind the store by which others know that the vCPU is on this CPU.
extern "C" u64 svm_before_entry(Vcpu* entered) {
    Vcpu& vcpu = *entered;
    PerCpu& cpu = this_cpu();
    asm volatile("clgi" ::: "memory");
    if (cpu.softirqs.load(std::memory_order_relaxed) != 0 || !vcpu.is_runnable()) [[unlikely]] {
        asm volatile("stgi" ::: "memory");
        return 0;
    }
    VcpuSvm& svm = *vcpu.arch.svm;
    Vmcb& vmcb = *svm.vmcb;
    if (entry_needs_work(vcpu, svm, vmcb, cpu)) [[unlikely]]
        return enter_with_work(vcpu, cpu);
    return finish_entry(vcpu.arch.registers, svm, vmcb);
}

/// Everything after #VMEXIT; called with GIF off.
extern "C" void svm_after_exit(Vcpu* left) {
    Vcpu& vcpu = *left;
    VcpuSvm& svm = *vcpu.arch.svm;
    Vmcb& vmcb = *svm.vmcb;
    hvm::GuestRegisters& registers = vcpu.arch.registers;
    registers.rax = vmcb.rax;
    registers.rsp = vmcb.rsp;
    registers.rip = vmcb.rip;
    registers.rflags = vmcb.rflags;
    vcpu.arch.control_is_current = false;
    vmcb.clean_bits = svm.clean_bits;
    vmcb.tlb_control = TlbControl::none;
    vmcb.event_injection = 0;
    asm volatile("stgi" ::: "memory");
    if (virtual_task_priority(vmcb) != task_priority_class(vcpu)) {
        vcpu.arch.apic.set_task_priority(static_cast<u8>(virtual_task_priority(vmcb) << 4));
    }
    const u64 interrupted = vmcb.exit_interrupt_info;
    if ((interrupted & injection::valid) != 0 || interrupt_was_missed(vmcb)) [[unlikely]]
        return handle_exit_and_repeat(vcpu, interrupted);
    handle_exit(vcpu);
}

hvm::SegmentRegister Svm::segment(const Vcpu& vcpu, hvm::Segment which) const {
    if (which >= hvm::Segment::fs) save_hidden_state(vcpu);
    const VmcbSegment& from = place_of(vmcb_of(vcpu), which);
    return {from.selector, from.attributes, from.limit, from.base};
}

void Svm::set_segment(Vcpu& vcpu, hvm::Segment which, const hvm::SegmentRegister& value) {
    if (which >= hvm::Segment::fs) take_hidden_state(vcpu);
    place_of(vmcb_of(vcpu), which) = {value.selector, value.attributes, value.limit, value.base};
    if (which == hvm::Segment::ss) vmcb_of(vcpu).cpl = static_cast<u8>(value.dpl());
    vmcb_of(vcpu).clean_bits &= ~clean::segments;
}

hvm::TableRegister Svm::gdtr(const Vcpu& vcpu) const { return {vmcb_of(vcpu).gdtr.base, static_cast<u16>(vmcb_of(vcpu).gdtr.limit)}; }
hvm::TableRegister Svm::idtr(const Vcpu& vcpu) const { return {vmcb_of(vcpu).idtr.base, static_cast<u16>(vmcb_of(vcpu).idtr.limit)}; }
void Svm::set_gdtr(Vcpu& vcpu, const hvm::TableRegister& value) {
    vmcb_of(vcpu).gdtr = {0, 0, value.limit, value.base};
    vmcb_of(vcpu).clean_bits &= ~clean::tables;
}
void Svm::set_idtr(Vcpu& vcpu, const hvm::TableRegister& value) {
    vmcb_of(vcpu).idtr = {0, 0, value.limit, value.base};
    vmcb_of(vcpu).clean_bits &= ~clean::tables;
}

void Svm::control_changed(Vcpu& vcpu) {
    Vmcb& vmcb = vmcb_of(vcpu);
    const hvm::VcpuState& state = vcpu.arch;
    take_hidden_state(vcpu);
    vmcb.cr0 = state.control.cr0;
    vmcb.cr2 = state.control.cr2;
    vmcb.cr3 = state.control.cr3;
    vmcb.cr4 = state.control.cr4;
    vmcb.efer = state.control.efer | arch::efer::svme;
    vmcb.pat = state.pat;
    vmcb.dr6 = state.dr6;
    vmcb.dr7 = state.dr7;
    vmcb.tsc_offset = state.tsc_offset;
    const bool emulated_tsc = !vcpu.domain.arch.tsc_native;
    vmcb.intercepts3 = emulated_tsc ? vmcb.intercepts3 | intercept3::rdtsc : vmcb.intercepts3 & ~u32{intercept3::rdtsc};
    vmcb.intercepts4 = emulated_tsc ? vmcb.intercepts4 | intercept4::rdtscp : vmcb.intercepts4 & ~u32{intercept4::rdtscp};
    vmcb.star = state.star;
    vmcb.lstar = state.lstar;
    vmcb.cstar = state.cstar;
    vmcb.sfmask = state.sfmask;
    vmcb.kernel_gs_base = state.kernel_gs_base;
    vmcb.sysenter_cs = state.sysenter_cs;
    vmcb.sysenter_esp = state.sysenter_esp;
    vmcb.sysenter_eip = state.sysenter_eip;
    vmcb.clean_bits = 0;
    vcpu.arch.control_is_current = true;
}

void Svm::read_control(Vcpu& vcpu) {
    const Vmcb& vmcb = vmcb_of(vcpu);
    vcpu.arch.control = {vmcb.cr0, vmcb.cr2, vmcb.cr3, vmcb.cr4, vmcb.efer & ~arch::efer::svme};
    vcpu.arch.control_is_current = true;
}

void Svm::synchronise(Vcpu& vcpu) {
    save_hidden_state(vcpu);
    const Vmcb& vmcb = vmcb_of(vcpu);
    hvm::VcpuState& state = vcpu.arch;
    read_control(vcpu);
    state.pat = vmcb.pat;
    state.dr6 = vmcb.dr6;
    state.dr7 = vmcb.dr7;
    state.star = vmcb.star;
    state.lstar = vmcb.lstar;
    state.cstar = vmcb.cstar;
    state.sfmask = vmcb.sfmask;
    state.kernel_gs_base = vmcb.kernel_gs_base;
    state.sysenter_cs = vmcb.sysenter_cs;
    state.sysenter_esp = vmcb.sysenter_esp;
    state.sysenter_eip = vmcb.sysenter_eip;
}

unsigned Svm::privilege(const Vcpu& vcpu) const { return vmcb_of(vcpu).cpl; }

bool Svm::interrupts_open(const Vcpu& vcpu) const {
    constexpr u64 interrupt_flag = 1u << 9;
    return (vcpu.arch.registers.rflags & interrupt_flag) != 0 && (vmcb_of(vcpu).interrupt_shadow & 1) == 0;
}

void Svm::intercept_msr(Vcpu& vcpu, u32 index, bool read, bool write) {
    vcpu.arch.svm->msr_bitmap->set(index, read, write);
    vmcb_of(vcpu).clean_bits &= ~clean::io_msr;
}

std::span<const u8> Svm::fetched_bytes(const Vcpu& vcpu) const {
    const Vmcb& vmcb = vmcb_of(vcpu);
    if (!host_features.decode_assists || Exit{vmcb.exit_code} != Exit::nested_page_fault) return {};
    return std::span(vmcb.fetched).first(std::min<usize>(vmcb.fetched_count, sizeof vmcb.fetched));
}

void Svm::flush_physmap(Domain& domain) {
    // Whoever enters from now on sees the new generation; whoever is inside leaves before the call returns.
    domain.arch.physmap_generation.fetch_add(1, std::memory_order_acq_rel);
    arch::call_on(
        domain.arch.running_on.snapshot(), [](void*) {}, nullptr);
}

}  // namespace px::svm
