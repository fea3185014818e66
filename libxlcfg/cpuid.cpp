// cpuid=: reading both forms.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/cpuid.hpp"

#include <algorithm>
#include <charconv>

#include "libxlcfg/spec.hpp"

namespace px::xlcfg {

namespace {

using abi::x86::cpuid_no_subleaf;

constexpr std::string_view register_names[] = {"eax", "ebx", "ecx", "edx"};

// Keys that take a number, which goes into a field of a register [libxl's form in xl.cfg(5); fields: amd/apm3, intel/sdm2
// CPUID]. family and model are spread over two fields and stand apart.
struct NumberField {
    std::string_view name;
    CpuidRegister where;
    unsigned lowest;
    unsigned width;
};

constexpr NumberField number_fields[] = {
    {"maxleaf", {0, cpuid_no_subleaf, CpuidRegister::eax}, 0, 32},
    {"stepping", {1, cpuid_no_subleaf, CpuidRegister::eax}, 0, 4},
    {"brandid", {1, cpuid_no_subleaf, CpuidRegister::ebx}, 0, 8},
    {"clflush", {1, cpuid_no_subleaf, CpuidRegister::ebx}, 8, 8},
    {"proccount", {1, cpuid_no_subleaf, CpuidRegister::ebx}, 16, 8},
    {"localapicid", {1, cpuid_no_subleaf, CpuidRegister::ebx}, 24, 8},
    {"procpkg", {4, 0, CpuidRegister::eax}, 26, 6},
    {"nc", {0x80000008, cpuid_no_subleaf, CpuidRegister::ecx}, 0, 8},
    {"apicidsize", {0x80000008, cpuid_no_subleaf, CpuidRegister::ecx}, 12, 4},
    {"maxhvleaf", {0x40000000, cpuid_no_subleaf, CpuidRegister::eax}, 0, 8},
};
constexpr CpuidRegister signature{1, cpuid_no_subleaf, CpuidRegister::eax};

std::array<char, 32>& bits_of(CpuidPolicy& policy, const CpuidRegister& where) {
    for (CpuidRule& rule : policy.rules)
        if (rule.where == where) return rule.bits;
    CpuidRule rule{where, {}};
    rule.bits.fill('x');
    policy.rules.push_back(rule);
    return policy.rules.back().bits;
}

void set_number(CpuidPolicy& policy, const CpuidRegister& where, unsigned lowest, unsigned width, std::uint64_t number) {
    std::array<char, 32>& bits = bits_of(policy, where);
    for (unsigned at = 0; at < width; ++at) bits[31 - lowest - at] = (number >> at & 1) != 0 ? '1' : '0';
}

// A family above 15 is 15 plus the extended family; a model above 15 continues in the extended model.
bool set_signature(CpuidPolicy& policy, std::string_view key, std::uint64_t number) {
    if (key == "family") {
        if (number > 15 + 255) return false;
        set_number(policy, signature, 8, 4, std::min<std::uint64_t>(number, 15));
        set_number(policy, signature, 20, 8, number > 15 ? number - 15 : 0);
        return true;
    }
    if (number > 255) return false;
    set_number(policy, signature, 4, 4, number & 15);
    set_number(policy, signature, 16, 4, number >> 4);
    return true;
}

bool set_number_key(CpuidPolicy& policy, const Part& part, Diagnostics& out) {
    const std::string& key = part.key.text;
    const auto* field = std::find_if(std::begin(number_fields), std::end(number_fields),
                                     [&](const NumberField& candidate) { return candidate.name == key; });
    const bool in_signature = key == "family" || key == "model";
    if (field == std::end(number_fields) && !in_signature) return false;
    const std::optional<std::int64_t> number = parse_number(part.value->text);
    const auto value = static_cast<std::uint64_t>(number.value_or(-1));
    bool good = number.has_value() && *number >= 0;
    if (good && in_signature) good = set_signature(policy, key, value);
    else if (good && (good = value >> field->width == 0)) set_number(policy, field->where, field->lowest, field->width, value);
    if (!good) out.error(part.value->span, quote(key) + " takes a number that fits its field, not " + quote(part.value->text));
    return true;
}

constexpr bool is_bit(char c) { return c == '0' || c == '1' || c == 'x' || c == 'k' || c == 's'; }

void read_feature(CpuidPolicy& policy, const Part& part, Diagnostics& out) {
    if (!part.value) {
        out.error(part.key.span, "a CPUID feature needs a value", "write " + part.key.text + "=0 or =1, x or k");
        return;
    }
    if (set_number_key(policy, part, out)) return;
    const CpuidFeature* feature = abi::x86::find_cpuid_feature(part.key.text);
    if (!feature) {
        std::vector<std::string_view> names;
        for (const CpuidFeature& known : abi::x86::cpuid_features) names.push_back(known.name);
        out.error(part.key.span, "unknown CPUID feature " + quote(part.key.text),
                  did_you_mean(part.key.text, names, "names are those of cpufeatureset.h in small letters"));
        return;
    }
    if (part.value->text.size() != 1 || !is_bit(part.value->text[0])) {
        out.error(part.value->span, "a CPUID feature is 0, 1, x or k, not " + quote(part.value->text));
        return;
    }
    const char bit = part.value->text[0];
    bits_of(policy, feature->where)[31 - feature->bit] = bit == 's' ? 'k' : bit;
}

void read_features(CpuidPolicy& policy, const Value& text, Diagnostics& out) {
    std::vector<Part> parts = split_spec(text);
    if (parts.empty() || parts[0].key.text != "host" || parts[0].value) {
        out.error(parts.empty() ? text.span : parts[0].key.span, "a CPUID string begins with \"host\"",
                  "write cpuid = \"host,FEATURE=0,…\"");
        return;
    }
    for (std::size_t at = 1; at < parts.size(); ++at) read_feature(policy, parts[at], out);
}

std::optional<std::uint32_t> read_leaf(const Value& text, Diagnostics& out) {
    const std::optional<std::int64_t> leaf = parse_number(text.text);
    if (leaf && *leaf >= 0 && *leaf <= 0xffffffff) return static_cast<std::uint32_t>(*leaf);
    out.error(text.span, "a CPUID leaf is a number of 32 bits, not " + quote(text.text));
    return std::nullopt;
}

void read_register(CpuidPolicy& policy, CpuidRegister where, const Part& part, Diagnostics& out) {
    const auto* name = std::find(std::begin(register_names), std::end(register_names), part.key.text);
    if (name == std::end(register_names)) {
        out.error(part.key.span, "unknown register " + quote(part.key.text), "it is one of: " + enumerate(register_names));
        return;
    }
    if (!part.value || part.value->text.size() != 32) {
        out.error(part.value ? part.value->span : part.key.span,
                  "a register takes 32 characters, one per bit" +
                      (part.value ? ", not " + std::to_string(part.value->text.size()) : std::string()),
                  "the first is bit 31");
        return;
    }
    where.name = static_cast<CpuidRegister::Name>(name - register_names);
    std::array<char, 32>& bits = bits_of(policy, where);
    for (std::size_t at = 0; at < 32; ++at) {
        const char bit = part.value->text[at];
        if (!is_bit(bit)) {
            out.error(part.value->part(at, 1).span, "a bit is 0, 1, x or k, not " + quote(std::string(1, bit)));
            return;
        }
        bits[at] = bit == 's' ? 'k' : bit;
    }
}

void read_registers(CpuidPolicy& policy, const Value& text, Diagnostics& out) {
    if (!check_text(text, "an element of 'cpuid'", out)) return;
    const std::size_t colon = text.text.find(':');
    if (colon == std::string::npos) {
        out.error(text.span, "this CPUID element has no ':'", "write \"LEAF[,SUBLEAF]:REGISTER=BITS,…\"");
        return;
    }
    const std::vector<Value> numbers = split(text.part(0, colon), ',');
    if (numbers.size() > 2) {
        out.error(numbers[2].span, "a CPUID leaf has one subleaf");
        return;
    }
    CpuidRegister where;
    const std::optional<std::uint32_t> leaf = read_leaf(numbers[0], out);
    if (!leaf) return;
    where.leaf = *leaf;
    if (numbers.size() == 2) {
        const std::optional<std::uint32_t> subleaf = read_leaf(numbers[1], out);
        if (!subleaf) return;
        where.subleaf = *subleaf;
    }
    const std::vector<Part> registers = split_spec(text.part(colon + 1));
    if (registers.empty()) out.error(text.span, "this CPUID element names no register");
    for (const Part& part : registers) read_register(policy, where, part, out);
}

}  // namespace

bool read(CpuidPolicy& policy, const Value& value, Diagnostics& out) {
    const std::size_t errors = out.errors();
    if (!value.is_list()) {
        // A lone string in xend's form is what `cpuid = ["…"]` means.
        if (value.text.find(':') != std::string::npos) read_registers(policy, value, out);
        else read_features(policy, value, out);
    } else {
        for (const Value& element : value.items) read_registers(policy, element, out);
    }
    return out.errors() == errors;
}

Json show(const CpuidPolicy& policy) {
    Json all = Json::array();
    for (const CpuidRule& rule : policy.rules) {
        char leaf[16];
        const auto [end, error] = std::to_chars(leaf, std::end(leaf), rule.where.leaf, 16);
        (void)error;
        std::string text = "0x" + std::string(leaf, end);
        if (rule.where.subleaf != cpuid_no_subleaf) text += ',' + std::to_string(rule.where.subleaf);
        text += ':' + std::string(register_names[rule.where.name]) + '=';
        all.push_back(text.append(rule.bits.data(), rule.bits.size()));
    }
    return all;
}

}  // namespace px::xlcfg
