// The build host as an architecture: a panic ends the test.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>

#include "hypervisor/console/log.hpp"

namespace px {

void vpanic(std::string_view format, std::span<const FormatArg> arguments) {
    char text[512];
    const usize length = vformat(text, format, arguments);
    std::fprintf(stderr, "panic: %.*s\n", static_cast<int>(length), text);
    std::abort();
}

}  // namespace px
