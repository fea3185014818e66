// Memory of the current PV vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/guest_memory.hpp"

#include "arch/x86/pv/machine/address_space.hpp"

namespace px::pv {
namespace {

constexpr usize few_bytes = 128;

/// Gives how many bytes were not copied. One of the two is the guest's.
usize copy_until_fault(void* to, const void* from, usize bytes) {
    usize words = bytes / 8, rest = bytes % 8;
    asm volatile(
        "1: rep movsq\n"
        "   movq %3, %2\n"
        "2: rep movsb\n"
        "   jmp 4f\n"
        "3: leaq (%3, %2, 8), %2\n"  // whole words that are left
        "4:\n"
        "   .pushsection .exception_table, \"a\"\n"
        "   .quad 1b, 3b\n"
        "   .quad 2b, 4b\n"
        "   .popsection"
        : "+D"(to), "+S"(from), "+c"(words)
        : "r"(rest)
        : "memory");
    return words;
}

/// While the vCPU's users run, on their tables: those of its kernel for as long as this lives.
class KernelTables {
public:
    explicit KernelTables(VcpuState& state) : state_(state), changed_(!state.in_kernel) {
        if (changed_) arch::write_cr<3>(to_paddr(mfn_of(*state.memory.kernel_root)).raw);
    }
    ~KernelTables() {
        if (changed_) load_root(state_);
    }
    KernelTables(const KernelTables&) = delete;

private:
    const VcpuState& state_;
    const bool changed_;
};

}  // namespace

Result<> read_mapped(void* to, u64 address, usize bytes) {
    if (bytes == 0) return {};
    REQUIRE(is_guest_range(address, bytes), efault);
    const UserAccess access;
    // Most structures are a few words.
    u64* words = static_cast<u64*>(to);
    for (; bytes % sizeof(u64) == 0 && bytes <= few_bytes; bytes -= sizeof(u64), address += sizeof(u64), ++words) {
        if (bytes == 0) return {};
        u64 word;
        REQUIRE(load_word(word, address), efault);
        __builtin_memcpy(words, &word, sizeof word);
    }
    REQUIRE(copy_until_fault(to, reinterpret_cast<const void*>(address), bytes) == 0, efault);
    return {};
}

Result<> write_mapped(u64 address, const void* from, usize bytes) {
    if (bytes == 0) return {};
    REQUIRE(is_guest_range(address, bytes), efault);
    const UserAccess access;
    const u64* words = static_cast<const u64*>(from);
    for (; bytes % sizeof(u64) == 0 && bytes <= few_bytes; bytes -= sizeof(u64), address += sizeof(u64), ++words) {
        if (bytes == 0) return {};
        u64 word;
        __builtin_memcpy(&word, words, sizeof word);
        REQUIRE(store_word(address, word), efault);
    }
    REQUIRE(copy_until_fault(reinterpret_cast<void*>(address), from, bytes) == 0, efault);
    return {};
}

Result<> copy_from_guest(VcpuState& state, void* to, u64 address, usize bytes) {
    const KernelTables tables(state);
    return read_mapped(to, address, bytes);
}

Result<> copy_to_guest(VcpuState& state, u64 address, const void* from, usize bytes) {
    const KernelTables tables(state);
    return write_mapped(address, from, bytes);
}

}  // namespace px::pv
