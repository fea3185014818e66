// A minimal PE image as firmware lays it out in memory.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <string_view>
#include <vector>

#include "hypervisor/base/types.hpp"

namespace px::efi {

class PeImage {
public:
    static constexpr usize header = 64, first_section = header + 24 + 16;

    PeImage() : bytes_(512) {
        put(0x3c, static_cast<u32>(header));
        put(header, u32{0x4550});
        put(header + 20, u16{16});  // size of the optional header
    }
    void section(std::string_view name, std::string_view content) {
        const usize at = first_section + sections_++ * 40;
        std::memcpy(bytes_.data() + at, name.data(), name.size());
        put(at + 8, static_cast<u32>(content.size()));
        put(at + 12, static_cast<u32>(bytes_.size()));
        put(at + 16, static_cast<u32>(content.size()));
        put(header + 6, static_cast<u16>(sections_));
        bytes_.insert(bytes_.end(), content.begin(), content.end());
    }
    std::vector<u8> bytes() const { return bytes_; }

private:
    template <class T>
    void put(usize at, T value) {
        std::memcpy(bytes_.data() + at, &value, sizeof value);
    }
    std::vector<u8> bytes_;
    usize sections_ = 0;
};

}  // namespace px::efi
