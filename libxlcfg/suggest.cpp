// Suggestions for misspelt words.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/suggest.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace px::xlcfg {

namespace {

struct Alias {
    std::string_view word;
    std::string_view key;
};

// What people who come from QEMU, libvirt, KVM front ends or the plain English word write.
constexpr Alias aliases[] = {
    {"append", "cmdline"},
    {"args", "cmdline"},
    {"autoballoon", "memory"},
    {"bridge", "vif"},
    {"cdrom", "disk"},
    {"command_line", "cmdline"},
    {"commandline", "cmdline"},
    {"console", "serial"},
    {"cpu", "vcpus"},
    {"cpu_affinity", "cpus"},
    {"cpu_cap", "cap"},
    {"cpuset", "cpus"},
    {"disks", "disk"},
    {"drive", "disk"},
    {"domain_type", "type"},
    {"dom_name", "name"},
    {"guest_type", "type"},
    {"hostname", "name"},
    {"hostdev", "pci"},
    {"initramfs", "ramdisk"},
    {"initrd", "ramdisk"},
    {"kernel_cmdline", "cmdline"},
    {"kernel_args", "cmdline"},
    {"mac", "vif"},
    {"max_memory", "maxmem"},
    {"max_vcpus", "maxvcpus"},
    {"mem", "memory"},
    {"net", "vif"},
    {"network", "vif"},
    {"nic", "vif"},
    {"nics", "vif"},
    {"on_shutdown", "on_poweroff"},
    {"passthru", "pci"},
    {"ram", "memory"},
    {"smp", "vcpus"},
    {"sound", "soundhw"},
    {"storage", "disk"},
    {"uefi", "firmware"},
    {"vcpu", "vcpus"},
    {"vdisk", "disk"},
    {"video", "vga"},
    {"vm_name", "name"},
    {"vnc_password", "vncpasswd"},
    {"vncpassword", "vncpasswd"},
    {"vncport", "vncdisplay"},
    {"weight", "cpu_weight"},
};

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    before_last = last;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substitution = last[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::string_view closest(std::string_view word, std::span<const std::string_view> known) {
    constexpr std::size_t longest = 64;  // longer words are no slips, and cost quadratic time
    if (word.empty() || word.size() > longest) return {};
    const auto plain = [](std::string_view text) {
        std::string lower(text);
        for (char& c : lower) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        return lower;
    };
    const std::string lower = plain(word);
    std::string_view best;
    std::size_t least = std::max<std::size_t>(1, lower.size() / 3) + 1;
    for (std::string_view candidate : known) {
        const auto [shorter, longer] = std::minmax({candidate.size(), lower.size()});
        if (longer - shorter >= least) continue;  // the distance is at least that
        const std::size_t distance = edit_distance(lower, plain(candidate));
        // A distance as large as the word itself says nothing: "a" is not a slip of "b".
        if (distance < least && distance < std::min(lower.size(), candidate.size())) {
            least = distance;
            best = candidate;
        }
    }
    return best;
}

std::string_view known_alias(std::string_view word) {
    const auto* found = std::find_if(std::begin(aliases), std::end(aliases), [&](const Alias& alias) { return alias.word == word; });
    return found == std::end(aliases) ? std::string_view() : found->key;
}

}  // namespace px::xlcfg
