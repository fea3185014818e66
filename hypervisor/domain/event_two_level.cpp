// Two-level event channels.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/event_two_level.hpp"

#include "hypervisor/abi/event_channel.hpp"
#include "hypervisor/domain/event_upcall.hpp"

namespace px::two_level {
namespace {

constexpr u32 word_bits = 64;

bool test(const u64* words, u32 bit) { return (__atomic_load_n(&words[bit / word_bits], __ATOMIC_SEQ_CST) >> (bit % word_bits) & 1) != 0; }
/// Both return the bit as it was.
bool test_and_set(u64* words, u32 bit) {
    const u64 mask = u64{1} << (bit % word_bits);
    return (__atomic_fetch_or(&words[bit / word_bits], mask, __ATOMIC_SEQ_CST) & mask) != 0;
}
bool test_and_clear(u64* words, u32 bit) {
    const u64 mask = u64{1} << (bit % word_bits);
    return (__atomic_fetch_and(&words[bit / word_bits], ~mask, __ATOMIC_SEQ_CST) & mask) != 0;
}

bool exists(EvtPort port) { return port.raw < abi::evtchn_2l_nr_channels; }

void select(Vcpu* vcpu, EvtPort port) {
    if (vcpu != nullptr && !test_and_set(&vcpu->info().evtchn_pending_sel, port.raw / word_bits)) raise_upcall(*vcpu);
}

}  // namespace

bool set_pending(abi::SharedInfo& shared, Vcpu* vcpu, EvtPort port) {
    if (!exists(port) || test_and_set(shared.evtchn_pending, port.raw)) return false;
    if (!test(shared.evtchn_mask, port.raw)) select(vcpu, port);
    return true;
}

void clear_pending(abi::SharedInfo& shared, EvtPort port) {
    if (exists(port)) test_and_clear(shared.evtchn_pending, port.raw);
}

void unmask(abi::SharedInfo& shared, Vcpu* vcpu, EvtPort port) {
    if (!exists(port)) return;
    if (test_and_clear(shared.evtchn_mask, port.raw) && test(shared.evtchn_pending, port.raw)) select(vcpu, port);
}

bool is_pending(const abi::SharedInfo& shared, EvtPort port) { return exists(port) && test(shared.evtchn_pending, port.raw); }

}  // namespace px::two_level
