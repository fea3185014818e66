// HYPERVISOR_console_io: the console of the machine, for its owner alone. [xen/public xen.h]
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "hypervisor/console/console.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {
namespace {

using Chunk = std::array<char, 128>;

/// args: (operation, count, text); a part that is printed is taken off before the rest goes on.
Result<Reply> write(HypercallArgs& args) {
    args[1] = static_cast<u32>(args[1]);
    while (args[1] != 0) {
        Chunk chunk;
        const usize count = std::min<u64>(args[1], chunk.size());
        TRY(GuestPtr<char>(args[2]).read_many(chunk.data(), count));
        console_write_owner({chunk.data(), count});
        args[1] -= count;
        args[2] += count;
        if (args[1] != 0 && preemption_pending()) return run_again;
    }
    return Reply{};
}

/// Result: the number of characters.
Result<Reply> read(HypercallArgs& args) {
    const u32 room = static_cast<u32>(args[1]);
    REQUIRE(static_cast<i32>(room) >= 0, e2big);
    GuestPtr<char> out(args[2]);
    u32 total = 0;
    while (total < room) {
        Chunk chunk;
        const usize count = console_read({chunk.data(), std::min<usize>(room - total, chunk.size())});
        if (count == 0) break;
        TRY(out.write_many(chunk.data(), count));
        out = out.at(count);
        total += static_cast<u32>(count);
    }
    return Reply{total};
}

}  // namespace

Result<Reply> hypercall_console_io(Vcpu& caller, HypercallArgs& args) {
    REQUIRE(caller.domain.settings.hardware, eperm);
    switch (abi::ConsoleIo{static_cast<u32>(args[0])}) {
    case abi::ConsoleIo::write: return write(args);
    case abi::ConsoleIo::read: return read(args);
    }
    return Err{Errno::enosys};
}

}  // namespace px
