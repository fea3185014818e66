// PCI of a PV hardware domain: configuration space by ports and by its memory windows, as it is.
//
// Such a domain asks for interrupts by hypercalls, and the hypervisor writes the devices' messages. Windows and MSI-X tables are mapped
// read-only: its writes there fault, and those to a window's registers are done for it; those to a table are dropped.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/dom0/message_place.hpp"
#include "arch/x86/dom0/pci_registers.hpp"
#include "arch/x86/hvm/mmio.hpp"
#include "hypervisor/base/spinlock.hpp"

namespace px {
class Domain;
}

namespace px::dom0 {

class PvPci final : public hvm::PortHandler, public hvm::MmioHandler {
public:
    /// The configuration ports. Errors: eexist.
    Result<> give(Domain& domain);

    u32 read(Vcpu& vcpu, u16 port, unsigned size) override;
    void write(Vcpu& vcpu, u16 port, unsigned size, u32 value) override;
    /// `address`: of the machine.
    u64 read(Vcpu& vcpu, u64 address, unsigned size) override;
    void write(Vcpu& vcpu, u64 address, unsigned size, u64 value) override;

    /// Calls use(PciRegisters&).
    template <class Use>
    auto with_registers(Use use) {
        auto state = state_.lock();
        return use(state->registers);
    }

    /// The function is there: its MSI-X table is read-only from now on.
    void note_function(pci::Address function);
    bool holds_table(Mfn mfn) const;

private:
    struct State {
        PciRegisters registers;
        u32 selected = 0;  ///< what was written to the address port
    };
    /// Frames; only ever grows, so that it is looked at without the lock.
    struct Tables {
        static constexpr usize most = 1024;
        std::array<std::atomic<u64>, most> frames{};
        std::atomic<usize> count{0};
    };
    void note_table_frame(u64 frame);

    Locked<State, LockRank::pci> state_;
    Tables tables_;
};

/// Of the PV hardware domain; nullptr where there is none.
PvPci* hardware_pci();

}  // namespace px::dom0
