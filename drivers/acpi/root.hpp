// From the root pointer to any table: RSDP, XSDT or RSDT.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/acpi/table.hpp"

namespace px::acpi {

struct RootPointer {
    Paddr address;  ///< of the RSDP itself
    u8 revision = 0;
    Paddr rsdt;
    Paddr xsdt;  ///< 0 when there is none
};

/// The RSDP at `address`, as EFI or the boot loader tells it. Errors name the table "RSDP".
TableResult<RootPointer> read_root_pointer(PhysicalMemory& memory, Paddr address);

/// The RSDP of a PC BIOS: looked for in the first KiB of the EBDA and in 0xe0000–0xfffff [acpi/6.4 5.2.5.1].
TableResult<RootPointer> scan_root_pointer(PhysicalMemory& memory);

/// The list of tables. The XSDT is used where it is good, else the RSDT.
class TableList {
public:
    static TableResult<TableList> open(PhysicalMemory& memory, const RootPointer& root);

    usize size() const { return (list_.bytes().size() - sizeof(Header)) / entry_size_; }
    /// Address of table `index` < size(); its content is not checked.
    Paddr address(usize index) const;
    /// Signature of table `index`; an error when its header can't be mapped.
    TableResult<Signature> signature(usize index) const;
    /// The first table of that name, checked. Entries that can't be mapped can't be the wanted one.
    TableResult<Table> find(Signature signature) const;
    /// The checked list itself.
    const Table& list() const { return list_; }

private:
    TableList(PhysicalMemory& memory, Table list, usize entry_size) : memory_(&memory), list_(list), entry_size_(entry_size) {}

    PhysicalMemory* memory_;
    Table list_;
    usize entry_size_;  ///< 8 in an XSDT, 4 in an RSDT
};

}  // namespace px::acpi
