// ABI comparison: physdev.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/physdev.h>

#include "hypervisor/abi/physdev.hpp"

// physdev.hpp
SAME(irqstat_needs_eoi, XENIRQSTAT_needs_eoi);
SAME(irqstat_shared, XENIRQSTAT_shared);
SAME(pci_mmcfg_is_reserved, XEN_PCI_MMCFG_RESERVED);
SAME(pci_dev_flag::extfn, XEN_PCI_DEV_EXTFN);
SAME(pci_dev_flag::virtfn, XEN_PCI_DEV_VIRTFN);
SAME(pci_dev_flag::pxm, XEN_PCI_DEV_PXM);
SAME(PhysdevOp::irq_unmask_notify, PHYSDEVOP_IRQ_UNMASK_NOTIFY);
SAME(PhysdevOp::irq_status_query, PHYSDEVOP_irq_status_query);
SAME(PhysdevOp::set_iopl, PHYSDEVOP_set_iopl);
SAME(PhysdevOp::set_iobitmap, PHYSDEVOP_set_iobitmap);
SAME(PhysdevOp::apic_read, PHYSDEVOP_apic_read);
SAME(PhysdevOp::apic_write, PHYSDEVOP_apic_write);
SAME(PhysdevOp::alloc_irq_vector, PHYSDEVOP_alloc_irq_vector);
SAME(PhysdevOp::free_irq_vector, PHYSDEVOP_free_irq_vector);
SAME(PhysdevOp::eoi, PHYSDEVOP_eoi);
SAME(PhysdevOp::map_pirq, PHYSDEVOP_map_pirq);
SAME(PhysdevOp::unmap_pirq, PHYSDEVOP_unmap_pirq);
SAME(PhysdevOp::manage_pci_add, PHYSDEVOP_manage_pci_add);
SAME(PhysdevOp::manage_pci_remove, PHYSDEVOP_manage_pci_remove);
SAME(PhysdevOp::pirq_eoi_gmfn_v1, PHYSDEVOP_pirq_eoi_gmfn_v1);
SAME(PhysdevOp::restore_msi, PHYSDEVOP_restore_msi);
SAME(PhysdevOp::manage_pci_add_ext, PHYSDEVOP_manage_pci_add_ext);
SAME(PhysdevOp::setup_gsi, PHYSDEVOP_setup_gsi);
SAME(PhysdevOp::get_free_pirq, PHYSDEVOP_get_free_pirq);
SAME(PhysdevOp::pci_mmcfg_reserved, PHYSDEVOP_pci_mmcfg_reserved);
SAME(PhysdevOp::pci_device_add, PHYSDEVOP_pci_device_add);
SAME(PhysdevOp::pci_device_remove, PHYSDEVOP_pci_device_remove);
SAME(PhysdevOp::restore_msi_ext, PHYSDEVOP_restore_msi_ext);
SAME(PhysdevOp::pirq_eoi_gmfn_v2, PHYSDEVOP_pirq_eoi_gmfn_v2);
SAME(PhysdevOp::dbgp_op, PHYSDEVOP_dbgp_op);
SAME(PhysdevOp::prepare_msix, PHYSDEVOP_prepare_msix);
SAME(PhysdevOp::release_msix, PHYSDEVOP_release_msix);
SAME(MapPirqType::msi, MAP_PIRQ_TYPE_MSI);
SAME(MapPirqType::gsi, MAP_PIRQ_TYPE_GSI);
SAME(MapPirqType::unknown, MAP_PIRQ_TYPE_UNKNOWN);
SAME(MapPirqType::msi_seg, MAP_PIRQ_TYPE_MSI_SEG);
SAME(MapPirqType::multi_msi, MAP_PIRQ_TYPE_MULTI_MSI);
SAME(DbgpOp::reset_prepare, PHYSDEVOP_DBGP_RESET_PREPARE);
SAME(DbgpOp::reset_done, PHYSDEVOP_DBGP_RESET_DONE);
SAME(DbgpBus::unknown, PHYSDEVOP_DBGP_BUS_UNKNOWN);
SAME(DbgpBus::pci, PHYSDEVOP_DBGP_BUS_PCI);
SAME_STRUCT(PhysdevEoi, physdev_eoi, irq);
SAME_STRUCT(PhysdevPirqEoiGmfn, physdev_pirq_eoi_gmfn, gmfn);
SAME_STRUCT(PhysdevIrqStatusQuery, physdev_irq_status_query, irq, flags);
SAME_STRUCT(PhysdevSetIopl, physdev_set_iopl, iopl);
SAME_STRUCT(PhysdevSetIobitmap, physdev_set_iobitmap, bitmap, nr_ports);
SAME_STRUCT(PhysdevApic, physdev_apic, apic_physbase, reg, value);
SAME_STRUCT(PhysdevIrq, physdev_irq, irq, vector);
SAME_STRUCT(PhysdevMapPirq, physdev_map_pirq, domid, type, index, pirq, bus, devfn, entry_nr, table_base);
SAME_STRUCT(PhysdevUnmapPirq, physdev_unmap_pirq, domid, pirq);
SAME_STRUCT(PhysdevManagePci, physdev_manage_pci, bus, devfn);
SAME_STRUCT(PhysdevRestoreMsi, physdev_restore_msi, bus, devfn);
SAME_STRUCT(PhysdevManagePciExt, physdev_manage_pci_ext, bus, devfn, is_extfn, is_virtfn, physfn, physfn.bus, physfn.devfn);
SAME_STRUCT(PhysdevCompatOp, physdev_op, cmd, u, u.irq_status_query, u.set_iopl, u.set_iobitmap, u.apic_op, u.irq_op);
SAME_STRUCT(PhysdevSetupGsi, physdev_setup_gsi, gsi, triggering, polarity);
SAME_STRUCT(PhysdevGetFreePirq, physdev_get_free_pirq, type, pirq);
SAME_STRUCT(PhysdevPciMmcfgReserved, physdev_pci_mmcfg_reserved, address, segment, start_bus, end_bus, flags);
SAME_STRUCT(PhysdevPciDeviceAdd, physdev_pci_device_add, seg, bus, devfn, flags, physfn, physfn.bus, physfn.devfn);
SAME_STRUCT(PhysdevPciDevice, physdev_pci_device, seg, bus, devfn);
SAME_STRUCT(PhysdevDbgpOp, physdev_dbgp_op, op, bus, u, u.pci);

static_assert(sizeof(px::abi::PhysdevPciDeviceAdd) == offsetof(physdev_pci_device_add, optarr));
