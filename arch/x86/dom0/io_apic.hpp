// A real I/O APIC in the hardware domain's service: a pin is bound when dom0 unmasks the virtual one.
//
// A level-triggered pin is masked from its interrupt until dom0's end of interrupt: a device that nobody quiets costs one
// interrupt, and the host never waits for dom0. PVH dom0 has no PIRQs; polarity and trigger are what it writes to its pin.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/vioapic.hpp"
#include "arch/x86/machine/io.hpp"
#include "arch/x86/machine/irq.hpp"
#include "drivers/acpi/topology.hpp"
#include "drivers/ioapic.hpp"
#include "hypervisor/mm/heap.hpp"

namespace px::dom0 {

class MachineIoApic final : public hvm::PinListener {
public:
    /// Masks every pin of the device and gives `domain` a virtual one at the same address. Errors: enodev, enomem, enospc.
    static Result<MachineIoApic*> give(Domain& domain, const acpi::IoApic& io_apic);

    /// A line that calls `target` of our own; what dom0 writes to the virtual pin has no effect from then on.
    /// Errors: enoent: not of this device; enospc: no vector.
    Result<> keep(u32 gsi, acpi::IntiFlags flags, arch::InterruptTarget& target);

    void pin_changed(u32 gsi, const ioapic::Entry& entry) override;
    void pin_ended(u32 gsi) override;

    explicit MachineIoApic(Domain& domain, IoApicDevice<arch::Mmio> device, u32 gsi_base)
        : domain_(domain), gsi_base_(gsi_base), device_(device) {}

private:
    struct Pin final : arch::InterruptTarget {
        MachineIoApic* owner = nullptr;
        u32 number = 0;
        arch::InterruptRoute route;  ///< from the first unmasking on
        bool level = false;
        bool kept = false;        ///< ours, see keep()
        bool open = false;        ///< dom0 has it unmasked
        bool awaits_end = false;  ///< level: fired, dom0 hasn't ended it; masked in the device

        void interrupt() override { owner->fired(*this); }
    };
    using Device = Locked<IoApicDevice<arch::Mmio>, LockRank::irq>;

    bool wants_route(const Pin& pin);
    void fired(Pin& pin);

    Domain& domain_;
    u32 gsi_base_;
    Device device_;  ///< guards the pins as well
    HeapArray<Pin> pins_;
    hvm::VirtualIoApic* virtual_ = nullptr;
};

}  // namespace px::dom0
