// The log for tests that link a part of the hypervisor alone; the whole hypervisor's own log takes its place when linked.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>

#include "hypervisor/console/log.hpp"

namespace px {

namespace {
void print(std::string_view format, std::span<const FormatArg> arguments) {
    std::fprintf(stderr, "%.*s", static_cast<int>(format.size()), format.data());
    for (const FormatArg& argument : arguments) {
        if (argument.kind() == FormatArg::Kind::text) {
            const std::string_view text = argument.text();
            std::fprintf(stderr, " | %.*s", static_cast<int>(text.size()), text.data());
        } else {
            std::fprintf(stderr, " | %lld", static_cast<long long>(argument.number()));
        }
    }
    std::fputc('\n', stderr);
}
}  // namespace

[[gnu::weak]] void vlog(LogLevel, bool, std::string_view format, std::span<const FormatArg> arguments) { print(format, arguments); }
[[gnu::weak]] void vpanic(std::string_view format, std::span<const FormatArg> arguments) {
    print(format, arguments);
    std::abort();
}

}  // namespace px
