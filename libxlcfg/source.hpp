// Source text and places in it: every value and message of a configuration knows where it came from.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace px::xlcfg {

/// A place in the text of all sources together: each source occupies its own range, so that one number names file and
/// offset. 0 is "nowhere" (a value that no source text made).
using Position = std::uint32_t;

/// A half-open range of positions, within one source.
struct Span {
    Position begin = 0;
    Position end = 0;

    bool known() const { return begin != 0; }
    bool operator==(const Span&) const = default;
};

/// Line and column count from 1; the column counts characters (UTF-8), not bytes.
struct Place {
    std::string_view file;
    unsigned line = 0;
    unsigned column = 0;
};

/// The source texts of one configuration: the file, and the extra text of the command line.
class Sources {
public:
    /// The largest text that add() takes, bytes: a configuration is some hundred lines.
    static constexpr std::size_t max_size = 1u << 20;

    /// Keeps a copy of `text` and returns the position of its first byte, or 0 when it is too large.
    Position add(std::string name, std::string text);

    /// The text of the source that holds `position`; it stays valid as long as this object.
    std::string_view text(Position position) const;
    /// Where `position` is. An unknown position gives an empty file and line 0.
    Place place(Position position) const;
    /// The whole line that holds `position`, without its end of line.
    std::string_view line(Position position) const;
    /// The raw text under a span.
    std::string_view raw(Span span) const;

private:
    struct Source {
        Position base;
        std::string name;
        std::string text;
    };
    const Source* find(Position position) const;
    std::string_view line_from(const Source& source, std::size_t offset, std::size_t& start) const;

    std::deque<Source> sources_;  // elements never move
    Position next_ = 1;
};

}  // namespace px::xlcfg
