// The ACPI tables of a PVH guest.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/acpi.hpp"

#include <array>

#include "drivers/acpi/writer.hpp"
#include "toolstack/builder/layout.hpp"

namespace px::builder {

using acpi::operator""_sig;

namespace {

/// FADT's flags and boot architecture [acpi/6.4 5.2.9].
constexpr u32 fadt_wbinvd = 1u << 0, fadt_c1_everywhere = 1u << 2, fadt_no_power_button = 1u << 4, fadt_no_sleep_button = 1u << 5;
constexpr u32 fadt_hardware_reduced = 1u << 20;
constexpr u16 boot_no_vga = 1u << 2, boot_no_cmos_clock = 1u << 5;
constexpr u8 fadt_revision = 6, dsdt_revision = 2;

/// No ACPI hardware at all: the guest has no PM timer, no SCI, no RTC.
Result<Gpaddr> write_fadt(acpi::TableWriter& writer, Gpaddr dsdt) {
    acpi::FadtLayout fadt{};
    fadt.dsdt = static_cast<u32>(dsdt.raw);
    fadt.x_dsdt = dsdt.raw;
    fadt.flags = fadt_wbinvd | fadt_c1_everywhere | fadt_no_power_button | fadt_no_sleep_button | fadt_hardware_reduced;
    fadt.boot_architecture = boot_no_vga | boot_no_cmos_clock;
    TRY(writer.begin("FACP"_sig, fadt_revision));
    TRY(writer.put_bytes(std::span(reinterpret_cast<const u8*>(&fadt), sizeof fadt).subspan(sizeof(acpi::Header))));
    return writer.finish();
}

Result<Gpaddr> write_all(acpi::TableWriter& writer, std::span<const acpi::Cpu> cpus) {
    TRY(writer.begin("DSDT"_sig, dsdt_revision));
    const Gpaddr dsdt = writer.finish();
    const Gpaddr fadt = TRY(write_fadt(writer, dsdt));
    acpi::MadtSpec spec{};
    spec.cpus = cpus;
    const Gpaddr madt = TRY(acpi::write_madt(writer, spec));
    const Gpaddr xsdt = TRY(acpi::write_xsdt(writer, std::array{fadt.raw, madt.raw}));
    return acpi::write_rsdp(writer, xsdt);
}

}  // namespace

AcpiTables write_acpi_tables(u32 max_vcpus) {
    std::vector<acpi::Cpu> cpus;
    for (u32 vcpu = 0; vcpu < max_vcpus; ++vcpu) cpus.push_back({2 * vcpu, vcpu, /*enabled=*/true, /*online_capable=*/false});
    AcpiTables tables{std::vector<u8>(acpi_max), {}};
    acpi::TableWriter writer(tables.bytes, acpi_start);
    const auto rsdp = write_all(writer, cpus);
    if (rsdp.ok()) tables.rsdp = *rsdp;  // acpi_max holds 4,000 vCPUs; libxlcfg allows 512
    tables.bytes.resize(writer.used());
    return tables;
}

}  // namespace px::builder
