// The machine's PCI, for the model that the hardware domain sees: real registers, vectors, and dom0's physmap.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/dom0/pci_machine.hpp"
#include "arch/x86/dom0/pci_registers.hpp"
#include "arch/x86/machine/io.hpp"
#include "arch/x86/machine/irq.hpp"
#include "hypervisor/mm/heap.hpp"

namespace px {
class Domain;
}

namespace px::dom0 {

/// Serialised by its user.
class MachinePci final : public PciMachine {
public:
    static constexpr usize max_routes = 2048;

    /// Device memory below `mapped_top` was mapped when the domain was built.
    MachinePci(Domain& domain, u64 mapped_top) : domain_(domain), mapped_top_(mapped_top) {}
    /// Errors: enomem.
    Result<> create();

    u32 read(pci::Address function, u16 offset, unsigned size) override { return registers_.read(function, offset, size); }
    void write(pci::Address function, u16 offset, unsigned size, u32 value) override { registers_.write(function, offset, size, value); }
    u64 read_memory(u64 address, unsigned size) override { return registers_.read_memory(address, size); }
    void write_memory(u64 address, unsigned size, u64 value) override { registers_.write_memory(address, size, value); }
    Result<RouteId> open_route(const Message& message) override;
    void change_route(RouteId route, const Message& message) override;
    void close_route(RouteId route) override;
    Message device_message(RouteId route) override;
    void trap_page(u64 address) override;
    void release_page(u64 address) override;
    void show(u64 address, u64 size) override;

private:
    /// A vector and the message of dom0's that it stands for; the message is read by the interrupt's handler.
    struct Route final : arch::InterruptTarget {
        Domain* domain = nullptr;
        std::atomic<u64> message{0};
        arch::InterruptRoute host{};

        void interrupt() override;
        void set(const Message& value) { message.store(u64{value.address} << 32 | value.data, std::memory_order_release); }
    };
    Domain& domain_;
    u64 mapped_top_;
    HeapArray<Route> routes_;
    PciRegisters registers_;
};

}  // namespace px::dom0
