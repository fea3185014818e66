// The two keys whose elements are lists: vnuma= and vsnd=.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libxlcfg/row.hpp"

namespace px::xlcfg {

/// One node of a guest's NUMA topology. After read() everything is present.
struct VirtualNode {
    Span span;
    std::int64_t pnode = 0;
    std::int64_t memory_kib = 0;
    std::vector<std::uint32_t> vcpus;
    std::vector<std::uint32_t> distances;  ///< to each node, itself included
};

bool read(VirtualNode& node, const Value& value, Diagnostics& out);
Json show(const VirtualNode& node);

struct SoundParameter {
    std::string name;
    std::string value;
};

/// A card, a PCM device of the last card, or a stream of the last PCM device.
struct SoundItem {
    enum class Kind { card, pcm, stream };

    Kind kind = Kind::card;
    std::vector<SoundParameter> parameters;
};

/// One virtual sound card: its items in order; the first is the card.
struct SoundCard {
    Span span;
    std::vector<SoundItem> items;
};

bool read(SoundCard& card, const Value& value, Diagnostics& out);
Json show(const SoundCard& card);

}  // namespace px::xlcfg
