// Source text and places in it.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/source.hpp"

#include <algorithm>
#include <limits>

namespace px::xlcfg {

Position Sources::add(std::string name, std::string text) {
    if (text.size() > max_size || text.size() >= std::numeric_limits<Position>::max() - next_) return 0;
    const Position base = next_;
    // One position more than bytes: the end of the text is a place too.
    next_ += static_cast<Position>(text.size()) + 1;
    sources_.push_back({base, std::move(name), std::move(text)});
    return base;
}

const Sources::Source* Sources::find(Position position) const {
    for (const Source& source : sources_)
        if (position >= source.base && position - source.base <= source.text.size()) return &source;
    return nullptr;
}

std::string_view Sources::text(Position position) const {
    const Source* source = find(position);
    return source ? std::string_view(source->text) : std::string_view();
}

std::string_view Sources::line_from(const Source& source, std::size_t offset, std::size_t& start) const {
    const std::string_view text = source.text;
    const std::size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
    start = before == std::string_view::npos ? 0 : before + 1;
    std::string_view line = text.substr(start, text.find('\n', start) - start);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

Place Sources::place(Position position) const {
    const Source* source = find(position);
    if (!source) return {};
    const std::size_t offset = position - source->base;
    std::size_t start = 0;
    line_from(*source, offset, start);
    const std::string_view text = source->text;
    const auto newlines = std::count(text.begin(), text.begin() + offset, '\n');
    const auto characters =
        std::count_if(text.begin() + start, text.begin() + offset, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
    return {source->name, static_cast<unsigned>(newlines) + 1, static_cast<unsigned>(characters) + 1};
}

std::string_view Sources::line(Position position) const {
    const Source* source = find(position);
    std::size_t start = 0;
    return source ? line_from(*source, position - source->base, start) : std::string_view();
}

std::string_view Sources::raw(Span span) const {
    const Source* source = find(span.begin);
    return source ? std::string_view(source->text).substr(span.begin - source->base, span.end - span.begin) : std::string_view();
}

}  // namespace px::xlcfg
