// A PCI function as the hardware domain sees it: its own registers, but for where interrupts go.
//
// dom0 writes messages for its virtual local APICs into MSI and MSI-X registers; they are kept here, and the device gets
// messages for vectors of the machine. Everything else is passed through.
//
//   MSI      one message per function: more than one is not offered (Linux asks for more only with interrupt remapping)
//   MSI-X    the table's pages are trapped and follow their BAR; at most `max_vectors` entries are shown
//   SR-IOV   virtual functions can't be enabled: their tables lie where this model doesn't look
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "arch/x86/dom0/pci_machine.hpp"
#include "drivers/pci_device.hpp"
#include "hypervisor/mm/heap.hpp"

namespace px::dom0 {

class PciFunction {
public:
    static constexpr u32 max_vectors = 256;

    /// Reads what is there and sizes its BARs (decoding is off meanwhile). Errors: enomem.
    static Result<Box<PciFunction>> discover(PciMachine& machine, pci::Address address);
    PciFunction(PciMachine& machine, pci::Address address) : machine_(machine), address_(address) {}
    ~PciFunction() { quiet(); }
    PciFunction(const PciFunction&) = delete;

    pci::Address address() const { return address_; }
    /// Vendor and device; another one in its place is another function.
    u32 identity() const { return identity_; }
    bool is_bridge() const { return kind_ == pci::HeaderKind::bridge; }

    /// `offset` is a multiple of `size` (1, 2, 4).
    u32 read(u16 offset, unsigned size);
    void write(u16 offset, unsigned size, u32 value);

    /// Whether a trapped page of this function holds `address`.
    bool traps(u64 address) const { return trapped_at_ != 0 && address - trapped_at_ < trapped_size_; }
    u64 read_memory(u64 address, unsigned size);
    void write_memory(u64 address, unsigned size, u64 value);

private:
    struct Msi {
        u16 at = 0;                ///< offset of the capability
        pci::MsiControl layout{};  ///< as the device has it
        bool enabled = false;
        u32 address_high = 0;
        Message message{};
        RouteId route{};
    };
    struct Vector {
        u32 address_high = 0;
        Message message{};
        bool masked = true;
        RouteId route{};
    };
    struct Msix {
        u16 at = 0;
        bool enabled = false, mask_all = false;
        u8 bar = 0;
        u32 offset = 0;          ///< of the table in its BAR
        u32 device_entries = 0;  ///< of which the first vectors_.size() are shown
    };

    template <class Capability>
    static bool covers(const Capability& capability, u16 offset, u16 size) {
        return offset >= capability.at && offset < capability.at + size;
    }
    void find_msi();
    Result<> find_msix();
    void find_virtual_functions();

    u32 read_aligned(u16 offset);
    u32 read_msi(u16 offset);
    u32 read_msix(u16 offset);
    void write_msi(u16 offset, u32 value, u32 mask);
    void write_msix(u16 offset, u32 value, u32 mask);
    void program_msi();
    void set_msi_enabled(bool on);

    void set_vector_word(u32 index, unsigned word, u32 value);
    u32 vector_word(const Vector& vector, unsigned word) const;
    void program_vector(u32 index);
    void close_vectors();

    u64 bar_address(unsigned index);
    void bars_changed();
    void trap_table(u64 bar);
    void release_table();
    void quiet();

    PciMachine& machine_;
    pci::Address address_;
    u32 identity_ = 0;
    pci::HeaderKind kind_ = pci::HeaderKind::device;
    pci::Bars bars_{};
    std::array<u64, 6> shown_{};  ///< where each BAR was last
    std::optional<Msi> msi_;
    std::optional<Msix> msix_;
    HeapArray<Vector> vectors_;
    u64 table_at_ = 0;  ///< address of the MSI-X table while its pages are trapped
    u64 trapped_at_ = 0, trapped_size_ = 0;
    u16 virtual_functions_ = 0;  ///< offset of the SR-IOV capability
};

}  // namespace px::dom0
