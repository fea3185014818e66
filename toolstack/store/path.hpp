// Paths of the store: which are well formed, and how they relate.
//
// A path is '/' or '/'-separated names of [A-Za-z0-9-_@], without a trailing or doubled slash [xen/docs xenstore.txt].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "hypervisor/abi/io/xs_wire.hpp"

namespace px::store {

inline constexpr usize absolute_path_max = abi::xenstore_abs_path_max;  ///< bytes, without the terminator
inline constexpr usize relative_path_max = abi::xenstore_rel_path_max;

/// Is `path` a well-formed absolute path of at most `absolute_path_max` bytes?
bool is_valid_path(std::string_view path);

/// Is `name` a special watch target, such as "@releaseDomain"?
constexpr bool is_special(std::string_view name) { return name.starts_with('@'); }

/// The path one level up; "/" is its own parent. `path` must be valid.
std::string_view parent_of(std::string_view path);

/// How many levels `path` lies below `ancestor` (0: the same path), or -1 when it doesn't. Works for special names too.
int levels_below(std::string_view path, std::string_view ancestor);

/// Walks the names of a valid path: `for (PathNames names(path); names.next(name);)`.
class PathNames {
public:
    explicit PathNames(std::string_view path) : path_(path) {}

    /// The next name, false at the end.
    bool next(std::string_view& name) {
        if (position_ + 1 >= path_.size()) return false;
        usize start = position_ + 1;
        position_ = std::min(path_.find('/', start), path_.size());
        name = path_.substr(start, position_ - start);
        return true;
    }
    /// Was the last name returned the path's last one?
    bool at_end() const { return position_ + 1 >= path_.size(); }
    /// The path up to and including the last name returned.
    std::string_view so_far() const { return position_ == 0 ? "/" : path_.substr(0, position_); }

private:
    std::string_view path_;
    usize position_ = 0;
};

}  // namespace px::store
