// Files of microcode updates as the makers form them, without any microcode in them.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <vector>

#include "hypervisor/base/types.hpp"

namespace px::arch::microcode {

using Bytes = std::vector<u8>;

inline void put32(Bytes& bytes, usize at, u32 value) { std::memcpy(bytes.data() + at, &value, sizeof value); }
inline void append32(Bytes& bytes, u32 value) {
    bytes.resize(bytes.size() + 4);
    put32(bytes, bytes.size() - 4, value);
}
inline void append(Bytes& bytes, const Bytes& more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

inline u32 sum_of(const Bytes& bytes, usize from, usize to) {
    u32 sum = 0;
    for (usize at = from; at < to; at += 4) {
        u32 word;
        std::memcpy(&word, bytes.data() + at, 4);
        sum += word;
    }
    return sum;
}

struct Signature {
    u32 signature, platforms;
};

/// One update of Intel's; `more`: its table of further signatures.
inline Bytes intel_update(u32 revision, Signature first, const std::vector<Signature>& more = {}, u32 data_size = 976) {
    Bytes update;
    const u32 table = more.empty() ? 0 : 20 + 12 * static_cast<u32>(more.size());
    for (const u32 field :
         {1u, revision, 0x01012026u, first.signature, 0u, 1u, first.platforms, data_size, 48 + data_size + table, 0u, 0u, 0u})
        append32(update, field);
    for (u32 at = 0; at < data_size; at += 4) append32(update, at * 2654435761u);
    put32(update, 16, 0u - sum_of(update, 0, update.size()));
    if (more.empty()) return update;
    const usize start = update.size();
    for (const u32 field : {static_cast<u32>(more.size()), 0u, 0u, 0u, 0u}) append32(update, field);
    for (const Signature& signature : more) {
        append32(update, signature.signature);
        append32(update, signature.platforms);
        append32(update, 0);
    }
    put32(update, start + 4, 0u - sum_of(update, start, update.size()));
    return update;
}

struct Equivalent {
    u32 signature;
    u16 id;
};

/// A container of AMD's, with its table and no patch yet.
inline Bytes amd_container(const std::vector<Equivalent>& table) {
    Bytes bytes;
    append32(bytes, 0x00414d44);
    append32(bytes, 0);
    append32(bytes, static_cast<u32>(16 * (table.size() + 1)));
    for (const Equivalent& row : table) {
        for (const u32 field : {row.signature, 0u, 0u, u32{row.id}}) append32(bytes, field);
    }
    for (unsigned i = 0; i < 4; ++i) append32(bytes, 0);
    return bytes;
}
inline void append_amd_patch(Bytes& container, u32 revision, u16 id, u32 size = 256) {
    append32(container, 1);
    append32(container, size);
    const usize start = container.size();
    container.resize(start + size, 0x5a);
    put32(container, start + 4, revision);
    std::memcpy(container.data() + start + 24, &id, sizeof id);
}

}  // namespace px::arch::microcode
