// Parsing xen.efi's arguments.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/efi/arguments.hpp"

#include "boot/efi/config.hpp"

namespace px::efi {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

/// The part behind the last slash of either kind, or behind a volume's colon.
std::string_view file_name(std::string_view path) {
    const usize slash = path.find_last_of("\\/:");
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// Shells let users leave `.efi` away.
bool names_image(std::string_view word, std::string_view image) {
    const std::string_view name = file_name(word);
    const usize dot = image.rfind('.');
    return !name.empty() && (same_name(name, image) || (dot != std::string_view::npos && same_name(name, image.substr(0, dot))) ||
                             (name.size() > 4 && same_name(name.substr(name.size() - 4), ".efi")));
}

bool is_text(u8 byte) { return (byte >= ' ' && byte < 0x7f) || byte == '\t'; }

}  // namespace

Result<Arguments, std::string_view> parse_arguments(std::string_view line, std::string_view image) {
    Arguments arguments;
    bool first = true;
    while (!line.empty()) {
        const std::string_view word = take_word(line);
        if (word.empty()) break;
        if (word.starts_with("initrd=")) continue;
        const bool was_first = std::exchange(first, false);
        if (word == "--") {
            arguments.hypervisor = line;
            break;
        }
        if (word.starts_with("-cfg=") && word.size() > 5) arguments.config = word.substr(5);
        else if (word == "-basevideo") arguments.base_video = true;
        else if (word == "-mapbs") arguments.map_boot_services = true;
        else if (word == "-help" || word == "-?") arguments.help = true;
        else if (word.starts_with('-')) return Err{word};
        else if (was_first && names_image(word, image)) continue;
        else if (arguments.section.empty()) arguments.section = word;
        else return Err{word};
    }
    return arguments;
}

std::string_view options_text(std::span<const u8> options, std::span<char> out) {
    const auto convert = [&](usize step) -> std::string_view {
        usize used = 0;
        for (usize at = 0; at + step <= options.size(); at += step) {
            const bool wide = step == 2 && options[at + 1] != 0;
            if (options[at] == 0 && !wide) break;
            if (wide || !is_text(options[at]) || used == out.size()) return {};
            out[used++] = static_cast<char>(options[at]);
        }
        return {out.data(), used};
    };
    const bool looks_wide = options.size() >= 2 && options[1] == 0;
    return convert(looks_wide ? 2 : 1);
}

}  // namespace px::efi
