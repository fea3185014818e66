// HYPERVISOR_console_io: the emergency console. [xen/public xen.h]
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

void print(Domain& domain, std::string_view text) {
    if (domain.settings.hardware) return console_write(text, false);
    domain.console_line.put(text, [&](std::string_view line) { guest_log(LogLevel::debug, "(d{}) {}", domain.id, line); });
}

/// A guest's lines are debugging output: where the log would drop them all, the guest had better know.
bool may_write(const Domain& domain) {
    const LogThresholds levels = console_levels(true);
    return domain.settings.hardware || std::max(levels.always, levels.limited) >= LogLevel::debug;
}

/// args: (operation, count, text); a part that is printed is taken off before the rest goes on.
Result<Reply> write(Vcpu& caller, HypercallArgs& args) {
    REQUIRE(may_write(caller.domain), eperm);
    args[1] = static_cast<u32>(args[1]);
    while (args[1] != 0) {
        Chunk chunk;
        const usize count = std::min<u64>(args[1], chunk.size());
        TRY(GuestPtr<char>(args[2]).read_many(chunk.data(), count));
        print(caller.domain, {chunk.data(), count});
        args[1] -= count;
        args[2] += count;
        if (args[1] != 0 && preemption_pending()) return run_again;
    }
    return Reply{};
}

/// Result: the number of characters.
Result<Reply> read(Vcpu& caller, HypercallArgs& args) {
    REQUIRE(caller.domain.settings.hardware, eperm);
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
    switch (abi::ConsoleIo{static_cast<u32>(args[0])}) {
    case abi::ConsoleIo::write: return write(caller, args);
    case abi::ConsoleIo::read: return read(caller, args);
    }
    return Err{caller.domain.settings.hardware ? Errno::enosys : Errno::eperm};
}

}  // namespace px
