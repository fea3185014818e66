// Contract: what the pure part of PV asks of the machine and of the rest of x86. Tests answer it by themselves.
//
// pause_wanted()            a long operation should stop here and go on later
// tlb_clock()               the one clock of the machine
// cpus_of(domain)           CPUs whose TLB may hold translations of the domain's page tables
// cpus_of_vcpu(vcpu)        the same of one vCPU
// flush_tlb(cpus)           each forgets every translation, through TlbClock::flushing(); waits. No lock that IPI handlers take
// flush_page(cpus, linear)  each forgets what it knows of one page; waits
// flush_caches(everywhere)  WBINVD on this CPU or on all
// may_use_io(domain, mfn)   the domain may map this frame of device memory
// io_is_read_only(mfn)      device memory that nobody but the hypervisor may write (MSI-X tables, ECAM)
// has_devices(domain)       it may choose memory types and flush caches
// l1tf_safe_from(domain)    not-present entries of the domain may name addresses from here on, or 0; 0: it may name any [L1TF]
// fill_hypervisor_slots(l4) the hypervisor's own entries of a table that becomes an L4
// root_slots_changed(l4)    entries of an L4 in use changed: copies of it on CPUs are out of date (xpti)
// set_m2p(mfn, pfn)         the machine-to-physical table's entry
// guest_of(domain)          its PV part: of PV domains, and of others that may build them; else nullptr
// load_roots(vcpu)          the vCPU, current here, has other root tables
// unmap_ldt(vcpu)           no CPU reads the pages of the vCPU's LDT any more, until they are mapped anew; waits
// load_descriptors(vcpu)    the vCPU, current here, has another GDT or LDT
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/tlb_clock.hpp"
#include "hypervisor/base/types.hpp"

namespace px {
class Domain;
class Vcpu;
}  // namespace px

namespace px::pv {
class Guest;
struct VcpuMemory;
}  // namespace px::pv

namespace px::pv::machine {

bool pause_wanted();
TlbClock& tlb_clock();
CpuMask cpus_of(const Domain& domain);
CpuMask cpus_of_vcpu(const Vcpu& vcpu);
void flush_tlb(const CpuMask& cpus);
void flush_page(const CpuMask& cpus, u64 linear);
void flush_caches(bool everywhere);
bool may_use_io(const Domain& domain, Mfn mfn);
bool io_is_read_only(Mfn mfn);
bool has_devices(const Domain& domain);
u64 l1tf_safe_from(const Domain& domain);
void fill_hypervisor_slots(Mfn l4);
void root_slots_changed(Mfn l4);
void set_m2p(Mfn mfn, u64 pfn);
Guest* guest_of(const Domain& domain);
void load_roots(Vcpu& vcpu);
void unmap_ldt(Vcpu& vcpu);
void load_descriptors(Vcpu& vcpu);

}  // namespace px::pv::machine
