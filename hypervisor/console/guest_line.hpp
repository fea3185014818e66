// What a guest prints, collected into lines: characters of several writes are one line of the log.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "hypervisor/base/spinlock.hpp"

namespace px {

class GuestLine {
public:
    /// Calls emit(line) for every line that `text` completes, without its newline. Control characters are dropped: a guest
    /// can't move the operator's cursor.
    template <class Emit>
    void put(std::string_view text, Emit emit) {
        while (!text.empty()) {
            Text complete;
            const usize length = take(text, complete);
            if (length != 0) emit(std::string_view(complete.data(), length - 1));
        }
    }

private:
    using Text = std::array<char, 200>;
    struct Pending {
        Text text{};
        usize length = 0;
    };
    static bool printable(char c) { return (c >= ' ' && c <= '~') || c == '\t'; }

    /// Consumes `text` up to the end of a line; the line goes to `complete`. Returns its length + 1, or 0 without one.
    usize take(std::string_view& text, Text& complete) {
        auto pending = pending_.lock();
        while (!text.empty()) {
            const char c = text.front();
            text.remove_prefix(1);
            if (printable(c)) pending->text[pending->length++] = c;
            if (c != '\n' && pending->length < pending->text.size()) continue;
            complete = pending->text;
            return std::exchange(pending->length, 0) + 1;
        }
        return 0;
    }

    Locked<Pending, LockRank::console> pending_;
};

}  // namespace px
