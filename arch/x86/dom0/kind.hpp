// Which kind of hardware domain boots, and why.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "hypervisor/cmdline/boot_options.hpp"

namespace px::dom0 {

/// What a hypervisor can do with PV domains.
enum class PvState : u8 { usable, turned_off, left_out };

struct KindFacts {
    std::optional<cmdline::Dom0Kind> asked;  ///< by the command line
    PvState pv = PvState::usable;
    bool hvm = false;    ///< a back end of hvm/backend.hpp was found
    bool iommu = false;  ///< the hypervisor itself uses one
};

struct KindChoice {
    std::optional<cmdline::Dom0Kind> kind;  ///< nothing: there can be no dom0
    std::string_view reason;                ///< "…, for <reason>", or a whole sentence where there is no kind
    friend constexpr bool operator==(const KindChoice&, const KindChoice&) = default;
};

/// The command line rules. Where it says nothing: PVH if there is virtualization for it and an IOMMU for its
/// devices' DMA, else PV, which needs neither; PVH also where PV can't be.
KindChoice choose_kind(const KindFacts& facts);

}  // namespace px::dom0
