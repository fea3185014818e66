// Mapping frames that other domains granted, through /dev/xen/gntdev.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "toolstack/call/device.hpp"

namespace px::call {

class GrantDevice {
public:
    static Outcome<GrantDevice> open(const SystemPaths& paths = {});

    /// Maps `references` of `domain` side by side, read and write.
    Outcome<Mapping> map(DomId domain, std::span<const GrantRef> references);

private:
    explicit GrantDevice(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace px::call
