// The emulator: fetch, checks common to all instructions, dispatch, commit.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/emulator.hpp"

#include <algorithm>
#include <array>

#include "arch/x86/emulate/decoder.hpp"
#include "arch/x86/emulate/handlers.hpp"
#include "arch/x86/emulate/segmentation.hpp"

namespace px::emulate {
namespace {

/// Bytes from CS:RIP on, got page by page.
class InstructionBytes {
public:
    InstructionBytes(const Registers& registers, Access& access, std::span<const u8> fetched) : registers_(registers), access_(access) {
        size_ = static_cast<unsigned>(std::min<usize>(fetched.size(), max_instruction_length));
        std::ranges::copy(fetched.first(size_), data_.begin());
    }

    std::span<const u8> bytes() const { return std::span(data_).first(size_); }

    /// Append what lies up to the end of the page, the limit of the segment, or the length limit.
    Step<> fetch_more() {
        const u64 offset = registers_.rip + size_;
        const bool flat = registers_.code_mode() == Mode::bits64;
        const SegmentRegister& code = registers_[Segment::cs];
        if (!flat && offset > code.limit) return Err{general_protection_fault(registers_)};
        // An execute-only segment may be fetched from, so the data check of its type doesn't apply.
        const u64 linear =
            flat ? TRY(linear_address(registers_, Segment::cs, offset, 1, Intent::read)) : u64{static_cast<u32>(code.base + offset)};
        u64 room = std::min<u64>(max_instruction_length - size_, page_size - linear % page_size);
        if (!flat) room = std::min(room, code.limit - offset + 1);
        TRY(access_.fetch(linear, std::span(data_).subspan(size_, room)));
        size_ += static_cast<unsigned>(room);
        return {};
    }

private:
    const Registers& registers_;
    Access& access_;
    std::array<u8, max_instruction_length> data_{};
    unsigned size_ = 0;
};

Step<> execute(Execution& x) {
    if (x.in.lock && !lock_is_legal(x.in)) return x.undefined();
    const Handler handler = find_handler(x.in);
    return handler ? handler(x) : x.unhandled();
}

}  // namespace

Step<Instruction> fetch_instruction(const Registers& registers, Access& access, std::span<const u8> fetched) {
    InstructionBytes bytes(registers, access, fetched);
    if (fetched.empty()) TRY(bytes.fetch_more());
    for (;; TRY(bytes.fetch_more())) {
        auto instruction = decode(bytes.bytes(), registers.code_mode());
        if (instruction.ok()) return *instruction;
        switch (instruction.error()) {
        case DecodeError::need_more_bytes: break;
        case DecodeError::too_long: return Err{general_protection_fault(registers)};
        case DecodeError::undefined: return Err{Outcome::exception(undefined_opcode)};
        }
    }
}

Outcome run(Registers& registers, const Instruction& instruction, Access& access) {
    Execution x(registers, instruction, access);
    const Step<> step = execute(x);
    if (!step.ok()) return step.error();
    x.now.rip = x.next_rip();
    x.now.rflags &= ~rflags::rf;
    x.commit();
    return {};
}

Outcome run(Registers& registers, Access& access) {
    const auto instruction = fetch_instruction(registers, access);
    return instruction.ok() ? run(registers, *instruction, access) : instruction.error();
}

}  // namespace px::emulate
