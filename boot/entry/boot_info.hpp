// What every way in tells the hypervisor: memory, modules, command line. Neutral; each entry fills one.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "hypervisor/base/framebuffer.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/base/static_vector.hpp"

namespace px::boot {

/// Numbers of the BIOS memory map, which the PVH ABI uses as well.
enum class MemoryKind : u32 { usable = 1, reserved = 2, acpi = 3, nvs = 4, unusable = 5 };

/// Machine addresses, end exclusive. As the firmware gave them: unsorted, maybe overlapping.
struct MemoryRegion {
    u64 start;
    u64 end;
    MemoryKind kind;
};

/// A file that the boot loader put into memory.
struct BootModule {
    u64 start;
    u64 size;
    std::string_view arguments;  ///< its command line without the file's own name
};

/// The screen as firmware or boot loader left it.
struct Screen {
    enum class Kind : u8 {
        unknown,  ///< nobody said: on a PC with a BIOS that is VGA text
        none,
        text,  ///< VGA, 80×25
        framebuffer,
    };
    Kind kind = Kind::unknown;
    Framebuffer framebuffer;  ///< as told, check() not done
};

inline constexpr usize max_regions = 256;
inline constexpr usize max_modules = 16;

struct BootInfo {
    std::string_view loader = "unknown";
    std::string_view command_line;
    StaticVector<MemoryRegion, max_regions> memory;
    StaticVector<BootModule, max_modules> modules;
    std::optional<usize> microcode_module;  ///< the one that is no part of dom0, where the loader says so itself
    u64 rsdp = 0;                           ///< machine address of the ACPI root pointer, 0: search for it
    Screen screen;

    /// A range of the firmware's memory map; a kind that nobody knows is reserved. Errors: einval (it wraps), enospc.
    Result<> add_memory(u64 base, u64 length, u32 kind);
};

/// Machine memory as a loader's structures name it; empty where it can't be reached. Early boot: the first 4 GiB.
class BootMemory {
public:
    virtual std::span<const u8> view(u64 address, usize size) const = 0;
    /// The text up to its NUL, cut at 4095 characters; empty for address 0.
    std::string_view text(u64 address) const;
    /// A T in the machine's byte order. Errors: einval where not all of it can be reached.
    template <class T>
    Result<T> read(u64 address) const {
        const auto bytes = view(address, sizeof(T));
        REQUIRE(bytes.size() == sizeof(T), einval);
        T value;
        std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }

protected:
    ~BootMemory() = default;
};

// Each parser checks what it reads against `memory` and its own sizes. Errors: einval where the structure is broken,
// enospc where the memory map has more than max_regions (half of it could lack a hole); surplus modules are left out.
Result<> parse_multiboot1(const BootMemory& memory, u64 info, BootInfo& out);
Result<> parse_multiboot2(const BootMemory& memory, u64 info, BootInfo& out);
Result<> parse_pvh(const BootMemory& memory, u64 info, BootInfo& out);

/// Sorts, and cuts overlaps so that the more restrictive kind wins; adjacent regions of one kind are joined.
void normalise(StaticVector<MemoryRegion, max_regions>& memory);

/// Usable memory above `limit` becomes unusable. Where no place is left for its parts, a region counts whole.
void limit_memory(StaticVector<MemoryRegion, max_regions>& memory, u64 limit);

/// The command line without the image's name, for loaders that pass it: all but GRUB 2, whose menu scripts put the word
/// "placeholder" there.
std::string_view without_image_name(std::string_view loader, std::string_view line);

}  // namespace px::boot
