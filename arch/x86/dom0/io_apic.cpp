// A real I/O APIC in the hardware domain's service.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/io_apic.hpp"

#include "arch/x86/hvm/message.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::dom0 {

Result<MachineIoApic*> MachineIoApic::give(Domain& domain, const acpi::IoApic& io_apic) {
    void* const registers = TRY(arch::map_physical(io_apic.address, ioapic::window, arch::Cache::uncached, true));
    auto device = TRY(IoApicDevice<arch::Mmio>::open(arch::Mmio(registers)));
    device.mask_all();
    const u32 pins = std::min(device.entries(), hvm::VirtualIoApic::max_pins);
    auto machine = TRY(make<MachineIoApic>(domain, device, io_apic.gsi_base));
    machine->pins_ = TRY(HeapArray<Pin>::create(pins));
    for (u32 i = 0; i < pins; ++i) {
        machine->pins_[i].owner = machine.get();
        machine->pins_[i].number = i;
    }
    auto shown = TRY(make<hvm::VirtualIoApic>(domain, io_apic.id, io_apic.gsi_base, pins, machine.get()));
    machine->virtual_ = shown.get();
    TRY(domain.arch.mmio.add(io_apic.address.raw, page_size, *shown));
    TRY(domain.arch.io_apics.push_back(std::move(shown)));
    return machine.release();  // lives as long as the machine
}

Result<> MachineIoApic::keep(u32 gsi, acpi::IntiFlags flags, arch::InterruptTarget& target) {
    REQUIRE(gsi >= gsi_base_ && gsi - gsi_base_ < pins_.size(), enoent);
    const arch::InterruptRoute route = TRY(arch::bind_interrupt(target, CpuId{0}));
    Pin& pin = pins_[gsi - gsi_base_];
    auto device = device_.lock();
    pin.kept = true;
    device->set_entry(
        pin.number,
        ioapic::Entry{.vector = route.vector, .active_low = flags.active_low(), .level = flags.level(), .destination = route.apic_id});
    return {};
}

bool MachineIoApic::wants_route(const Pin& pin) {
    auto device = device_.lock();
    return !pin.kept && !pin.route.bound();
}

void MachineIoApic::pin_changed(u32 gsi, const ioapic::Entry& entry) {
    Pin& pin = pins_[gsi - gsi_base_];
    const auto delivery = static_cast<ioapic::Delivery>(entry.delivery);
    const bool open = entry.masked == 0 && (delivery == ioapic::Delivery::fixed || delivery == ioapic::Delivery::lowest_priority);
    arch::InterruptRoute fresh;
    if (open && wants_route(pin)) {
        // Where another vCPU binds it at the same moment, one vector too many is given back below.
        const CpuId cpu = hvm::cpu_of_destination(domain_, static_cast<u32>(entry.destination), entry.logical != 0);
        if (const auto route = arch::bind_interrupt(pin, cpu)) fresh = *route;
        else log_error("no interrupt vector is left for GSI {}", gsi);
    }
    bool lower = false;
    {
        auto device = device_.lock();
        if (pin.kept) return;
        if (!pin.route.bound()) std::swap(pin.route, fresh);
        pin.open = open && pin.route.bound();
        if (!pin.open) {
            device->mask(pin.number);
        } else {
            pin.level = entry.level != 0;
            if (!pin.level) lower = std::exchange(pin.awaits_end, false);
            device->set_entry(pin.number, ioapic::Entry{.vector = pin.route.vector,
                                                        .active_low = entry.active_low,
                                                        .level = entry.level,
                                                        .masked = pin.awaits_end,
                                                        .destination = pin.route.apic_id});
        }
    }
    arch::unbind_interrupt(fresh);
    if (lower) virtual_->set_line(gsi, false);
}

void MachineIoApic::fired(Pin& pin) {
    bool level;
    {
        auto device = device_.lock();
        level = pin.level;
        if (level) {
            device->mask(pin.number);
            pin.awaits_end = true;
        }
    }
    virtual_->set_line(gsi_base_ + pin.number, true);
    if (!level) virtual_->set_line(gsi_base_ + pin.number, false);
}

void MachineIoApic::pin_ended(u32 gsi) {
    Pin& pin = pins_[gsi - gsi_base_];
    {
        auto device = device_.lock();
        if (!std::exchange(pin.awaits_end, false)) return;
    }
    // First the virtual line: from the unmasking on the real one may raise it again.
    virtual_->set_line(gsi, false);
    auto device = device_.lock();
    if (pin.open && !pin.awaits_end) device->unmask(pin.number);
}

}  // namespace px::dom0
