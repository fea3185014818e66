// Requests on domains, and what becomes of a domain's nodes when it is gone.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "toolstack/store/path.hpp"
#include "toolstack/store/store.hpp"

namespace px::store {

namespace {

constexpr DomId first_special_domain{0x7ff0};  // [xen/public xen.h]

/// The payload's strings, the first `domains` of them numbers of real domains.
Result<std::vector<DomId>> domains_of(std::span<const std::string_view> strings, usize domains) {
    REQUIRE(strings.size() >= domains, einval);
    std::vector<DomId> ids;
    for (std::string_view text : strings.first(domains)) {
        auto id = parse_domain(text);
        REQUIRE(id && *id < first_special_domain, einval);
        ids.push_back(*id);
    }
    return ids;
}

Result<i64> parse_number(std::string_view text) {
    i64 number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    REQUIRE(error == std::errc{} && end == text.data() + text.size(), einval);
    return number;
}

}  // namespace

/// domid|frame|port|: connects the domain's ring, or reconnects it with a new event channel.
Store::Reply Store::introduce(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    REQUIRE(strings.size() >= 3, einval);
    DomId domain = TRY(domains_of(strings, 1))[0];
    auto frame = TRY(parse_number(strings[1]));
    auto port = TRY(parse_number(strings[2]));
    REQUIRE(domain != DomId{0} && port > 0 && port <= ~u32{0}, einval);

    auto known = domains_[domain].connection;
    ConnectionId connection = known ? *known : connect_domain(domain);
    auto attached = host_.attach(domain, Gfn{static_cast<u64>(frame)}, EvtPort{static_cast<u32>(port)}, connection);
    if (!attached.ok()) {
        if (!known) disconnect(connection);
        return Err{attached.error()};
    }
    if (!known) request.events.push_back({std::string(introduce_domain), false, {}});
    return ok_reply();
}

Store::Reply Store::release(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    DomId domain = TRY(domains_of(strings, 1))[0];
    auto found = domains_.find(domain);
    REQUIRE(domain != DomId{0}, einval);
    REQUIRE(found != domains_.end() && found->second.connection, enoent);
    forget_domain(domain);
    request.events.push_back({std::string(release_domain), false, {}});
    return ok_reply();
}

Store::Reply Store::get_domain_path(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    REQUIRE(strings.size() == 1, einval);
    auto domain = parse_domain(strings[0]);
    REQUIRE(domain, einval);
    return terminated("/local/domain/" + std::to_string(domain->raw));
}

Store::Reply Store::is_domain_introduced(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    DomId domain = TRY(domains_of(strings, 1))[0];
    auto found = domains_.find(domain);
    return terminated(domain == DomId{0} || (found != domains_.end() && found->second.connection) ? "T" : "F");
}

/// The domain runs again after a shutdown (a suspend): its next shutdown is told as well.
Store::Reply Store::resume(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    auto found = domains_.find(TRY(domains_of(strings, 1))[0]);
    REQUIRE(found != domains_.end() && found->second.connection, enoent);
    found->second.shut_down = false;
    return ok_reply();
}

/// domid|target|: the first one's client shares the second one's rights (a device model in a domain of its own).
Store::Reply Store::set_target(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    auto ids = TRY(domains_of(strings, 2));
    auto found = domains_.find(ids[0]);
    REQUIRE(ids[0] != DomId{0} && ids[1] != DomId{0}, einval);
    REQUIRE(found != domains_.end() && found->second.connection, enoent);
    connections_.at(*found->second.connection).who.target = ids[1];
    return ok_reply();
}

void Store::update_domains(const std::function<DomainState(DomId)>& state_of) {
    std::vector<DomId> introduced;
    for (const auto& [id, domain] : domains_) {
        if (domain.connection && id != DomId{0}) introduced.push_back(id);
    }
    bool changed = false;
    for (DomId id : introduced) {
        DomainState state = state_of(id);
        if (state == DomainState::gone) {
            forget_domain(id);
            changed = true;
        } else if (state == DomainState::shut_down && !std::exchange(domains_[id].shut_down, true)) {
            changed = true;
        }
    }
    if (changed) publish({std::string(release_domain), false, {}});
}

/// The domain and everything of it: its connection, the nodes it owns, and the rights that it had, since the next domain
/// with this number must not inherit them.
void Store::forget_domain(DomId id) {
    if (auto connection = domains_[id].connection) {
        host_.detach(id);
        disconnect(*connection);
    }
    forget_nodes_of(id);
    domains_.erase(id);
    for (auto& [other, connection] : connections_) {
        if (connection.who.target == id) connection.who.target.reset();
    }
}

void Store::forget_nodes_of(DomId id) {
    std::vector<std::string> owned, granted;
    auto is_entry_of_domain = [id](Permission entry) { return entry.domain == id; };
    for_each_node("/", tree_.root(), [&](const std::string& path, const Node& node) {
        if (node.owner() == id && path != "/") {
            if (owned.empty() || levels_below(path, owned.back()) < 0) owned.push_back(path);
        } else if (std::ranges::any_of(node.permissions, is_entry_of_domain)) {
            granted.push_back(path);
        }
    });
    Effects effects;
    for (const std::string& path : owned) apply(tree_, {Change::Kind::remove, DomId{0}, path}, effects);
    auto revoke = [&](Permissions& permissions) {
        permissions.erase(std::remove_if(permissions.begin() + 1, permissions.end(), is_entry_of_domain), permissions.end());
        if (permissions.front().domain == id) permissions.front() = {DomId{0}, Access::none};
    };
    for (const std::string& path : granted) {
        const Node* node = tree_.find(path);  // it may have gone with an owned ancestor
        if (!node) continue;
        Permissions permissions = node->permissions;
        revoke(permissions);
        apply(tree_, {Change::Kind::set_permissions, DomId{0}, path, {}, std::move(permissions)}, effects);
    }
    for (auto& [name, permissions] : specials_) revoke(permissions);
    settle(effects.entries);
    for (const Event& event : effects.events) publish(event);
}

}  // namespace px::store
