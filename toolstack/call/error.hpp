// Errors of the toolstack: a sentence for a person, and the number behind it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "hypervisor/base/result.hpp"

namespace px::call {

struct Error {
    int code;          ///< errno
    std::string text;  ///< what went wrong, why, and what to do; no full stop
};

/// "text: No such file or directory".
inline Err<Error> failure(int code, std::string_view text) { return Err{Error{code, std::string(text) + ": " + std::strerror(code)}}; }
/// The same with the current errno.
inline Err<Error> failure(std::string_view text) { return failure(errno, text); }

template <class T = void>
using Outcome = Result<T, Error>;

}  // namespace px::call
