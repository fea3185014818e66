// Test helper: instruction bytes written as in a disassembly, and random ones.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/base/types.hpp"

namespace px::emulate::test {

/// "48 8b 05" → {0x48, 0x8b, 0x05}; blanks are free.
inline std::vector<u8> bytes(std::string_view text) {
    std::vector<u8> result;
    int high = -1;
    for (char c : text) {
        if (c == ' ') continue;
        const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        if (high < 0) high = digit;
        else result.push_back(static_cast<u8>(high << 4 | digit)), high = -1;
    }
    return result;
}

inline std::string hex(std::span<const u8> data) {
    std::string result;
    for (u8 byte : data) {
        result += "0123456789abcdef"[byte >> 4];
        result += "0123456789abcdef"[byte & 15];
        result += ' ';
    }
    return result;
}

/// Random tests run for PX_TEST_SECONDS (default: `by_default`) from the seed PX_TEST_SEED (default 1).
class Budget {
public:
    explicit Budget(double by_default) {
        const char* text = std::getenv("PX_TEST_SECONDS");
        end_ =
            Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(text ? std::atof(text) : by_default));
    }
    bool left() const { return Clock::now() < end_; }
    static u64 seed() {
        const char* text = std::getenv("PX_TEST_SEED");
        return text ? std::strtoull(text, nullptr, 0) : 1;
    }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point end_;
};

}  // namespace px::emulate::test
