// What stands behind xen.efi where it is started: a shell's line, or a boot entry's options.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "hypervisor/base/result.hpp"

namespace px::efi {

/// Views of the text that they were parsed from.
struct Arguments {
    std::string_view config;         ///< -cfg=: file to use, empty: search for it
    std::string_view section;        ///< the one bare word: section of the configuration, empty: its default
    std::string_view hypervisor;     ///< what follows --: for the hypervisor's command line
    bool base_video = false;         ///< -basevideo
    bool map_boot_services = false;  ///< -mapbs: memory of boot services stays reserved
    bool help = false;               ///< -help, -?
};

/// `image`: the image's own file name, which shells pass as the first word and boot entries don't.
/// `initrd=…`, which systemd-boot puts before an entry's options where it is of the kind `linux`, is skipped: it offers the file itself
/// as well. Errors: the word that isn't understood.
Result<Arguments, std::string_view> parse_arguments(std::string_view line, std::string_view image);

/// A loaded image's options as ASCII text in `out`: from UCS-2, which the specification wants, or from ASCII, which
/// efibootmgr writes by default. Empty where they are neither (firmware puts its own data there).
std::string_view options_text(std::span<const u8> options, std::span<char> out);

}  // namespace px::efi
