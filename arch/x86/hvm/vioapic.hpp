// A virtual I/O APIC: pins become interrupts in virtual local APICs. [intel/82093aa]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "arch/x86/hvm/mmio.hpp"
#include "drivers/ioapic.hpp"
#include "hypervisor/base/spinlock.hpp"

namespace px {
class Domain;
}

namespace px::hvm {

/// Where the pins of a virtual I/O APIC lead to: told when the guest binds, masks or ends them. The hardware domain's
/// listener binds the real interrupt; no listener: pins are driven by emulated devices only.
class PinListener {
public:
    /// `entry` is what the guest just wrote. The I/O APIC's lock is not held.
    virtual void pin_changed(u32 gsi, const ioapic::Entry& entry) = 0;
    /// The guest ended the level-triggered interrupt of this pin.
    virtual void pin_ended(u32 gsi) = 0;

protected:
    ~PinListener() = default;
};

class VirtualIoApic final : public MmioHandler {
public:
    static constexpr u64 default_base = 0xfec00000;
    static constexpr u32 max_pins = (0x100 - ioapic::redirection) / 2;  ///< as far as an index of 8 bits reaches

    /// `pins` ≤ max_pins, the first is GSI `gsi_base`.
    VirtualIoApic(Domain& domain, u8 id, u32 gsi_base, u32 pins, PinListener* listener);

    u64 read(Vcpu& vcpu, u64 offset, unsigned size) override;
    void write(Vcpu& vcpu, u64 offset, unsigned size, u64 value) override;

    /// The level of a line; an edge on pins set to edge. Any CPU, any context.
    void set_line(u32 gsi, bool high);
    /// A guest ended an interrupt with this vector: level pins that use it may fire again.
    void end_of_interrupt(u8 vector);
    bool handles(u32 gsi) const { return gsi - gsi_base_ < pins_; }

private:
    struct State {
        std::array<ioapic::Entry, max_pins> entries{};
        std::array<bool, max_pins> lines{};
        u8 select = 0;
        u8 id = 0;
    };
    void deliver(State& state, u32 pin);
    u32 read_register(const State& state) const;

    Domain& domain_;
    u32 gsi_base_, pins_;
    PinListener* listener_;
    Locked<State, LockRank::vcpu_irq> state_;
};

}  // namespace px::hvm
