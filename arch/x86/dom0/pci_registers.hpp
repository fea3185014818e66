// The registers of the machine's PCI functions, and the device memory that their BARs name.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/pci_config.hpp"
#include "hypervisor/base/static_vector.hpp"

namespace px::dom0 {

/// Serialised by its user. What isn't there reads as ones.
class PciRegisters {
public:
    /// `offset` is a multiple of `size` (1, 2, 4).
    u32 read(pci::Address function, u16 offset, unsigned size);
    void write(pci::Address function, u16 offset, unsigned size, u32 value);

    /// `address` is a multiple of `size` (1, 2, 4, 8), and no RAM.
    u64 read_memory(u64 address, unsigned size);
    void write_memory(u64 address, unsigned size, u64 value);
    /// Device memory, mapped for good; nullptr where it can't be, or isn't device memory.
    volatile u8* device_memory(u64 address);

private:
    struct Window {
        u64 address;
        volatile u8* view;
    };
    volatile u8* registers(pci::Address function, u16 offset);
    volatile u8* window(u64 address, u64 size);

    /// Mapped once each and kept: a bus of configuration space (1 MiB), or a page of a BAR that holds an MSI-X table.
    StaticVector<Window, 512> windows_;
};

}  // namespace px::dom0
