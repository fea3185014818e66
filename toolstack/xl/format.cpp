// Output.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/format.hpp"

#include <algorithm>
#include <cstdarg>

namespace px::xl {

std::string format(const char* pattern, ...) {
    va_list arguments, again;
    va_start(arguments, pattern);
    va_copy(again, arguments);
    std::string text(static_cast<usize>(std::max(0, std::vsnprintf(nullptr, 0, pattern, arguments))), '\0');
    std::vsnprintf(text.data(), text.size() + 1, pattern, again);
    va_end(again);
    va_end(arguments);
    return text;
}

void print(const Json& json) {
    const std::string text = json.dump(4, ' ', false, Json::error_handler_t::replace);
    std::printf("%s\n", text.c_str());
}

std::string ranges(const control::CpuSet& cpus) {
    if (std::ranges::find(cpus, false) == cpus.end()) return "all";
    std::string text;
    for (usize first = 0; first < cpus.size(); ++first) {
        if (!cpus[first]) continue;
        usize last = first;
        while (last + 1 < cpus.size() && cpus[last + 1]) ++last;
        text += (text.empty() ? "" : ",") + std::to_string(first) + (last > first ? "-" + std::to_string(last) : "");
        first = last;
    }
    return text.empty() ? "none" : text;
}

}  // namespace px::xl
