// The machine's I/O APICs, by the numbers of their pins (GSIs), for a PV hardware domain.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/dom0/interrupt_lines.hpp"
#include "arch/x86/machine/io.hpp"
#include "drivers/acpi/topology.hpp"
#include "drivers/ioapic.hpp"
#include "hypervisor/base/static_vector.hpp"

namespace px::dom0 {

/// What the firmware says of a line that nobody has set up: ISA lines are edges, active high, others levels, active low.
LineMode default_mode(const acpi::Topology& topology, u32 gsi);

class GsiLines final : public InterruptLines {
public:
    /// Finds the devices and masks all their pins. Those that don't answer are left out.
    void open(const acpi::Topology& topology);

    bool exists(u32 gsi) const override { return find(gsi) != nullptr; }
    u32 end() const override;
    void connect(u32 gsi, const arch::InterruptRoute& route, LineMode mode) override;
    void mask(u32 gsi) override;
    void unmask(u32 gsi) override;
    Result<u32> read(u64 address, u8 index) override;

private:
    struct Device {
        u64 address;
        u32 gsi_base;
        IoApicDevice<arch::Mmio> registers;
        arch::Mmio raw;
    };
    Device* find(u32 gsi);
    const Device* find(u32 gsi) const { return const_cast<GsiLines*>(this)->find(gsi); }

    StaticVector<Device, 32> devices_;
};

}  // namespace px::dom0
