// dom0's end of a PV console ring. The other end is a guest and not trusted.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "hypervisor/abi/io/console.hpp"

namespace px::console {

class ConsoleRing {
public:
    /// `page` stays mapped while the ring is used. The guest may write to it at any time.
    explicit ConsoleRing(abi::XenconsInterface& page) : page_(page) {}

    /// Appends what the guest wrote to `output`; true if there was something. Impossible indices count as nothing.
    bool take(std::string& output);
    /// How many bytes the guest can still take.
    usize room() const;
    /// Gives as much of `input` to the guest as fits; returns how much that was.
    usize give(std::string_view input);

private:
    abi::XenconsInterface& page_;
};

}  // namespace px::console
