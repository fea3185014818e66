// Requests on nodes: read, write, list, remove, permissions.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "toolstack/store/path.hpp"
#include "toolstack/store/store.hpp"

namespace px::store {

namespace {

/// The names of the children, each terminated.
std::string child_names(const Node& node) {
    std::string names;
    for (const auto& [name, child] : node.children) names.append(name).push_back('\0');
    return names;
}

Result<Permissions> parse_permissions(std::span<const std::string_view> texts) {
    Permissions permissions;
    for (std::string_view text : texts) {
        auto permission = parse_permission(text);
        REQUIRE(permission, einval);
        permissions.push_back(*permission);
    }
    REQUIRE(!permissions.empty(), einval);
    return permissions;
}

}  // namespace

/// The absolute path that a client means by `text`.
Result<std::string> Store::resolve(const Request& request, std::string_view text) {
    REQUIRE(!text.empty(), einval);
    bool relative = text.front() != '/';
    REQUIRE(!relative || text.size() <= relative_path_max, einval);
    std::string path = relative ? request.from.base + "/" + std::string(text) : std::string(text);
    REQUIRE(is_valid_path(path), einval);
    if (!within(request.from.who.domain, Quota::path_length, path.size()).ok()) return Err{Errno::einval};
    return path;
}

/// The path of a request whose payload is one path.
Result<std::string> Store::only_path(const Request& request) {
    auto strings = TRY(split_strings(request.payload));
    REQUIRE(strings.size() == 1, einval);
    return resolve(request, strings[0]);
}

/// The node at `path` if the client may use it as `wanted`. A missing node is eacces to a client without that right on
/// its closest ancestor, else enoent. In a transaction, all that the answer depends on is noted.
Result<const Node*> Store::look_up(Request& request, const std::string& path, Access wanted, Aspect aspect) {
    auto [node, found] = tree_of(request).nearest(path);
    const Identity& who = request.from.who;
    if (request.transaction) {
        request.transaction->depends_on(path, aspect);
        if (!who.privileged()) request.transaction->depends_on(found, Aspect::permissions);
        TRY(within(who.domain, Quota::transaction_nodes, request.transaction->footprint()));
    }
    REQUIRE(allows(access_of(who, node->permissions), wanted), eacces);
    REQUIRE(found.size() == path.size(), enoent);
    return node;
}

/// After look_up for writing gave `found`: ok if the node exists, or may be made.
Result<> Store::may_create(Request& request, const std::string& path, Result<const Node*> found) {
    if (found.ok()) return {};
    if (found.error() != Errno::enoent) return Err{found.error()};
    DomId domain = request.from.who.domain;
    int owned = entries_of(domain);
    if (request.transaction) {
        const auto& more = request.transaction->effects().entries;
        if (auto change = more.find(domain); change != more.end()) owned += change->second;
    }
    return within(domain, Quota::entries, static_cast<u64>(std::max(owned, 0)) + missing_nodes(tree_of(request), path));
}

Store::Reply Store::read(Request& request) {
    auto path = TRY(only_path(request));
    return TRY(look_up(request, path, Access::read, Aspect::value))->value;
}

Store::Reply Store::directory(Request& request) {
    auto path = TRY(only_path(request));
    return child_names(*TRY(look_up(request, path, Access::read, Aspect::children)));
}

/// path|offset → generation|names from `offset` on, as many as fit; an empty name marks the end of the list.
Store::Reply Store::directory_part(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    REQUIRE(strings.size() == 2, einval);
    auto path = TRY(resolve(request, strings[0]));
    usize offset = 0;
    auto [end, error] = std::from_chars(strings[1].begin(), strings[1].end(), offset);
    REQUIRE(error == std::errc{} && end == strings[1].end(), einval);
    const Node& node = *TRY(look_up(request, path, Access::read, Aspect::children));

    std::string reply = terminated(std::to_string(node.generation));
    std::string names = child_names(node) + '\0';
    std::string_view rest = std::string_view(names).substr(std::min(offset, names.size() - 1));
    if (usize room = payload_max - reply.size(); rest.size() > room) rest = rest.substr(0, rest.rfind('\0', room - 1) + 1);
    return reply.append(rest);
}

Store::Reply Store::write(Request& request) {
    usize split = request.payload.find('\0');
    REQUIRE(split != std::string_view::npos, einval);
    auto path = TRY(resolve(request, request.payload.substr(0, split)));
    std::string_view value = request.payload.substr(split + 1);
    auto found = look_up(request, path, Access::write, Aspect::value);
    TRY(may_create(request, path, found));
    usize permissions = found.ok() ? (*found)->permissions.size() : 1;
    TRY(within(request.from.who.domain, Quota::entry_size, value.size() + permissions * sizeof(Permission)));
    perform(request, {Change::Kind::write, request.from.who.domain, path, std::string(value)});
    return ok_reply();
}

Store::Reply Store::make_directory(Request& request) {
    auto path = TRY(only_path(request));
    auto found = look_up(request, path, Access::write, Aspect::existence);
    TRY(may_create(request, path, found));
    if (!found.ok()) perform(request, {Change::Kind::make, request.from.who.domain, path});
    return ok_reply();
}

Store::Reply Store::remove(Request& request) {
    auto path = TRY(only_path(request));
    auto found = look_up(request, path, Access::write, Aspect::subtree);
    if (!found.ok()) {  // gone already is fine, as long as there is a place for it
        if (found.error() != Errno::enoent) return Err{found.error()};
        std::string parent(parent_of(path));
        if (request.transaction) request.transaction->depends_on(parent, Aspect::existence);
        REQUIRE(tree_of(request).find(parent), enoent);
        return ok_reply();
    }
    REQUIRE(path != "/", einval);
    perform(request, {Change::Kind::remove, request.from.who.domain, path});
    return ok_reply();
}

Store::Reply Store::get_permissions(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    REQUIRE(strings.size() == 1, einval);
    const Permissions* permissions = nullptr;
    if (is_special(strings[0])) {
        auto special = specials_.find(strings[0]);
        REQUIRE(special != specials_.end(), enoent);
        REQUIRE(allows(access_of(request.from.who, special->second), Access::read), eacces);
        permissions = &special->second;
    } else {
        auto path = TRY(resolve(request, strings[0]));
        permissions = &TRY(look_up(request, path, Access::read, Aspect::permissions))->permissions;
    }
    std::string reply;
    for (Permission permission : *permissions) reply += terminated(to_string(permission));
    return reply;
}

Store::Reply Store::set_permissions(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    REQUIRE(strings.size() >= 2, einval);
    auto permissions = TRY(parse_permissions(std::span(strings).subspan(1)));
    const Identity& who = request.from.who;
    TRY(within(who.domain, Quota::permissions, permissions.size()));
    if (is_special(strings[0])) {
        auto special = specials_.find(strings[0]);
        REQUIRE(special != specials_.end(), enoent);
        REQUIRE(who.privileged(), eacces);
        special->second = std::move(permissions);
        return ok_reply();
    }
    auto path = TRY(resolve(request, strings[0]));
    const Node& node = *TRY(look_up(request, path, Access::write, Aspect::permissions));
    REQUIRE(owns(who, node.permissions), eacces);
    REQUIRE(who.privileged() || permissions.front().domain == node.owner(), eperm);
    TRY(within(who.domain, Quota::entry_size, node.value.size() + permissions.size() * sizeof(Permission)));
    perform(request, {Change::Kind::set_permissions, who.domain, path, {}, std::move(permissions)});
    return ok_reply();
}

}  // namespace px::store
