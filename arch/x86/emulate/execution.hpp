// One instruction being executed: a working copy of the registers, and access to its operands.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/emulate/access.hpp"
#include "arch/x86/emulate/alu.hpp"
#include "arch/x86/emulate/registers.hpp"

namespace px::emulate {

/// Handlers change `now` and memory through this class; the vCPU's registers change at commit() only, so that
/// an instruction that ends early leaves them as they were.
class Execution {
public:
    Execution(Registers& registers, const Instruction& instruction, Access& surroundings)
        : in(instruction), access(surroundings), now(registers), registers_(registers) {}

    const Instruction& in;
    Access& access;
    Registers now;

    /// Make `now` the vCPU's registers.
    void commit() {
        registers_ = now;
        access.committed();
    }

    Err<Outcome> fault(u8 vector) const { return Err{Outcome::exception(vector)}; }
    Err<Outcome> undefined() const { return fault(undefined_opcode); }
    Err<Outcome> unhandled() const { return Err{Outcome::unhandled()}; }
    Err<Outcome> protection_fault() const;

    /// Operand size of the many opcodes whose even form means bytes.
    unsigned byte_or_size() const { return in.opcode & 1 ? in.operand_size : 1; }

    /// Registers by encoding; without REX 4–7 are AH, CH, DH, BH where `size` is 1. 32-bit writes clear the
    /// upper half.
    u64 gpr(unsigned number, unsigned size) const;
    void set_gpr(unsigned number, unsigned size, u64 value);
    /// A register that holds an address or a count: `size` as the address size, never a high byte.
    void add_to_gpr(unsigned number, unsigned size, u64 amount) { set_gpr(number, size, now.gpr[number] + amount); }

    u64 next_rip() const;
    /// Offset of the memory operand within its segment, of address size.
    u64 effective_address() const;
    u64 truncate_address(u64 address) const { return address & alu::mask(in.address_size); }

    /// Memory at segment:offset. `size` is 1, 2, 4 or 8 bytes.
    Step<u64> load(Segment segment, u64 offset, unsigned size, Intent intent = Intent::read);
    Step<> store(Segment segment, u64 offset, unsigned size, u64 value);

    /// The operand of ModRM.rm (or a moffs): register or memory.
    Step<u64> read_rm(unsigned size, Intent intent = Intent::read);
    Step<> write_rm(unsigned size, u64 value);
    /// Second half of a read-modify-write whose first was read with Intent::modify; `locked` compares with
    /// `before`.
    Step<> update_rm(unsigned size, u64 before, u64 after, bool locked);

    /// rm = compute(rm), honouring LOCK; `compute` returns an alu::Result, whose flags are taken as well.
    template <class Compute>
    Step<> modify_rm(unsigned size, Compute compute) {
        const u64 before = TRY(read_rm(size, Intent::modify));
        const alu::Result after = compute(before);
        TRY(update_rm(size, before, after.value, in.lock));
        now.rflags = after.flags;
        return {};
    }
    /// The same for segment:offset in memory.
    Step<> update(Segment segment, u64 offset, unsigned size, u64 before, u64 after, bool locked);

private:
    Registers& registers_;
};

}  // namespace px::emulate
