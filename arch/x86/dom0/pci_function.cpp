// A PCI function as the hardware domain sees it.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/pci_function.hpp"

#include <bit>

namespace px::dom0 {
namespace {

constexpr u32 all_ones = ~u32{0};

/// The machine's registers in the form that the drivers' functions take.
struct Config {
    PciMachine& machine;
    u8 read8(pci::Address a, u16 offset) { return static_cast<u8>(machine.read(a, offset, 1)); }
    u16 read16(pci::Address a, u16 offset) { return static_cast<u16>(machine.read(a, offset, 2)); }
    u32 read32(pci::Address a, u16 offset) { return machine.read(a, offset, 4); }
    void write8(pci::Address a, u16 offset, u8 value) { machine.write(a, offset, 1, value); }
    void write16(pci::Address a, u16 offset, u16 value) { machine.write(a, offset, 2, value); }
    void write32(pci::Address a, u16 offset, u32 value) { machine.write(a, offset, 4, value); }
};

constexpr u32 merge(u32 old, u32 value, u32 mask) { return (old & ~mask) | (value & mask); }

}  // namespace

Result<Box<PciFunction>> PciFunction::discover(PciMachine& machine, pci::Address address) {
    auto function = TRY(make<PciFunction>(machine, address));
    Config config{machine};
    function->identity_ = config.read32(address, pci::vendor_id);
    function->kind_ = pci::header_kind(config, address);
    function->bars_ = pci::probe_bars(config, address);
    function->find_msi();
    TRY(function->find_msix());
    function->find_virtual_functions();
    function->bars_changed();
    return function;
}

void PciFunction::find_msi() {
    Config config{machine_};
    const auto at = pci::find_capability(config, address_, pci::Capability::msi);
    if (!at) return;
    const auto control = std::bit_cast<pci::MsiControl>(config.read16(address_, static_cast<u16>(*at + 2)));
    if (*at + control.size() > pci::config_size) return;
    msi_.emplace(Msi{.at = *at, .layout = control});
    set_msi_enabled(false);  // firmware may have left it on, with a vector of its own
}

Result<> PciFunction::find_msix() {
    Config config{machine_};
    const auto at = pci::find_capability(config, address_, pci::Capability::msi_x);
    if (!at || *at + pci::MsixControl::size > pci::config_size) return {};
    const u16 control_at = static_cast<u16>(*at + 2);
    auto control = std::bit_cast<pci::MsixControl>(config.read16(address_, control_at));
    const auto place = std::bit_cast<pci::MsixPlace>(config.read32(address_, static_cast<u16>(*at + pci::MsixControl::table)));
    if (place.bar >= bars_.size() || !bars_[place.bar].is_memory()) return {};
    const u64 end = u64{place.offset()} + control.entries() * sizeof(pci::MsixEntry);
    if (end > bars_[place.bar].size) return {};
    vectors_ = TRY(HeapArray<Vector>::create(std::min(control.entries(), max_vectors)));
    msix_.emplace(Msix{.at = *at, .bar = static_cast<u8>(place.bar), .offset = place.offset(), .device_entries = control.entries()});
    control.enable = control.mask_all = 0;
    config.write16(address_, control_at, std::bit_cast<u16>(control));
    return {};
}

void PciFunction::find_virtual_functions() {
    constexpr u16 single_root_virtualization = 0x10;
    Config config{machine_};
    const auto at = pci::walk_extended_capabilities(config, address_, [](u16 id, u8, u16) { return id == single_root_virtualization; });
    virtual_functions_ = at.value_or(0);
}

u32 PciFunction::read(u16 offset, unsigned size) {
    const u16 word = offset & 0xfffc;
    const bool ours = (msi_ && covers(*msi_, word, msi_->layout.size())) || (msix_ && covers(*msix_, word, 4));
    if (!ours) return machine_.read(address_, offset, size);
    const u32 value = read_aligned(word) >> (offset % 4 * 8);
    return size == 4 ? value : value & ((1u << size * 8) - 1);
}

u32 PciFunction::read_aligned(u16 offset) {
    return msi_ && covers(*msi_, offset, msi_->layout.size()) ? read_msi(offset) : read_msix(offset);
}

void PciFunction::write(u16 offset, unsigned size, u32 value) {
    const u16 word = offset & 0xfffc;
    const unsigned shift = offset % 4 * 8;
    const u32 mask = (size == 4 ? all_ones : (1u << size * 8) - 1) << shift;
    if (msi_ && covers(*msi_, word, msi_->layout.size())) return write_msi(word, value << shift, mask);
    if (msix_ && covers(*msix_, word, 4)) return write_msix(word, value << shift, mask);
    constexpr u16 virtual_functions_control = 8;
    if (virtual_functions_ != 0 && word == virtual_functions_ + virtual_functions_control && offset == word) value &= ~u32{1};
    machine_.write(address_, offset, size, value);
    // Decoding turned on, or a BAR moved while it is on. A driver that sizes a BAR writes ones: nothing is there then.
    const bool places = word == pci::command || (word >= pci::bar0 && word < pci::bar0 + 4 * bars_.size());
    if (places && value != all_ones) bars_changed();
}

// ---- MSI

u32 PciFunction::read_msi(u16 offset) {
    const u16 at = static_cast<u16>(offset - msi_->at);
    if (at == 0) {
        pci::MsiControl control = msi_->layout;
        control.enable = msi_->enabled;
        control.multiple_capable = control.multiple_enabled = 0;
        return (machine_.read(address_, offset, 4) & 0xffff) | u32{std::bit_cast<u16>(control)} << 16;
    }
    if (at == pci::MsiControl::address_low) return msi_->message.address;
    if (at == pci::MsiControl::address_high && msi_->layout.address_64_bit != 0) return msi_->address_high;
    if (at == msi_->layout.data()) return msi_->message.data;
    return machine_.read(address_, offset, 4);  // mask and pending bits
}

void PciFunction::write_msi(u16 offset, u32 value, u32 mask) {
    const u16 at = static_cast<u16>(offset - msi_->at);
    Message& message = msi_->message;
    if (at == 0) {
        if ((mask >> 16 & 1) == 0) return;  // not the byte that holds the bit
        const auto control = std::bit_cast<pci::MsiControl>(static_cast<u16>(value >> 16));
        return set_msi_enabled(control.enable != 0);
    }
    if (at == pci::MsiControl::address_low) message.address = merge(message.address, value, mask) & ~u32{3};
    else if (at == pci::MsiControl::address_high && msi_->layout.address_64_bit != 0)
        msi_->address_high = merge(msi_->address_high, value, mask);
    else if (at == msi_->layout.data()) message.data = merge(message.data, value, mask) & 0xffff;
    else return machine_.write(address_, offset, 4, merge(machine_.read(address_, offset, 4), value, mask));
    if (msi_->route) machine_.change_route(msi_->route, message);
}

void PciFunction::set_msi_enabled(bool on) {
    if (on && !msi_->route) {
        const auto route = machine_.open_route(msi_->message);
        on = route.ok();
        if (route) msi_->route = *route;
    }
    if (on) program_msi();
    pci::MsiControl control = msi_->layout;
    control.enable = on;
    control.multiple_enabled = 0;
    machine_.write(address_, static_cast<u16>(msi_->at + 2), 2, std::bit_cast<u16>(control));
    msi_->enabled = on;
    if (!on && msi_->route) machine_.close_route(std::exchange(msi_->route, {}));
}

/// Each time that dom0 enables it: the device may have lost its registers in between.
void PciFunction::program_msi() {
    const Message message = machine_.device_message(msi_->route);
    const auto put = [&](u16 at, unsigned size, u32 value) { machine_.write(address_, static_cast<u16>(msi_->at + at), size, value); };
    put(pci::MsiControl::address_low, 4, message.address);
    if (msi_->layout.address_64_bit != 0) put(pci::MsiControl::address_high, 4, 0);
    put(msi_->layout.data(), 2, message.data);
}

// ---- MSI-X

u32 PciFunction::read_msix(u16 offset) {
    pci::MsixControl control{};
    control.last_entry = static_cast<u16>(vectors_.size() - 1);
    control.mask_all = msix_->mask_all;
    control.enable = msix_->enabled;
    return (machine_.read(address_, offset, 4) & 0xffff) | u32{std::bit_cast<u16>(control)} << 16;
}

void PciFunction::write_msix(u16 offset, u32 value, u32 mask) {
    constexpr u32 control_byte = u32{0xff} << 24;  // enable and mask_all lie in the upper byte
    if ((mask & control_byte) == 0) return;
    auto control = std::bit_cast<pci::MsixControl>(static_cast<u16>(value >> 16));
    const bool was_enabled = std::exchange(msix_->enabled, control.enable != 0);
    msix_->mask_all = control.mask_all != 0;
    if (was_enabled && !msix_->enabled) close_vectors();
    machine_.write(address_, static_cast<u16>(offset + 2), 2, std::bit_cast<u16>(control));
    if (was_enabled || !msix_->enabled) return;
    for (u32 i = 0; i < vectors_.size(); ++i) program_vector(i);
}

u32 PciFunction::vector_word(const Vector& vector, unsigned word) const {
    switch (word) {
    case 0: return vector.message.address;
    case 1: return vector.address_high;
    case 2: return vector.message.data;
    default: return vector.masked;
    }
}

void PciFunction::set_vector_word(u32 index, unsigned word, u32 value) {
    Vector& vector = vectors_[index];
    switch (word) {
    case 0: vector.message.address = value & ~u32{3}; break;
    case 1: vector.address_high = value; break;
    case 2: vector.message.data = value; break;
    default: vector.masked = (value & 1) != 0; break;
    }
    if (word == 3) program_vector(index);
    else if (vector.route) machine_.change_route(vector.route, vector.message);
}

/// The device's entry for an entry of dom0's. Its message is written at each unmasking: a reset clears the table.
void PciFunction::program_vector(u32 index) {
    Vector& vector = vectors_[index];
    if (table_at_ == 0) return;
    const u64 entry = table_at_ + index * sizeof(pci::MsixEntry);
    constexpr u64 control = 12;
    if (vector.masked || !msix_->enabled) return machine_.write_memory(entry + control, 4, 1);
    if (!vector.route) {
        const auto route = machine_.open_route(vector.message);
        if (!route) return machine_.write_memory(entry + control, 4, 1);
        vector.route = *route;
    }
    const Message message = machine_.device_message(vector.route);
    machine_.write_memory(entry + control, 4, 1);
    machine_.write_memory(entry, 4, message.address);
    machine_.write_memory(entry + 4, 4, 0);
    machine_.write_memory(entry + 8, 4, message.data);
    machine_.write_memory(entry + control, 4, 0);
}

void PciFunction::close_vectors() {
    for (u32 i = 0; i < vectors_.size(); ++i) {
        if (!vectors_[i].route) continue;
        program_vector(i);
        machine_.close_route(std::exchange(vectors_[i].route, {}));
    }
}

u64 PciFunction::read_memory(u64 address, unsigned size) {
    const u64 offset = address - table_at_;
    if (offset >= msix_->device_entries * sizeof(pci::MsixEntry)) return machine_.read_memory(address, size);
    if (offset % 4 != 0 || (size != 4 && size != 8)) return ~u64{0};
    u64 value = 0;
    for (unsigned i = 0; i < size / 4; ++i) {
        const u64 index = (offset + 4 * i) / sizeof(pci::MsixEntry);
        const unsigned word = (offset + 4 * i) / 4 % 4;
        const u32 part = index < vectors_.size() ? vector_word(vectors_[index], word) : word == 3;
        value |= u64{part} << (32 * i);
    }
    return value;
}

void PciFunction::write_memory(u64 address, unsigned size, u64 value) {
    const u64 offset = address - table_at_;
    if (offset >= msix_->device_entries * sizeof(pci::MsixEntry)) return machine_.write_memory(address, size, value);
    if (offset % 4 != 0 || (size != 4 && size != 8)) return;
    for (unsigned i = 0; i < size / 4; ++i) {
        const u64 index = (offset + 4 * i) / sizeof(pci::MsixEntry);
        if (index < vectors_.size())
            set_vector_word(static_cast<u32>(index), (offset + 4 * i) / 4 % 4, static_cast<u32>(value >> (32 * i)));
    }
}

// ---- BARs

u64 PciFunction::bar_address(unsigned index) {
    const u16 at = static_cast<u16>(pci::bar0 + 4 * index);
    u64 address = machine_.read(address_, at, 4) & ~u32{15};
    if (bars_[index].kind == pci::Bar::Kind::memory_64) address |= u64{machine_.read(address_, static_cast<u16>(at + 4), 4)} << 32;
    return address;
}

void PciFunction::bars_changed() {
    const auto decode = std::bit_cast<pci::Command>(static_cast<u16>(machine_.read(address_, pci::command, 2)));
    if (decode.memory == 0) return;
    for (unsigned i = 0; i < bars_.size(); ++i) {
        if (!bars_[i].is_memory()) continue;
        const u64 address = bar_address(i);
        const bool has_table = msix_ && msix_->bar == i;
        if (address == 0 || address == shown_[i]) continue;
        if (has_table) release_table();
        machine_.show(address, bars_[i].size);
        shown_[i] = address;
        if (has_table) trap_table(address);
    }
}

void PciFunction::trap_table(u64 bar) {
    table_at_ = bar + msix_->offset;
    trapped_at_ = align_down<u64>(table_at_, page_size);
    trapped_size_ = align_up<u64>(table_at_ + msix_->device_entries * sizeof(pci::MsixEntry), page_size) - trapped_at_;
    for (u64 at = 0; at < trapped_size_; at += page_size) machine_.trap_page(trapped_at_ + at);
    if (!msix_->enabled) return;
    for (u32 i = 0; i < vectors_.size(); ++i) program_vector(i);
}

void PciFunction::release_table() {
    for (u64 at = 0; at < trapped_size_; at += page_size) machine_.release_page(trapped_at_ + at);
    table_at_ = trapped_at_ = trapped_size_ = 0;
}

/// The function has gone, or something else is in its place: nothing is written to it.
void PciFunction::quiet() {
    if (msi_ && msi_->route) machine_.close_route(msi_->route);
    for (Vector& vector : vectors_) {
        if (vector.route) machine_.close_route(vector.route);
    }
    release_table();
}

}  // namespace px::dom0
