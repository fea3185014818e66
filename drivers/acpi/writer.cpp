// ACPI table writer.
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/acpi/writer.hpp"

namespace px::acpi {
namespace {

constexpr usize alignment = 16;
constexpr char oem_id[6] = {'P', 'H', 'L', 'O', 'X', ' '};
constexpr char oem_table_id[8] = {'P', 'h', 'i', 'l', 'o', 'x', 'e', 'n'};
constexpr char creator_id[4] = {'P', 'H', 'X', 'N'};
constexpr u32 last_xapic_id = 254;

Result<> put_cpu(TableWriter& writer, const Cpu& cpu, bool x2apic) {
    const madt::CpuFlags flags{.enabled = cpu.enabled, .online_capable = cpu.online_capable};
    if (x2apic || cpu.apic_id > last_xapic_id || cpu.uid > last_xapic_id) {
        return writer.put(madt::LocalX2Apic{.x2apic_id = cpu.apic_id, .flags = flags, .processor_uid = cpu.uid});
    }
    return writer.put(madt::LocalApic{.processor_uid = static_cast<u8>(cpu.uid), .apic_id = static_cast<u8>(cpu.apic_id), .flags = flags});
}

Result<> put_local_nmi(TableWriter& writer, const LocalNmi& nmi) {
    if (nmi.uid != LocalNmi::all_cpus && nmi.uid > last_xapic_id) {
        return writer.put(madt::LocalX2ApicNmi{.flags = nmi.flags, .processor_uid = nmi.uid, .lint = nmi.lint});
    }
    return writer.put(madt::LocalNmi{.processor_uid = static_cast<u8>(nmi.uid), .flags = nmi.flags, .lint = nmi.lint});
}

}  // namespace

Result<std::span<u8>> TableWriter::reserve(usize length) {
    const usize start = align_up<usize>(used_, alignment);
    REQUIRE(start <= buffer_.size() && buffer_.size() - start >= length, enospc);
    const auto bytes = buffer_.subspan(start, length);
    std::memset(buffer_.data() + used_, 0, start + length - used_);
    used_ = start + length;
    return bytes;
}

Result<> TableWriter::begin(Signature signature, u8 revision) {
    const auto bytes = TRY(reserve(sizeof(Header)));
    start_ = static_cast<usize>(bytes.data() - buffer_.data());
    Header header{};
    header.signature = signature;
    header.revision = revision;
    std::memcpy(header.oem_id, oem_id, sizeof oem_id);
    std::memcpy(header.oem_table_id, oem_table_id, sizeof oem_table_id);
    header.oem_revision = 1;
    std::memcpy(header.creator_id, creator_id, sizeof creator_id);
    header.creator_revision = 1;
    std::memcpy(bytes.data(), &header, sizeof header);
    return {};
}

Result<> TableWriter::put_bytes(std::span<const u8> bytes) {
    if (buffer_.size() - used_ < bytes.size()) {
        used_ = start_;
        return Err{Errno::enospc};
    }
    std::memcpy(buffer_.data() + used_, bytes.data(), bytes.size());
    used_ += bytes.size();
    return {};
}

Gpaddr TableWriter::finish() {
    const auto table = buffer_.subspan(start_, used_ - start_);
    const u32 length = static_cast<u32>(table.size());
    std::memcpy(table.data() + offsetof(Header, length), &length, sizeof length);
    u8& checksum = table[offsetof(Header, checksum)];
    checksum = 0;
    checksum = static_cast<u8>(-byte_sum(table));
    return address_of(table.data());
}

Result<Gpaddr> write_madt(TableWriter& writer, const MadtSpec& spec) {
    TRY(writer.begin("APIC"_sig, 4));
    TRY(writer.put(spec.local_apic));
    TRY(writer.put(u32{spec.legacy_pics}));
    for (const Cpu& cpu : spec.cpus) TRY(put_cpu(writer, cpu, spec.x2apic_cpus));
    for (const IoApic& apic : spec.io_apics) {
        TRY(writer.put(madt::IoApic{.id = apic.id, .address = static_cast<u32>(apic.address.raw), .gsi_base = apic.gsi_base}));
    }
    for (const SourceOverride& source : spec.overrides) {
        TRY(writer.put(madt::SourceOverride{.source = source.source, .gsi = source.gsi, .flags = source.flags}));
    }
    for (const NmiSource& nmi : spec.nmi_sources) TRY(writer.put(madt::NmiSource{.flags = nmi.flags, .gsi = nmi.gsi}));
    for (const LocalNmi& nmi : spec.local_nmis) TRY(put_local_nmi(writer, nmi));
    return writer.finish();
}

Result<Gpaddr> write_xsdt(TableWriter& writer, std::span<const u64> tables) {
    TRY(writer.begin("XSDT"_sig, 1));
    for (const u64 address : tables) TRY(writer.put(address));
    return writer.finish();
}

Result<Gpaddr> write_rsdp(TableWriter& writer, Gpaddr xsdt) {
    const auto bytes = TRY(writer.reserve(sizeof(RsdpLayout)));
    RsdpLayout rsdp{};
    std::memcpy(rsdp.signature, rsdp_signature.data(), sizeof rsdp.signature);
    std::memcpy(rsdp.oem_id, oem_id, sizeof oem_id);
    rsdp.revision = 2;
    rsdp.length = sizeof rsdp;
    rsdp.xsdt = xsdt.raw;
    std::memcpy(bytes.data(), &rsdp, sizeof rsdp);
    bytes[offsetof(RsdpLayout, checksum)] = static_cast<u8>(-byte_sum(bytes.first(rsdp_v1_length)));
    bytes[offsetof(RsdpLayout, extended_checksum)] = static_cast<u8>(-byte_sum(bytes));
    return writer.address_of(bytes.data());
}

}  // namespace px::acpi
