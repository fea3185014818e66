// A firmware table whose signature, length and checksum are known to be good, and bounded reads from it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <type_traits>

#include "drivers/acpi/layout.hpp"

namespace px::acpi {

/// Lends us physical memory. The spans stay valid for as long as anything read from the tables is in use.
class PhysicalMemory {
public:
    /// `length` bytes at `address`, or an empty span where that can't be mapped.
    virtual std::span<const u8> map(Paddr address, usize length) = 0;

protected:
    ~PhysicalMemory() = default;
};

/// Longer tables are taken for corrupt: the largest DSDTs in the field stay below 1 MiB.
inline constexpr u32 max_table_length = 8 << 20;

constexpr u8 byte_sum(std::span<const u8> bytes) {
    u8 sum = 0;
    for (const u8 byte : bytes) sum = static_cast<u8>(sum + byte);
    return sum;
}

class Table {
public:
    /// Maps and checks the table at `address`, which must be a `expected`.
    static TableResult<Table> open(PhysicalMemory& memory, Paddr address, Signature expected);

    Signature signature() const { return header_.signature; }
    u8 revision() const { return header_.revision; }
    Paddr address() const { return address_; }
    std::span<const u8> bytes() const { return bytes_; }

    TableError error(Defect defect, usize offset = 0) const { return {header_.signature, defect, static_cast<u32>(offset)}; }

    /// A copy of the `T` at `offset`; bad_length when it leaves the table.
    template <class T>
    requires std::is_trivially_copyable_v<T> TableResult<T> read(usize offset)
    const {
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return Err{error(Defect::bad_length, offset)};
        T value;
        std::memcpy(&value, bytes_.data() + offset, sizeof value);
        return value;
    }

    /// The table as a `T` of which older revisions have only the first `required` bytes: the rest reads as
    /// zero.
    template <class T>
    requires std::is_trivially_copyable_v<T> TableResult<T> read_growing(usize required)
    const {
        if (bytes_.size() < required) return Err{error(Defect::bad_length)};
        T value{};
        std::memcpy(&value, bytes_.data(), std::min(bytes_.size(), sizeof value));
        return value;
    }

    /// Calls `visit(type, offset)` for each length-prefixed entry from `start` on; stops at its first error.
    /// An entry that is shorter than its header or leaves the table is a bad_entry.
    template <class Visitor>
    TableResult<> for_each_entry(usize start, Visitor visit) const {
        if (start > bytes_.size()) return Err{error(Defect::bad_length)};
        for (usize offset = start; offset < bytes_.size();) {
            const usize left = bytes_.size() - offset;
            if (left < sizeof(EntryHeader)) return Err{error(Defect::bad_entry, offset)};
            const usize length = bytes_[offset + 1];
            if (length < sizeof(EntryHeader) || length > left) return Err{error(Defect::bad_entry, offset)};
            TRY(visit(bytes_[offset], offset));
            offset += length;
        }
        return {};
    }

    /// The `T` of the entry at `offset`, as for_each_entry gave it; bad_entry when the entry is too short for
    /// one.
    template <class T>
    requires std::is_trivially_copyable_v<T> TableResult<T> entry(usize offset)
    const {
        if (bytes_[offset + 1] < sizeof(T)) return Err{error(Defect::bad_entry, offset)};
        return read<T>(offset);
    }

private:
    Table(Paddr address, Header header, std::span<const u8> bytes) : address_(address), header_(header), bytes_(bytes) {}

    Paddr address_;
    Header header_;
    std::span<const u8> bytes_;
};

}  // namespace px::acpi
