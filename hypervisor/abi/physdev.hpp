// Physical devices: interrupts, PCI, ports [xen/public physdev.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/handle.hpp"

namespace px::abi {

enum class PhysdevOp : u32 {
    irq_unmask_notify = 4,  ///< old name of eoi in physdev_op_compat
    irq_status_query = 5,
    set_iopl = 6,
    set_iobitmap = 7,
    apic_read = 8,
    apic_write = 9,
    alloc_irq_vector = 10,
    free_irq_vector = 11,
    eoi = 12,
    map_pirq = 13,
    unmap_pirq = 14,
    manage_pci_add = 15,
    manage_pci_remove = 16,
    pirq_eoi_gmfn_v1 = 17,
    restore_msi = 19,
    manage_pci_add_ext = 20,
    setup_gsi = 21,
    get_free_pirq = 23,
    pci_mmcfg_reserved = 24,
    pci_device_add = 25,
    pci_device_remove = 26,
    restore_msi_ext = 27,
    pirq_eoi_gmfn_v2 = 28,
    dbgp_op = 29,
    prepare_msix = 30,
    release_msix = 31,
};

struct PhysdevEoi {
    u32 irq;
};

/// A page whose bit n says that pirq n needs an explicit eoi. v2 leaves masking of the port to the guest.
struct PhysdevPirqEoiGmfn {
    u64 gmfn;
};

inline constexpr u32 irqstat_needs_eoi = 1u << 0;
inline constexpr u32 irqstat_shared = 1u << 1;
struct PhysdevIrqStatusQuery {
    u32 irq;
    u32 flags;  ///< OUT: irqstat_*
};

struct PhysdevSetIopl {
    u32 iopl;
};

struct PhysdevSetIobitmap {
    GuestHandle<u8> bitmap;
    u32 nr_ports;
};

struct PhysdevApic {
    u64 apic_physbase;
    u32 reg;
    u32 value;
};

struct PhysdevIrq {
    u32 irq;
    u32 vector;  ///< OUT
};

enum class MapPirqType : i32 { msi = 0, gsi = 1, unknown = 2, msi_seg = 3, multi_msi = 4 };

struct PhysdevMapPirq {
    u16 domid;
    i32 type;   ///< MapPirqType
    i32 index;  ///< gsi; negative: any (MSI)
    i32 pirq;   ///< IN, OUT; negative: any
    i32 bus;    ///< MSI: segment << 16 | bus
    i32 devfn;
    i32 entry_nr;    ///< MSI-X: entry; multi_msi: number of vectors
    u64 table_base;  ///< MSI-X: physical address of the table
};

struct PhysdevUnmapPirq {
    u16 domid;
    i32 pirq;
};

struct PhysdevManagePci {
    u8 bus;
    u8 devfn;
};

struct PhysdevRestoreMsi {
    u8 bus;
    u8 devfn;
};

struct PhysdevManagePciExt {
    u8 bus;
    u8 devfn;
    u32 is_extfn;
    u32 is_virtfn;
    struct {
        u8 bus;
        u8 devfn;
    } physfn;
};

/// The argument of physdev_op_compat.
struct PhysdevCompatOp {
    u32 cmd;
    union {
        PhysdevIrqStatusQuery irq_status_query;
        PhysdevSetIopl set_iopl;
        PhysdevSetIobitmap set_iobitmap;
        PhysdevApic apic_op;
        PhysdevIrq irq_op;
    } u;
};

struct PhysdevSetupGsi {
    i32 gsi;
    u8 triggering;  ///< 0 edge, 1 level
    u8 polarity;    ///< 0 active high, 1 low
};

struct PhysdevGetFreePirq {
    i32 type;  ///< MapPirqType
    u32 pirq;  ///< OUT
};

inline constexpr u32 pci_mmcfg_is_reserved = 1;  ///< flags: firmware reserves the region
struct PhysdevPciMmcfgReserved {
    u64 address;
    u16 segment;
    u8 start_bus;
    u8 end_bus;
    u32 flags;
};

namespace pci_dev_flag {
inline constexpr u32 extfn = 1;
inline constexpr u32 virtfn = 2;
inline constexpr u32 pxm = 4;  ///< a proximity domain (u32) follows the structure
}  // namespace pci_dev_flag

struct PhysdevPciDeviceAdd {
    u16 seg;
    u8 bus;
    u8 devfn;
    u32 flags;  ///< pci_dev_flag
    struct {
        u8 bus;
        u8 devfn;
    } physfn;
};

/// pci_device_remove, restore_msi_ext, prepare_msix, release_msix.
struct PhysdevPciDevice {
    u16 seg;
    u8 bus;
    u8 devfn;
};

enum class DbgpOp : u8 { reset_prepare = 1, reset_done = 2 };
enum class DbgpBus : u8 { unknown = 0, pci = 1 };
struct PhysdevDbgpOp {
    u8 op;   ///< DbgpOp
    u8 bus;  ///< DbgpBus
    union {
        PhysdevPciDevice pci;
    } u;
};

}  // namespace px::abi
