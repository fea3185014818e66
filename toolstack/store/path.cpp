// Paths of the store: which are well formed, and how they relate.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/store/path.hpp"

#include <algorithm>

namespace px::store {

namespace {

constexpr bool is_path_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '/' || c == '_' || c == '@';
}

}  // namespace

bool is_valid_path(std::string_view path) {
    if (path == "/") return true;
    return path.starts_with('/') && !path.ends_with('/') && path.size() <= absolute_path_max && path.find("//") == std::string_view::npos &&
           std::ranges::all_of(path, is_path_character);
}

std::string_view parent_of(std::string_view path) {
    usize slash = path.rfind('/');
    return slash == 0 || slash == std::string_view::npos ? "/" : path.substr(0, slash);
}

int levels_below(std::string_view path, std::string_view ancestor) {
    if (path == ancestor) return 0;
    if (ancestor == "/") ancestor = "";
    if (is_special(path) || !path.starts_with(ancestor) || path[ancestor.size()] != '/') return -1;
    return static_cast<int>(std::ranges::count(path.substr(ancestor.size()), '/'));
}

}  // namespace px::store
