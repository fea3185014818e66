// Transactions: a snapshot to work on, a note of what was looked at, and a list of the changes.
//
// At the end the changes are applied to the live tree if everything the transaction depended on is still as it was in
// its snapshot. What it depended on is noted as narrowly as it can be: two transactions that create different children
// of one node don't conflict; one that listed the children and one that adds a child do.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"
#include "toolstack/store/change.hpp"

namespace px::store {

/// What of a node a request depends on, beside its existence. Bits.
enum class Aspect : u8 { existence = 0, value = 1, permissions = 2, children = 4, subtree = 8 };

class Transaction {
public:
    explicit Transaction(const Tree& live) : base_(live), view_(live) {}

    /// The tree as this transaction left it.
    Tree& view() { return view_; }
    const Tree& view() const { return view_; }
    /// The live tree as it was when the transaction began.
    const Tree& base() const { return base_; }
    /// What the outcome depends on: paths, and bits of Aspect.
    const std::map<std::string, u8, std::less<>>& dependencies() const { return dependencies_; }
    /// Notes that the outcome depends on `aspect` of `path`.
    void depends_on(std::string_view path, Aspect aspect);
    /// How many paths it depends on.
    usize footprint() const { return dependencies_.size(); }
    /// Applies `change` to the view.
    void perform(Change change);
    /// What the changes so far would do.
    const Effects& effects() const { return effects_; }
    const std::vector<Change>& changes() const { return changes_; }

    /// Did something that this transaction depends on change in `live` meanwhile?
    bool conflicts_with(const Tree& live) const;
    /// Applies the changes to `live` (no conflict; quotas checked by the caller), ending this transaction's use.
    Effects commit(Tree& live);

private:
    Tree base_;
    Tree view_;
    std::map<std::string, u8, std::less<>> dependencies_;  // path → Aspect bits
    std::vector<Change> changes_;
    Effects effects_;
};

}  // namespace px::store
