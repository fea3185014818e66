// pci=, rdm=, ioports=, iomem=, irqs=: reading.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/pci.hpp"

#include <charconv>

#include "libxlcfg/spec.hpp"

namespace px::xlcfg {

namespace {

constexpr Row<PciDevice> rows[] = {
    {"bdf", item<&PciDevice::bdf>, {.form = "[DDDD:]BB:SS.F", .doc = "Address on the host, as lspci shows it; F may be *."}},
    {"name", text<&PciDevice::name>, {.since = "4.15", .doc = "Name that the device was made assignable with, instead of bdf."}},
    {"vslot", item<&PciDevice::vslot>, {.fallback = "a free one", .form = "hexadecimal", .doc = "Slot of the guest's bus."}},
    {"permissive",
     boolean<&PciDevice::permissive>,
     {.fallback = "pci_permissive", .doc = "Let the guest write all of the configuration space."}},
    {"msitranslate",
     boolean<&PciDevice::msitranslate>,
     {.fallback = "pci_msitranslate", .doc = "Run the device with MSI though the guest uses INTx."}},
    {"seize", boolean<&PciDevice::seize>, {.fallback = "pci_seize", .doc = "Take the device from dom0 if it isn't assignable yet."}},
    {"power_mgmt",
     boolean<&PciDevice::power_mgmt>,
     {.guests = hvm_guest, .fallback = "pci_power_mgmt", .doc = "Let the guest change the power state."}},
    {"rdm_policy",
     choice<&PciDevice::rdm_policy>,
     {.guests = hvm_guest, .fallback = "rdm's policy", .since = "4.6", .doc = "What a conflict with reserved memory means."}},
};

constexpr Row<Rdm> rdm_rows[] = {
    {"strategy", choice<&Rdm::strategy>, {.fallback = "ignore", .doc = "host: keep clear of all of the host's reserved regions."}},
    {"policy", choice<&Rdm::policy>, {.fallback = "relaxed", .doc = "Whether a conflict fails (strict) or warns (relaxed)."}},
};

std::string hex(std::uint64_t number, std::size_t width = 1) {
    char digits[20];
    const auto [end, error] = std::to_chars(digits, std::end(digits), number, 16);
    (void)error;
    std::string text(digits, end);
    return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

std::optional<std::uint64_t> hex_below(std::string_view text, std::uint64_t limit) {
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    const std::optional<std::uint64_t> number = parse_digits(text, 16);
    return number && *number < limit ? number : std::nullopt;
}

bool parse_address(PciAddress& address, std::string_view text) {
    const std::size_t dot = text.rfind('.');
    if (dot == std::string_view::npos) return false;
    const std::string_view function = text.substr(dot + 1);
    address.all_functions = function == "*";
    std::vector<std::string_view> numbers;
    std::string_view rest = text.substr(0, dot);
    for (std::size_t colon = 0; colon != std::string_view::npos;) {
        colon = rest.find(':');
        numbers.push_back(rest.substr(0, colon));
        if (colon != std::string_view::npos) rest.remove_prefix(colon + 1);
    }
    if (numbers.size() != 2 && numbers.size() != 3) return false;
    const auto domain = numbers.size() == 3 ? hex_below(numbers[0], 0x10000) : 0;
    const auto bus = hex_below(numbers[numbers.size() - 2], 0x100);
    const auto device = hex_below(numbers.back(), 0x20);
    const auto unit = address.all_functions ? 0 : hex_below(function, 8);
    if (!domain || !bus || !device || !unit) return false;
    address.domain = static_cast<std::uint16_t>(*domain);
    address.bus = static_cast<std::uint8_t>(*bus);
    address.device = static_cast<std::uint8_t>(*device);
    address.function = static_cast<std::uint8_t>(*unit);
    return true;
}

}  // namespace

bool read(PciAddress& address, const Value& value, Diagnostics& out) {
    if (parse_address(address, value.text)) return true;
    out.error(value.span, quote(value.text) + " is no PCI address", "it is [DDDD:]BB:SS.F, in hexadecimal, as lspci -D shows it");
    return false;
}

Json show(const PciAddress& address) {
    return hex(address.domain, 4) + ':' + hex(address.bus, 2) + ':' + hex(address.device, 2) + '.' +
           (address.all_functions ? "*" : hex(address.function));
}

bool read(PciSlot& slot, const Value& value, Diagnostics& out) {
    const std::optional<std::uint64_t> number = hex_below(value.text, 0x20);
    if (number) slot.number = static_cast<std::uint8_t>(*number);
    else out.error(value.span, quote(value.text) + " is no slot", "a slot is a hexadecimal number from 0 to 1f");
    return number.has_value();
}

Json show(const PciSlot& slot) { return hex(slot.number); }

std::span<const Row<PciDevice>> rows_of(const PciDevice*) { return rows; }
std::span<const Row<Rdm>> rows_of(const Rdm*) { return rdm_rows; }

// The first two parts without '=' are the address, perhaps with @slot, and the slot.
bool read(PciDevice& device, const Value& value, Diagnostics& out) {
    device.span = value.span;
    if (!check_text(value, "a PCI device", out)) return false;
    const std::size_t errors = out.errors();
    std::vector<std::string> seen;
    const auto set = [&](Part part) {
        if (first_time(part, seen, out) && !set_part(device, part, rows_of(&device), out))
            unknown_part(part, "a PCI device", views(rows_of(&device)), out);
    };
    const auto place = [&](std::string_view key, const Value& text) {
        Part part{text, text};
        part.key.text = key;
        set(std::move(part));
    };
    std::size_t placed = 0;
    for (Part& part : split_spec(value)) {
        if (part.value) {
            set(std::move(part));
        } else if (const std::size_t at = part.key.text.find('@'); placed++ == 0) {
            place("bdf", part.key.part(0, at).trimmed());
            if (at != std::string::npos) place("vslot", part.key.part(at + 1).trimmed());
        } else {
            place("vslot", part.key);
        }
    }
    if (out.errors() != errors) return false;
    if (!device.bdf && !device.name) out.error(value.span, "this PCI device has no address", "write it like 0000:03:00.0, or name=NAME");
    if (device.bdf && device.name) out.error(device.name.span, "a PCI device has an address or a name, not both", "leave out one");
    return out.errors() == errors;
}

Json show(const PciDevice& device) { return show_rows(device, rows_of(&device)); }

bool read(Rdm& rdm, const Value& value, Diagnostics& out) { return read_rows(rdm, value, "rdm", out); }
Json show(const Rdm& rdm) { return show_rows(rdm, rows_of(&rdm)); }

bool read(IoPorts& ports, const Value& value, Diagnostics& out) {
    if (!check_text(value, "an I/O port range", out)) return false;
    const std::size_t dash = value.text.find('-');
    const auto first = hex_below(std::string_view(value.text).substr(0, dash), 0x10000);
    const auto last = dash == std::string::npos ? first : hex_below(std::string_view(value.text).substr(dash + 1), 0x10000);
    if (!first || !last || *first > *last) {
        out.error(value.span, quote(value.text) + " is no range of I/O ports", "write it in hexadecimal, like 2f8-2ff");
        return false;
    }
    ports = {static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
    return true;
}

Json show(const IoPorts& ports) { return hex(ports.first) + '-' + hex(ports.last); }

bool read(IoMemory& memory, const Value& value, Diagnostics& out) {
    if (!check_text(value, "an I/O memory range", out)) return false;
    constexpr std::uint64_t frames = 1ull << 40;  // 52 bits of physical address
    const std::string_view text = value.text;
    const std::size_t comma = text.find(',');
    const std::size_t at = text.find('@');
    const bool whole = comma != std::string_view::npos && (at == std::string_view::npos || at > comma);
    const auto mfn = whole ? hex_below(text.substr(0, comma), frames) : std::nullopt;
    const auto pages = whole ? hex_below(text.substr(comma + 1, at == std::string_view::npos ? at : at - comma - 1), frames) : std::nullopt;
    const auto gfn = at == std::string_view::npos ? mfn : hex_below(text.substr(at + 1), frames);
    if (!mfn || !pages || !gfn || *pages == 0) {
        out.error(value.span, quote(value.text) + " is no range of I/O memory",
                  "it is START,PAGES[@GFN]: page numbers in hexadecimal, like fd000,10@a0");
        return false;
    }
    memory = {*mfn, *pages, *gfn};
    return true;
}

Json show(const IoMemory& memory) {
    return hex(memory.mfn) + ',' + hex(memory.pages) + (memory.gfn == memory.mfn ? "" : '@' + hex(memory.gfn));
}

bool read(Irq& irq, const Value& value, Diagnostics& out) {
    if (!check_text(value, "an IRQ", out)) return false;
    const std::optional<std::int64_t> number = parse_number(value.text);
    if (number && *number >= 0 && *number <= 0xffff) irq.number = static_cast<std::uint32_t>(*number);
    else out.error(value.span, quote(value.text) + " is no IRQ", "an IRQ is a number from 0 to 65535");
    return number && *number >= 0 && *number <= 0xffff;
}

Json show(const Irq& irq) { return irq.number; }

}  // namespace px::xlcfg
