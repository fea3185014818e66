// Network cards of guests, by Linux's network back end.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libxlcfg/vif.hpp"
#include "toolstack/device/device.hpp"

namespace px::device {

/// What holds where a vif says nothing: xl.conf's vif.default.*.
struct VifDefaults {
    std::string bridge = "xenbr0";
    std::string script = "vif-bridge";
    std::string gatewaydev;

    /// From an xl.conf; one that isn't there says nothing. Error: it can't be read.
    static call::Outcome<VifDefaults> load(const std::string& path = "/etc/xen/xl.conf");
};

/// A MAC address of the range of Xen's vendor id, 00:16:3e.
xlcfg::Mac random_mac();
/// "00:16:3e:01:02:03".
std::string to_string(const xlcfg::Mac& mac);

call::Outcome<> check_supported(const xlcfg::Vif& vif);
/// The vif has a devid and a MAC address.
call::Outcome<NewDevice> new_vif(const xlcfg::Vif& vif, DomId guest, const VifDefaults& defaults);

}  // namespace px::device
