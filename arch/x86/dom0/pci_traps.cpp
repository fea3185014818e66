// Where the hardware domain's accesses to PCI arrive.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/pci_traps.hpp"

#include "arch/x86/dom0/machine_pci.hpp"
#include "arch/x86/dom0/pci.hpp"
#include "arch/x86/machine/acpi_tables.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::dom0 {
namespace {

constexpr u16 address_port = 0xcf8, data_port = 0xcfc, last_data_port = 0xcff;

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
        if (port == address_port) return size == 4 ? pci->selected : ~u32{0};
        const auto place = selected(*pci, port);
        return place ? pci->model.read(place->function, place->offset, size) : ~u32{0};
    }
    void write(Vcpu&, u16 port, unsigned size, u32 value) override {
        auto pci = pci_.lock();
        if (port == address_port) {
            if (size == 4) pci->selected = value;
            return;
        }
        if (const auto place = selected(*pci, port)) pci->model.write(place->function, place->offset, size, value);
    }

    /// Whatever dom0's physmap doesn't map: `address` is the machine's.
    u64 read(Vcpu&, u64 address, unsigned size) override {
        auto pci = pci_.lock();
        if (const auto place = in_window(address)) return pci->model.read(place->function, place->offset, size);
        PciFunction* const function = pci->model.trapping(address);
        return function != nullptr ? function->read_memory(address, size) : ~u64{0};
    }
    void write(Vcpu&, u64 address, unsigned size, u64 value) override {
        auto pci = pci_.lock();
        if (const auto place = in_window(address)) return pci->model.write(place->function, place->offset, size, static_cast<u32>(value));
        if (PciFunction* const function = pci->model.trapping(address)) function->write_memory(address, size, value);
    }

private:
    struct Place {
        pci::Address function;
        u16 offset;
    };

    static std::optional<Place> selected(const Pci& pci, u16 port) {
        constexpr u32 enable = u32{1} << 31;
        if ((pci.selected & enable) == 0) return std::nullopt;
        const u32 extended = pci.selected >> 16 & 0xf00;  // as NB_CFG says [amd/ppr 17h NB_CFG EnableCf8ExtCfg]
        return Place{pci::Address::from_bdf(0, static_cast<u16>(pci.selected >> 8)),
                     static_cast<u16>(extended + (pci.selected & 0xfc) + (port - data_port))};
    }
    static std::optional<Place> in_window(u64 address) {
        for (const acpi::EcamWindow& window : arch::acpi_tables().ecam) {
            const u64 offset = address - window.base.raw;
            const u64 bus = offset >> 20;
            if (address < window.base.raw || bus < window.first_bus || bus > window.last_bus) continue;
            return Place{pci::Address::from_bdf(window.segment, static_cast<u16>(offset >> 12)), static_cast<u16>(offset & 0xfff)};
        }
        return std::nullopt;
    }

    Locked<Pci, LockRank::pci> pci_;
};

}  // namespace

Result<> give_pci(Domain& domain, u64 mapped_top) {
    auto traps = TRY(make<PciTraps>(domain, mapped_top));
    TRY(traps->create());
    TRY(domain.arch.ports.add(address_port, address_port, *traps));
    TRY(domain.arch.ports.add(data_port, last_data_port, *traps));
    domain.arch.mmio.set_rest(*traps);
    (void)traps.release();  // lives as long as the machine
    return {};
}

}  // namespace px::dom0
