// Requests on watches and transactions.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "toolstack/store/path.hpp"
#include "toolstack/store/store.hpp"

namespace px::store {

/// path|token|[depth|]: an unreadable or missing path may be watched as well; each event is checked on its own.
Store::Reply Store::watch(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    REQUIRE(strings.size() == 2 || strings.size() == 3, einval);
    Watch watch{request.id, {}, std::string(strings[1]), std::string(strings[0])};
    if (is_special(strings[0])) {
        REQUIRE(specials_.contains(strings[0]), einval);
        watch.path = watch.client_path;
    } else {
        watch.path = TRY(resolve(request, strings[0]));
    }
    if (strings.size() == 3 && !strings[2].empty()) {
        u32 depth = 0;
        auto [end, error] = std::from_chars(strings[2].begin(), strings[2].end(), depth);
        REQUIRE(error == std::errc{} && end == strings[2].end(), einval);
        watch.depth = depth;
    }
    Domain& domain = domains_[request.from.who.domain];
    TRY(within(request.from.who.domain, Quota::watches, domain.watches + u64{1}));
    std::string first = terminated(watch.client_path) + terminated(watch.token);
    REQUIRE(first.size() <= payload_max, einval);
    TRY(watches_.add(std::move(watch)));
    ++domain.watches;
    request.first_watch_event = encode(MessageType::watch_event, 0, 0, first);
    return ok_reply();
}

Store::Reply Store::unwatch(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    REQUIRE(strings.size() == 2 || strings.size() == 3, einval);
    std::string path = is_special(strings[0]) ? std::string(strings[0]) : TRY(resolve(request, strings[0]));
    TRY(watches_.remove(request.id, path, strings[1]));
    --domains_[request.from.who.domain].watches;
    return ok_reply();
}

Store::Reply Store::reset_watches(Request& request) {
    drop_watches_and_transactions(request.id, request.from);
    return ok_reply();
}

Store::Reply Store::start_transaction(Request& request) {
    REQUIRE(request.header.transaction == 0, ebusy);
    Connection& from = request.from;
    Domain& domain = domains_[from.who.domain];
    TRY(within(from.who.domain, Quota::transactions, domain.transactions + u64{1}));
    do ++from.last_transaction;
    while (from.last_transaction == 0 || from.transactions.contains(from.last_transaction));
    from.transactions.emplace(from.last_transaction, Transaction(tree_));
    ++domain.transactions;
    return terminated(std::to_string(from.last_transaction));
}

/// T| or F|. Whatever comes of it, the transaction is over afterwards; eagain tells the client to try it again.
Store::Reply Store::end_transaction(Request& request) {
    REQUIRE(request.transaction, enoent);
    auto strings = TRY(split_strings(request.payload));
    REQUIRE(strings.size() == 1 && (strings[0] == "T" || strings[0] == "F"), einval);
    auto node = request.from.transactions.extract(request.header.transaction);
    DomId author = request.from.who.domain;
    --domains_[author].transactions;
    if (strings[0] == "F") return ok_reply();

    Transaction& transaction = node.mapped();
    REQUIRE(!transaction.conflicts_with(tree_), eagain);
    const auto& more = transaction.effects().entries;
    if (auto mine = more.find(author); mine != more.end() && mine->second > 0) {
        TRY(within(author, Quota::entries, static_cast<u64>(std::max(entries_of(author), 0)) + static_cast<u64>(mine->second)));
    }
    Effects effects = transaction.commit(tree_);
    settle(effects.entries);
    request.events = std::move(effects.events);
    return ok_reply();
}

}  // namespace px::store
