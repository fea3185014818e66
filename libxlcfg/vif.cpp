// vif=: reading network interface specifications.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/vif.hpp"

#include <algorithm>

#include "libxlcfg/spec.hpp"

namespace px::xlcfg {

namespace {

constexpr std::int64_t largest_devid = 65535;

constexpr Row<Vif> rows[] = {
    {"mac", item<&Vif::mac>, {.fallback = "random in 00:16:3e", .form = "XX:XX:XX:XX:XX:XX", .doc = "Address of the guest's card."}},
    {"bridge", text<&Vif::bridge>, {.fallback = "xenbr0", .doc = "Bridge on the host to join."}},
    {"gatewaydev", text<&Vif::gatewaydev>, {.doc = "Host interface whose network the guest is routed to (vif-route)."}},
    {"netdev", text<&Vif::gatewaydev>, {.replaced_by = "gatewaydev", .doc = "Old name of gatewaydev."}},
    {"type",
     choice<&Vif::type>,
     {.guests = hvm_guest, .fallback = "ioemu for HVM, else vif", .doc = "With an emulated card (ioemu), or paravirtual only (vif)."}},
    {"model", text<&Vif::model>, {.guests = hvm_guest, .fallback = "rtl8139", .doc = "Emulated card, a name of the device model."}},
    {"vifname", text<&Vif::vifname>, {.fallback = "vifDOMID.DEVID", .doc = "Name of the interface on the host."}},
    {"script", text<&Vif::script>, {.fallback = "vif-bridge", .doc = "Program under /etc/xen/scripts that connects the interface."}},
    {"ip", text<&Vif::ip>, {.doc = "Address of the guest, for the script."}},
    {"backend", text<&Vif::backend>, {.fallback = "dom0", .doc = "Domain that serves the interface, by name or number."}},
    {"rate",
     item<&Vif::rate>,
     {.fallback = "unlimited", .form = "N[G|M|K](B|b)/s[@N(ms|us|s)]", .doc = "Limit of the guest's outgoing traffic."}},
    {"devid", number<&Vif::devid>, {.fallback = "the lowest free", .max = largest_devid, .doc = "Number of the interface."}},
    {"mtu",
     number<&Vif::mtu>,
     {.fallback = "the bridge's, or 1500",
      .since = "4.15",
      .unit = "bytes",
      .min = 68,
      .max = 65535,
      .doc = "Largest packet, without the Ethernet header."}},
    {"trusted",
     boolean<&Vif::trusted>,
     {.fallback = "1", .since = "4.17", .flag = true, .off = "untrusted", .doc = "Whether the guest should trust the backend."}},
    {"accel", nowhere<Vif>, {.refused = "accelerated interfaces no longer exist", .doc = "Had an effect under xend."}},
    {"forwarddev", nowhere<Vif>, {.refused = "COLO replication is not supported", .doc = "COLO: interface to the other host."}},
};

struct Scale {
    std::string_view suffix;
    std::uint64_t factor;
};

constexpr Scale sizes[] = {{"GB", 1'000'000'000}, {"MB", 1'000'000}, {"KB", 1'000}, {"B", 1}};
constexpr Scale bit_sizes[] = {{"Gb", 1'000'000'000}, {"Mb", 1'000'000}, {"Kb", 1'000}, {"b", 1}};
// Without a unit it is seconds: so the reference reads it, whatever its manual says.
constexpr Scale times[] = {{"us", 1}, {"ms", 1'000}, {"s", 1'000'000}, {"", 1'000'000}};

// A number with one of the suffixes.
std::optional<std::uint64_t> scaled(std::string_view text, std::span<const Scale> scales) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::optional<std::uint64_t> number = parse_digits(text.substr(0, digits), 10);
    for (const Scale& scale : scales)
        if (number && text.substr(digits) == scale.suffix && *number <= UINT64_C(1'000'000'000'000) / scale.factor)
            return *number * scale.factor;
    return std::nullopt;
}

std::optional<std::uint64_t> bytes_per_second(std::string_view text) {
    if (const auto bytes = scaled(text, sizes)) return bytes;
    if (const auto bits = scaled(text, bit_sizes)) return *bits / 8;
    return std::nullopt;
}

}  // namespace

bool read(Mac& mac, const Value& value, Diagnostics& out) {
    const std::vector<Value> parts = split(value, ':');
    bool good = parts.size() == mac.bytes.size();
    for (std::size_t at = 0; good && at < parts.size(); ++at) {
        const std::optional<std::uint64_t> byte = parse_digits(parts[at].text, 16);
        good = byte && *byte <= 0xff && parts[at].text.size() <= 2;
        if (good) mac.bytes[at] = static_cast<std::uint8_t>(*byte);
    }
    if (!good) out.error(value.span, quote(value.text) + " is no MAC address", "six bytes in hexadecimal, like 00:16:3e:01:02:03");
    else if (mac.is_multicast()) {
        out.error(value.span, "the MAC address " + value.text + " is a multicast address", "clear the lowest bit of its first byte");
        return false;
    }
    return good;
}

Json show(const Mac& mac) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::uint8_t byte : mac.bytes) {
        if (!text.empty()) text += ':';
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

bool read(Rate& rate, const Value& value, Diagnostics& out) {
    rate.text = value.text;
    const std::size_t at = value.text.find('@');
    std::string_view speed = std::string_view(value.text).substr(0, at);
    const bool per_second = speed.ends_with("/s");
    if (per_second) speed.remove_suffix(2);
    const auto bytes = per_second ? bytes_per_second(speed) : std::nullopt;
    std::optional<std::uint64_t> interval = rate.interval_us;
    if (at != std::string::npos) interval = scaled(std::string_view(value.text).substr(at + 1), times);
    if (!bytes || !interval || *interval == 0) {
        out.error(value.span, quote(value.text) + " is no rate", "write it like 10Mb/s or 1MB/s@20ms");
        return false;
    }
    const std::uint64_t most = UINT32_MAX;
    if (*interval > most || (*bytes != 0 && *interval > UINT64_MAX / *bytes) || *bytes * *interval / 1'000'000 > most) {
        out.error(value.span, "the rate " + value.text + " is too large", "at most 4 GB per interval; choose a shorter one");
        return false;
    }
    rate.interval_us = static_cast<std::uint32_t>(*interval);
    rate.bytes_per_interval = static_cast<std::uint32_t>(*bytes * *interval / 1'000'000);
    if (rate.bytes_per_interval != 0) return true;
    out.error(value.span, "the rate " + value.text + " lets nothing through");
    return false;
}

Json show(const Rate& rate) { return rate.text; }

std::span<const Row<Vif>> rows_of(const Vif*) { return rows; }

bool read(Vif& vif, const Value& value, Diagnostics& out) {
    vif.span = value.span;
    if (!check_text(value, "a vif", out)) return false;
    const std::size_t errors = out.errors();
    std::vector<std::string> seen;
    for (const Part& part : split_spec(value)) {
        if (!first_time(part, seen, out) || set_part(vif, part, rows_of(&vif), out)) continue;
        if (part.key.text.starts_with("colo_"))
            out.error(part.key.span, quote(part.key.text) + " is refused: COLO replication is not supported");
        else unknown_part(part, "a vif", views(rows_of(&vif)), out);
    }
    if (vif.model && vif.type && *vif.type == VifType::vif)
        out.warning(vif.model.span, "'model' has no effect on a vif without emulation", "type=ioemu would emulate it");
    return out.errors() == errors;
}

Json show(const Vif& vif) { return show_rows(vif, rows_of(&vif)); }

}  // namespace px::xlcfg
