// A virtual I/O APIC.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/vioapic.hpp"

#include <bit>

#include "arch/x86/hvm/vlapic.hpp"
#include "hypervisor/base/bitmap.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {
namespace {

constexpr u64 writable_bits = 0xff000000'0001afff;  // all but pending and remote IRR
constexpr u64 select_offset = 0, data_offset = 0x10, eoi_offset = 0x40;
constexpr u32 version_20 = 0x20;

}  // namespace

VirtualIoApic::VirtualIoApic(Domain& domain, u8 id, u32 gsi_base, u32 pins, PinListener* listener)
    : domain_(domain), gsi_base_(gsi_base), pins_(pins), listener_(listener) {
    State& state = state_.unlocked();
    state.id = id;
    for (auto& entry : state.entries) entry.masked = 1;
}

u32 VirtualIoApic::read_register(const State& state) const {
    switch (state.select) {
    case ioapic::id: return u32{state.id} << 24;
    case ioapic::version: return version_20 | (pins_ - 1) << 16;
    default: break;
    }
    const u32 pin = (state.select - ioapic::redirection) / 2u;
    if (state.select < ioapic::redirection || pin >= pins_) return 0;
    return static_cast<u32>(std::bit_cast<u64>(state.entries[pin]) >> (state.select % 2 * 32));
}

u64 VirtualIoApic::read(Vcpu&, u64 offset, unsigned) {
    auto state = state_.lock();
    if (offset == select_offset) return state->select;
    return offset == data_offset ? read_register(*state) : 0;
}

void VirtualIoApic::write(Vcpu&, u64 offset, unsigned, u64 value) {
    ioapic::Entry changed{};
    u32 pin = 0;
    {
        auto state = state_.lock();
        if (offset == select_offset) {
            state->select = static_cast<u8>(value);
            return;
        }
        if (offset == eoi_offset) {
            state.unlock();
            return end_of_interrupt(static_cast<u8>(value));
        }
        if (offset != data_offset) return;
        if (state->select == ioapic::id) {
            state->id = static_cast<u8>(value >> 24 & 15);
            return;
        }
        pin = (state->select - ioapic::redirection) / 2u;
        if (state->select < ioapic::redirection || pin >= pins_) return;
        const unsigned shift = state->select % 2 * 32;
        const u64 before = std::bit_cast<u64>(state->entries[pin]);
        const u64 mask = writable_bits & u64{0xffffffff} << shift;
        u64 after = (before & ~mask) | ((value & 0xffffffff) << shift & mask);
        if ((after >> 15 & 1) == 0) after &= ~(u64{1} << 14);  // an edge pin waits for no end
        state->entries[pin] = std::bit_cast<ioapic::Entry>(after);
        if (state->entries[pin].level != 0 && state->lines[pin]) deliver(*state, pin);
        changed = state->entries[pin];
    }
    if (listener_ != nullptr) listener_->pin_changed(gsi_base_ + pin, changed);
}

void VirtualIoApic::deliver(State& state, u32 pin) {
    ioapic::Entry& entry = state.entries[pin];
    if (entry.masked != 0 || (entry.level != 0 && entry.remote_irr != 0)) return;
    const auto delivery = static_cast<ioapic::Delivery>(entry.delivery);
    if (delivery != ioapic::Delivery::fixed && delivery != ioapic::Delivery::lowest_priority) return;
    bool delivered = false;
    for (u32 i = 0; i < domain_.settings.max_vcpus; ++i) {
        Vcpu* const vcpu = domain_.vcpu(VcpuId{i});
        if (vcpu == nullptr || !vcpu->arch.apic.matches(static_cast<u32>(entry.destination), entry.logical != 0)) continue;
        if (!vcpu->arch.apic.enabled_by_software()) continue;
        vcpu->arch.apic.request(static_cast<u8>(entry.vector), entry.level != 0);
        delivered = true;
        if (delivery == ioapic::Delivery::lowest_priority) break;
    }
    if (delivered && entry.level != 0) entry.remote_irr = 1;
}

void VirtualIoApic::set_line(u32 gsi, bool high) {
    if (!handles(gsi)) return;
    const u32 pin = gsi - gsi_base_;
    auto state = state_.lock();
    const bool rising = high && !state->lines[pin];
    state->lines[pin] = high;
    if (state->entries[pin].level != 0 ? high : rising) deliver(*state, pin);
}

void VirtualIoApic::end_of_interrupt(u8 vector) {
    Bitmap<max_pins> ended;
    {
        auto state = state_.lock();
        for (u32 pin = 0; pin < pins_; ++pin) {
            ioapic::Entry& entry = state->entries[pin];
            if (entry.level == 0 || entry.vector != vector || entry.remote_irr == 0) continue;
            entry.remote_irr = 0;
            ended.set(pin);
        }
    }
    // The listener may lower the line first; a line that is still high fires again.
    for (auto next = ended.find_first(); next; next = ended.find_next(*next + 1)) {
        const u32 pin = static_cast<u32>(*next);
        if (listener_ != nullptr) listener_->pin_ended(gsi_base_ + pin);
        auto state = state_.lock();
        if (state->lines[pin]) deliver(*state, pin);
    }
}

}  // namespace px::hvm
