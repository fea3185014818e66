// Operand access of an instruction being executed.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/execution.hpp"

#include <array>

#include "arch/x86/emulate/segmentation.hpp"

namespace px::emulate {
namespace {

/// The bytes of a value in memory.
struct Bytes {
    std::array<u8, 8> data{};
    explicit Bytes(u64 value = 0) {
        for (unsigned i = 0; i < 8; ++i) data[i] = static_cast<u8>(value >> 8 * i);
    }
    u64 value() const {
        u64 result = 0;
        for (unsigned i = 0; i < 8; ++i) result |= u64{data[i]} << 8 * i;
        return result;
    }
    std::span<u8> first(unsigned size) { return std::span(data).first(size); }
};

}  // namespace

Err<Outcome> Execution::protection_fault() const { return Err{general_protection_fault(now)}; }

u64 Execution::gpr(unsigned number, unsigned size) const {
    if (size == 1 && !in.rex_present && number >= 4) return now.gpr[number - 4] >> 8 & 0xff;
    return now.gpr[number] & alu::mask(size);
}

void Execution::set_gpr(unsigned number, unsigned size, u64 value) {
    if (size == 1 && !in.rex_present && number >= 4) {
        now.gpr[number - 4] = alu::with(now.gpr[number - 4], 0xff00, value << 8);
    } else {
        // A 32-bit result is zero-extended; smaller ones leave the rest of the register.
        now.gpr[number] = alu::with(now.gpr[number], size == 4 ? ~u64{0} : alu::mask(size), value & alu::mask(size));
    }
}

u64 Execution::next_rip() const {
    const u64 next = now.rip + in.length;
    return in.mode == Mode::bits64 ? next : static_cast<u32>(next);
}

u64 Execution::effective_address() const {
    const MemoryOperand& memory = in.memory;
    u64 address = static_cast<u64>(memory.displacement);
    if (memory.base != no_gpr) address += now.gpr[memory.base];
    if (memory.index != no_gpr) address += now.gpr[memory.index] << memory.shift;
    if (memory.rip_relative) address += next_rip();
    return truncate_address(address);
}

Step<u64> Execution::load(Segment segment, u64 offset, unsigned size, Intent intent) {
    const u64 linear = TRY(linear_address(now, segment, offset, size, intent));
    TRY(check_alignment(now, linear, size));
    Bytes bytes;
    TRY(access.read(linear, bytes.first(size), intent));
    return bytes.value();
}

Step<> Execution::store(Segment segment, u64 offset, unsigned size, u64 value) {
    const u64 linear = TRY(linear_address(now, segment, offset, size, Intent::write));
    TRY(check_alignment(now, linear, size));
    return access.write(linear, Bytes{value}.first(size));
}

Step<> Execution::update(Segment segment, u64 offset, unsigned size, u64 before, u64 after, bool locked) {
    if (!locked) return store(segment, offset, size, after);
    const u64 linear = TRY(linear_address(now, segment, offset, size, Intent::write));
    const bool exchanged = TRY(access.compare_exchange(linear, Bytes{before}.first(size), Bytes{after}.first(size)));
    if (!exchanged) return Err{Outcome::again()};
    return {};
}

Step<u64> Execution::read_rm(unsigned size, Intent intent) {
    if (!in.has_memory) return gpr(in.rm, size);
    return load(in.memory.segment, effective_address(), size, intent);
}

Step<> Execution::write_rm(unsigned size, u64 value) {
    if (in.has_memory) return store(in.memory.segment, effective_address(), size, value);
    set_gpr(in.rm, size, value);
    return {};
}

Step<> Execution::update_rm(unsigned size, u64 before, u64 after, bool locked) {
    if (in.has_memory) return update(in.memory.segment, effective_address(), size, before, after, locked);
    set_gpr(in.rm, size, after);
    return {};
}

}  // namespace px::emulate
