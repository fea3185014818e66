// One change to the tree, as a value: applied at once, or logged by a transaction and applied at its end.
//
// Every change of the tree goes through apply(), so the sequence of applied changes rebuilds the tree: that is what a
// journal has to keep.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "toolstack/store/tree.hpp"

namespace px::store {

struct Change {
    enum class Kind : u8 { write, make, remove, set_permissions };

    Kind kind;
    DomId author;  ///< owns the nodes that the change makes, unless dom0: its nodes inherit their parent's owner
    std::string path;
    std::string value{};        ///< of write
    Permissions permissions{};  ///< of set_permissions
};

/// Something happened to a node, for the watches.
struct Event {
    std::string path;
    bool exact;          ///< only watches on this very path: the node went away together with an ancestor
    Permissions before;  ///< of the node that went away or whose permissions changed; else empty
};

/// What changes leave behind beside the tree.
struct Effects {
    std::map<DomId, int> entries;  ///< how many more nodes each domain owns
    std::vector<Event> events;     ///< in order
};

/// How many nodes a write to `path` would make.
unsigned missing_nodes(const Tree& tree, std::string_view path);

/// Performs `change` and adds to `effects`. All checks were made: the path of remove and set_permissions exists.
void apply(Tree& tree, const Change& change, Effects& effects);

}  // namespace px::store
