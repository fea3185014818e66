// disk=: reading disk specifications.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/disk.hpp"

#include <algorithm>

#include "libxlcfg/spec.hpp"

namespace px::xlcfg {

namespace {

constexpr std::string_view no_colo = "COLO replication is not supported";

constexpr Row<Disk> rows[] = {
    {"format", choice<&Disk::format>, {.fallback = "raw", .doc = "Format of the image."}},
    {"vdev", text<&Disk::vdev>, {.form = "xvdX, hdX, sdX, dNpM", .doc = "Name of the disk in the guest. Mandatory."}},
    {"access", choice<&Disk::access>, {.fallback = "rw; ro for a CD-ROM", .doc = "Whether the guest may write (rw or w, ro or r)."}},
    {"devtype", choice<&Disk::type>, {.fallback = "disk", .doc = "A CD-ROM is read-only and may be empty."}},
    {"backend", text<&Disk::backend>, {.fallback = "dom0", .doc = "Domain that serves the disk, by name or number."}},
    {"backendtype", choice<&Disk::backend_type>, {.fallback = "the best that fits", .doc = "Implementation that serves the disk."}},
    {"script", text<&Disk::script>, {.doc = "Program under /etc/xen/scripts that turns the target into a device."}},
    {"specification", choice<&Disk::protocol>, {.fallback = "xen", .since = "4.17", .doc = "Protocol between guest and backend."}},
    {"direct-io-safe", boolean<&Disk::direct_io_safe>, {.flag = true, .doc = "The target is no network storage: O_DIRECT may be used."}},
    {"discard", boolean<&Disk::discard>, {.fallback = "1", .flag = true, .off = "no-discard", .doc = "Offer TRIM to the guest."}},
    {"trusted",
     boolean<&Disk::trusted>,
     {.fallback = "1", .since = "4.17", .flag = true, .off = "untrusted", .doc = "Whether the guest should trust the backend."}},
    {"colo", nowhere<Disk, Shape::boolean>, {.flag = true, .off = "no-colo", .refused = no_colo, .doc = "COLO replication."}},
    {"colo-host", nowhere<Disk>, {.refused = no_colo, .doc = "COLO: the other host."}},
    {"colo-port", nowhere<Disk>, {.refused = no_colo, .doc = "COLO: its port."}},
    {"colo-export", nowhere<Disk>, {.refused = no_colo, .doc = "COLO: name of the export."}},
    {"active-disk", nowhere<Disk>, {.refused = no_colo, .doc = "COLO: buffer of the secondary's writes."}},
    {"hidden-disk", nowhere<Disk>, {.refused = no_colo, .doc = "COLO: buffer of the primary's old contents."}},
    {"target", text<&Disk::target>, {.doc = "Device or image file; takes the rest of the string, so it comes last."}},
};

// Prefixes of xend's days. The formats and scripts mean something, the others never did.
constexpr std::string_view format_prefixes[] = {"raw", "qcow", "qcow2", "vhd", "qed"};
constexpr std::string_view script_prefixes[] = {"iscsi", "nbd", "enbd", "drbd"};
constexpr std::string_view ignored_prefixes[] = {"tapdisk", "tap", "tap2", "aio", "ioemu", "file", "phy"};

bool among(std::string_view word, Choices words) { return std::find(words.begin(), words.end(), word) != words.end(); }

// Whether a bare word is a flag; if not, it stands in a place.
bool is_flag(std::string_view word) {
    return !word.empty() && std::any_of(std::begin(rows), std::end(rows), [&](const Row<Disk>& row) {
        return row.details.flag && (row.name == word || row.details.off == word);
    });
}

class DiskReader {
public:
    DiskReader(Disk& disk, Diagnostics& out) : disk_(disk), out_(out) {}
    void read(const Value& text);

private:
    Value strip_prefixes(Value text);
    void part(const Value& text);
    void positional(const Value& text);
    void virtual_device(const Value& text);
    void set(std::string_view key, const Value& value);
    void set(Part part);
    void check(const Value& text);
    bool has(std::string_view key) const {
        return std::find(seen_.begin(), seen_.end(), key) != seen_.end() ||
               std::find(skipped_.begin(), skipped_.end(), key) != skipped_.end();
    }

    Disk& disk_;
    Diagnostics& out_;
    std::vector<std::string> seen_;
    std::vector<std::string> skipped_;  // given empty: the place is taken, and the key may still come by name
};

void DiskReader::set(std::string_view key, const Value& value) {
    Part part{value, value};
    part.key.text = key;
    set(std::move(part));
}

// The access has two spellings each; everything else is the row's business.
void DiskReader::set(Part part) {
    if (part.value && part.value->text.empty()) {
        skipped_.push_back(part.key.text);
        return;
    }
    if (!first_time(part, seen_, out_)) return;
    if (part.key.text == "access" && part.value) {
        if (part.value->text == "w") part.value->text = "rw";
        if (part.value->text == "r") part.value->text = "ro";
    }
    if (!set_part(disk_, part, rows_of(&disk_), out_)) unknown_part(part, "a disk", views(rows_of(&disk_)), out_);
}

// "hdc:cdrom" is xend's way to say vdev=hdc, devtype=cdrom.
void DiskReader::virtual_device(const Value& text) {
    const std::size_t colon = text.text.rfind(':');
    set("vdev", text.part(0, colon));
    if (colon == std::string::npos) return;
    out_.warning(text.part(colon).span, "':" + text.text.substr(colon + 1) + "' after the device is deprecated",
                 "write " + text.text.substr(0, colon) + ",devtype=" + text.text.substr(colon + 1));
    set("devtype", text.part(colon + 1));
}

void DiskReader::positional(const Value& text) {
    // ",hdc:cdrom,r": an empty drive, without the place for a format.
    const bool xend_empty = disk_.is_empty() && has("target") && !has("format") && text.text.ends_with(":cdrom");
    if (xend_empty) skipped_.push_back("format");
    if (!has("target")) set("target", text);
    else if (!has("format")) set("format", text);
    else if (!has("vdev")) virtual_device(text);
    else if (!has("access")) set("access", text);
    else if (!text.text.empty())
        out_.error(text.span, "this is one part too many for a disk: " + quote(text.text),
                   "the order is TARGET,FORMAT,VDEV,ACCESS; what comes after is KEY=VALUE");
}

Value DiskReader::strip_prefixes(Value text) {
    const Value whole = text;
    bool stripped = false;
    while (true) {
        const std::size_t colon = text.text.find(':');
        if (colon == std::string::npos) break;
        const std::string prefix = text.text.substr(0, colon);
        if (among(prefix, format_prefixes)) set("format", text.part(0, colon));
        else if (among(prefix, script_prefixes)) {
            Value script = text.part(0, colon);
            script.text.insert(0, "block-");
            set("script", std::move(script));
        } else if (!among(prefix, ignored_prefixes)) break;
        text = text.part(colon + 1);
        stripped = true;
    }
    if (stripped) {
        out_.warning(whole.part(0, whole.text.size() - text.text.size()).span, "a prefix before the target is deprecated",
                     has("format") || has("script") ? "write format=… or script=…" : "it has no effect; leave it out");
        // The old form has no place for a format: TARGET,VDEV,ACCESS.
        skipped_.push_back("format");
    }
    return text;
}

void DiskReader::part(const Value& text) {
    Part divided = divide(text);
    if (text.text == "cdrom") set("devtype", text);
    else if (divided.value || is_flag(text.text)) set(std::move(divided));
    else positional(text);
}

void DiskReader::read(const Value& whole) {
    Value rest = strip_prefixes(whole.part(std::min(whole.text.find_first_not_of(" \t"), whole.text.size())));
    while (true) {
        const std::size_t start = rest.text.find_first_not_of(" \t\r\n");
        if (start == std::string::npos) break;
        rest = rest.part(start);
        if (rest.text.starts_with("target=")) {
            // The named target takes all that follows, commas and blanks too.
            set("target", rest.part(7));
            break;
        }
        const std::size_t comma = rest.text.find(',');
        part(rest.part(0, comma).trimmed());
        if (comma == std::string::npos) break;
        rest = rest.part(comma + 1);
    }
    check(whole);
}

void DiskReader::check(const Value& text) {
    if (disk_.vdev && !parse_virtual_disk(*disk_.vdev))
        out_.error(disk_.vdev.span, quote(*disk_.vdev) + " is no virtual disk",
                   "it is like xvda, xvdb1, hdc (a to d), sda (a to p) or d0p1");
    if (!disk_.vdev) out_.error(text.span, "this disk has no virtual device", "add vdev=, like xvda: TARGET,FORMAT,VDEV,ACCESS");
    if (disk_.is_empty() && !disk_.is_cdrom() && disk_.vdev)
        out_.error(text.span, "this disk has no target", "only a CD-ROM drive may be empty");
    if (disk_.is_cdrom() && disk_.access && *disk_.access == DiskAccess::rw)
        out_.warning(disk_.access.span, "a CD-ROM is read-only", "write ro");
    const bool image = disk_.format && *disk_.format != DiskFormat::raw;
    if (image && disk_.backend_type && *disk_.backend_type != DiskBackend::qdisk && *disk_.backend_type != DiskBackend::tap)
        out_.error(disk_.backend_type.span, "this backend type serves raw disks only", "write backendtype=qdisk");
}

// Bijective base 26: a = 0, z = 25, aa = 26.
std::optional<std::uint32_t> disk_letters(std::string_view letters) {
    if (letters.empty() || letters.size() > 5) return std::nullopt;
    std::uint32_t disk = 0;
    for (char c : letters) {
        if (c < 'a' || c > 'z') return std::nullopt;
        disk = disk * 26 + static_cast<std::uint32_t>(c - 'a') + 1;
    }
    return disk - 1;
}

std::optional<std::uint32_t> encode(VirtualDisk::Bus bus, std::uint32_t disk, std::uint32_t partition) {
    switch (bus) {
    case VirtualDisk::Bus::xvd:
        if (disk < 16 && partition < 16) return 202u << 8 | disk << 4 | partition;
        if (disk < 1u << 20 && partition < 256) return 1u << 28 | disk << 8 | partition;
        return std::nullopt;
    case VirtualDisk::Bus::hd:
        if (disk >= 4 || partition >= 64) return std::nullopt;
        return (disk < 2 ? 3u : 22u) << 8 | (disk & 1) << 6 | partition;
    case VirtualDisk::Bus::sd:
        if (disk >= 16 || partition >= 16) return std::nullopt;
        return 8u << 8 | disk << 4 | partition;
    default: return std::nullopt;
    }
}

std::optional<std::uint32_t> small_number(std::string_view digits) {
    const std::optional<std::uint64_t> number = parse_digits(digits, 10);
    if (!number || *number >= 1u << 20 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
    return static_cast<std::uint32_t>(*number);
}

std::optional<VirtualDisk> made(VirtualDisk::Bus bus, std::optional<std::uint32_t> disk, std::optional<std::uint32_t> partition) {
    if (!disk || !partition) return std::nullopt;
    const std::optional<std::uint32_t> number = encode(bus, *disk, *partition);
    if (!number) return std::nullopt;
    return VirtualDisk{bus, *disk, *partition, *number};
}

}  // namespace

std::optional<VirtualDisk> parse_virtual_disk(std::string_view name) {
    constexpr std::string_view digits = "0123456789";
    if (const auto number = parse_number(name); number && *number >= 0 && *number < 1ll << 29)
        return VirtualDisk{VirtualDisk::Bus::number, 0, 0, static_cast<std::uint32_t>(*number)};
    if (name.size() > 1 && name[0] == 'd' && digits.find(name[1]) != std::string_view::npos) {
        const std::size_t p = name.find('p');
        const auto partition = p == std::string_view::npos ? 0 : small_number(name.substr(p + 1));
        return made(VirtualDisk::Bus::xvd, small_number(name.substr(1, p == std::string_view::npos ? p : p - 1)), partition);
    }
    constexpr std::pair<std::string_view, VirtualDisk::Bus> buses[] = {
        {"xvd", VirtualDisk::Bus::xvd}, {"hd", VirtualDisk::Bus::hd}, {"sd", VirtualDisk::Bus::sd}};
    for (const auto& [prefix, bus] : buses) {
        if (!name.starts_with(prefix)) continue;
        const std::string_view rest = name.substr(prefix.size());
        const std::size_t end = std::min(rest.find_first_of(digits), rest.size());
        const auto partition = end == rest.size() ? 0 : small_number(rest.substr(end));
        return made(bus, disk_letters(rest.substr(0, end)), partition);
    }
    return std::nullopt;
}

std::string Disk::path() const {
    if (is_empty() || target->starts_with('/')) return target.value_or("");
    return "/dev/" + *target;
}

std::span<const Row<Disk>> rows_of(const Disk*) { return rows; }

bool read(Disk& disk, const Value& value, Diagnostics& out) {
    if (!check_text(value, "a disk", out)) return false;
    const std::size_t errors = out.errors();
    disk.span = value.span;
    DiskReader(disk, out).read(value);
    return out.errors() == errors;
}

Json show(const Disk& disk) { return show_rows(disk, rows_of(&disk)); }

}  // namespace px::xlcfg
