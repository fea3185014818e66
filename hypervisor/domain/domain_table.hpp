// The table of all domains, in the order of their ids; zombies stay in it until their end.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/domain/domain.hpp"

namespace px {

/// A domain together with its place in the heap: Domain's constructor is private to it.
struct DomainBox {
    DomainBox(DomId id, const DomainSettings& settings, u32 serial) : domain(id, settings, serial) {}
    Domain domain;
    static DomainBox* of(Domain& domain) { return reinterpret_cast<DomainBox*>(&domain); }
};

class DomainTable {
public:
    /// Errors: eexist.
    Result<> insert(Domain& domain);
    void remove(Domain& domain);
    /// Live or dying, not yet gone. Errors: esrch.
    Result<DomainRef> find(DomId id);
    Result<DomainRef> first_from(DomId id);
    Result<DomId> free_id();

private:
    static constexpr usize buckets = 256;
    struct Lists {
        Domain* sorted = nullptr;             ///< by id, through Domain::next_
        std::array<Domain*, buckets> hash{};  ///< through Domain::next_in_bucket_
        u16 last_id = 0;
    };
    static usize bucket(DomId id) { return id.raw % buckets; }
    Locked<Lists, LockRank::domain_list> lists_;
};

DomainTable& domain_table();

}  // namespace px
