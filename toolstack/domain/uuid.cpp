// UUIDs of domains.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/uuid.hpp"

#include <random>

namespace px::domain {

std::string to_string(const control::Handle& uuid) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (usize i = 0; i < uuid.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += {digits[uuid[i] >> 4], digits[uuid[i] & 15]};
    }
    return text;
}

control::Handle random_uuid() {
    std::random_device random;
    control::Handle uuid;
    for (u8& byte : uuid) byte = static_cast<u8>(random());
    uuid[6] = static_cast<u8>((uuid[6] & 0x0f) | 0x40);
    uuid[8] = static_cast<u8>((uuid[8] & 0x3f) | 0x80);
    return uuid;
}

}  // namespace px::domain
