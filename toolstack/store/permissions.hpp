// Who may do what with a node.
//
// The first entry names the owner, who may do everything; its letter is what everyone not listed may do. The other
// entries each give one domain its rights [xen/docs xenstore.txt, SET_PERMS].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/base/types.hpp"

namespace px::store {

enum class Access : u8 { none = 0, read = 1, write = 2, both = 3 };

constexpr Access operator|(Access a, Access b) { return static_cast<Access>(static_cast<u8>(a) | static_cast<u8>(b)); }
/// Does `granted` contain all of `wanted`?
constexpr bool allows(Access granted, Access wanted) {
    return (static_cast<u8>(granted) & static_cast<u8>(wanted)) == static_cast<u8>(wanted);
}

struct Permission {
    DomId domain;
    Access access;
    bool operator==(const Permission&) const = default;
};

/// Never empty: entry 0 is the owner's.
using Permissions = std::vector<Permission>;

/// A client as the permission check sees it: a domain, and the domain whose rights it shares (SET_TARGET), if any.
struct Identity {
    DomId domain;
    std::optional<DomId> target{};

    constexpr bool privileged() const { return domain == DomId{0}; }
    constexpr bool is(DomId other) const { return domain == other || target == other; }
};

/// What `who` may do with a node that has `permissions`. Dom0 and the owner may do everything.
Access access_of(const Identity& who, std::span<const Permission> permissions);

/// May `who` change the permissions?
inline bool owns(const Identity& who, std::span<const Permission> permissions) {
    return who.privileged() || who.is(permissions.front().domain);
}

/// "n0", "r5", "w5" or "b5"; nothing for anything else, domain numbers above 65535 included.
std::optional<Permission> parse_permission(std::string_view text);
std::string to_string(Permission permission);

/// A decimal domain number, all of `text`.
std::optional<DomId> parse_domain(std::string_view text);

}  // namespace px::store
