// What can be wrong with a firmware table, and with which.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hypervisor/base/result.hpp"

namespace px::acpi {

/// The four letters that name a table.
struct Signature {
    char letters[4];

    constexpr std::string_view text() const { return {letters, sizeof letters}; }
    friend constexpr bool operator==(const Signature&, const Signature&) = default;
};

void a_signature_has_four_letters();  // never defined: named by the compiler's message

consteval Signature operator""_sig(const char* text, usize length) {
    if (length != 4) a_signature_has_four_letters();
    return {{text[0], text[1], text[2], text[3]}};
}

enum class Defect : u8 {
    not_found,      ///< no such table
    unmappable,     ///< its address can't be mapped
    bad_signature,  ///< the table at its address is another one
    bad_checksum,
    bad_length,  ///< shorter than its fixed part, or absurdly long
    bad_entry,   ///< an entry leaves the table or contradicts itself
    too_many,    ///< more entries than we keep room for
};

constexpr const char* text(Defect defect) {
    switch (defect) {
    case Defect::not_found: return "not found";
    case Defect::unmappable: return "lies where memory can't be mapped";
    case Defect::bad_signature: return "has another table's signature";
    case Defect::bad_checksum: return "has a bad checksum";
    case Defect::bad_length: return "has a bad length";
    case Defect::bad_entry: return "has a bad entry";
    case Defect::too_many: return "has too many entries";
    }
    return "?";
}

/// Log as: ACPI table {table} {text(defect)} (offset {offset}).
struct TableError {
    Signature table;
    Defect defect;
    u32 offset = 0;  ///< of the bad entry, in bytes from the table's start

    friend constexpr bool operator==(const TableError&, const TableError&) = default;
};

template <class T = void>
using TableResult = Result<T, TableError>;

}  // namespace px::acpi
