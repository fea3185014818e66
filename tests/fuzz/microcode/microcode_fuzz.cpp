// Fuzzes what is read of microcode files and of an initrd's first part. The first byte chooses.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "arch/x86/microcode/container.hpp"
#include "boot/loader/cpio.hpp"

namespace {

using namespace px;

void must(bool condition) {
    if (!condition) std::abort();
}

bool within(std::span<const u8> part, std::span<const u8> whole) {
    return part.data() >= whole.data() && part.size() <= whole.size() &&
           part.data() - whole.data() <= static_cast<long>(whole.size() - part.size());
}

void check(const Result<arch::microcode::Update, std::string_view>& found, std::span<const u8> file, u32 running) {
    if (!found) return must(!found.error().empty());
    must(within(found->bytes, file) && within(found->loaded, found->bytes));
    must(static_cast<i32>(found->revision) > static_cast<i32>(running) || found->revision > running);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
    if (size < 13) return 0;
    const auto word = [&](usize at) { return static_cast<u32>(data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24); };
    const arch::microcode::Cpu cpu{word(1), word(5) & 0xff, word(9)};
    const std::span<const u8> file{data + 13, size - 13};
    switch (data[0] % 3) {
    case 0: check(arch::microcode::find_intel(file, cpu), file, cpu.revision); break;
    case 1: check(arch::microcode::find_amd(file, cpu), file, cpu.revision); break;
    case 2:
        if (const auto found = loader::find_in_cpio(file, "kernel/x86/microcode/GenuineIntel.bin")) must(within(*found, file));
        break;
    }
    return 0;
}
