// Trapped writes to page tables.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/table_write.hpp"

#include <cstring>

#include "arch/x86/pv/machine/instruction.hpp"
#include "arch/x86/pv/update.hpp"

namespace px::pv {
namespace {

using emulate::Outcome;
using emulate::Step;

/// Memory as usual, but for the words of one L1 table.
class TableAccess final : public InstructionAccess {
public:
    TableAccess(Vcpu& vcpu, Frame& table, u64 page) : InstructionAccess(vcpu), table_(table), page_(page) {}

    Step<> write(u64 linear, std::span<const u8> from) override {
        const auto word = TRY(place(linear, from.size()));
        u64 value = word.old;
        std::memcpy(reinterpret_cast<u8*>(&value) + word.offset, from.data(), from.size());
        if (!change(word.index, value)) return Err{Outcome::unhandled()};
        return {};
    }
    Step<bool> compare_exchange(u64 linear, std::span<const u8> expected, std::span<const u8> replacement) override {
        const auto word = TRY(place(linear, expected.size()));
        u64 value = word.old;
        if (std::memcmp(reinterpret_cast<const u8*>(&value) + word.offset, expected.data(), expected.size()) != 0) return false;
        std::memcpy(reinterpret_cast<u8*>(&value) + word.offset, replacement.data(), replacement.size());
        if (!change(word.index, value)) return Err{Outcome::unhandled()};
        return true;
    }
    Step<> probe_write(u64, usize) override { return {}; }

private:
    struct Word {
        unsigned index;
        usize offset;  ///< of what is written, in the entry
        u64 old;
    };
    Step<Word> place(u64 linear, usize size) const {
        const usize offset = linear % sizeof(u64);
        if (linear - linear % page_size != page_ || offset + size > sizeof(u64)) return Err{Outcome::unhandled()};
        const unsigned index = static_cast<unsigned>(linear % page_size / sizeof(u64));
        return Word{index, offset, Entries(table_).at(index).raw};
    }
    bool change(unsigned index, u64 value) {
        const PageOwner pages = PageOwner::of(vcpu().domain);
        return change_entry(state_of(vcpu()).memory, table_, {index, Entry{value}, pages}).ok();
    }

    Frame& table_;
    u64 page_;
};

/// The frame that the address leads to, where it is an L1 table in use. Errors: einval.
Result<FrameRef> table_at(VcpuMemory& memory, u64 address) {
    const FrameRef l1 = TRY(find_l1(memory, address));
    const Entry entry = TRY(LockedTable::lock(*l1)).entries().at(slot_of(address, Level::l1));
    REQUIRE(entry.present() && has_frame(entry.mfn()), einval);
    Frame& frame = frame_of(entry.mfn());
    REQUIRE(try_get_frame(frame, &memory.vcpu.domain), einval);
    FrameRef table(frame);
    const FrameUse use = use_of(frame);
    REQUIRE(use.type == FrameType::l1 && use.validated, einval);
    return table;
}

}  // namespace

bool write_table(Vcpu& vcpu, u64 address) {
    const auto table = table_at(state_of(vcpu).memory, address);
    if (!table) return false;
    TableAccess access(vcpu, **table, address - address % page_size);
    return run_instruction(vcpu, access);
}

}  // namespace px::pv
