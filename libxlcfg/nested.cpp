// vnuma= and vsnd=: reading.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/nested.hpp"

#include <algorithm>

#include "libxlcfg/cpus.hpp"
#include "libxlcfg/spec.hpp"

namespace px::xlcfg {

namespace {

constexpr std::string_view node_keys[] = {"pnode", "size", "vcpus", "vdistances"};
constexpr std::string_view sound_kinds[] = {"CARD", "PCM", "STREAM"};

// What each kind of sound item takes; the last five may stand on any level.
constexpr std::string_view card_keys[] = {"backend",        "short-name",   "long-name",    "sample-rates",
                                          "sample-formats", "channels-min", "channels-max", "buffer-size"};
constexpr std::string_view pcm_keys[] = {"name", "sample-rates", "sample-formats", "channels-min", "channels-max", "buffer-size"};
constexpr std::string_view stream_keys[] = {"unique-id",      "id",           "type",         "sample-rates",
                                            "sample-formats", "channels-min", "channels-max", "buffer-size"};
constexpr Choices sound_keys[] = {card_keys, pcm_keys, stream_keys};

constexpr std::string_view sample_formats[] = {"s8",
                                               "u8",
                                               "s16_le",
                                               "s16_be",
                                               "u16_le",
                                               "u16_be",
                                               "s24_le",
                                               "s24_be",
                                               "u24_le",
                                               "u24_be",
                                               "s32_le",
                                               "s32_be",
                                               "u32_le",
                                               "u32_be",
                                               "float_le",
                                               "float_be",
                                               "float64_le",
                                               "float64_be",
                                               "iec958_subframe_le",
                                               "iec958_subframe_be",
                                               "mu_law",
                                               "a_law",
                                               "ima_adpcm",
                                               "mpeg",
                                               "gsm"};

bool among(std::string_view word, Choices words) { return std::find(words.begin(), words.end(), word) != words.end(); }

bool check_elements(const Value& value, std::string_view what, Diagnostics& out) {
    if (value.is_list()) return true;
    out.error(value.span, std::string(what) + " is a list of its own", "put it in brackets: [ [ … ], … ]");
    return false;
}

std::optional<std::int64_t> read_amount(const Value& value, std::int64_t most, Diagnostics& out) {
    const std::optional<std::int64_t> number = parse_number(value.text);
    if (number && *number >= 0 && *number <= most) return number;
    out.error(value.span, quote(value.text) + " is not a number from 0 to " + std::to_string(most));
    return std::nullopt;
}

bool read_node_key(VirtualNode& node, const Part& part, Diagnostics& out) {
    const std::string& key = part.key.text;
    if (!part.value || !among(key, node_keys)) {
        out.error(part.key.span, "a virtual node has no key " + quote(key),
                  did_you_mean(key, node_keys, "it has: " + enumerate(node_keys)));
        return false;
    }
    if (key == "vcpus") {
        auto vcpus = read_numbers(*part.value, max_vcpus, out);
        if (vcpus) node.vcpus = std::move(*vcpus);
        return vcpus.has_value();
    }
    if (key == "vdistances") {
        for (const Value& text : split(*part.value, ',')) {
            const std::optional<std::int64_t> distance = read_amount(text, 255, out);
            if (!distance) return false;
            node.distances.push_back(static_cast<std::uint32_t>(*distance));
        }
        return true;
    }
    const std::optional<std::int64_t> number = read_amount(*part.value, key == "pnode" ? max_cpu - 1 : 1ll << 34, out);
    if (number) (key == "pnode" ? node.pnode : node.memory_kib) = key == "pnode" ? *number : *number * 1024;
    return number.has_value();
}

bool check_sound_value(const Part& part, Diagnostics& out) {
    const std::string& key = part.key.text;
    const Value& value = *part.value;
    if (key == "channels-min" || key == "channels-max") return read_amount(value, 255, out).has_value();
    if (key == "buffer-size") return read_amount(value, UINT32_MAX, out).has_value();
    if (key == "type" && value.text != "p" && value.text != "c") {
        out.error(value.span, "a stream's type is p (playback) or c (capture), not " + quote(value.text));
        return false;
    }
    if (key != "sample-rates" && key != "sample-formats") return true;
    bool good = true;
    for (const Value& sample : split(value, ';')) {
        if (key == "sample-rates") {
            good = read_amount(sample, 1'000'000, out).has_value() && good;
        } else if (!among(sample.text, sample_formats)) {
            out.error(sample.span, "unknown sample format " + quote(sample.text),
                      did_you_mean(sample.text, sample_formats, "it is like s16_le; see xl.cfg(5)"));
            good = false;
        }
    }
    return good;
}

bool read_sound_item(SoundItem& item, const Value& text, Diagnostics& out) {
    if (!check_text(text, "an item of a sound card", out)) return false;
    const std::vector<Part> parts = split_spec(text);
    const auto* kind = parts.empty() ? std::end(sound_kinds) : std::find(std::begin(sound_kinds), std::end(sound_kinds), parts[0].key.text);
    if (kind == std::end(sound_kinds) || parts[0].value) {
        out.error(parts.empty() ? text.span : parts[0].key.span, "an item of a sound card begins with its kind",
                  "it is one of: " + enumerate(sound_kinds));
        return false;
    }
    item.kind = static_cast<SoundItem::Kind>(kind - sound_kinds);
    const Choices keys = sound_keys[kind - sound_kinds];
    bool good = true;
    for (std::size_t at = 1; at < parts.size(); ++at) {
        const std::string& key = parts[at].key.text;
        if (!parts[at].value || !among(key, keys)) {
            out.error(parts[at].key.span, std::string(*kind) + " has no key " + quote(key),
                      did_you_mean(key, keys, "it has: " + enumerate(keys)));
            good = false;
        } else if (check_sound_value(parts[at], out)) {
            item.parameters.push_back({key == "id" ? "unique-id" : key, parts[at].value->text});
        } else {
            good = false;
        }
    }
    return good;
}

}  // namespace

bool read(VirtualNode& node, const Value& value, Diagnostics& out) {
    node.span = value.span;
    if (!check_elements(value, "a virtual node", out)) return false;
    const std::size_t errors = out.errors();
    std::vector<std::string> seen;
    for (const Value& element : value.items) {
        if (!check_text(element, "a key of a virtual node", out)) continue;
        const Part part = divide(element.trimmed());
        if (first_time(part, seen, out)) read_node_key(node, part, out);
    }
    if (out.errors() != errors) return false;
    for (std::string_view key : node_keys)
        if (std::find(seen.begin(), seen.end(), key) == seen.end())
            out.error(value.span, "this virtual node has no " + quote(key), "each node needs " + enumerate(node_keys));
    return out.errors() == errors;
}

Json show(const VirtualNode& node) {
    const auto join = [](const std::vector<std::uint32_t>& numbers) {
        std::string text;
        for (std::uint32_t number : numbers) text += (text.empty() ? "" : ",") + std::to_string(number);
        return text;
    };
    return Json::array({"pnode=" + std::to_string(node.pnode), "size=" + std::to_string(node.memory_kib / 1024),
                        "vcpus=" + join(node.vcpus), "vdistances=" + join(node.distances)});
}

bool read(SoundCard& card, const Value& value, Diagnostics& out) {
    card.span = value.span;
    if (!check_elements(value, "a sound card", out)) return false;
    bool good = true;
    for (const Value& text : value.items) {
        SoundItem item;
        if (!read_sound_item(item, text, out)) {
            good = false;
            continue;
        }
        const bool first = card.items.empty();
        const bool orphan =
            item.kind == SoundItem::Kind::stream &&
            std::none_of(card.items.begin(), card.items.end(), [](const SoundItem& above) { return above.kind == SoundItem::Kind::pcm; });
        if (good && (first != (item.kind == SoundItem::Kind::card) || orphan)) {
            out.error(text.span, "this item stands in the wrong place",
                      "a sound card is one CARD, then PCM devices, each with its STREAMs");
            good = false;
        }
        card.items.push_back(std::move(item));
    }
    if (good && card.items.empty()) out.error(value.span, "this sound card is empty", "begin with 'CARD'");
    return good && !card.items.empty();
}

Json show(const SoundCard& card) {
    Json all = Json::array();
    for (const SoundItem& item : card.items) {
        std::string text(sound_kinds[static_cast<std::size_t>(item.kind)]);
        for (const SoundParameter& parameter : item.parameters) text += ", " + parameter.name + '=' + parameter.value;
        all.push_back(std::move(text));
    }
    return all;
}

}  // namespace px::xlcfg
