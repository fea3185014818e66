// The hardware domain's PCI: each function as it is first looked at.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/dom0/pci_function.hpp"
#include "hypervisor/base/static_vector.hpp"

namespace px::dom0 {

/// Not locked.
class VirtualPci {
public:
    /// Functions beyond are not shown: their interrupts could not be translated.
    static constexpr usize max_functions = 1024;

    explicit VirtualPci(PciMachine& machine) : machine_(machine) {}

    /// `offset` below 4096, `size` 1, 2 or 4. Unaligned accesses read as ones and write nothing.
    u32 read(pci::Address address, u16 offset, unsigned size);
    void write(pci::Address address, u16 offset, unsigned size, u32 value);

    /// The function whose trapped page holds `address`; nullptr: none.
    PciFunction* trapping(u64 address);

private:
    enum class Presence : u8 { absent, shown, hidden };
    struct Found {
        Presence presence;
        PciFunction* function;
    };
    /// `fresh`: what is there is looked at again, for the function may have been plugged out or in.
    Found find(pci::Address address, bool fresh);
    Found discover(pci::Address address, u32 identity);
    template <class Predicate>
    void forget(Predicate gone);
    void write_bridge(PciFunction& bridge, u16 offset, unsigned size, u32 value);

    PciMachine& machine_;
    StaticVector<Box<PciFunction>, max_functions> functions_;
};

}  // namespace px::dom0
