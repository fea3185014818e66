// HYPERVISOR_physdev_op of PV guests. [xen/public physdev.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/physdev.hpp"

#include "arch/x86/dom0/pirqs.hpp"
#include "arch/x86/dom0/pv_devices.hpp"
#include "arch/x86/dom0/pv_hypercalls.hpp"
#include "arch/x86/dom0/pv_pci.hpp"
#include "arch/x86/pv/machine/vcpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px::dom0 {
namespace {

using abi::PhysdevOp;

template <class Op>
using Handler = Result<Reply> (*)(Vcpu& caller, Op& op);

// ---- interrupts

Pirqs& pirqs() { return *hardware_pirqs(); }

Result<Reply> end_of_interrupt(Vcpu& caller, abi::PhysdevEoi& op) {
    const EvtPort port = TRY(pirqs().port_of(op.irq));
    if (pirqs().end_unmasks() && port.raw != 0) (void)caller.domain.events.unmask(port).ok();
    TRY(pirqs().end(op.irq));
    return Reply{};
}

/// As the reference: a kernel that doesn't look at the map of pirq_eoi_gmfn ends every interrupt.
Result<Reply> irq_status_query(Vcpu&, abi::PhysdevIrqStatusQuery& op) {
    (void)TRY(pirqs().port_of(op.irq));
    op.flags = abi::irqstat_needs_eoi;
    return Reply{};
}

template <bool unmasks>
Result<Reply> pirq_eoi_gmfn(Vcpu& caller, abi::PhysdevPirqEoiGmfn& op) {
    auto page = caller.domain.physmap.get_frame(Gfn{op.gmfn}, true);
    REQUIRE(page.ok(), einval);
    TRY(pirqs().set_end_map(TRY(WritableFrame::take(std::move(*page))), unmasks));
    return Reply{};
}

Result<u32> map_message(const abi::PhysdevMapPirq& op, u16 segment) {
    PvPci& pci = *hardware_pci();
    const auto function = pci::Address::from_bdf(segment, static_cast<u16>((op.bus & 0xff) << 8 | (op.devfn & 0xff)));
    return pci.with_registers([&](PciRegisters& registers) -> Result<u32> {
        MessagePlace place;
        volatile u8* entry = nullptr;
        if (op.table_base == 0) {
            place = TRY(find_msi(registers, function));
        } else {
            REQUIRE(op.entry_nr >= 0, einval);
            place = TRY(find_msix(registers, function, static_cast<u32>(op.entry_nr), op.table_base));
            REQUIRE(may_map_machine_frame(to_mfn(Paddr{place.entry})), einval);
            entry = registers.device_memory(place.entry);
            REQUIRE(entry != nullptr, einval);
        }
        return pirqs().map_message(place, entry, op.pirq, [&](u64 address, u32 data) { write_message(registers, place, address, data); });
    });
}

Result<Reply> map_pirq(Vcpu& caller, abi::PhysdevMapPirq& op) {
    REQUIRE(DomId{op.domid} == domid_self || DomId{op.domid} == caller.domain.id, eopnotsupp);  // devices for guests: not yet
    switch (abi::MapPirqType{op.type}) {
    case abi::MapPirqType::gsi:
        REQUIRE(op.index >= 0, einval);
        op.pirq = static_cast<i32>(TRY(pirqs().map_gsi(static_cast<u32>(op.index), op.pirq)));
        return Reply{};
    case abi::MapPirqType::msi: op.pirq = static_cast<i32>(TRY(map_message(op, 0))); return Reply{};
    case abi::MapPirqType::msi_seg: op.pirq = static_cast<i32>(TRY(map_message(op, static_cast<u16>(op.bus >> 16)))); return Reply{};
    case abi::MapPirqType::multi_msi: return Err{Errno::eopnotsupp};  // neighbouring vectors need interrupt remapping
    default: return Err{Errno::einval};
    }
}

Result<Reply> unmap_pirq(Vcpu& caller, abi::PhysdevUnmapPirq& op) {
    REQUIRE(DomId{op.domid} == domid_self || DomId{op.domid} == caller.domain.id, eopnotsupp);
    REQUIRE(op.pirq >= 0, einval);
    TRY(pirqs().unmap(static_cast<u32>(op.pirq)));
    return Reply{};
}

Result<Reply> setup_gsi(Vcpu&, abi::PhysdevSetupGsi& op) {
    REQUIRE(op.gsi >= 0 && op.triggering <= 1 && op.polarity <= 1, einval);
    TRY(pirqs().set_mode(static_cast<u32>(op.gsi), {op.triggering != 0, op.polarity != 0}));
    return Reply{};
}

Result<Reply> get_free_pirq(Vcpu&, abi::PhysdevGetFreePirq& op) {
    const auto type = abi::MapPirqType{op.type};
    REQUIRE(type == abi::MapPirqType::msi || type == abi::MapPirqType::gsi, einval);
    op.pirq = TRY(pirqs().reserve());
    return Reply{};
}

/// The vector is of no interest to a kernel that doesn't write I/O APICs.
Result<Reply> alloc_irq_vector(Vcpu&, abi::PhysdevIrq& op) {
    REQUIRE(op.irq < Pirqs::count, einval);
    op.vector = op.irq;
    return Reply{};
}

Result<Reply> apic_read(Vcpu&, abi::PhysdevApic& op) {
    REQUIRE(op.reg <= 0xff, einval);
    op.value = TRY(pirqs().read_io_apic(op.apic_physbase, static_cast<u8>(op.reg)));
    return Reply{};
}
/// Its lines are set up by setup_gsi.
Result<Reply> apic_write(Vcpu&, abi::PhysdevApic& op) {
    REQUIRE(op.reg <= 0xff, einval);
    (void)TRY(pirqs().read_io_apic(op.apic_physbase, static_cast<u8>(op.reg)));
    return Reply{};
}

// ---- devices

Result<Reply> pci_device_add(Vcpu&, abi::PhysdevPciDeviceAdd& op) {
    hardware_pci()->note_function(pci::Address::from_bdf(op.seg, static_cast<u16>(op.bus << 8 | op.devfn)));
    return Reply{};
}
template <class Op>
Result<Reply> manage_pci_add(Vcpu&, Op& op) {
    hardware_pci()->note_function(pci::Address::from_bdf(0, static_cast<u16>(op.bus << 8 | op.devfn)));
    return Reply{};
}

Result<Reply> restore(pci::Address function) {
    hardware_pci()->with_registers([&](PciRegisters& registers) {
        pirqs().restore(function,
                        [&](const MessagePlace& place, u64 address, u32 data) { write_message(registers, place, address, data); });
    });
    return Reply{};
}
Result<Reply> restore_msi(Vcpu&, abi::PhysdevRestoreMsi& op) {
    return restore(pci::Address::from_bdf(0, static_cast<u16>(op.bus << 8 | op.devfn)));
}
Result<Reply> restore_msi_ext(Vcpu&, abi::PhysdevPciDevice& op) {
    return restore(pci::Address::from_bdf(op.seg, static_cast<u16>(op.bus << 8 | op.devfn)));
}

/// What we needn't know: devices are reached through configuration space as it is.
template <class Op>
Result<Reply> nothing_to_do(Vcpu&, Op&) {
    return Reply{};
}

// ---- ports, of every PV guest

Result<Reply> set_iopl(Vcpu& caller, abi::PhysdevSetIopl& op) {
    REQUIRE(op.iopl <= 3, einval);
    pv::state_of(caller).iopl = op.iopl;
    return Reply{};
}
Result<Reply> set_iobitmap(Vcpu& caller, abi::PhysdevSetIobitmap& op) {
    REQUIRE(op.nr_ports <= 65536, einval);
    pv::state_of(caller).io_bitmap = op.bitmap.address;
    pv::state_of(caller).io_bitmap_ports = op.nr_ports;
    return Reply{};
}

// ---- the table

using Entry = Result<Reply> (*)(Vcpu& caller, u64 argument);

template <class Op, Handler<Op> handler, bool has_results = false, bool for_everybody = false>
Result<Reply> with(Vcpu& caller, u64 argument) {
    REQUIRE(for_everybody || (caller.domain.settings.hardware && hardware_pirqs() != nullptr), eperm);
    const auto pointer = guest_ptr<Op>(argument);
    Op op = TRY(pointer.read());
    const Reply reply = TRY(handler(caller, op));
    if constexpr (has_results) TRY(pointer.write(op));
    return reply;
}

constexpr auto table = [] {
    std::array<Entry, static_cast<usize>(PhysdevOp::release_msix) + 1> entries{};
    const auto set = [&](PhysdevOp op, Entry entry) { entries[static_cast<usize>(op)] = entry; };
    set(PhysdevOp::eoi, with<abi::PhysdevEoi, end_of_interrupt>);
    set(PhysdevOp::irq_status_query, with<abi::PhysdevIrqStatusQuery, irq_status_query, true>);
    set(PhysdevOp::pirq_eoi_gmfn_v1, with<abi::PhysdevPirqEoiGmfn, pirq_eoi_gmfn<true>>);
    set(PhysdevOp::pirq_eoi_gmfn_v2, with<abi::PhysdevPirqEoiGmfn, pirq_eoi_gmfn<false>>);
    set(PhysdevOp::map_pirq, with<abi::PhysdevMapPirq, map_pirq, true>);
    set(PhysdevOp::unmap_pirq, with<abi::PhysdevUnmapPirq, unmap_pirq>);
    set(PhysdevOp::setup_gsi, with<abi::PhysdevSetupGsi, setup_gsi>);
    set(PhysdevOp::get_free_pirq, with<abi::PhysdevGetFreePirq, get_free_pirq, true>);
    set(PhysdevOp::alloc_irq_vector, with<abi::PhysdevIrq, alloc_irq_vector, true>);
    set(PhysdevOp::apic_read, with<abi::PhysdevApic, apic_read, true>);
    set(PhysdevOp::apic_write, with<abi::PhysdevApic, apic_write>);
    set(PhysdevOp::pci_device_add, with<abi::PhysdevPciDeviceAdd, pci_device_add>);
    set(PhysdevOp::manage_pci_add, with<abi::PhysdevManagePci, manage_pci_add<abi::PhysdevManagePci>>);
    set(PhysdevOp::manage_pci_add_ext, with<abi::PhysdevManagePciExt, manage_pci_add<abi::PhysdevManagePciExt>>);
    set(PhysdevOp::pci_device_remove, with<abi::PhysdevPciDevice, nothing_to_do<abi::PhysdevPciDevice>>);
    set(PhysdevOp::manage_pci_remove, with<abi::PhysdevManagePci, nothing_to_do<abi::PhysdevManagePci>>);
    set(PhysdevOp::prepare_msix, with<abi::PhysdevPciDevice, nothing_to_do<abi::PhysdevPciDevice>>);
    set(PhysdevOp::release_msix, with<abi::PhysdevPciDevice, nothing_to_do<abi::PhysdevPciDevice>>);
    set(PhysdevOp::pci_mmcfg_reserved, with<abi::PhysdevPciMmcfgReserved, nothing_to_do<abi::PhysdevPciMmcfgReserved>>);
    set(PhysdevOp::dbgp_op, with<abi::PhysdevDbgpOp, nothing_to_do<abi::PhysdevDbgpOp>>);
    set(PhysdevOp::restore_msi, with<abi::PhysdevRestoreMsi, restore_msi>);
    set(PhysdevOp::restore_msi_ext, with<abi::PhysdevPciDevice, restore_msi_ext>);
    set(PhysdevOp::set_iopl, with<abi::PhysdevSetIopl, set_iopl, false, true>);
    set(PhysdevOp::set_iobitmap, with<abi::PhysdevSetIobitmap, set_iobitmap, false, true>);
    return entries;
}();

}  // namespace

Result<Reply> hypercall_pv_physdev_op(Vcpu& caller, HypercallArgs& args) {
    const u32 operation = static_cast<u32>(args[0]);
    REQUIRE(operation < table.size() && table[operation] != nullptr, enosys);
    return table[operation](caller, args[1]);
}

Result<Reply> hypercall_pv_physdev_op_compat(Vcpu& caller, HypercallArgs& args) {
    const u32 operation = TRY(guest_ptr<u32>(args[0]).read());
    HypercallArgs behind{{operation, args[0] + __builtin_offsetof(abi::PhysdevCompatOp, u)}};
    return hypercall_pv_physdev_op(caller, behind);
}

}  // namespace px::dom0
