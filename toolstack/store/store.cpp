// The store: connections, dispatch, quotas, the telling of events.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/store/store.hpp"

#include <bit>

#include "toolstack/store/path.hpp"

namespace px::store {

namespace {

// What a request needs, bits of HandlerEntry::needs.
constexpr u8 dom0_only = 1;
constexpr u8 write_access = 2;
constexpr u8 transaction_known = 4;  // the header's transaction counts

constexpr usize index_of(MessageType type) { return static_cast<usize>(type); }

}  // namespace

const std::array<Store::HandlerEntry, message_type_limit> Store::handlers = [] {
    std::array<HandlerEntry, message_type_limit> table{};
    auto set = [&](MessageType type, Handler handler, u8 needs = 0) { table[index_of(type)] = {handler, needs}; };
    set(MessageType::control, &Store::control, dom0_only | write_access);
    set(MessageType::directory, &Store::directory, transaction_known);
    set(MessageType::directory_part, &Store::directory_part, transaction_known);
    set(MessageType::read, &Store::read, transaction_known);
    set(MessageType::write, &Store::write, transaction_known | write_access);
    set(MessageType::mkdir, &Store::make_directory, transaction_known | write_access);
    set(MessageType::rm, &Store::remove, transaction_known | write_access);
    set(MessageType::get_perms, &Store::get_permissions, transaction_known);
    set(MessageType::set_perms, &Store::set_permissions, transaction_known | write_access);
    set(MessageType::watch, &Store::watch);
    set(MessageType::unwatch, &Store::unwatch);
    set(MessageType::reset_watches, &Store::reset_watches);
    set(MessageType::transaction_start, &Store::start_transaction);
    set(MessageType::transaction_end, &Store::end_transaction, transaction_known);
    set(MessageType::introduce, &Store::introduce, dom0_only | write_access);
    set(MessageType::release, &Store::release, dom0_only | write_access);
    set(MessageType::get_domain_path, &Store::get_domain_path);
    set(MessageType::is_domain_introduced, &Store::is_domain_introduced);
    set(MessageType::resume, &Store::resume, dom0_only | write_access);
    set(MessageType::set_target, &Store::set_target, dom0_only | write_access);
    return table;
}();

Store::Store(Host& host, Quotas quotas) : host_(host), quotas_(quotas) {
    specials_[std::string(introduce_domain)] = specials_[std::string(release_domain)] = {{DomId{0}, Access::none}};
    Effects ignored;
    apply(tree_, {Change::Kind::make, DomId{0}, "/tool/xenstored"}, ignored);
    domains_[DomId{0}].entries = 3;
}

ConnectionId Store::connect_socket(bool writable) {
    ConnectionId id{++last_connection_};
    connections_.emplace(id, Connection{{DomId{0}}, writable, domain_path(DomId{0})});
    return id;
}

ConnectionId Store::connect_domain(DomId domain) {
    ConnectionId id{++last_connection_};
    connections_.emplace(id, Connection{{domain}, true, domain_path(domain)});
    domains_[domain].connection = id;
    return id;
}

void Store::disconnect(ConnectionId id) {
    auto found = connections_.find(id);
    if (found == connections_.end()) return;
    Domain& domain = domains_[found->second.who.domain];
    drop_watches_and_transactions(id, found->second);
    if (domain.connection == id) domain.connection.reset();
    connections_.erase(found);
}

void Store::drop_watches_and_transactions(ConnectionId id, Connection& connection) {
    Domain& domain = domains_[connection.who.domain];
    domain.watches -= static_cast<u32>(watches_.remove_all(id));
    domain.transactions -= static_cast<u32>(connection.transactions.size());
    connection.transactions.clear();
}

void Store::receive(ConnectionId id, const Message& message) {
    Request request{id, connections_.at(id), message.header, message.payload};
    Reply reply = dispatch(request);
    if (reply.ok() && reply->size() > payload_max) reply = Err{Errno::e2big};
    MessageType type = reply.ok() ? message.header.type : MessageType::error;
    std::string payload = reply.ok() ? std::move(*reply) : terminated(std::string(error_name(reply.error())));
    request.from.outbox.push_reply(encode(type, message.header.request, message.header.transaction, payload));
    ready_.push_back(id);
    if (!request.first_watch_event.empty()) send_event(id, std::move(request.first_watch_event));
    for (const Event& event : request.events) publish(event);
}

Store::Reply Store::dispatch(Request& request) {
    usize type = index_of(request.header.type);
    REQUIRE(type < handlers.size() && handlers[type].handler, enosys);
    const HandlerEntry& entry = handlers[type];
    REQUIRE(!(entry.needs & dom0_only) || request.from.who.privileged(), eacces);
    REQUIRE(!(entry.needs & write_access) || request.from.writable, erofs);
    if (entry.needs & transaction_known && request.header.transaction != 0) {
        auto found = request.from.transactions.find(request.header.transaction);
        REQUIRE(found != request.from.transactions.end(), enoent);
        request.transaction = &found->second;
    }
    return (this->*entry.handler)(request);
}

const Tree& Store::tree_of(const Request& request) const { return request.transaction ? request.transaction->view() : tree_; }

void Store::perform(Request& request, Change change) {
    if (request.transaction) return request.transaction->perform(std::move(change));
    Effects effects;
    apply(tree_, change, effects);
    settle(effects.entries);
    request.events = std::move(effects.events);
}

void Store::settle(const std::map<DomId, int>& entries) {
    for (auto [domain, more] : entries) domains_[domain].entries += more;
}

/// Error when `wanted` is more than `domain` may have: e2big for watches, enospc for the rest [xen/docs xenstore.txt].
Result<> Store::within(DomId domain, Quota quota, u64 wanted) {
    if (domain == DomId{0} || wanted <= quotas_[quota]) return {};
    u32& hits = domains_[domain].hits[static_cast<usize>(quota)];
    if (std::has_single_bit(++hits)) {  // the 1st, 2nd, 4th, … time: a guest can't flood the log
        host_.log("domain " + std::to_string(domain.raw) + " hit its quota '" + std::string(info(quota).name) + "' of " +
                  std::to_string(quotas_[quota]) + " (" + std::string(info(quota).meaning) + "), " + std::to_string(hits) +
                  (hits == 1 ? " time" : " times"));
    }
    return Err{quota == Quota::watches ? Errno::e2big : Errno::enospc};
}

void Store::publish(const Event& event) {
    std::vector<std::pair<ConnectionId, std::string>> heard;
    watches_.notify(event.path, event.exact, [&](const Watch& watch) {
        if (!may_hear(connections_.at(watch.connection).who, event)) return;
        std::string payload = terminated(watch.spell(event.path)) + terminated(watch.token);
        if (payload.size() <= payload_max) heard.emplace_back(watch.connection, std::move(payload));
    });
    for (auto& [id, payload] : heard) send_event(id, encode(MessageType::watch_event, 0, 0, payload));
}

/// A client hears of what it can read, of what it could read before, and of children of what it can read.
bool Store::may_hear(const Identity& who, const Event& event) const {
    if (who.privileged()) return true;
    auto readable = [&](const Permissions& permissions) { return allows(access_of(who, permissions), Access::read); };
    if (is_special(event.path)) return readable(specials_.find(event.path)->second);
    if (!event.before.empty() && readable(event.before)) return true;
    const Node* node = tree_.find(event.path);
    const Node* parent = tree_.find(parent_of(event.path));
    return (node && readable(node->permissions)) || (parent && readable(parent->permissions));
}

void Store::send_event(ConnectionId id, std::string bytes) {
    Connection& connection = connections_.at(id);
    if (connection.lost) return;
    connection.outbox.push_event(std::move(bytes));
    connection.lost = !within(connection.who.domain, Quota::queued, connection.outbox.size_bytes()).ok();
    ready_.push_back(id);
}

int Store::entries_of(DomId domain) const {
    auto found = domains_.find(domain);
    return found == domains_.end() ? 0 : found->second.entries;
}

std::optional<std::string> Store::check() const {
    std::map<DomId, int> owned;
    std::optional<std::string> fault;
    for_each_node("/", tree_.root(), [&](const std::string& path, const Node& node) {
        ++owned[node.owner()];
        if (!is_valid_path(path)) fault = "the path " + path + " is not well formed";
    });
    for (const auto& [id, domain] : domains_) {
        if (domain.entries != owned[id]) {
            fault = "domain " + std::to_string(id.raw) + " owns " + std::to_string(owned[id]) + " nodes, its account says " +
                    std::to_string(domain.entries);
        }
        owned.erase(id);
    }
    for (auto [id, count] : owned) {
        if (count) fault = "domain " + std::to_string(id.raw) + " owns nodes and has no account";
    }
    return fault;
}

}  // namespace px::store
