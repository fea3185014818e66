// The store as bytes and back: Store::save and Store::load.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/store/image.hpp"

#include "toolstack/store/path.hpp"
#include "toolstack/store/store.hpp"

namespace px::store {

namespace {

constexpr usize depth_max = absolute_path_max / 2 + 1;  // a name and its slash take two bytes at least

bool is_name(std::string_view name) {
    return !name.empty() && name.find('/') == std::string_view::npos && is_valid_path("/" + std::string(name));
}

void save_changes(Encoder& out, const Transaction& transaction) {
    out.number(static_cast<u32>(transaction.dependencies().size()));
    for (const auto& [path, aspects] : transaction.dependencies()) {
        out.text(path);
        out.number(aspects);
    }
    out.number(static_cast<u32>(transaction.changes().size()));
    for (const Change& change : transaction.changes()) {
        out.number(static_cast<u8>(change.kind));
        out.number(change.author.raw);
        out.text(change.path);
        out.text(change.value);
        out.number(static_cast<u8>(!change.permissions.empty()));
        if (!change.permissions.empty()) save(out, change.permissions);
    }
}

Change load_change(Decoder& in) {
    Change change{static_cast<Change::Kind>(in.number<u8>()), DomId{in.number<u16>()}, std::string(in.text()), std::string(in.text())};
    if (in.number<u8>()) change.permissions = load_permissions(in);
    return change;
}

/// Is `change` one that apply() takes?
bool is_applicable(const Change& change, const Tree& tree) {
    if (change.kind > Change::Kind::set_permissions || !is_valid_path(change.path)) return false;
    switch (change.kind) {
    case Change::Kind::remove: return change.path != "/" && tree.find(change.path);
    case Change::Kind::set_permissions: return !change.permissions.empty() && tree.find(change.path);
    default: return true;
    }
}

/// The transaction does again what it had done: its view and its effects come out alike.
void load_changes(Decoder& in, Transaction& transaction) {
    for (u32 left = in.count(); left != 0; --left) {
        std::string_view path = in.text();
        transaction.depends_on(path, static_cast<Aspect>(in.number<u8>()));
    }
    for (u32 left = in.count(); left != 0; --left) {
        Change change = load_change(in);
        if (!in.ok() || !is_applicable(change, transaction.view())) return in.fail();
        transaction.perform(std::move(change));
    }
}

void save_watch(Encoder& out, const Watch& watch) {
    out.number(watch.connection.raw);
    out.text(watch.path);
    out.text(watch.token);
    out.text(watch.client_path);
    out.number(static_cast<u8>(watch.depth.has_value()));
    out.number(watch.depth.value_or(0));
}

Watch load_watch(Decoder& in) {
    Watch watch{ConnectionId{in.number<u32>()}, std::string(in.text()), std::string(in.text()), std::string(in.text())};
    bool limited = in.number<u8>() != 0;
    u32 depth = in.number<u32>();
    if (limited) watch.depth = depth;
    return watch;
}

}  // namespace

void save(Encoder& out, const Permissions& permissions) {
    out.number(static_cast<u32>(permissions.size()));
    for (Permission permission : permissions) {
        out.number(permission.domain.raw);
        out.number(static_cast<u8>(permission.access));
    }
}

Permissions load_permissions(Decoder& in) {
    Permissions permissions;
    for (u32 left = in.count(); left != 0; --left) {
        DomId domain{in.number<u16>()};
        permissions.push_back({domain, static_cast<Access>(in.number<u8>() & 3)});
    }
    if (permissions.empty()) in.fail();
    return permissions;
}

u32 NodeWriter::add(const Node& node) {
    if (auto found = numbers_.find(&node); found != numbers_.end()) return found->second;
    std::vector<u32> children;
    for (const auto& [name, child] : node.children) children.push_back(add(*child));
    nodes_.text(node.value);
    store::save(nodes_, node.permissions);
    nodes_.number(node.generation);
    nodes_.number(static_cast<u32>(children.size()));
    auto number = children.begin();
    for (const auto& [name, child] : node.children) {
        nodes_.text(name);
        nodes_.number(*number++);
    }
    u32 own = static_cast<u32>(numbers_.size());
    return numbers_[&node] = own;
}

void NodeWriter::save(Encoder& out) const {
    out.number(static_cast<u32>(numbers_.size()));
    out.text(nodes_.bytes());
}

NodeReader::NodeReader(Decoder& in) {
    u32 count = in.number<u32>();
    Decoder nodes(in.text());
    while (entries_.size() < count && nodes.ok()) entries_.push_back(read_node(nodes));
    // Several snapshots share nodes, but a node that one tree holds twice could make that tree as large as it
    // likes.
    for (const Entry& entry : entries_) {
        if (entry.size > count || entry.depth > depth_max) in.fail();
    }
    if (!nodes.finished()) in.fail();
}

NodeReader::Entry NodeReader::read_node(Decoder& in) const {
    Entry entry{std::make_shared<Node>()};
    entry.node->value = in.text();
    entry.node->permissions = load_permissions(in);
    entry.node->generation = in.number<u64>();
    for (u32 left = in.count(); left != 0; --left) {
        std::string_view name = in.text();
        u32 number = in.number<u32>();
        if (!in.ok() || number >= entries_.size() || !is_name(name)) {
            in.fail();
            break;
        }
        const Entry& child = entries_[number];
        entry.size = std::min(entry.size + child.size, usize{1} << 32);
        entry.depth = std::max(entry.depth, child.depth + 1);
        if (entry.depth > depth_max || !entry.node->children.emplace(name, child.node).second) in.fail();
    }
    return entry;
}

std::shared_ptr<Node> NodeReader::root(Decoder& in) const {
    u32 number = in.number<u32>();
    if (number < entries_.size() && in.ok()) return entries_[number].node;
    in.fail();
    auto nothing = std::make_shared<Node>();
    nothing->permissions = {{DomId{0}, Access::none}};
    return nothing;
}

void Outbox::save(Encoder& out) const {
    out.number(static_cast<u32>(sent_));
    out.number(static_cast<u32>(queue_.size()));
    for (const std::string& message : queue_) out.text(message);
}

void Outbox::load(Decoder& in) {
    sent_ = in.number<u32>();
    for (u32 left = in.count(); left != 0; --left) {
        std::string message(in.text());
        MessageHeader header{};
        if (message.size() < sizeof header) return in.fail();
        std::memcpy(&header, message.data(), sizeof header);
        bool begun = queue_.empty() && sent_ != 0;
        if (header.type == MessageType::watch_event && !begun) queued_events_.insert(message);
        size_bytes_ += message.size();
        queue_.push_back(std::move(message));
    }
    if (queue_.empty() ? sent_ != 0 : sent_ >= queue_.front().size()) return in.fail();
    size_bytes_ -= sent_;
}

void Store::save(Encoder& out) const {
    NodeWriter nodes;
    auto add = [&](Encoder& to, const Tree& tree) {
        to.number(nodes.add(tree.root()));
        to.number(tree.next_generation());
    };
    Encoder rest;
    add(rest, tree_);
    for (const auto& [name, permissions] : specials_) store::save(rest, permissions);
    for (usize i = 0; i < quota_count; ++i) rest.number(quotas_[static_cast<Quota>(i)]);
    rest.number(last_connection_);
    rest.number(static_cast<u32>(connections_.size()));
    for (const auto& [id, connection] : connections_) {
        rest.number(id.raw);
        rest.number(connection.who.domain.raw);
        rest.number(static_cast<u8>(connection.who.target.has_value()));
        rest.number(connection.who.target.value_or(DomId{0}).raw);
        rest.number(static_cast<u8>(connection.writable));
        rest.number(static_cast<u8>(connection.lost));
        connection.outbox.save(rest);
        rest.number(connection.last_transaction);
        rest.number(static_cast<u32>(connection.transactions.size()));
        for (const auto& [number, transaction] : connection.transactions) {
            rest.number(number);
            add(rest, transaction.base());
            save_changes(rest, transaction);
        }
    }
    usize watches = 0;
    watches_.for_each([&](const Watch&) { ++watches; });
    rest.number(static_cast<u32>(watches));
    watches_.for_each([&](const Watch& watch) { save_watch(rest, watch); });
    rest.number(static_cast<u32>(domains_.size()));
    for (const auto& [id, domain] : domains_) {
        rest.number(id.raw);
        rest.number(domain.connection.value_or(ConnectionId{0}).raw);
        rest.number(static_cast<u8>(domain.shut_down));
        for (u32 hits : domain.hits) rest.number(hits);
    }
    nodes.save(out);
    out.text(rest.bytes());
}

Result<> Store::load(Decoder& in) {
    NodeReader nodes(in);
    Decoder rest(in.text());
    auto read_tree = [&] {
        auto root = nodes.root(rest);
        return Tree(std::move(root), rest.number<u64>());
    };
    tree_ = read_tree();
    for (auto& [name, permissions] : specials_) permissions = load_permissions(rest);
    for (usize i = 0; i < quota_count; ++i) quotas_.set(static_cast<Quota>(i), rest.number<u32>());
    last_connection_ = rest.number<u32>();
    domains_.clear();
    for (u32 left = rest.count(); left != 0 && rest.ok(); --left) {
        ConnectionId id{rest.number<u32>()};
        DomId domain{rest.number<u16>()};
        bool has_target = rest.number<u8>() != 0;
        DomId target{rest.number<u16>()};
        Connection connection{{domain}, rest.number<u8>() != 0, domain_path(domain)};
        if (has_target) connection.who.target = target;
        connection.lost = rest.number<u8>() != 0;
        connection.outbox.load(rest);
        connection.last_transaction = rest.number<u32>();
        for (u32 more = rest.count(); more != 0 && rest.ok(); --more) {
            u32 number = rest.number<u32>();
            Transaction transaction(read_tree());
            if (rest.ok()) load_changes(rest, transaction);
            if (number == 0 || !connection.transactions.emplace(number, std::move(transaction)).second) rest.fail();
            ++domains_[domain].transactions;
        }
        if (!connection.outbox.empty()) ready_.push_back(id);
        if (id.raw == 0 || id.raw > last_connection_ || !connections_.emplace(id, std::move(connection)).second) rest.fail();
    }
    for (u32 left = rest.count(); left != 0 && rest.ok(); --left) load_watch_of(load_watch(rest), rest);
    for (u32 left = rest.count(); left != 0 && rest.ok(); --left) {
        Domain& domain = domains_[DomId{rest.number<u16>()}];
        ConnectionId connection{rest.number<u32>()};
        domain.shut_down = rest.number<u8>() != 0;
        for (u32& hits : domain.hits) hits = rest.number<u32>();
        if (connection.raw == 0) continue;
        domain.connection = connection;
        if (!connections_.contains(connection)) rest.fail();
    }
    REQUIRE(rest.finished() && in.ok(), einval);
    for_each_node("/", tree_.root(), [&](const std::string&, const Node& node) { ++domains_[node.owner()].entries; });
    REQUIRE(!check(), einval);
    return {};
}

/// Adds a watch of an image, if it is one that its connection could have set.
void Store::load_watch_of(Watch watch, Decoder& in) {
    auto found = connections_.find(watch.connection);
    bool known = is_special(watch.path) ? specials_.contains(watch.path) : is_valid_path(watch.path);
    if (!in.ok() || found == connections_.end() || !known) return in.fail();
    ++domains_[found->second.who.domain].watches;
    if (!watches_.add(std::move(watch)).ok()) in.fail();
}

}  // namespace px::store
