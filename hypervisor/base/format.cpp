// Type-safe text formatting.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/format.hpp"

namespace px {
namespace {

struct Spec {
    bool hex = false, prefix = false, zero = false, left = false;
    unsigned width = 0;
};

/// Output that silently stops at the end of its buffer.
class Sink {
public:
    explicit Sink(std::span<char> out) : out_(out) {}
    void put(char c) {
        if (used_ < out_.size()) out_[used_++] = c;
    }
    void put(std::string_view text) {
        for (char c : text) put(c);
    }
    void fill(char c, usize count) {
        while (count-- > 0 && used_ < out_.size()) put(c);
    }
    usize used() const { return used_; }

private:
    std::span<char> out_;
    usize used_ = 0;
};

Spec parse_spec(std::string_view text) {
    Spec spec;
    for (char c : text) {
        if (c == 'x') spec.hex = true;
        else if (c == '#') spec.prefix = true;
        else if (c == '<') spec.left = true;
        else if (c == '0' && spec.width == 0) spec.zero = true;
        else if (c >= '0' && c <= '9') spec.width = (spec.width * 10 + static_cast<unsigned>(c - '0')) % 256;
    }
    return spec;
}

void put_padded(Sink& sink, std::string_view text, const Spec& spec) {
    usize padding = spec.width > text.size() ? spec.width - text.size() : 0;
    if (!spec.left) sink.fill(' ', padding);
    sink.put(text);
    if (spec.left) sink.fill(' ', padding);
}

void put_number(Sink& sink, u64 magnitude, bool negative, const Spec& spec) {
    char digits[20];
    usize count = 0;
    const u64 base = spec.hex ? 16 : 10;
    do {
        digits[count++] = "0123456789abcdef"[magnitude % base];
        magnitude /= base;
    } while (magnitude != 0);
    usize length = count + (negative ? 1 : 0) + (spec.prefix ? 2 : 0);
    usize padding = spec.width > length ? spec.width - length : 0;
    if (!spec.zero && !spec.left) sink.fill(' ', padding);
    if (negative) sink.put('-');
    if (spec.prefix) sink.put("0x");
    if (spec.zero) sink.fill('0', padding);
    while (count > 0) sink.put(digits[--count]);
    if (spec.left) sink.fill(' ', padding);
}

void put_argument(Sink& sink, const FormatArg& argument, Spec spec) {
    switch (argument.kind()) {
    case FormatArg::Kind::text: return put_padded(sink, argument.text(), spec);
    case FormatArg::Kind::character: return sink.put(static_cast<char>(argument.number()));
    case FormatArg::Kind::truth: return put_padded(sink, argument.number() != 0 ? "true" : "false", spec);
    case FormatArg::Kind::pointer: spec.hex = spec.prefix = true; return put_number(sink, argument.number(), false, spec);
    case FormatArg::Kind::unsigned_number: return put_number(sink, argument.number(), false, spec);
    case FormatArg::Kind::signed_number: {
        const bool negative = static_cast<i64>(argument.number()) < 0 && !spec.hex;
        return put_number(sink, negative ? ~argument.number() + 1 : argument.number(), negative, spec);
    }
    }
}

}  // namespace

usize vformat(std::span<char> out, std::string_view format, std::span<const FormatArg> arguments) {
    Sink sink(out);
    usize next = 0;
    for (usize i = 0; i < format.size(); ++i) {
        const char c = format[i];
        if ((c == '{' || c == '}') && i + 1 < format.size() && format[i + 1] == c) {
            sink.put(c);
            ++i;
            continue;
        }
        const usize end = c == '{' ? format.find('}', i) : std::string_view::npos;
        if (end == std::string_view::npos) {
            sink.put(c);
            continue;
        }
        if (next < arguments.size()) put_argument(sink, arguments[next++], parse_spec(format.substr(i + 1, end - i - 1)));
        else sink.put("{?}");
        i = end;
    }
    return sink.used();
}

}  // namespace px
