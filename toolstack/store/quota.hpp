// What one domain may use of the store. Dom0 is not limited.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "hypervisor/base/types.hpp"

namespace px::store {

enum class Quota : u8 { entries, watches, transactions, entry_size, permissions, path_length, transaction_nodes, queued };
inline constexpr usize quota_count = 8;

struct QuotaInfo {
    std::string_view name;
    u32 fallback;  ///< the default
    std::string_view meaning;
};

/// Indexed by Quota.
inline constexpr std::array<QuotaInfo, quota_count> quota_table{{
    {"entries", 1000, "nodes owned by the domain"},
    {"watches", 128, "watches set by the domain"},
    {"transactions", 10, "transactions open at a time"},
    {"entry-size", 2048, "bytes of a node's value and permissions"},
    {"permissions", 5, "entries in a node's list of permissions"},
    {"path-length", 3072, "bytes of an absolute path"},
    {"transaction-nodes", 1024, "paths that one transaction touches"},
    {"queued", 256 * 1024, "bytes of replies and events that the domain has not taken yet"},
}};

constexpr const QuotaInfo& info(Quota quota) { return quota_table[static_cast<usize>(quota)]; }

class Quotas {
public:
    constexpr Quotas() {
        for (usize i = 0; i < quota_count; ++i) limits_[i] = quota_table[i].fallback;
    }
    constexpr u32 operator[](Quota quota) const { return limits_[static_cast<usize>(quota)]; }
    constexpr void set(Quota quota, u32 limit) { limits_[static_cast<usize>(quota)] = limit; }
    /// Sets a quota by its name; false when there is none of that name.
    constexpr bool set(std::string_view name, u32 limit) {
        for (usize i = 0; i < quota_count; ++i) {
            if (quota_table[i].name == name) {
                limits_[i] = limit;
                return true;
            }
        }
        return false;
    }

private:
    std::array<u32, quota_count> limits_{};
};

}  // namespace px::store
