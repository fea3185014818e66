// Domains by name and by number.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/lookup.hpp"

namespace px::domain {

using call::Error;
using call::Outcome;

namespace {

Err<Error> no_such_domain(const std::string& text) {
    return Err{Error{ESRCH, "there is no domain '" + text + "': 'xl list' shows those there are"}};
}

}  // namespace

std::string home_of(DomId domain) { return "/local/domain/" + std::to_string(domain.raw); }

std::string name_of(System& system, DomId domain) {
    auto name = system.store.read_optional(home_of(domain) + "/name");
    return name.ok() && *name && !(*name)->empty() ? **name : "(null)";
}

std::string pool_name(System& system, u32 pool) {
    auto name = system.store.read_optional("/local/pool/" + std::to_string(pool) + "/name");
    return name.ok() && *name && !(*name)->empty() ? **name : "Pool-" + std::to_string(pool);
}

Outcome<std::optional<DomId>> find_by_name(System& system, std::string_view name) {
    for (const Info& info : TRY(call::list_domains(system.privcmd))) {
        if (name_of(system, DomId{info.domain}) == name) return std::optional(DomId{info.domain});
    }
    return std::optional<DomId>{};
}

Outcome<DomId> find_domain(System& system, const std::string& text) {
    if (auto number = store::parse_domain(text)) {
        if (TRY(call::domain_info(system.privcmd, *number))) return *number;
        return no_such_domain(text);
    }
    if (auto found = TRY(find_by_name(system, text))) return *found;
    return no_such_domain(text);
}

Outcome<Info> find_info(System& system, const std::string& text) {
    const DomId domain = TRY(find_domain(system, text));
    auto info = TRY(call::domain_info(system.privcmd, domain));
    if (!info) return no_such_domain(text);
    return *info;
}

std::optional<abi::ShutdownReason> shutdown_reason(const Info& info) {
    if (!(info.flags & abi::dominf::shutdown)) return std::nullopt;
    return static_cast<abi::ShutdownReason>(info.flags >> abi::dominf::shutdownshift & abi::dominf::shutdownmask);
}

}  // namespace px::domain
