// Watches: who wants to hear about which paths.
//
// An event at a path looks at the watches of that path and of each ancestor: its cost doesn't grow with the number of
// watches elsewhere.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hypervisor/base/result.hpp"

namespace px::store {

using ConnectionId = Strong<struct ConnectionIdTag, u32>;

struct Watch {
    ConnectionId connection;
    std::string path;            ///< absolute, or a special name
    std::string token;           ///< the client's, opaque
    std::string client_path;     ///< as the client spelled it: its events are spelled alike
    std::optional<u32> depth{};  ///< hears only of changes at most so many levels below; nothing: all

    /// How the client names `path`, which lies at or below the watched path.
    std::string spell(std::string_view changed) const { return client_path + std::string(changed.substr(path.size())); }
};

class Watches {
public:
    /// Errors: eexist when the connection watches that path with that token already.
    Result<> add(Watch watch);
    /// Errors: enoent.
    Result<> remove(ConnectionId connection, std::string_view path, std::string_view token);
    /// Forgets all of a connection's watches; returns how many there were.
    usize remove_all(ConnectionId connection);

    /// Calls `hear(const Watch&)` for each watch that an event at `path` concerns; `exact`: for watches on that path only.
    template <class Hear>
    void notify(std::string_view path, bool exact, Hear&& hear) const;

    /// Calls `visit(const Watch&)` for each watch.
    template <class Visit>
    void for_each(Visit&& visit) const {
        for (const auto& [path, watches] : by_path_) {
            for (const Watch& watch : watches) visit(watch);
        }
    }

private:
    std::unordered_map<std::string, std::vector<Watch>> by_path_;  // no empty vectors
};

template <class Hear>
void Watches::notify(std::string_view path, bool exact, Hear&& hear) const {
    if (by_path_.empty()) return;
    std::string ancestor(path);
    for (u32 levels = 0;; ++levels) {
        if (auto found = by_path_.find(ancestor); found != by_path_.end()) {
            for (const Watch& watch : found->second) {
                if (!watch.depth || levels <= *watch.depth) hear(watch);
            }
        }
        if (exact || ancestor.size() <= 1 || ancestor.front() != '/') return;
        ancestor.resize(std::max<usize>(ancestor.rfind('/'), 1));
    }
}

}  // namespace px::store
