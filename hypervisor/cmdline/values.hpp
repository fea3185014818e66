// The value grammars that options share: booleans, sizes, choices, lists of flags.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/number_text.hpp"
#include "hypervisor/cmdline/option.hpp"

namespace px::cmdline {

/// Equal but for `-` and `_`.
constexpr bool same_name(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (usize i = 0; i < a.size(); ++i) {
        if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i])) return false;
    }
    return true;
}

/// Takes `prefix` off the front of `text`, if it is there.
constexpr bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (text.size() < prefix.size() || std::string_view{text.data(), prefix.size()} != prefix) return false;
    text.remove_prefix(prefix.size());
    return true;
}

constexpr std::optional<bool> parse_bool(std::string_view text) {
    for (const std::string_view word : {"yes", "on", "true", "enable", "1"}) {
        if (text == word) return true;
    }
    for (const std::string_view word : {"no", "off", "false", "disable", "0"}) {
        if (text == word) return false;
    }
    return std::nullopt;
}

/// Takes a number with a suffix b, k, m, g or t (any case) off the front; without one it counts KiB, as the
/// reference has it. Nothing when there is no number or it doesn't fit.
constexpr std::optional<u64> take_size(std::string_view& rest) {
    std::string_view text = rest;
    const auto number = take_unsigned(text);
    if (!number) return std::nullopt;
    unsigned shift = 10;
    bool suffixed = !text.empty();
    switch (suffixed ? text.front() : '\0') {
    case 'b':
    case 'B': shift = 0; break;
    case 'k':
    case 'K': shift = 10; break;
    case 'm':
    case 'M': shift = 20; break;
    case 'g':
    case 'G': shift = 30; break;
    case 't':
    case 'T': shift = 40; break;
    default: suffixed = false;
    }
    if (suffixed) text.remove_prefix(1);
    if (*number > ~u64{0} >> shift) return std::nullopt;
    rest = text;
    return *number << shift;
}

constexpr std::optional<u64> parse_size(std::string_view text) {
    const auto size = take_size(text);
    return text.empty() ? size : std::nullopt;
}

/// One item of a list of flags: `name`, `no-name`, `name=bool`, and `name:bool`, which users of other tools
/// write.
struct Flag {
    std::string_view item;  ///< as written
    std::string_view name;
    std::optional<bool> value;  ///< nothing: something behind the `=` that isn't a boolean
};

/// Takes the next flag off a comma-separated list; nothing at its end.
constexpr std::optional<Flag> next_flag(std::string_view& rest) {
    while (!rest.empty()) {
        const std::string_view item = take_until(rest, ',');
        if (item.empty()) continue;
        usize length = 0;
        while (length < item.size() && item[length] != '=' && item[length] != ':') ++length;
        std::string_view name{item.data(), length};
        if (length < item.size()) return Flag{item, name, parse_bool({item.data() + length + 1, item.size() - length - 1})};
        const bool negated = take_prefix(name, "no-");
        return Flag{item, name, !negated};
    }
    return std::nullopt;
}

template <class T>
struct FlagRow {
    std::string_view name;
    bool T::*member;
};

/// Sets the flags of `list` that are in `rows`; hands others to `other(flag)`, which tells whether it knew
/// them. All good items count; the first bad one is refused.
template <class T, usize N, class Other>
Outcome store_flags(std::string_view list, const FlagRow<T> (&rows)[N], T& target, Other other) {
    Outcome outcome;
    while (const auto flag = next_flag(list)) {
        const FlagRow<T>* row = nullptr;
        for (const auto& candidate : rows) {
            if (same_name(candidate.name, flag->name)) row = &candidate;
        }
        if (row != nullptr && flag->value) target.*row->member = *flag->value;
        else if (row != nullptr && outcome.ok()) outcome = Err{Refusal{"is neither on nor off", flag->item}};
        else if (row == nullptr && !other(*flag) && outcome.ok()) outcome = Err{Refusal{"is not known", flag->item}};
    }
    return outcome;
}

template <class T>
struct Choice {
    std::string_view name;
    T value;
};

template <class T, usize N>
constexpr std::optional<T> find_choice(const Choice<T> (&choices)[N], std::string_view name) {
    for (const auto& choice : choices) {
        if (choice.name == name) return choice.value;
    }
    return std::nullopt;
}

// ---- stores: Option::store for a member of BootOptions

template <bool BootOptions::*member>
Outcome store_bool(BootOptions& options, const Argument& argument) {
    const auto value = argument.given ? parse_bool(argument.value) : std::optional{!argument.negated};
    if (!value) return Err{Refusal{"is neither on nor off"}};
    options.*member = *value;
    return {};
}

template <u32 BootOptions::*member, u32 min, u32 max>
Outcome store_integer(BootOptions& options, const Argument& argument) {
    const auto value = parse_unsigned(argument.value, max);
    if (!value || *value < min) return Err{Refusal{"is not a number in range"}};
    options.*member = static_cast<u32>(*value);
    return {};
}

template <u64 BootOptions::*member>
Outcome store_size(BootOptions& options, const Argument& argument) {
    const auto value = parse_size(argument.value);
    if (!value) return Err{Refusal{"is not a size such as 64k or 2G"}};
    options.*member = *value;
    return {};
}

template <std::string_view BootOptions::*member>
Outcome store_text(BootOptions& options, const Argument& argument) {
    options.*member = argument.value;
    return {};
}

template <Lists BootOptions::*member>
Outcome store_lists(BootOptions& options, const Argument& argument) {
    Lists& lists = options.*member;
    if (lists.count == Lists::capacity) return Err{Refusal{"is given too often: write one list"}};
    lists.values[lists.count++] = argument.value;
    return {};
}

template <auto member, const auto& choices>
Outcome store_choice(BootOptions& options, const Argument& argument) {
    const auto value = find_choice(choices, argument.value);
    if (!value) return Err{Refusal{"is none of the choices"}};
    options.*member = *value;
    return {};
}

}  // namespace px::cmdline
