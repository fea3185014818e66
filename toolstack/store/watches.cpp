// Watches: who wants to hear about which paths.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/store/watches.hpp"

#include <algorithm>

namespace px::store {

Result<> Watches::add(Watch watch) {
    std::vector<Watch>& watches = by_path_[watch.path];
    bool known = std::ranges::any_of(
        watches, [&](const Watch& other) { return other.connection == watch.connection && other.token == watch.token; });
    REQUIRE(!known, eexist);
    watches.push_back(std::move(watch));
    return {};
}

Result<> Watches::remove(ConnectionId connection, std::string_view path, std::string_view token) {
    auto found = by_path_.find(std::string(path));
    REQUIRE(found != by_path_.end(), enoent);
    auto removed = std::erase_if(found->second, [&](const Watch& watch) { return watch.connection == connection && watch.token == token; });
    if (found->second.empty()) by_path_.erase(found);
    REQUIRE(removed != 0, enoent);
    return {};
}

usize Watches::remove_all(ConnectionId connection) {
    usize removed = 0;
    for (auto entry = by_path_.begin(); entry != by_path_.end();) {
        removed += std::erase_if(entry->second, [&](const Watch& watch) { return watch.connection == connection; });
        entry = entry->second.empty() ? by_path_.erase(entry) : std::next(entry);
    }
    return removed;
}

}  // namespace px::store
