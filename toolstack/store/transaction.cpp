// Transactions: a snapshot to work on, a note of what was looked at, and a list of the changes.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/store/transaction.hpp"

#include <algorithm>

namespace px::store {

namespace {

constexpr bool has(u8 aspects, Aspect aspect) { return (aspects & static_cast<u8>(aspect)) != 0; }

bool same_subtree(const Node& a, const Node& b) {
    if (&a == &b) return true;
    return a.value == b.value && a.permissions == b.permissions &&
           std::ranges::equal(a.children, b.children, [](const auto& left, const auto& right) {
               return left.first == right.first && same_subtree(*left.second, *right.second);
           });
}

bool same(const Node* was, const Node* is, u8 aspects) {
    if (was == is) return true;  // shared with the snapshot, or missing in both
    if (!was || !is) return false;
    if (has(aspects, Aspect::subtree)) return same_subtree(*was, *is);
    auto name = [](const auto& child) -> const std::string& { return child.first; };
    return (!has(aspects, Aspect::value) || was->value == is->value) &&
           (!has(aspects, Aspect::permissions) || was->permissions == is->permissions) &&
           (!has(aspects, Aspect::children) || std::ranges::equal(was->children, is->children, {}, name, name));
}

}  // namespace

void Transaction::depends_on(std::string_view path, Aspect aspect) {
    auto place = dependencies_.find(path);
    if (place == dependencies_.end()) place = dependencies_.emplace(path, u8{0}).first;
    place->second |= static_cast<u8>(aspect);
}

void Transaction::perform(Change change) {
    apply(view_, change, effects_);
    changes_.push_back(std::move(change));
}

bool Transaction::conflicts_with(const Tree& live) const {
    if (&live.root() == &base_.root()) return false;
    return std::ranges::any_of(dependencies_, [&](const auto& dependency) {
        const auto& [path, aspects] = dependency;
        return !same(base_.find(path), live.find(path), aspects);
    });
}

Effects Transaction::commit(Tree& live) {
    if (&live.root() == &base_.root()) {  // nobody else changed anything: the view is the result
        live = std::move(view_);
        return std::move(effects_);
    }
    Effects effects;
    for (const Change& change : changes_) apply(live, change, effects);
    return effects;
}

}  // namespace px::store
