// What the hypervisor says of the domains there are.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/call/domain_info.hpp"

namespace px::call {

namespace {

using Info = abi::DomctlGetdomaininfo;
constexpr std::string_view what = "can't list the domains";

/// Fills `room` with what there is from `first` on; returns how many were filled in.
Outcome<u32> fill(Privcmd& privcmd, const HypercallBuffer& room, u32 most, u16 first) {
    abi::Sysctl request{};
    request.cmd = static_cast<u32>(abi::SysctlCmd::getdomaininfolist);
    request.u.getdomaininfolist = {first, most, room.handle<Info>(), 0};
    TRY(privcmd.sysctl(request, what));
    return request.u.getdomaininfolist.num_domains;
}

}  // namespace

Outcome<std::optional<Info>> domain_info(Privcmd& privcmd, DomId domain) {
    auto room = TRY(privcmd.buffer(sizeof(Info)));
    u32 count = TRY(fill(privcmd, room, 1, domain.raw));
    if (count == 0 || room.as<Info>()->domain != domain.raw) return std::optional<Info>{};
    return std::optional(*room.as<Info>());
}

Outcome<std::vector<Info>> list_domains(Privcmd& privcmd, DomId first) {
    auto room = TRY(privcmd.buffer(16 * page_size));
    const u32 most = static_cast<u32>(room.elements<Info>().size());
    std::vector<Info> domains;
    for (u16 next = first.raw;;) {
        u32 count = TRY(fill(privcmd, room, most, next));
        domains.insert(domains.end(), room.as<Info>(), room.as<Info>() + count);
        if (count < most) return domains;
        next = static_cast<u16>(domains.back().domain + 1);
    }
}

}  // namespace px::call
