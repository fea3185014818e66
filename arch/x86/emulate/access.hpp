// What the emulator asks of its surroundings, and how an emulation can end.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "hypervisor/base/result.hpp"

namespace px::emulate {

enum Vector : u8 {
    undefined_opcode = 6,
    device_not_available = 7,
    stack_fault = 12,
    general_protection = 13,
    page_fault = 14,
    alignment_check = 17,
};

/// An exception to inject. RIP stays at the faulting instruction.
struct Fault {
    u8 vector = 0;
    bool has_error_code = false;
    u32 error_code = 0;
    u64 cr2 = 0;  ///< of #PF
};

struct Outcome {
    enum class Kind : u8 {
        done,       ///< executed; RIP stands behind it. A single-step trap (RFLAGS.TF) is the caller's to raise
        again,      ///< progress was made (part of a REP) or a locked access lost a race: resume the guest, RIP
                    ///< is unchanged
        retry,      ///< a callback answered "retry": run the same registers again once it can answer
        fault,      ///< inject `fault`
        unhandled,  ///< not an instruction of the subset, or a callback couldn't say
    };
    Kind kind = Kind::done;
    Fault fault{};

    static constexpr Outcome retry() { return {.kind = Kind::retry}; }
    static constexpr Outcome again() { return {.kind = Kind::again}; }
    static constexpr Outcome unhandled() { return {.kind = Kind::unhandled}; }
    static constexpr Outcome exception(u8 vector) { return {Kind::fault, {.vector = vector}}; }
    static constexpr Outcome exception(u8 vector, u32 error_code, u64 cr2 = 0) { return {Kind::fault, {vector, true, error_code, cr2}}; }
};

/// A value, or the reason why the instruction ends here (never Kind::done).
template <class T = void>
using Step = Result<T, Outcome>;

enum class Intent : u8 {
    read,
    write,
    modify,       ///< read now, written later in the same instruction: a missing write permission must fault at
                  ///< the read
    system_read,  ///< done by the processor for itself (the TSS), with supervisor rights whatever the CPL
};

/// Memory, ports and vector registers of the vCPU.
///
/// Addresses are linear; spans may cross a page. Accesses are made at the current CPL, and paging,
/// permissions and their #PF are the callee's part; segmentation and canonical form have been checked. Any
/// call may end the run by an Outcome.
///
/// Replay: after "retry" the emulator is run again on the same registers and makes the same calls in the same
/// order, as long as it gets the same answers. So the callee remembers the answers of calls with side effects
/// (MMIO, ports) until committed(), and answers repeated ones from memory.
class Access {
public:
    virtual Step<> read(u64 linear, std::span<u8> into, Intent intent) = 0;
    virtual Step<> write(u64 linear, std::span<const u8> from) = 0;
    /// Of a locked instruction that has read `expected` with Intent::modify. 1, 2, 4, 8 or 16 bytes; atomic
    /// where memory is shared with other vCPUs, a plain write where it is MMIO. False: another value stood
    /// there, nothing was written.
    virtual Step<bool> compare_exchange(u64 linear, std::span<const u8> expected, std::span<const u8> replacement) = 0;
    /// Would a write be admitted? Asked before a port is read into memory, for that read can't be taken back.
    virtual Step<> probe_write(u64 linear, usize size) = 0;
    /// Instruction bytes; never crosses a page.
    virtual Step<> fetch(u64 linear, std::span<u8> into) = 0;

    /// `size` is 1, 2 or 4 bytes; permission has been checked.
    virtual Step<u32> port_in(u16 port, unsigned size) = 0;
    virtual Step<> port_out(u16 port, unsigned size, u32 value) = 0;

    /// The low 16 or 32 bytes of vector register `index`, unhandled if XCR0 hides it. Callees without vector
    /// state keep these defaults.
    virtual Step<> read_vector(unsigned index, std::span<u8> into) {
        static_cast<void>(index), static_cast<void>(into);
        return Err{Outcome::unhandled()};
    }
    /// `zero_upper`: bytes above `from` become 0 (VEX encodings), otherwise they stay.
    virtual Step<> write_vector(unsigned index, std::span<const u8> from, bool zero_upper) {
        static_cast<void>(index), static_cast<void>(from), static_cast<void>(zero_upper);
        return Err{Outcome::unhandled()};
    }

    /// The registers now contain the effect of all calls so far: an instruction, or one round of a REP, is
    /// complete.
    virtual void committed() {}

protected:
    ~Access() = default;
};

}  // namespace px::emulate
