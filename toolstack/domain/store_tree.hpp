// What the store says of a domain: /local/domain/N, /vm/UUID, /libxl/N and its console's backend.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/builder/pvh.hpp"
#include "toolstack/store/client.hpp"

namespace px::domain {

struct TreeSpec {
    std::string name;
    std::string uuid;
    const char* type = "pvh";
    u64 memory_kib = 0;
    u64 max_memory_kib = 0;
    u32 vcpus = 1;  ///< online at the start
    u32 max_vcpus = 1;
};

/// Writes all of it in one transaction, with the rights that the guest's drivers need.
call::Outcome<> write_tree(store::Client& store, const builder::BuiltDomain& built, const TreeSpec& spec);
/// Connects the domain's ring to xenstored.
call::Outcome<> introduce(store::Client& store, const builder::BuiltDomain& built);
/// Removes what write_tree() and device back ends wrote. What isn't there is fine.
call::Outcome<> remove_tree(store::Client& store, DomId domain);

}  // namespace px::domain
