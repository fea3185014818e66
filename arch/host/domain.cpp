// The build host as an architecture: domains and vCPUs.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/domain.hpp"

#include "arch/frame_access.hpp"
#include "arch/grant_places.hpp"
#include "arch/host/tlb.hpp"
#include "arch/stale_frames.hpp"

namespace px::arch {
namespace {
std::atomic<u64> next_tag{1};
std::atomic<unsigned> largest_order{18};
std::atomic<void (*)(u32)> flush_stale_hook{nullptr};
}  // namespace

unsigned largest_physmap_order() { return largest_order.load(); }
void host_set_largest_physmap_order(unsigned order) { largest_order.store(order); }

Result<> check_settings(const px::DomainSettings& settings) {
    REQUIRE(settings.arch.emulation_flags <= 1, einval);
    return {};
}

Result<> create_domain(Domain& domain) {
    domain.arch.tag = next_tag.fetch_add(1);
    return {};
}
Progress relinquish_domain(Domain& domain) { return domain.arch.relinquish != nullptr ? domain.arch.relinquish(domain) : Progress::done; }
u32 freed_stamp(const Domain& domain) { return domain.arch.freed_stamp != nullptr ? domain.arch.freed_stamp(domain) : 0; }
void flush_stale(u32 stamp) {
    if (const auto flush = flush_stale_hook.load()) flush(stamp);
}
void host_set_flush_stale(void (*flush)(u32)) { flush_stale_hook.store(flush); }
void destroy_domain(Domain& domain) { host_tlb_flush(domain.arch.tag); }

void flush_physmap(Domain& domain) {
    domain.arch.flushes.fetch_add(1);
    host_tlb_flush(domain.arch.tag);
}

void hardware_domain_shutdown(u8 reason) { log_info("the hardware domain shut down: {}", reason); }

// The tests of PV link px_pv and have their own.
[[gnu::weak]] Result<> hold_writable(Frame&) { return {}; }
[[gnu::weak]] void drop_writable(Frame&) {}
[[gnu::weak]] void giving_up(Vcpu&, Frame&) {}
[[gnu::weak]] Result<> place_grant(Vcpu&, u64, Mfn, u32) { return Err{Errno::einval}; }
[[gnu::weak]] Result<> remove_grant(Vcpu&, u64, Mfn, u32, u64) { return Err{Errno::einval}; }
[[gnu::weak]] void flush_grants(Domain&) {}

Result<> create_vcpu(Vcpu&) { return {}; }
void destroy_vcpu(Vcpu&) {}
void switch_in(Vcpu&) {}
void switch_out(Vcpu&) {}
void run(Vcpu&) {}
void kick(Vcpu& vcpu) { vcpu.arch.kicks.fetch_add(1); }
void set_upcall(Vcpu& vcpu) { vcpu.arch.upcalls.fetch_add(1); }
bool deliverable(Vcpu& vcpu) {
    return vcpu.arch.interrupts_open && __atomic_load_n(&vcpu.info().evtchn_upcall_pending, __ATOMIC_SEQ_CST) != 0;
}

}  // namespace px::arch
