// Reading xen.cfg.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/efi/config.hpp"

#include <cstring>

namespace px::efi {
namespace {

constexpr std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Takes one line, ended by LF, CR or both, off the text.
std::string_view take_line(std::string_view& text) {
    usize end = 0;
    while (end < text.size() && text[end] != '\n' && text[end] != '\r') ++end;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end < text.size() ? end + 1 : end);
    return line;
}

std::string_view without_comment(std::string_view line) {
    line = trimmed(line);
    if (line.starts_with(';')) return {};
    const usize comment = line.find('#');
    return comment == std::string_view::npos ? line : trimmed(line.substr(0, comment));
}

/// The name in [name], nullopt where the line is none.
std::optional<std::string_view> section_name(std::string_view line) {
    if (!line.starts_with('[') || !line.ends_with(']')) return std::nullopt;
    return trimmed(line.substr(1, line.size() - 2));
}

}  // namespace

Result<Config, Config::Bad> Config::parse(std::string_view text) {
    usize line = 1;
    for (const char c : text) {
        const u8 byte = static_cast<u8>(c);
        if (byte == '\n') ++line;
        if (byte >= 0x7f || (byte < ' ' && byte != '\n' && byte != '\r' && byte != '\t')) return Err{Bad{line, byte}};
    }
    return Config(text);
}

bool Config::has_section(std::string_view section) const {
    for (std::string_view rest = text_; !rest.empty();) {
        if (section_name(without_comment(take_line(rest))) == section) return true;
    }
    return false;
}

std::optional<std::string_view> Config::value(std::string_view section, std::string_view key) const {
    bool inside = section.empty();
    for (std::string_view rest = text_; !rest.empty();) {
        const std::string_view line = without_comment(take_line(rest));
        if (const auto name = section_name(line)) {
            inside = section.empty() || *name == section;
            continue;
        }
        const usize equals = line.find('=');
        if (inside && equals != std::string_view::npos && trimmed(line.substr(0, equals)) == key) return trimmed(line.substr(equals + 1));
    }
    return std::nullopt;
}

std::optional<std::string_view> Config::value_or_global(std::string_view section, std::string_view key) const {
    const auto own = value(section, key);
    return own ? own : value(global, key);
}

std::string_view Config::text(std::string_view section, std::string_view key) const {
    const auto found = value(section, key);
    return found ? *found : std::string_view{};
}

ConfigNames::ConfigNames(std::string_view image) {
    const usize dot = image.rfind('.');
    stem_ = std::min(dot == std::string_view::npos ? image.size() : dot, longest);
    std::memcpy(name_, image.data(), stem_);
}

std::optional<std::string_view> ConfigNames::next() {
    constexpr std::string_view last_resort = "xen";
    if (stem_ == 0) {
        if (default_given_) return std::nullopt;
        stem_ = last_resort.size();
        std::memcpy(name_, last_resort.data(), stem_);
    }
    const usize length = stem_;
    default_given_ = default_given_ || std::string_view(name_, length) == last_resort;
    // The next one ends before the last separator. What `.cfg` overwrites now lies behind it.
    while (stem_ > 0 && name_[stem_ - 1] != '.' && name_[stem_ - 1] != '-' && name_[stem_ - 1] != '_') --stem_;
    while (stem_ > 0 && (name_[stem_ - 1] == '.' || name_[stem_ - 1] == '-' || name_[stem_ - 1] == '_')) --stem_;
    std::memcpy(name_ + length, ".cfg", 4);
    return std::string_view(name_, length + 4);
}

std::string_view take_word(std::string_view& text) {
    text = trimmed(text);
    usize end = 0;
    while (end < text.size() && text[end] != ' ' && text[end] != '\t') ++end;
    const std::string_view word = text.substr(0, end);
    text = trimmed(text.substr(end));
    return word;
}

}  // namespace px::efi
