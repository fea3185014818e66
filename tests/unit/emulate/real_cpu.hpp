// Test oracle: runs one instruction on this machine's processor, in 64-bit or 32-bit user mode.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "arch/x86/emulate/instruction.hpp"

namespace px::emulate::test {

struct CpuState {
    std::array<u64, 16> gpr{};  ///< in the order of their encoding
    u64 rflags = 0x202;
    std::array<std::array<u8, 16>, 16> xmm{};
};

struct CpuResult {
    CpuState state;
    int vector = -1;  ///< exception, if one was raised: then `state` is that at the instruction
    u32 error_code = 0;
    u64 cr2 = 0;
};

/// A window of memory that instructions may use, between unmapped guards, all below 4 GiB; and a page to
/// execute from. One object at a time; it owns the handlers of the synchronous signals while it lives.
class RealCpu {
public:
    static constexpr usize window_size = page_size;
    static constexpr usize guard_size = 16 * page_size;

    RealCpu();
    ~RealCpu();
    RealCpu(const RealCpu&) = delete;

    std::span<u8> window() const { return {reinterpret_cast<u8*>(window_), window_size}; }
    /// In the window or the guards around it: touching it is safe, if only for a fault.
    bool is_ours(u64 address, usize size) const {
        return address >= window_ - guard_size && address + size <= window_ + window_size + guard_size;
    }
    u64 code_address() const { return code_; }
    static u64 fs_base();
    static u64 gs_base();

    /// False where the kernel has no 32-bit code segment.
    bool supports(Mode mode);
    /// In 32-bit mode with flat CS, DS, ES and SS; RAX–RDI then fit 32 bits, and R8–R15 mean nothing.
    CpuResult run(std::span<const u8> instruction, const CpuState& before, Mode mode);

private:
    void place(std::span<const u8> instruction, Mode mode);

    u64 window_ = 0;
    u64 code_ = 0;
};

}  // namespace px::emulate::test
