// Writes ACPI tables for a guest: RSDP, XSDT, MADT, and any other table field by field.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/acpi/table.hpp"
#include "drivers/acpi/topology.hpp"

namespace px::acpi {

/// Appends tables to a buffer that the guest will see at `base`, each aligned to 16 bytes and with its
/// checksum. All failures are enospc: the buffer is too small; a table that didn't fit is not in it.
///
///     TableWriter writer{buffer, base};
///     const Gpaddr madt = TRY(write_madt(writer, spec));
///     const Gpaddr xsdt = TRY(write_xsdt(writer, tables));
///     const Gpaddr rsdp = TRY(write_rsdp(writer, xsdt));
class TableWriter {
public:
    TableWriter(std::span<u8> buffer, Gpaddr base) : buffer_(buffer), base_(base) {}

    /// Starts a table; no other may be under way.
    Result<> begin(Signature signature, u8 revision);

    template <class T>
    requires std::is_trivially_copyable_v<T> Result<> put(const T& value) {
        return put_bytes({reinterpret_cast<const u8*>(&value), sizeof value});
    }

    Result<> put_bytes(std::span<const u8> bytes);

    /// Sets length and checksum, returns where the guest finds the table.
    Gpaddr finish();

    /// Takes `length` zeroed bytes, aligned to 16, for a structure that isn't a table.
    Result<std::span<u8>> reserve(usize length);

    Gpaddr address_of(const u8* byte) const { return base_ + static_cast<u64>(byte - buffer_.data()); }
    /// Bytes in use, from the buffer's start.
    usize used() const { return used_; }

private:
    std::span<u8> buffer_;
    Gpaddr base_;
    usize used_ = 0;
    usize start_ = 0;  ///< of the table under way
};

/// What a guest's MADT shall say. CPU ids from 255 on get x2APIC entries, others local APIC entries.
struct MadtSpec {
    u32 local_apic = 0xfee00000;
    bool legacy_pics = false;
    /// x2APIC entries only: no Processor object of the firmware's DSDT matches those, for its ids are a real CPU's.
    bool x2apic_cpus = false;
    std::span<const Cpu> cpus;
    std::span<const IoApic> io_apics;
    std::span<const SourceOverride> overrides;
    std::span<const NmiSource> nmi_sources;
    std::span<const LocalNmi> local_nmis;
};

Result<Gpaddr> write_madt(TableWriter& writer, const MadtSpec& spec);
/// `tables` are the addresses to list, in this order.
Result<Gpaddr> write_xsdt(TableWriter& writer, std::span<const u64> tables);
/// A revision 2 RSDP that names only the XSDT.
Result<Gpaddr> write_rsdp(TableWriter& writer, Gpaddr xsdt);

}  // namespace px::acpi
