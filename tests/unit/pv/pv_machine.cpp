// PV domains on the build host: the faked machine.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pv/pv_world.hpp"

namespace px::pv {

FakeMachine::FakeMachine()
    : clock([]() -> TlbClock& {
          static TlbClock one;
          return one;
      }()) {}

FakeMachine& fake() {
    static auto* const machine = new FakeMachine;  // one for each test: PvWorld begins it anew
    return *machine;
}

namespace machine {

bool pause_wanted() {
    const u64 question = fake().questions.fetch_add(1);
    return fake().always_pause || static_cast<i64>(question) == fake().pause_at.load();
}
TlbClock& tlb_clock() { return fake().clock; }
CpuMask cpus_of(const Domain&) { return fake().cpus; }
CpuMask cpus_of_vcpu(const Vcpu& vcpu) { return CpuMask::of(CpuId{vcpu.id.raw}); }
void flush_tlb(const CpuMask& cpus) {
    const std::lock_guard lock(fake().mutex);
    for (const CpuId cpu : cpus) {
        fake().clock.flushing(cpu, [&] { fake().writable[cpu.raw].clear(); });
    }
    ++fake().tlb_flushes;
    fake().flushed = cpus;
}
void flush_page(const CpuMask& cpus, u64 linear) {
    ++fake().page_flushes;
    fake().flushed = cpus;
    fake().flushed_page = linear;
}
void flush_caches(bool) { ++fake().cache_flushes; }
bool may_use_io(const Domain& domain, Mfn mfn) { return has_devices(domain) && mfn.raw >= io_frame && mfn.raw < io_frame + 16; }
bool io_is_read_only(Mfn mfn) { return fake().read_only_io.contains(mfn.raw); }
bool has_devices(const Domain& domain) { return fake().with_devices.contains(domain.id.raw); }
u64 l1tf_safe_from(const Domain&) { return fake().l1tf_safe_from; }
void fill_hypervisor_slots(Mfn l4) {
    for (unsigned slot = first_hypervisor_slot; slot < end_hypervisor_slots; ++slot)
        Entries(frame_of(l4)).set(slot, {0x1000 | slot << 20 | 1});
}
void root_slots_changed(Mfn) { ++fake().root_changes; }
void set_m2p(Mfn mfn, u64 pfn) { fake().m2p[mfn.raw] = pfn; }
Guest* guest_of(const Domain& domain) {
    const auto found = fake().guests.find(&domain);
    return found != fake().guests.end() ? found->second.get() : nullptr;
}
void load_roots(Vcpu&) { ++fake().root_loads; }
void unmap_ldt(Vcpu&) { ++fake().ldt_unmaps; }
void load_descriptors(Vcpu&) { ++fake().descriptor_loads; }

}  // namespace machine

PvWorld::PvWorld() {
    FakeMachine& machine = fake();
    machine.~FakeMachine();
    ::new (&machine) FakeMachine;
    arch::host_set_flush_stale([](u32 stamp) {
        const CpuMask cpus = fake().clock.stale(CpuMask::first_n(online_cpus()), stamp);
        if (!cpus.empty()) machine::flush_tlb(cpus);
    });
}

PvWorld::~PvWorld() {
    fake().pause_at = -1;
    for (const u16 id : std::set<u16>(ids_)) kill_pv(id);
    fake().guests.clear();
    arch::host_set_flush_stale(nullptr);
}

Domain& PvWorld::make_pv(u16 id, u32 vcpus, bool control) {
    DomainSettings chosen = settings(vcpus);
    chosen.hvm = chosen.hap = false;
    chosen.control = control;
    Domain& domain = make_domain(id, chosen);
    Box<Guest>& guest = fake().guests[&domain];
    guest = make<Guest>(domain).value();
    for (u32 i = 0; i < vcpus; ++i) EXPECT_TRUE(guest->create_vcpu(vcpu(domain, i)).ok());
    domain.arch.relinquish = [](Domain& dying) { return machine::guest_of(dying)->relinquish(); };
    domain.arch.freed_stamp = [](const Domain&) { return fake().clock.stamp(); };
    fake().tlb_flushes = 0;
    ids_.insert(id);
    return domain;
}

void PvWorld::kill_pv(u16 id) {
    const Domain* domain = &**find_domain(DomId{id});
    kill(id);
    fake().guests.erase(domain);
    ids_.erase(id);
}

void PvWorld::write_tree(Domain& domain) {
    for (u64 n = 0; n < 4; ++n) words(domain, n)[0] = entry(domain, n + 1, user_bits);
}

Result<Progress> PvWorld::pin_all(Domain& domain, u64 n, FrameType type) {
    Result<Progress> result = Progress::more;
    while (result.ok() && *result == Progress::more) result = pin(memory(domain), domain, mfn(domain, n), type);
    while (finish(memory(domain)) == Progress::more) {}
    return result;
}

Result<> PvWorld::unpin_all(Domain& domain, u64 n) {
    const auto result = unpin(memory(domain), domain, mfn(domain, n));
    while (finish(memory(domain)) == Progress::more) {}
    return result;
}

Result<Progress> PvWorld::set(Domain& domain, u64 n, unsigned index, u64 value, const PageOwner& pages) {
    Result<Progress> result = Progress::more;
    while (result.ok() && *result == Progress::more) {
        OpenTable open;
        result = change_word(memory(domain), domain, address(domain, n, index), Entry{value}, pages, false, open);
    }
    while (finish(memory(domain)) == Progress::more) {}
    return result;
}
Result<Progress> PvWorld::set(Domain& domain, u64 n, unsigned index, u64 value) {
    return set(domain, n, index, value, PageOwner::of(domain));
}

}  // namespace px::pv
