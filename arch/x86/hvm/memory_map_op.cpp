// Memory maps of domains and of the machine. [xen/public memory.h]
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "arch/hypercalls.hpp"
#include "arch/x86/mm/machine_to_physical.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "hypervisor/abi/arch.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px {
namespace hvm {
namespace {

constexpr u32 most_entries = 1024;

/// As many of `count` entries as there is room for; how many that are goes into the structure at `argument`.
template <class EntryAt>
Result<Reply> write_map(u64 argument, u64 count, EntryAt entry_at) {
    const auto pointer = guest_ptr<abi::MemoryMap>(argument);
    const abi::MemoryMap op = TRY(pointer.read());
    const u32 fitting = static_cast<u32>(std::min<u64>(count, op.nr_entries));
    const GuestPtr<E820Entry> out(op.buffer.address);
    for (u32 i = 0; i < fitting; ++i) TRY(out.at(i).write(entry_at(i)));
    TRY(pointer.write_field(&abi::MemoryMap::nr_entries, fitting));
    return Reply{};
}

Result<Reply> memory_map(Vcpu& caller, u64 argument) {
    auto map = caller.domain.arch.e820.lock();
    REQUIRE(map->size() != 0, enosys);
    return write_map(argument, map->size(), [&](u32 i) { return (*map)[i]; });
}

Result<Reply> machine_memory_map(Vcpu& caller, u64 argument) {
    if (caller.domain.settings.hvm) REQUIRE(caller.domain.settings.control, enosys);
    REQUIRE(caller.domain.settings.control, eperm);
    const auto& machine = arch::memory_layout().machine;
    return write_map(argument, machine.size(), [&](u32 i) {
        return E820Entry{machine[i].start, machine[i].end - machine[i].start, static_cast<u32>(machine[i].kind)};
    });
}

Result<Reply> set_memory_map(Vcpu& caller, u64 argument) {
    const auto op = TRY(guest_ptr<abi::ForeignMemoryMap>(argument).read());
    REQUIRE(op.map.nr_entries <= most_entries, einval);
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.domid}));
    auto fresh = TRY(HeapArray<E820Entry>::create(op.map.nr_entries));
    TRY(GuestPtr<E820Entry>(op.map.buffer.address).read_many(fresh.data(), fresh.size()));
    *domain->arch.e820.lock() = std::move(fresh);
    return Reply{};
}

Result<Reply> machphys_mapping(u64 argument) {
    using namespace abi::x86;
    TRY(guest_ptr<abi::MachphysMapping>(argument).write(
        {mach2phys_virt_start, mach2phys_virt_end, (mach2phys_virt_end - mach2phys_virt_start) / sizeof(u64) - 1}));
    return Reply{};
}

}  // namespace
}  // namespace hvm

namespace arch {

void set_frame_number(Mfn mfn, u64 number) { set_machine_to_physical(mfn, number); }

u64 frame_count() {
    u64 end = 0;
    for (const auto& region : memory_layout().machine) {
        if (region.kind == boot::MemoryKind::usable) end = std::max<u64>(end, region.end);
    }
    return end >> page_shift;
}

Result<Reply> memory_op(Vcpu& caller, abi::MemoryOp operation, u64 argument) {
    switch (operation) {
    case abi::MemoryOp::memory_map: return hvm::memory_map(caller, argument);
    case abi::MemoryOp::machine_memory_map: return hvm::machine_memory_map(caller, argument);
    case abi::MemoryOp::set_memory_map: return hvm::set_memory_map(caller, argument);
    case abi::MemoryOp::machphys_mapping: return hvm::machphys_mapping(argument);
    default: return Err{Errno::enosys};
    }
}

}  // namespace arch
}  // namespace px
