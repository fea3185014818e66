// The two doors that the toolstack works through: the hypervisor and the store.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/call/privcmd.hpp"
#include "toolstack/store/client.hpp"

namespace px::domain {

/// Doesn't survive a fork: a child opens its own.
struct System {
    call::Privcmd privcmd;
    store::Client store;

    /// The error tells apart: not booted under the hypervisor, a module not loaded, xenstored not running, no permission.
    static call::Outcome<System> open();
};

}  // namespace px::domain
