// A domain's memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/memory.hpp"

#include <algorithm>
#include <vector>

#include "toolstack/control/request.hpp"

namespace px::control {

using abi::MemoryOp;
using call::Outcome;

namespace {

struct [[gnu::packed]] E820Entry {
    u64 start, size;
    u32 type;
};
static_assert(sizeof(E820Entry) == 20);

}  // namespace

Outcome<usize> populate(Domain domain, std::span<const u64> starts, unsigned order) {
    std::vector<u64> copy(starts.begin(), starts.end());
    return populate_pv(domain, copy, order);
}

Outcome<usize> populate_pv(Domain domain, std::span<u64> starts, unsigned order) {
    call::Privcmd& privcmd = domain.privcmd();
    auto list = TRY(privcmd.buffer(starts.size_bytes()));
    std::ranges::copy(starts, list.as<u64>());
    abi::MemoryReservation argument{list.handle<u64>(), starts.size(), order, 0, domain.id().raw};
    auto done = request(privcmd, abi::hypercall::memory_op, MemoryOp::populate_physmap, argument, "can't give the domain memory");
    std::copy_n(list.as<u64>(), starts.size(), starts.begin());
    if (!done.ok() && done.error().code == ENOMEM) return usize{0};
    return static_cast<usize>(TRY(std::move(done)));
}

Outcome<> pin_root(Domain domain, u64 mfn) {
    call::Privcmd& privcmd = domain.privcmd();
    auto memory = TRY(privcmd.buffer(sizeof(abi::MmuextOp)));
    abi::MmuextOp& op = *memory.as<abi::MmuextOp>();
    op.cmd = static_cast<u32>(abi::MmuextOpCmd::pin_l4_table);
    op.arg1.mfn = mfn;
    constexpr u64 one = 1, nobody_told = 0;
    const u64 arguments[] = {memory.address(), one, nobody_told, domain.id().raw};
    TRY(privcmd.hypercall(abi::hypercall::mmuext_op, arguments, "the hypervisor refuses the guest's first page tables"));
    return {};
}

Outcome<> set_memory_map(Domain domain, std::span<const abi::HvmMemmapTableEntry> map) {
    call::Privcmd& privcmd = domain.privcmd();
    auto entries = TRY(privcmd.buffer(map.size() * sizeof(E820Entry)));
    for (usize i = 0; i < map.size(); ++i) entries.as<E820Entry>()[i] = {map[i].addr, map[i].size, map[i].type};
    abi::ForeignMemoryMap argument{domain.id().raw, {static_cast<u32>(map.size()), entries.handle<void>()}};
    TRY(request(privcmd, abi::hypercall::memory_op, MemoryOp::set_memory_map, argument, "can't set the domain's memory map"));
    return {};
}

}  // namespace px::control
