// Files of microcode updates: finding the one for a CPU.
//
// What is read comes from a disk: every size is checked against the file before it is used.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "hypervisor/base/result.hpp"

namespace px::arch::microcode {

/// What an update must fit.
struct Cpu {
    u32 signature = 0;  ///< CPUID 1 EAX
    u32 platform = 0;   ///< Intel: the bit of its platform id; 0 where it has none
    u32 revision = 0;   ///< of what it runs
};

struct Update {
    std::span<const u8> bytes;   ///< from its header on, all of it
    std::span<const u8> loaded;  ///< what the CPU is given the address of
    u32 revision = 0;
};

/// The newest update in the file for this CPU, newer than what it runs. Error: why there is none, or what is wrong with the file.
/// Intel: updates, one after the other. [intel/sdm3 9.11]
Result<Update, std::string_view> find_intel(std::span<const u8> file, const Cpu& cpu);
/// AMD: containers, each a table of equivalent processors and then patches. [linux amd.c names its fields]
Result<Update, std::string_view> find_amd(std::span<const u8> file, const Cpu& cpu);

}  // namespace px::arch::microcode
