// The schema of xl.cfg: groups and look-up.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/schema.hpp"

#include <array>

namespace px::xlcfg {

std::span<const KeyGroup> key_groups() {
    static const std::array groups = {
        KeyGroup{"The domain", domain_keys()},
        KeyGroup{"The virtual platform", platform_keys()},
        KeyGroup{"Devices and passed-through hardware", device_keys()},
        KeyGroup{"Display", display_keys()},
        KeyGroup{"Emulated hardware and the device model", device_model_keys()},
    };
    return groups;
}

const KeyRow* find_key(std::string_view name) {
    for (const KeyGroup& group : key_groups())
        for (const KeyRow& row : group.rows)
            if (row.name == name) return &row;
    return nullptr;
}

std::span<const std::string_view> suggested_keys() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all;
        for (const KeyGroup& group : key_groups())
            for (const KeyRow& row : group.rows)
                if (row.details.replaced_by.empty() && row.details.refused.empty()) all.push_back(row.name);
        return all;
    }();
    return names;
}

}  // namespace px::xlcfg
