// What a guest frame number stands for. Kept in the software bits of every physmap entry.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px {

enum class GfnType : u8 {
    invalid,  ///< a hole
    ram,
    ram_read_only,  ///< RAM whose writes are dropped (ROM)
    mmio_direct,    ///< a device's memory
    mmio_emulated,  ///< every access is emulated
    foreign,        ///< another domain's frame, mapped by privilege
    grant_writable,
    grant_read_only,
    ioreq_server,        ///< writes go to an ioreq server
    log_dirty,           ///< RAM, read-only until its next write is noted
    populate_on_demand,  ///< RAM that is allocated at its first touch
};

/// RAM of the domain itself that it may read.
constexpr bool is_own_ram(GfnType type) {
    return type == GfnType::ram || type == GfnType::ram_read_only || type == GfnType::log_dirty || type == GfnType::ioreq_server;
}
constexpr bool owns_reference(GfnType type) {
    return type == GfnType::foreign || type == GfnType::grant_writable || type == GfnType::grant_read_only;
}
constexpr bool is_readable_ram(GfnType type) { return is_own_ram(type) || owns_reference(type); }
constexpr bool is_writable_ram(GfnType type) {
    return type == GfnType::ram || type == GfnType::log_dirty || type == GfnType::foreign || type == GfnType::grant_writable;
}

}  // namespace px
