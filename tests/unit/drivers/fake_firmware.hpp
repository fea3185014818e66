// A machine's firmware tables, built byte by byte, in a sparse physical memory.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <list>
#include <map>
#include <vector>

#include "drivers/acpi/table.hpp"

namespace px::test {

using Bytes = std::vector<u8>;

/// Regions of memory; what lies between them can't be mapped. Each mapping is a heap block of exactly the
/// length asked for, so that AddressSanitizer sees every read beyond it.
class FakeMemory : public acpi::PhysicalMemory {
public:
    std::map<u64, Bytes> regions;

    std::span<const u8> map(Paddr address, usize length) override {
        auto region = regions.upper_bound(address.raw);
        if (region == regions.begin()) return {};
        --region;
        const u64 offset = address.raw - region->first;
        if (offset > region->second.size() || region->second.size() - offset < length) return {};
        const u8* start = region->second.data() + offset;
        return mappings_.emplace_back(start, start + length);
    }

private:
    std::list<Bytes> mappings_;
};

template <class T>
void append(Bytes& bytes, const T& value) {
    const u8* start = reinterpret_cast<const u8*>(&value);
    bytes.insert(bytes.end(), start, start + sizeof value);
}

inline void fix_checksum(Bytes& table, usize checksum_at = offsetof(acpi::Header, checksum)) {
    table[checksum_at] = 0;
    table[checksum_at] = static_cast<u8>(-acpi::byte_sum(table));
}

/// A table of `body` after a header with right length and checksum.
inline Bytes make_table(acpi::Signature signature, u8 revision, const Bytes& body) {
    acpi::Header header{};
    header.signature = signature;
    header.revision = revision;
    header.length = static_cast<u32>(sizeof header + body.size());
    Bytes table;
    append(table, header);
    table.insert(table.end(), body.begin(), body.end());
    fix_checksum(table);
    return table;
}

/// A MADT's fixed part and `entries`.
template <class... Entries>
Bytes madt_body(u32 local_apic, u32 flags, const Entries&... entries) {
    Bytes body;
    append(body, local_apic);
    append(body, flags);
    (append(body, entries), ...);
    return body;
}

inline Bytes make_rsdp(u8 revision, u32 rsdt, u64 xsdt) {
    acpi::RsdpLayout rsdp{};
    std::memcpy(rsdp.signature, "RSD PTR ", 8);
    rsdp.revision = revision;
    rsdp.rsdt = rsdt;
    rsdp.length = revision >= 2 ? sizeof rsdp : 0;
    rsdp.xsdt = revision >= 2 ? xsdt : 0;
    Bytes bytes;
    append(bytes, rsdp);
    bytes[offsetof(acpi::RsdpLayout, checksum)] = static_cast<u8>(-acpi::byte_sum(std::span(bytes).first(acpi::rsdp_v1_length)));
    bytes[offsetof(acpi::RsdpLayout, extended_checksum)] = static_cast<u8>(-acpi::byte_sum(bytes));
    return bytes;
}

/// Puts `table` into memory of its own at `address` and opens it; the test fails when that doesn't work.
inline acpi::Table open_table(FakeMemory& memory, Bytes table, u64 address = 0x1000'0000) {
    acpi::Signature signature;
    std::memcpy(&signature, table.data(), sizeof signature);
    memory.regions[address] = std::move(table);
    auto opened = acpi::Table::open(memory, Paddr{address}, signature);
    if (!opened.ok()) throw opened.error();
    return *opened;
}

}  // namespace px::test
