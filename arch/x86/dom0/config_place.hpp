// Which register of which PCI function an access by ports, or by a window of device memory, means. [pci/3.0 3.2.2.3.2]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "arch/x86/machine/acpi_tables.hpp"
#include "drivers/pci_config.hpp"

namespace px::dom0 {

inline constexpr u16 config_address_port = 0xcf8, config_data_port = 0xcfc, last_config_data_port = 0xcff;

struct ConfigPlace {
    pci::Address function;
    u16 offset;
};

/// An access to one of the data ports, `selected` standing in the address port. Nothing: no register is selected.
inline std::optional<ConfigPlace> place_by_ports(u32 selected, u16 port) {
    constexpr u32 enable = u32{1} << 31;
    if ((selected & enable) == 0) return std::nullopt;
    const u32 extended = selected >> 16 & 0xf00;  // as NB_CFG says [amd/ppr 17h NB_CFG EnableCf8ExtCfg]
    return ConfigPlace{pci::Address::from_bdf(0, static_cast<u16>(selected >> 8)),
                       static_cast<u16>(extended + (selected & 0xfc) + (port - config_data_port))};
}

/// Nothing: no window of configuration space (ECAM) is there.
inline std::optional<ConfigPlace> place_in_window(u64 address) {
    for (const acpi::EcamWindow& window : arch::acpi_tables().ecam) {
        const u64 offset = address - window.base.raw;
        const u64 bus = offset >> 20;
        if (address < window.base.raw || bus < window.first_bus || bus > window.last_bus) continue;
        return ConfigPlace{pci::Address::from_bdf(window.segment, static_cast<u16>(offset >> 12)), static_cast<u16>(offset & 0xfff)};
    }
    return std::nullopt;
}

}  // namespace px::dom0
