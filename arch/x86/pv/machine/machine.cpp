// What the pure part of PV asks of the machine, on the machine.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine.hpp"

#include "arch/smp.hpp"
#include "arch/stale_frames.hpp"
#include "arch/x86/cpu_policy/cpu_policy.hpp"
#include "arch/x86/dom0/pv_devices.hpp"
#include "arch/x86/mm/machine_to_physical.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "arch/x86/pv/machine/address_space.hpp"
#include "arch/x86/pv/machine/control.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::pv {
namespace {

constinit TlbClock the_clock;

bool is_current(const Vcpu& vcpu) { return this_cpu().current == &vcpu; }

/// The processor looks through not-present entries at what its L1 cache holds [L1TF].
bool looks_through_entries() {
    constexpr u32 genuine_intel = 0x756e6547;
    constexpr u64 rdcl_no = 1;
    const hvm::CpuPolicy& host = hvm::host_policy();
    return host.get(0).ebx == genuine_intel && (host.arch_capabilities & rdcl_no) == 0;
}

constexpr unsigned m2p_slot = first_hypervisor_slot;

void set_m2p_slot(const Frame& root, u64 entry) {
    __atomic_store_n(&arch::NativePaging::entries(mfn_of(root))[m2p_slot], entry, __ATOMIC_RELAXED);
}

/// Of a domain that asked for m2p_strict: the table is in its kernels' address spaces only. It isn't global: the change of mode flushes it.
void hide_m2p_from_users(const VcpuMemory& memory) {
    if (memory.user_root != nullptr) set_m2p_slot(*memory.user_root, 0);
    if (memory.kernel_root != nullptr) set_m2p_slot(*memory.kernel_root, arch::NativePaging::entries(arch::address_space_root())[m2p_slot]);
}

}  // namespace

void flush_this_cpu() {
    the_clock.flushing(this_cpu().id, [] {
        const u64 cr4 = arch::read_cr<4>();
        arch::write_cr<4>(cr4 & ~arch::cr4::pge);
        arch::write_cr<4>(cr4);
    });
}

void leave_address_space() {
    arch::write_cr<3>(to_paddr(arch::address_space_root()).raw);
    flush_this_cpu();
}

namespace machine {

bool pause_wanted() { return preemption_pending(); }
TlbClock& tlb_clock() { return the_clock; }

CpuMask cpus_of(const Domain& domain) { return domain.arch.running_on.snapshot(); }
CpuMask cpus_of_vcpu(const Vcpu& vcpu) { return vcpu.unit.on_cpu() ? CpuMask::of(vcpu.unit.cpu()) & cpus_of(vcpu.domain) : CpuMask{}; }

void flush_tlb(const CpuMask& cpus) {
    if (cpus.has(this_cpu().id)) flush_this_cpu();
    arch::call_on(
        cpus, [](void*) { flush_this_cpu(); }, nullptr);
}

void flush_page(const CpuMask& cpus, u64 linear) {
    if (cpus.has(this_cpu().id)) arch::invalidate_page(reinterpret_cast<void*>(linear));
    arch::call_on(
        cpus, [](void* page) { arch::invalidate_page(page); }, reinterpret_cast<void*>(linear));
}

void flush_caches(bool everywhere) {
    if (everywhere)
        arch::call_on(
            CpuMask::first_n(online_cpus()),
            [](void*) {
                asm volatile("wbinvd" ::: "memory");
            },
            nullptr);
    asm volatile("wbinvd" ::: "memory");
}

bool may_use_io(const Domain& domain, Mfn mfn) {
    static const unsigned address_bits = hvm::paging_limits(hvm::host_policy()).physical_bits;
    return mfn.raw >> (address_bits - page_shift) == 0 && !has_frame(mfn) && dom0::may_map(domain, mfn);
}
bool io_is_read_only(Mfn mfn) { return dom0::is_read_only(mfn); }
bool has_devices(const Domain& domain) { return domain.settings.hardware; }

/// The hardware domain is trusted with it, as in 4.17.
u64 l1tf_safe_from(const Domain& domain) {
    static const bool vulnerable = looks_through_entries();
    return vulnerable && !domain.settings.hardware ? arch::m2p_frames() << page_shift : 0;
}

void fill_hypervisor_slots(Mfn l4) {
    const u64* const from = arch::NativePaging::entries(arch::address_space_root());
    u64* const to = arch::NativePaging::entries(l4);
    for (unsigned slot = first_hypervisor_slot; slot < end_hypervisor_slots; ++slot) to[slot] = from[slot];
}
void root_slots_changed(Mfn) {}

void set_m2p(Mfn mfn, u64 pfn) { arch::set_machine_to_physical(mfn, pfn); }

Guest* guest_of(const Domain& domain) { return domain.arch.pv != nullptr ? &domain.arch.pv->guest : nullptr; }

void load_roots(Vcpu& vcpu) {
    if (assisted(vcpu, abi::VmassistType::m2p_strict)) hide_m2p_from_users(state_of(vcpu).memory);
    if (!is_current(vcpu)) return;
    // Pages of users are global, and other page tables have others there.
    load_root(state_of(vcpu));
    flush_this_cpu();
}

void unmap_ldt(Vcpu& vcpu) {
    const CpuMask cpus = cpus_of_vcpu(vcpu);
    // Another vCPU may be there meanwhile: its pages are mapped anew when they fault.
    if (cpus.has(this_cpu().id)) {
        const arch::IrqState interrupts = arch::irq_save();
        unload_ldt_pages();
        arch::irq_restore(interrupts);
    }
    arch::call_on(
        cpus, [](void*) { unload_ldt_pages(); }, nullptr);
}

void load_descriptors(Vcpu& vcpu) {
    if (is_current(vcpu)) load_descriptor_tables(state_of(vcpu));
}

}  // namespace machine
}  // namespace px::pv

namespace px::arch {

u32 freed_stamp(const Domain&) { return pv::any_domain_existed() ? pv::machine::tlb_clock().stamp() : 0; }
void flush_stale(u32 stamp) {
    const CpuMask stale = pv::machine::tlb_clock().stale(CpuMask::first_n(online_cpus()), stamp);
    if (!stale.empty()) pv::machine::flush_tlb(stale);
}

}  // namespace px::arch
