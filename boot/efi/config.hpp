// xen.cfg: sections of `key=value` lines, as Xen documents the file; and where it is looked for.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "hypervisor/base/result.hpp"

namespace px::efi {

inline constexpr usize longest_config = 65536;

/// A configuration file's text. Views of it; nothing is copied. A `#` anywhere, and a `;` at a line's start, begin a comment.
class Config {
public:
    static constexpr char global[] = "global";

    struct Bad {
        usize line;  ///< counted from 1
        u8 byte;     ///< what stands there
    };
    /// Errors: a byte that is no ASCII text (UTF-16 and UTF-8 files have such ones).
    static Result<Config, Bad> parse(std::string_view text);

    bool has_section(std::string_view section) const;
    /// The first `key=` of the section (of the whole file where its name is empty), without the spaces around it; nullopt where there is none.
    std::optional<std::string_view> value(std::string_view section, std::string_view key) const;
    /// value(), then that of [global]: for keys that hold for all sections.
    std::optional<std::string_view> value_or_global(std::string_view section, std::string_view key) const;
    /// As value(), but empty where there is none.
    std::string_view text(std::string_view section, std::string_view key) const;

private:
    explicit Config(std::string_view text) : text_(text) {}
    std::string_view text_;
};

/// The names under which the configuration of an image is looked for, one after the other: the image's with `.cfg` for its
/// extension, then shorter ones (xen-4.17-amd64.efi: xen-4.17-amd64.cfg, xen-4.17.cfg, xen-4.cfg, xen.cfg); at last xen.cfg.
class ConfigNames {
public:
    static constexpr usize longest = 128;
    /// `image`: its file name without a directory; cut where it is too long.
    explicit ConfigNames(std::string_view image);
    /// The next name, nullopt when there are no more. Overwrites the text of the last.
    std::optional<std::string_view> next();

private:
    char name_[longest + 4];
    usize stem_;  ///< length of the next name without `.cfg`, 0: none
    bool default_given_ = false;
};

/// The first word of `text`, which is shortened by it and by the spaces around it.
std::string_view take_word(std::string_view& text);

}  // namespace px::efi
