// Options whose values have a grammar of their own.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/cmdline/stores.hpp"

#include "hypervisor/cmdline/values.hpp"

namespace px::cmdline {
namespace {

constexpr Choice<Verbosity> verbosities[] = {
    {"none", Verbosity::none}, {"error", Verbosity::error}, {"warning", Verbosity::warning},
    {"info", Verbosity::info}, {"debug", Verbosity::debug}, {"all", Verbosity::debug},
};

Outcome store_filter(LogFilter& filter, std::string_view value) {
    std::string_view second = value;
    const std::string_view first = take_until(second, '/');
    const auto always = find_choice(verbosities, first);
    if (!always) return Err{Refusal{"is not a level", first}};
    if (first.size() == value.size()) {
        filter = {*always, *always};
        return {};
    }
    const auto limited = find_choice(verbosities, second);
    if (!limited) return Err{Refusal{"is not a level", second}};
    filter = {*always, *limited < *always ? *always : *limited};
    return {};
}

/// `amount` := ['-'] size | [size '+'] percent '%'
std::optional<MemoryAmount> parse_amount(std::string_view text) {
    if (take_prefix(text, "-")) {
        const auto size = parse_size(text);
        if (!size) return std::nullopt;
        return MemoryAmount{.bytes = *size, .all_but = true};
    }
    const auto parse_percent = [](std::string_view rest) -> std::optional<u8> {
        const auto number = take_unsigned(rest);
        if (!number || *number >= 100 || rest != "%") return std::nullopt;
        return static_cast<u8>(*number);
    };
    if (const auto percent = parse_percent(text)) return MemoryAmount{.percent = *percent};
    const auto size = take_size(text);
    if (!size) return std::nullopt;
    if (text.empty()) return MemoryAmount{.bytes = *size};
    if (!take_prefix(text, "+")) return std::nullopt;
    const auto percent = parse_percent(text);
    if (!percent) return std::nullopt;
    return MemoryAmount{.bytes = *size, .percent = *percent};
}

Outcome store_prevention(Prevention& target, const Argument& argument) {
    if (argument.value == "hvm") {
        target = Prevention::hvm_only;
        return {};
    }
    const auto value = argument.given ? parse_bool(argument.value) : std::optional{!argument.negated};
    if (!value) return Err{Refusal{"is neither on, off nor hvm"}};
    target = *value ? Prevention::on : Prevention::off;
    return {};
}

}  // namespace

Outcome store_console(BootOptions& options, const Argument& argument) {
    ConsoleList list;
    Outcome outcome;
    std::string_view rest = argument.value;
    while (!rest.empty()) {
        const std::string_view item = take_until(rest, ',');
        constexpr Choice<ConsoleDevice> devices[] = {
            {"vga", ConsoleDevice::vga}, {"com1", ConsoleDevice::com1}, {"com2", ConsoleDevice::com2}, {"none", ConsoleDevice::none}};
        const auto device = find_choice(devices, item);
        if (!device) outcome = Err{Refusal{"is not a console of this hypervisor (vga, com1, com2, none)", item}};
        else if (*device != ConsoleDevice::none && !list.contains(*device)) list.devices[list.count++] = *device;
    }
    // A list of which nothing can be used would leave the user in the dark.
    if (outcome.ok() || list.count != 0) options.console = list;
    return outcome;
}

namespace {

/// <width>x<height>[x<depth>]
bool parse_graphics(std::string_view text, VgaOption& mode) {
    constexpr u64 most = 65535;
    if (text.ends_with('x')) return false;
    const auto number = [&] { return static_cast<u32>(parse_unsigned(take_until(text, 'x'), most).value_or(0)); };
    mode.width = number();
    mode.height = number();
    const bool with_depth = !text.empty();
    mode.depth = with_depth ? number() : 0;
    return mode.width != 0 && mode.height != 0 && (!with_depth || mode.depth != 0) && text.empty();
}

bool parse_vga_mode(std::string_view text, VgaOption& mode) {
    if (text == "current") mode.kind = VgaOption::Kind::current;
    else if (text == "ask") mode.kind = VgaOption::Kind::ask;
    else if (take_prefix(text, "text-80x")) {
        mode.kind = VgaOption::Kind::text;
        mode.rows = static_cast<u32>(parse_unsigned(text, 255).value_or(0));
        return mode.rows != 0;
    } else if (take_prefix(text, "gfx-")) {
        mode.kind = VgaOption::Kind::graphics;
        return parse_graphics(text, mode);
    } else if (take_prefix(text, "mode-")) {
        mode.kind = VgaOption::Kind::number;
        return parse_unsigned(text, 0xffff).has_value();
    } else return false;
    return true;
}

}  // namespace

Outcome store_vga(BootOptions& options, const Argument& argument) {
    VgaOption chosen;
    Outcome outcome;
    for (std::string_view rest = argument.value; !rest.empty();) {
        const std::string_view item = take_until(rest, ',');
        VgaOption mode;
        if (item == "keep") chosen.keep = true;
        else if (parse_vga_mode(item, mode)) {
            mode.keep = chosen.keep;
            chosen = mode;
        } else outcome = Err{Refusal{"is none of current, ask, text-80x<rows>, gfx-<width>x<height>x<depth>, mode-<n>, keep", item}};
    }
    options.vga = chosen;  // what is understood counts
    return outcome;
}

Outcome store_ucode(BootOptions& options, const Argument& argument) {
    MicrocodeOption chosen;
    Outcome outcome;
    bool is_ours = argument.negated;
    for (std::string_view rest = argument.value; !rest.empty();) {
        const std::string_view item = take_until(rest, ',');
        std::string_view text = item;
        const bool negative = take_prefix(text, "-");
        if (item == "scan" || item == "scan=on" || item == "scan=true" || item == "scan=1" || item == "scan=yes")
            chosen.scan = is_ours = true;
        else if (const auto number = parse_unsigned(text, 255))
            chosen.module = (negative ? -1 : 1) * static_cast<i32>(*number), is_ours = true;
        else if (const std::string_view name = take_until(text, '='); same_name(name, "no-scan") || same_name(name, "scan")) is_ours = true;
        else if (!same_name(name, "nmi") && !same_name(name, "no-nmi") && !same_name(name, "digest-check") &&
                 !same_name(name, "allow-same")) {
            outcome = Err{Refusal{"is neither scan nor a module's number", item}};
        }
    }
    if (is_ours) options.ucode = chosen;
    return outcome;
}

Outcome store_console_timestamps(BootOptions& options, const Argument& argument) {
    constexpr Choice<Timestamps> formats[] = {
        {"none", Timestamps::none}, {"date", Timestamps::date}, {"datems", Timestamps::date_ms},
        {"boot", Timestamps::boot}, {"raw", Timestamps::raw},
    };
    if (const auto format = find_choice(formats, argument.value)) {
        options.console_timestamps = *format;
        return {};
    }
    // The reference's older form was a boolean.
    const auto on = argument.given ? parse_bool(argument.value) : std::optional{!argument.negated};
    if (!on) return Err{Refusal{"is none of none, date, datems, boot, raw"}};
    options.console_timestamps = *on ? Timestamps::date : Timestamps::none;
    return {};
}

Outcome store_loglvl(BootOptions& options, const Argument& argument) { return store_filter(options.loglvl, argument.value); }

Outcome store_guest_loglvl(BootOptions& options, const Argument& argument) { return store_filter(options.guest_loglvl, argument.value); }

Outcome store_conswitch(BootOptions& options, const Argument& argument) {
    const std::string_view value = argument.value;
    const bool letter = !value.empty() && value[0] >= 'a' && value[0] <= 'z';
    if (!letter || value.size() > 2 || (value.size() == 2 && value[1] != 'x')) return Err{Refusal{"is not a letter, or one and an x"}};
    options.switch_letter = value[0];
    options.input_to_hypervisor = value.size() == 2;
    return {};
}

Outcome store_dom0(BootOptions& options, const Argument& argument) {
    constexpr FlagRow<Dom0Options> flags[] = {
        {"verbose", &Dom0Options::verbose},
        {"bounce", &Dom0Options::bounce},
    };
    constexpr Choice<Dom0Kind> kinds[] = {{"pv", Dom0Kind::pv}, {"pvh", Dom0Kind::pvh}};
    return store_flags(argument.value, flags, options.dom0, [&](const Flag& flag) {
        const auto kind = find_choice(kinds, flag.item);
        if (kind) options.dom0.kind = *kind;
        return kind.has_value();
    });
}

Outcome store_dom0pvh(BootOptions& options, const Argument& argument) {
    const auto value = argument.given ? parse_bool(argument.value) : std::optional{!argument.negated};
    if (!value) return Err{Refusal{"is neither on nor off"}};
    options.dom0.kind = *value ? Dom0Kind::pvh : Dom0Kind::pv;
    return {};
}

Outcome store_pv(BootOptions& options, const Argument& argument) {
    if (const auto all = argument.given ? parse_bool(argument.value) : std::optional{!argument.negated}) {
        options.pv = *all;
        return {};
    }
    struct Words {
        bool narrow = false;
    } words;
    constexpr FlagRow<Words> flags[] = {{"32", &Words::narrow}};
    TRY(store_flags(argument.value, flags, words, [](const Flag&) { return false; }));
    if (words.narrow) return Err{Refusal{"32-bit PV guests aren't supported", "32"}};
    return {};
}

Outcome store_dom0_mem(BootOptions& options, const Argument& argument) {
    std::string_view rest = argument.value;
    Dom0Memory memory;
    while (!rest.empty()) {
        const std::string_view item = take_until(rest, ',');
        std::string_view text = item;
        auto& target = take_prefix(text, "min:") ? memory.min : take_prefix(text, "max:") ? memory.max : memory.initial;
        target = parse_amount(text);
        if (!target) return Err{Refusal{"is not an amount such as 1G, -512M, 25% or 1G+10%", item}};
    }
    if (memory.initial == MemoryAmount{}) return Err{Refusal{"gives dom0 no memory"}};
    options.dom0_mem = memory;
    return {};
}

Outcome store_dom0_max_vcpus(BootOptions& options, const Argument& argument) {
    std::string_view max_text = argument.value;
    const std::string_view min_text = take_until(max_text, '-');
    const bool range = min_text.size() != argument.value.size();
    const auto min = min_text.empty() && range ? std::optional<u64>{1} : parse_unsigned(min_text, VcpuRange::unlimited);
    const auto max = !range             ? min
                     : max_text.empty() ? std::optional<u64>{VcpuRange::unlimited}
                                        : parse_unsigned(max_text, VcpuRange::unlimited);
    if (!min || !max || *max == 0 || *min > *max || argument.value == "-") return Err{Refusal{"is neither a number nor a range"}};
    options.dom0_max_vcpus = {static_cast<u32>(*min), static_cast<u32>(*max)};
    return {};
}

/// The reference looks at the first letter only, so that `t`, `triple` and `triple-fault` are one.
Outcome store_reboot(BootOptions& options, const Argument& argument) {
    Outcome outcome;
    std::string_view rest = argument.value;
    while (!rest.empty()) {
        const std::string_view item = take_until(rest, ',');
        switch (item.empty() ? '\0' : item.front()) {
        case 't': options.reboot = RebootMethod::triple_fault; break;
        case 'k': options.reboot = RebootMethod::keyboard; break;
        case 'a': options.reboot = RebootMethod::acpi; break;
        case 'p': options.reboot = RebootMethod::pci; break;
        case 'n': options.noreboot = true; break;
        default: outcome = Err{Refusal{"is not a way to reboot of this hypervisor", item}};
        }
    }
    return outcome;
}

Outcome store_spec_ctrl(BootOptions& options, const Argument& argument) {
    if (const auto all = argument.given ? parse_bool(argument.value) : std::optional{!argument.negated}) {
        options.spec_ctrl = {*all, *all, *all, *all, *all ? BranchThunk::automatic : BranchThunk::jump};
        return {};
    }
    constexpr FlagRow<SpecCtrl> flags[] = {
        {"ibpb", &SpecCtrl::ibpb},           {"verw", &SpecCtrl::verw}, {"md-clear", &SpecCtrl::verw},
        {"l1d-flush", &SpecCtrl::l1d_flush}, {"ibrs", &SpecCtrl::ibrs},
    };
    return store_flags(argument.value, flags, options.spec_ctrl, [&](const Flag& flag) {
        const bool jump = flag.item == "bti-thunk=jmp", retpoline = flag.item == "bti-thunk=retpoline";
        if (jump) options.spec_ctrl.branches = BranchThunk::jump;
        if (retpoline) options.spec_ctrl.branches = BranchThunk::retpoline;
        return jump || retpoline;
    });
}

Outcome store_smep(BootOptions& options, const Argument& argument) { return store_prevention(options.smep, argument); }
Outcome store_smap(BootOptions& options, const Argument& argument) { return store_prevention(options.smap, argument); }

Outcome store_tsc(BootOptions& options, const Argument& argument) {
    if (argument.value != "unstable" && argument.value != "skewed") return Err{Refusal{"is neither unstable nor skewed"}};
    options.tsc_unstable = true;
    return {};
}

}  // namespace px::cmdline
