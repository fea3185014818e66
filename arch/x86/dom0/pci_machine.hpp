// What the model of PCI needs of the machine; a fake stands here in the unit tests.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/message.hpp"
#include "drivers/pci_config.hpp"

namespace px::dom0 {

using hvm::Message;

/// A vector of the machine that delivers a message of dom0's choice; 0: none.
struct RouteId {
    u16 raw = 0;
    explicit operator bool() const { return raw != 0; }
};

class PciMachine {
public:
    /// Registers of a function; `offset` is a multiple of `size` (1, 2, 4). What isn't there reads as ones.
    virtual u32 read(pci::Address function, u16 offset, unsigned size) = 0;
    virtual void write(pci::Address function, u16 offset, unsigned size, u32 value) = 0;

    /// Device memory; `address` is a multiple of `size` (1, 2, 4, 8).
    virtual u64 read_memory(u64 address, unsigned size) = 0;
    virtual void write_memory(u64 address, unsigned size, u64 value) = 0;

    /// A vector for `message`. Errors: enospc.
    virtual Result<RouteId> open_route(const Message& message) = 0;
    virtual void change_route(RouteId route, const Message& message) = 0;
    virtual void close_route(RouteId route) = 0;
    /// What the device has to send so that the route delivers.
    virtual Message device_message(RouteId route) = 0;

    /// From now on dom0's accesses to this page of device memory exit.
    virtual void trap_page(u64 address) = 0;
    /// They reach the device again.
    virtual void release_page(u64 address) = 0;
    /// A BAR was placed here: where dom0's address space has nothing, device memory appears.
    virtual void show(u64 address, u64 size) = 0;

protected:
    ~PciMachine() = default;
};

}  // namespace px::dom0
