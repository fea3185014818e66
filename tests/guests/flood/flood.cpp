// A kernel that writes its console without end, numbered lines as fast as they are taken.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/guest.hpp"

namespace px::guest {

void guest_main() {
    const u64 lines = option("lines", ~u64{0});
    for (u64 line = 0; line < lines; ++line) print("PX-FLOOD {} abcdefghijklmnopqrstuvwxyz0123456789\n", line);
}

}  // namespace px::guest
