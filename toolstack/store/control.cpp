// CONTROL: commands of the administrator to the running store.
//
// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "toolstack/store/store.hpp"

namespace px::store {

namespace {

constexpr std::string_view help_text =
    "help                      this list\n"
    "check                     compares the accounts with the tree\n"
    "memreport                 how many nodes, watches and connections there are\n"
    "print|<text>              writes <text> to the log\n"
    "quota                     the limits of each domain\n"
    "quota|<domid>             what a domain uses\n"
    "quota|set|<name>|<limit>  changes a limit\n";

}  // namespace

Store::Reply Store::control(Request& request) {
    auto strings = TRY(split_strings(request.payload));
    REQUIRE(!strings.empty(), einval);
    auto arguments = std::span<const std::string_view>(strings).subspan(1);
    std::string_view command = strings[0];
    if (command == "help") return terminated(std::string(help_text));
    if (command == "check") return terminated(check().value_or("OK"));
    if (command == "quota") return control_quota(arguments);
    if (command == "print") {
        REQUIRE(arguments.size() == 1, einval);
        host_.log(arguments[0]);
        return ok_reply();
    }
    if (command == "memreport") {
        usize nodes = 0, watches = 0;
        for_each_node("/", tree_.root(), [&](const std::string&, const Node&) { ++nodes; });
        watches_.for_each([&](const Watch&) { ++watches; });
        return terminated(std::to_string(nodes) + " nodes, " + std::to_string(watches) + " watches, " +
                          std::to_string(connections_.size()) + " connections\n");
    }
    return Err{Errno::einval};
}

Store::Reply Store::control_quota(std::span<const std::string_view> arguments) {
    std::string text;
    auto line = [&](std::string_view name, u64 value, std::string_view meaning) {
        text += std::string(name) + ": " + std::to_string(value) + "  (" + std::string(meaning) + ")\n";
    };
    if (arguments.empty()) {
        for (usize i = 0; i < quota_count; ++i) line(quota_table[i].name, quotas_[static_cast<Quota>(i)], quota_table[i].meaning);
        return terminated(std::move(text));
    }
    if (arguments.size() == 3 && arguments[0] == "set") {
        u32 limit = 0;
        auto [end, error] = std::from_chars(arguments[2].begin(), arguments[2].end(), limit);
        REQUIRE(error == std::errc{} && end == arguments[2].end() && quotas_.set(arguments[1], limit), einval);
        return ok_reply();
    }
    auto id = arguments.size() == 1 ? parse_domain(arguments[0]) : std::nullopt;
    REQUIRE(id, einval);
    auto found = domains_.find(*id);
    REQUIRE(found != domains_.end(), enoent);
    const Domain& domain = found->second;
    line("entries", static_cast<u64>(domain.entries), info(Quota::entries).meaning);
    line("watches", domain.watches, info(Quota::watches).meaning);
    line("transactions", domain.transactions, info(Quota::transactions).meaning);
    for (usize i = 0; i < quota_count; ++i) {
        if (domain.hits[i]) line("hits of " + std::string(quota_table[i].name), domain.hits[i], "requests refused");
    }
    return terminated(std::move(text));
}

}  // namespace px::store
