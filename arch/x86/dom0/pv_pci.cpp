// PCI of a PV hardware domain.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/pv_pci.hpp"

#include "arch/x86/dom0/config_place.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::dom0 {
namespace {

/// What a register access must be: it touches one register.
constexpr bool is_aligned(u16 offset, unsigned size) { return size <= 4 && offset % size == 0 && offset < pci::extended_config_size; }

}  // namespace

Result<> PvPci::give(Domain& domain) {
    TRY(domain.arch.ports.add(config_address_port, config_address_port, *this));
    TRY(domain.arch.ports.add(config_data_port, last_config_data_port, *this));
    domain.arch.mmio.set_rest(*this);
    return {};
}

u32 PvPci::read(Vcpu&, u16 port, unsigned size) {
    auto state = state_.lock();
    if (port == config_address_port) return size == 4 ? state->selected : ~u32{0};
    const auto place = place_by_ports(state->selected, port);
    return place && is_aligned(place->offset, size) ? state->registers.read(place->function, place->offset, size) : ~u32{0};
}

void PvPci::write(Vcpu&, u16 port, unsigned size, u32 value) {
    auto state = state_.lock();
    if (port == config_address_port) {
        if (size == 4) state->selected = value;
        return;
    }
    const auto place = place_by_ports(state->selected, port);
    if (place && is_aligned(place->offset, size)) state->registers.write(place->function, place->offset, size, value);
}

u64 PvPci::read(Vcpu&, u64 address, unsigned size) {
    auto state = state_.lock();
    const auto place = place_in_window(address);
    return place && is_aligned(place->offset, size) ? state->registers.read(place->function, place->offset, size) : ~u64{0};
}

void PvPci::write(Vcpu&, u64 address, unsigned size, u64 value) {
    auto state = state_.lock();
    const auto place = place_in_window(address);
    if (place && is_aligned(place->offset, size)) state->registers.write(place->function, place->offset, size, static_cast<u32>(value));
}

void PvPci::note_function(pci::Address function) {
    auto state = state_.lock();
    const auto table = msix_table(state->registers, function);
    if (!table) return;
    for (u64 at = align_down<u64>(table->start, page_size); at < table->end; at += page_size) note_table_frame(at >> page_shift);
}

void PvPci::note_table_frame(u64 frame) {
    if (holds_table(Mfn{frame})) return;
    const usize count = tables_.count.load(std::memory_order_relaxed);
    if (count == Tables::most) return log_warning("dom0: more MSI-X tables than are kept read-only");
    tables_.frames[count].store(frame, std::memory_order_relaxed);
    tables_.count.store(count + 1, std::memory_order_release);
}

bool PvPci::holds_table(Mfn mfn) const {
    const usize count = tables_.count.load(std::memory_order_acquire);
    for (usize i = 0; i < count; ++i) {
        if (tables_.frames[i].load(std::memory_order_relaxed) == mfn.raw) return true;
    }
    return false;
}

}  // namespace px::dom0
