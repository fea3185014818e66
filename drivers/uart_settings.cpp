// Parser of `com1=` and `com2=`.
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/uart_settings.hpp"

#include "hypervisor/base/number_text.hpp"

namespace px {
namespace {

using Outcome = Result<void, const char*>;

constexpr const char* pci_refused = "UARTs behind PCI are not supported";
constexpr u32 baud_per_clock = 16;

Outcome set_baud(UartSettings& settings, std::string_view text) {
    const std::string_view rate = take_until(text, '/');
    if (rate == "auto") {
        settings.baud = 0;
    } else {
        const auto value = parse_unsigned(rate, 100'000'000);
        if (!value || *value == 0) return Err{"the baud rate is neither a number nor 'auto'"};
        settings.baud = static_cast<u32>(*value);
    }
    if (text.empty()) return {};
    const auto base_baud = parse_unsigned(text, ~u32{0} / baud_per_clock);
    if (!base_baud || *base_baud == 0) return Err{"the base baud rate is not a number"};
    settings.clock_hz = static_cast<u32>(*base_baud) * baud_per_clock;
    return {};
}

Outcome set_data_bits(UartSettings& settings, std::string_view text) {
    if (text.size() != 1 || text[0] < '5' || text[0] > '8') return Err{"data bits are 5 to 8"};
    settings.data_bits = static_cast<u8>(text[0] - '0');
    return {};
}

Outcome set_parity(UartSettings& settings, std::string_view text) {
    switch (text.size() == 1 ? text[0] : '\0') {
    case 'n': settings.parity = Parity::none; return {};
    case 'o': settings.parity = Parity::odd; return {};
    case 'e': settings.parity = Parity::even; return {};
    case 'm': settings.parity = Parity::mark; return {};
    case 's': settings.parity = Parity::space; return {};
    default: return Err{"the parity is one of n, o, e, m, s"};
    }
}

Outcome set_stop_bits(UartSettings& settings, std::string_view text) {
    if (text != "1" && text != "2") return Err{"stop bits are 1 or 2"};
    settings.stop_bits = static_cast<u8>(text[0] - '0');
    return {};
}

Outcome set_line_format(UartSettings& settings, std::string_view text) {
    if (text.size() != 3) return Err{"the line format is three characters, such as 8n1"};
    TRY(set_data_bits(settings, {text.data(), 1}));
    TRY(set_parity(settings, {text.data() + 1, 1}));
    return set_stop_bits(settings, {text.data() + 2, 1});
}

Outcome set_io_base(UartSettings& settings, std::string_view text) {
    if (text == "pci" || text == "amt") return Err{pci_refused};
    const auto value = parse_unsigned(text);
    if (!value || *value == 0 || (*value > 0xfff8 && *value <= 0xffff)) return Err{"the I/O base is not an address"};
    settings.io_base = *value;
    return {};
}

Outcome set_irq(UartSettings& settings, std::string_view text) {
    if (text == "msi") return Err{pci_refused};
    const auto value = parse_unsigned(text, 1023);
    if (!value) return Err{"the IRQ is not a number"};
    settings.irq = static_cast<u32>(*value);
    return {};
}

Outcome set_clock(UartSettings& settings, std::string_view text) {
    const auto value = parse_unsigned(text, ~u32{0});
    if (!value || *value < baud_per_clock) return Err{"the clock is not a frequency in Hz"};
    settings.clock_hz = static_cast<u32>(*value);
    return {};
}

Outcome set_reg_shift(UartSettings& settings, std::string_view text) {
    const auto value = parse_unsigned(text, 4);
    if (!value) return Err{"reg-shift is 0 to 4"};
    settings.reg_shift = static_cast<u8>(*value);
    return {};
}

Outcome set_reg_width(UartSettings& settings, std::string_view text) {
    if (text != "1" && text != "4") return Err{"reg-width is 1 or 4"};
    settings.reg_width = static_cast<u8>(text[0] - '0');
    return {};
}

Outcome refuse_pci(UartSettings&, std::string_view) { return Err{pci_refused}; }

using Setter = Outcome (*)(UartSettings&, std::string_view);

constexpr Setter positions[] = {set_baud, set_line_format, set_io_base, set_irq, refuse_pci, refuse_pci};

struct Named {
    std::string_view name;
    Setter set;
};
constexpr Named names[] = {
    {"baud", set_baud},     {"clock-hz", set_clock},      {"data-bits", set_data_bits},
    {"parity", set_parity}, {"stop-bits", set_stop_bits}, {"io-base", set_io_base},
    {"irq", set_irq},       {"reg-shift", set_reg_shift}, {"reg-width", set_reg_width},
    {"dev", refuse_pci},    {"port", refuse_pci},         {"bridge", refuse_pci},
};

Outcome set_named(UartSettings& settings, std::string_view name, std::string_view value) {
    for (const Named& entry : names) {
        if (entry.name == name) return entry.set(settings, value);
    }
    return Err{"unknown setting of a UART"};
}

}  // namespace

Result<UartSettings, const char*> parse_uart_settings(std::string_view text, const UartSettings& defaults) {
    UartSettings settings = defaults;
    usize position = 0;
    while (!text.empty()) {
        const std::string_view item = take_until(text, ',');
        std::string_view value = item;
        const std::string_view name = take_until(value, '=');
        if (name.size() != item.size()) {
            TRY(set_named(settings, name, value));
            continue;
        }
        if (position == std::size(positions)) return Err{"too many comma-separated settings"};
        if (!item.empty()) TRY(positions[position](settings, item));
        ++position;
    }
    return settings;
}

}  // namespace px
