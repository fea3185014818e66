// Field: a setting that may be absent, and where it was written.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "libxlcfg/source.hpp"

namespace px::xlcfg {

template <class T>
struct Field {
    using value_type = T;

    std::optional<T> value;
    Span span;  ///< of the value, for errors that only show later

    explicit operator bool() const { return value.has_value(); }
    const T& operator*() const { return *value; }
    T& operator*() { return *value; }
    const T* operator->() const { return &*value; }
    T value_or(T fallback) const { return value.value_or(std::move(fallback)); }
};

}  // namespace px::xlcfg
