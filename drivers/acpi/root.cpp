// RSDP, XSDT and RSDT.
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/acpi/root.hpp"

namespace px::acpi {
namespace {

constexpr Signature rsdp = "RSDP"_sig;
constexpr u32 max_rsdp_length = 4096;
constexpr usize scan_step = 16;
constexpr u64 ebda_segment_address = 0x40e;
constexpr u64 bios_area = 0xe0000;
constexpr usize bios_area_length = 0x20000;

/// What a good RSDP in `bytes`, which start with one, says.
TableResult<RootPointer> parse(std::span<const u8> bytes, Paddr address) {
    if (bytes.size() < rsdp_v1_length) return Err{TableError{rsdp, Defect::bad_length}};
    RsdpLayout layout{};
    std::memcpy(&layout, bytes.data(), std::min(bytes.size(), sizeof layout));
    if (std::string_view{layout.signature, sizeof layout.signature} != rsdp_signature) {
        return Err{TableError{rsdp, Defect::bad_signature}};
    }
    if (byte_sum(bytes.first(rsdp_v1_length)) != 0) return Err{TableError{rsdp, Defect::bad_checksum}};
    if (layout.revision < 2) return RootPointer{address, layout.revision, Paddr{layout.rsdt}, Paddr{}};
    if (layout.length < sizeof layout || layout.length > max_rsdp_length || layout.length > bytes.size()) {
        return Err{TableError{rsdp, Defect::bad_length}};
    }
    if (byte_sum(bytes.first(layout.length)) != 0) return Err{TableError{rsdp, Defect::bad_checksum}};
    return RootPointer{address, layout.revision, Paddr{layout.rsdt}, Paddr{layout.xsdt}};
}

/// Tries each paragraph of the area.
TableResult<RootPointer> scan(PhysicalMemory& memory, Paddr area, usize length) {
    TableError found{rsdp, Defect::not_found};
    const auto bytes = memory.map(area, length);
    for (usize offset = 0; offset + rsdp_v1_length <= bytes.size(); offset += scan_step) {
        const auto candidate = parse(bytes.subspan(offset), area + offset);
        if (candidate.ok()) return candidate;
        if (candidate.error().defect != Defect::bad_signature) found = candidate.error();
    }
    return Err{found};
}

}  // namespace

TableResult<Table> Table::open(PhysicalMemory& memory, Paddr address, Signature expected) {
    const auto head = memory.map(address, sizeof(Header));
    if (head.size() < sizeof(Header)) return Err{TableError{expected, Defect::unmappable}};
    Header header;
    std::memcpy(&header, head.data(), sizeof header);
    if (header.signature != expected) return Err{TableError{expected, Defect::bad_signature}};
    if (header.length < sizeof header || header.length > max_table_length) { return Err{TableError{expected, Defect::bad_length}}; }
    const auto bytes = memory.map(address, header.length);
    if (bytes.size() < header.length) return Err{TableError{expected, Defect::unmappable}};
    if (byte_sum(bytes.first(header.length)) != 0) return Err{TableError{expected, Defect::bad_checksum}};
    return Table{address, header, bytes.first(header.length)};
}

TableResult<RootPointer> read_root_pointer(PhysicalMemory& memory, Paddr address) {
    auto bytes = memory.map(address, sizeof(RsdpLayout));
    if (bytes.size() < sizeof(RsdpLayout)) bytes = memory.map(address, rsdp_v1_length);
    if (bytes.empty()) return Err{TableError{rsdp, Defect::unmappable}};
    return parse(bytes, address);
}

TableResult<RootPointer> scan_root_pointer(PhysicalMemory& memory) {
    if (const auto pointer = memory.map(Paddr{ebda_segment_address}, sizeof(u16)); pointer.size() >= sizeof(u16)) {
        const Paddr ebda{(pointer[0] | u64{pointer[1]} << 8) << 4};
        if (ebda.raw != 0) {
            if (auto found = scan(memory, ebda, 1024); found.ok()) return found;
        }
    }
    return scan(memory, Paddr{bios_area}, bios_area_length);
}

TableResult<TableList> TableList::open(PhysicalMemory& memory, const RootPointer& root) {
    TableError error{"XSDT"_sig, Defect::not_found};
    if (root.xsdt.raw != 0) {
        auto xsdt = Table::open(memory, root.xsdt, "XSDT"_sig);
        if (xsdt.ok()) return TableList{memory, *xsdt, sizeof(u64)};
        error = xsdt.error();
    }
    if (root.rsdt.raw == 0) return Err{error};
    return TableList{memory, TRY(Table::open(memory, root.rsdt, "RSDT"_sig)), sizeof(u32)};
}

Paddr TableList::address(usize index) const {
    u64 address = 0;
    std::memcpy(&address, list_.bytes().data() + sizeof(Header) + index * entry_size_, entry_size_);
    return Paddr{address};
}

TableResult<Signature> TableList::signature(usize index) const {
    const auto head = memory_->map(address(index), sizeof(Header));
    if (head.size() < sizeof(Header)) return Err{list_.error(Defect::unmappable, index)};
    Signature signature;
    std::memcpy(&signature, head.data(), sizeof signature);
    return signature;
}

TableResult<Table> TableList::find(Signature wanted) const {
    for (usize index = 0; index < size(); ++index) {
        const auto here = signature(index);
        if (here.ok() && *here == wanted) return Table::open(*memory_, address(index), wanted);
    }
    return Err{TableError{wanted, Defect::not_found}};
}

}  // namespace px::acpi
