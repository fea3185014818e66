// Search of the \_S5 package in AML [acpi/6.4 7.4.2, 20.2].
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/acpi/sleep.hpp"

namespace px::acpi {
namespace {

constexpr u8 zero_op = 0x00, one_op = 0x01, name_op = 0x08, byte_prefix = 0x0a, word_prefix = 0x0b, dword_prefix = 0x0c, package_op = 0x12,
             root_char = '\\', ones_op = 0xff;

/// A reader that never leaves its bytes: past the end it yields nothing.
class Aml {
public:
    explicit Aml(std::span<const u8> bytes) : rest_(bytes) {}

    std::optional<u8> byte() {
        if (rest_.empty()) return std::nullopt;
        const u8 value = rest_.front();
        rest_ = rest_.subspan(1);
        return value;
    }

    /// The body of a package: what its PkgLength, which counts itself, encloses.
    std::optional<Aml> package() {
        const auto before = rest_;
        const auto lead = byte();
        if (!lead) return std::nullopt;
        const unsigned following = *lead >> 6;
        usize length = following == 0 ? *lead & 0x3f : *lead & 0x0f;
        for (unsigned i = 0; i < following; ++i) {
            const auto next = byte();
            if (!next) return std::nullopt;
            length |= usize{*next} << (4 + 8 * i);
        }
        if (length < 1 + following || length > before.size()) return std::nullopt;
        return Aml{before.subspan(1 + following, length - 1 - following)};
    }

    /// An integer constant; of wider ones the low byte, which is all a sleep type has.
    std::optional<u8> constant() {
        const auto op = byte();
        if (!op) return std::nullopt;
        switch (*op) {
        case zero_op:
        case one_op:
        case ones_op: return *op;
        case byte_prefix: return wide(1);
        case word_prefix: return wide(2);
        case dword_prefix: return wide(4);
        default: return std::nullopt;
        }
    }

private:
    std::optional<u8> wide(unsigned size) {
        if (rest_.size() < size) return std::nullopt;
        const u8 low = rest_.front();
        rest_ = rest_.subspan(size);
        return low;
    }

    std::span<const u8> rest_;
};

std::optional<SleepType> parse_package(std::span<const u8> aml) {
    Aml reader{aml};
    if (reader.byte() != package_op) return std::nullopt;
    auto body = reader.package();
    if (!body) return std::nullopt;
    const auto count = body->byte();
    if (!count || *count == 0) return std::nullopt;
    const auto a = body->constant();
    if (!a) return std::nullopt;
    if (*count == 1) return SleepType{static_cast<u8>(*a & 7), 0};
    const auto b = body->constant();
    if (!b) return std::nullopt;
    return SleepType{static_cast<u8>(*a & 7), static_cast<u8>(*b & 7)};
}

}  // namespace

std::optional<SleepType> find_s5(std::span<const u8> aml) {
    constexpr std::string_view name{"_S5_"};
    for (usize at = 1; at + name.size() <= aml.size(); ++at) {
        if (std::memcmp(aml.data() + at, name.data(), name.size()) != 0) continue;
        const bool named = aml[at - 1] == name_op || (at >= 2 && aml[at - 1] == root_char && aml[at - 2] == name_op);
        if (!named) continue;
        if (const auto found = parse_package(aml.subspan(at + name.size()))) return found;
    }
    return std::nullopt;
}

TableResult<SleepType> find_s5(PhysicalMemory& memory, const TableList& list, const FixedHardware& hardware) {
    const auto dsdt = Table::open(memory, hardware.dsdt, "DSDT"_sig);
    if (dsdt.ok()) {
        if (const auto found = find_s5(dsdt->bytes())) return *found;
    }
    for (usize index = 0; index < list.size(); ++index) {
        const auto signature = list.signature(index);
        if (!signature.ok() || *signature != "SSDT"_sig) continue;
        const auto ssdt = Table::open(memory, list.address(index), "SSDT"_sig);
        if (!ssdt.ok()) continue;
        if (const auto found = find_s5(ssdt->bytes())) return *found;
    }
    return Err{dsdt.ok() ? dsdt->error(Defect::not_found) : dsdt.error()};
}

}  // namespace px::acpi
