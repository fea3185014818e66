// Where the hardware domain's accesses to PCI arrive.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/pci_traps.hpp"

#include "arch/x86/dom0/config_place.hpp"
#include "arch/x86/dom0/machine_pci.hpp"
#include "arch/x86/dom0/pci.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::dom0 {
namespace {

struct Pci {
    Pci(Domain& domain, u64 mapped_top) : machine(domain, mapped_top), model(machine) {}
    MachinePci machine;
    VirtualPci model;
    u32 selected = 0;  ///< what dom0 wrote to 0xcf8
};

class PciTraps final : public hvm::PortHandler, public hvm::MmioHandler {
public:
    PciTraps(Domain& domain, u64 mapped_top) : pci_(domain, mapped_top) {}
    Result<> create() { return pci_.unlocked().machine.create(); }

    u32 read(Vcpu&, u16 port, unsigned size) override {
        auto pci = pci_.lock();
        if (port == config_address_port) return size == 4 ? pci->selected : ~u32{0};
        const auto place = place_by_ports(pci->selected, port);
        return place ? pci->model.read(place->function, place->offset, size) : ~u32{0};
    }
    void write(Vcpu&, u16 port, unsigned size, u32 value) override {
        auto pci = pci_.lock();
        if (port == config_address_port) {
            if (size == 4) pci->selected = value;
            return;
        }
        if (const auto place = place_by_ports(pci->selected, port)) pci->model.write(place->function, place->offset, size, value);
    }

    /// Whatever dom0's physmap doesn't map: `address` is the machine's.
    u64 read(Vcpu&, u64 address, unsigned size) override {
        auto pci = pci_.lock();
        if (const auto place = place_in_window(address)) return pci->model.read(place->function, place->offset, size);
        PciFunction* const function = pci->model.trapping(address);
        return function != nullptr ? function->read_memory(address, size) : ~u64{0};
    }
    void write(Vcpu&, u64 address, unsigned size, u64 value) override {
        auto pci = pci_.lock();
        if (const auto place = place_in_window(address))
            return pci->model.write(place->function, place->offset, size, static_cast<u32>(value));
        if (PciFunction* const function = pci->model.trapping(address)) function->write_memory(address, size, value);
    }

private:
    Locked<Pci, LockRank::pci> pci_;
};

}  // namespace

Result<> give_pci(Domain& domain, u64 mapped_top) {
    auto traps = TRY(make<PciTraps>(domain, mapped_top));
    TRY(traps->create());
    TRY(domain.arch.ports.add(config_address_port, config_address_port, *traps));
    TRY(domain.arch.ports.add(config_data_port, last_config_data_port, *traps));
    domain.arch.mmio.set_rest(*traps);
    (void)traps.release();  // lives as long as the machine
    return {};
}

}  // namespace px::dom0
