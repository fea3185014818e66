// Who may do what with a node.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/store/permissions.hpp"

#include <charconv>

namespace px::store {

namespace {

constexpr std::string_view access_letters = "nrwb";  // indexed by Access

}  // namespace

Access access_of(const Identity& who, std::span<const Permission> permissions) {
    if (owns(who, permissions)) return Access::both;
    for (const Permission& entry : permissions.subspan(1)) {
        if (who.is(entry.domain)) return entry.access;
    }
    return permissions.front().access;
}

std::optional<DomId> parse_domain(std::string_view text) {
    u16 number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return DomId{number};
}

std::optional<Permission> parse_permission(std::string_view text) {
    if (text.empty()) return {};
    usize letter = access_letters.find(text.front());
    auto domain = parse_domain(text.substr(1));
    if (letter == std::string_view::npos || !domain) return {};
    return Permission{*domain, static_cast<Access>(letter)};
}

std::string to_string(Permission permission) {
    return access_letters[static_cast<usize>(permission.access)] + std::to_string(permission.domain.raw);
}

}  // namespace px::store
