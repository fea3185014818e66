// dom0's end of a PV console ring.
//
// Ordering as in every ring: the other's index is read before its bytes, ours is written after ours.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenconsoled/console_ring.hpp"

#include <algorithm>

namespace px::console {

namespace {

constexpr u32 out_size = sizeof(abi::XenconsInterface::out), in_size = sizeof(abi::XenconsInterface::in);

u32 load(const u32& index) { return __atomic_load_n(&index, __ATOMIC_ACQUIRE); }
void publish(u32& index, u32 value) { __atomic_store_n(&index, value, __ATOMIC_RELEASE); }

}  // namespace

bool ConsoleRing::take(std::string& output) {
    u32 producer = load(page_.out_prod), consumer = load(page_.out_cons);
    if (producer == consumer || producer - consumer > out_size) return false;
    while (consumer != producer) {
        u32 start = abi::mask_xencons_idx(consumer, out_size);
        u32 run = std::min(producer - consumer, out_size - start);
        output.append(page_.out + start, run);
        consumer += run;
    }
    publish(page_.out_cons, consumer);
    return true;
}

usize ConsoleRing::room() const {
    u32 used = load(page_.in_prod) - load(page_.in_cons);
    return used > in_size ? 0 : in_size - used;
}

usize ConsoleRing::give(std::string_view input) {
    usize count = std::min(input.size(), room());
    u32 producer = load(page_.in_prod);
    for (char byte : input.substr(0, count)) page_.in[abi::mask_xencons_idx(producer++, in_size)] = byte;
    publish(page_.in_prod, producer);
    return count;
}

}  // namespace px::console
