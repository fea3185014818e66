// Machine memory as a boot loader left it: a few blocks, nothing between them.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "boot/entry/boot_info.hpp"

namespace px::boot {

/// Every view is a copy of exactly its size, so that the address sanitizer sees the first byte read beyond it.
class FakeMemory final : public BootMemory {
public:
    std::span<const u8> view(u64 address, usize size) const override {
        auto block = blocks_.upper_bound(address);
        if (block == blocks_.begin()) return {};
        --block;
        const u64 offset = address - block->first;
        if (offset >= block->second.size()) return {};
        const usize length = std::min<usize>(size, block->second.size() - offset);
        views_.push_back(std::make_unique<u8[]>(length));
        std::memcpy(views_.back().get(), block->second.data() + offset, length);
        return {views_.back().get(), length};
    }

    void put(u64 address, std::vector<u8> bytes) { blocks_[address] = std::move(bytes); }
    void put_text(u64 address, const std::string& text) { put(address, {text.c_str(), text.c_str() + text.size() + 1}); }
    template <class T>
    void put_values(u64 address, std::initializer_list<T> values) {
        std::vector<u8> bytes(values.size() * sizeof(T));
        std::memcpy(bytes.data(), values.begin(), bytes.size());
        put(address, std::move(bytes));
    }
    std::vector<u8>& block(u64 address) { return blocks_.at(address); }
    std::map<u64, std::vector<u8>>& blocks() { return blocks_; }

private:
    std::map<u64, std::vector<u8>> blocks_;
    mutable std::vector<std::unique_ptr<u8[]>> views_;
};

using Parser = Result<> (*)(const BootMemory&, u64, BootInfo&);

/// Reads everything that a parser has filled in; the sanitizer watches.
inline void expect_sane(const Result<>& result, const BootInfo& info) {
    EXPECT_TRUE(result.ok() || result.error() == Errno::einval || result.error() == Errno::enospc);
    usize characters = 0;
    const auto touch = [&](std::string_view text) {
        for (const char c : text) characters += c != 0;
        EXPECT_EQ(text.find('\0'), std::string_view::npos);
    };
    touch(info.loader);
    touch(info.command_line);
    for (const MemoryRegion& region : info.memory) {
        EXPECT_LE(region.start, region.end);
        EXPECT_TRUE(static_cast<u32>(region.kind) >= 1 && static_cast<u32>(region.kind) <= 5);
    }
    for (const BootModule& module : info.modules) {
        EXPECT_GE(module.start + module.size, module.start);
        touch(module.arguments);
    }
}

/// Changes a few bytes of a good structure, thousands of times, and cuts it short at every length.
inline void expect_survives_anything(const FakeMemory& good, Parser parse, u64 address) {
    std::mt19937 random(2026);
    for (unsigned round = 0; round < 20000; ++round) {
        FakeMemory memory;
        for (const auto& [at, bytes] : const_cast<FakeMemory&>(good).blocks()) {
            std::vector<u8> changed = bytes;
            for (unsigned changes = random() % 4; changes > 0 && !changed.empty(); --changes) {
                constexpr u8 nasty[] = {0, 1, 0x7f, 0x80, 0xff};
                changed[random() % changed.size()] = random() % 2 == 0 ? nasty[random() % 5] : static_cast<u8>(random());
            }
            if (random() % 16 == 0) changed.resize(random() % (changed.size() + 1));
            memory.put(at, std::move(changed));
        }
        BootInfo info;
        expect_sane(parse(memory, address, info), info);
        if (::testing::Test::HasFailure()) FAIL() << "round " << round;
    }
}

}  // namespace px::boot
