// The table of all domains, and finding one with the right to it.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/domain_table.hpp"

namespace px {
namespace {

constinit DomainTable table;
constinit Domain* hardware = nullptr;
constinit Locked<std::array<Domain*, abi::nr_virqs>, LockRank::domain> virq_handlers;

}  // namespace

DomainTable& domain_table() { return table; }

Result<> DomainTable::insert(Domain& domain) {
    auto lists = lists_.lock();
    Domain** place = &lists->sorted;
    while (*place != nullptr && (*place)->id < domain.id) place = &(*place)->next_;
    REQUIRE(*place == nullptr || (*place)->id != domain.id, eexist);
    domain.next_ = *place;
    *place = &domain;
    Domain*& head = lists->hash[bucket(domain.id)];
    domain.next_in_bucket_ = head;
    head = &domain;
    if (domain.settings.hardware) hardware = &domain;
    return {};
}

void DomainTable::remove(Domain& domain) {
    auto lists = lists_.lock();
    if (hardware == &domain) hardware = nullptr;
    for (Domain** place = &lists->sorted; *place != nullptr; place = &(*place)->next_) {
        if (*place != &domain) continue;
        *place = domain.next_;
        break;
    }
    for (Domain** place = &lists->hash[bucket(domain.id)]; *place != nullptr; place = &(*place)->next_in_bucket_) {
        if (*place != &domain) continue;
        *place = domain.next_in_bucket_;
        break;
    }
}

Result<DomainRef> DomainTable::find(DomId id) {
    auto lists = lists_.lock();
    for (Domain* at = lists->hash[bucket(id)]; at != nullptr; at = at->next_in_bucket_) {
        if (at->id == id && at->try_get()) return DomainRef::adopt(*at);
    }
    return Err{Errno::esrch};
}

Result<DomainRef> DomainTable::first_from(DomId id) {
    auto lists = lists_.lock();
    for (Domain* at = lists->sorted; at != nullptr; at = at->next_) {
        if (at->id >= id && at->try_get()) return DomainRef::adopt(*at);
    }
    return Err{Errno::esrch};
}

Result<DomId> DomainTable::free_id() {
    auto lists = lists_.lock();
    for (u32 tries = 0; tries < domid_first_reserved.raw; ++tries) {
        lists->last_id = static_cast<u16>((lists->last_id + 1) % domid_first_reserved.raw);
        if (lists->last_id == 0) continue;
        const DomId id{lists->last_id};
        Domain* at = lists->hash[bucket(id)];
        while (at != nullptr && at->id != id) at = at->next_in_bucket_;
        if (at == nullptr) return id;
    }
    return Err{Errno::enomem};
}

Result<DomainRef> find_domain(DomId id) { return table.find(id); }
Result<DomainRef> first_domain_from(DomId id) { return table.first_from(id); }
Result<DomId> free_domain_id() { return table.free_id(); }
Domain* hardware_domain() { return hardware; }

Result<DomainRef> find_domain(Vcpu& caller, DomId id) {
    if (id == domid_self) return DomainRef(caller.domain);
    return table.find(id);
}

bool may_control(const Domain& caller, const Domain& target) {
    return caller.settings.control || (caller.target != domid_invalid && caller.target == target.id);
}

Result<DomainRef> find_controlled_domain(Vcpu& caller, DomId id) {
    DomainRef domain = TRY(find_domain(caller, id));
    REQUIRE(domain.get() == &caller.domain || may_control(caller.domain, *domain), eperm);
    return domain;
}

void send_global_virq(u32 virq) {
    DomainRef target;
    {
        auto handlers = virq_handlers.lock();
        if ((*handlers)[virq] != nullptr) target = DomainRef(*(*handlers)[virq]);
    }
    if (target) target->send_virq(virq);
    else if (hardware != nullptr) hardware->send_virq(virq);
}

Result<> set_global_virq_handler(u32 virq, DomainRef domain) {
    REQUIRE(virq < abi::nr_virqs && EventChannels::is_global(virq), einval);
    DomainRef previous;
    auto handlers = virq_handlers.lock();
    if ((*handlers)[virq] != nullptr) previous = DomainRef::adopt(*(*handlers)[virq]);
    (*handlers)[virq] = domain.release();
    handlers.unlock();
    return {};
}

void clear_global_virq_handlers(Domain& domain) {
    for (u32 virq = 0; virq < abi::nr_virqs; ++virq) {
        DomainRef previous;  // dropped without the lock
        auto handlers = virq_handlers.lock();
        if ((*handlers)[virq] == &domain) previous = DomainRef::adopt(*std::exchange((*handlers)[virq], nullptr));
        handlers.unlock();
    }
}

}  // namespace px
