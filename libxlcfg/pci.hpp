// pci=, rdm=, ioports=, iomem=, irqs=: hardware of the host that a guest may use, xl-pci-configuration(5).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "libxlcfg/row.hpp"

namespace px::xlcfg {

/// The address of a PCI function on the host.
struct PciAddress {
    std::uint16_t domain = 0;
    std::uint8_t bus = 0;
    std::uint8_t device = 0;
    std::uint8_t function = 0;
    bool all_functions = false;  ///< written '*'

    bool operator==(const PciAddress&) const = default;
};

/// The slot of the guest's bus 0 where the device appears.
struct PciSlot {
    std::uint8_t number = 0;
};

enum class RdmPolicy { strict, relaxed };
inline constexpr std::string_view rdm_policy_names[] = {"strict", "relaxed"};
constexpr Choices names_of(RdmPolicy) { return rdm_policy_names; }
enum class RdmStrategy { ignore, host };
inline constexpr std::string_view rdm_strategy_names[] = {"ignore", "host"};
constexpr Choices names_of(RdmStrategy) { return rdm_strategy_names; }

/// One passed-through device, named by address or by the name it was made assignable with.
struct PciDevice {
    Span span;
    Field<PciAddress> bdf;
    Field<std::string> name;
    Field<PciSlot> vslot;
    Field<bool> permissive;
    Field<bool> msitranslate;
    Field<bool> seize;
    Field<bool> power_mgmt;
    Field<RdmPolicy> rdm_policy;
};

/// Reserved device memory.
struct Rdm {
    Field<RdmStrategy> strategy;
    Field<RdmPolicy> policy;
};

/// I/O ports, inclusive.
struct IoPorts {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
};

/// Pages of I/O memory; `gfn` is where the guest sees them.
struct IoMemory {
    std::uint64_t mfn = 0;
    std::uint64_t pages = 0;
    std::uint64_t gfn = 0;
};

struct Irq {
    std::uint32_t number = 0;
};

bool read(PciAddress& address, const Value& value, Diagnostics& out);
Json show(const PciAddress& address);
bool read(PciSlot& slot, const Value& value, Diagnostics& out);
Json show(const PciSlot& slot);
std::span<const Row<PciDevice>> rows_of(const PciDevice*);
bool read(PciDevice& device, const Value& value, Diagnostics& out);
Json show(const PciDevice& device);
std::span<const Row<Rdm>> rows_of(const Rdm*);
bool read(Rdm& rdm, const Value& value, Diagnostics& out);
Json show(const Rdm& rdm);
bool read(IoPorts& ports, const Value& value, Diagnostics& out);
Json show(const IoPorts& ports);
bool read(IoMemory& memory, const Value& value, Diagnostics& out);
Json show(const IoMemory& memory);
bool read(Irq& irq, const Value& value, Diagnostics& out);
Json show(const Irq& irq);

}  // namespace px::xlcfg
