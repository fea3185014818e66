// Intel's updates. [intel/sdm3 9.11.1, 9.11.2]
//
//   0   header version (1), revision, date, signature, checksum, loader version (1), platforms, data size, total size, 3 reserved
//   48  data
//   …   count, checksum, 3 reserved, then the further signatures: signature, platforms, checksum
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/microcode/bytes.hpp"
#include "arch/x86/microcode/container.hpp"

namespace px::arch::microcode {
namespace {

constexpr usize header_size = 48, table_header_size = 20, signature_size = 12;

struct Sizes {
    usize data, total;
};

u32 sum(std::span<const u8> bytes) {
    u32 total = 0;
    for (usize at = 0; at + 4 <= bytes.size(); at += 4) total += get<u32>(bytes, at);
    return total;
}

Result<Sizes, std::string_view> sizes_of(std::span<const u8> file) {
    constexpr u32 default_data = 2000, default_total = 2048;  // where the file says 0
    if (file.size() < header_size) return Err{std::string_view("ends within an update's header")};
    if (get<u32>(file, 0) != 1 || get<u32>(file, 20) != 1) return Err{std::string_view("isn't a file of Intel's updates")};
    const u32 data = get<u32>(file, 28), total = get<u32>(file, 32);
    const Sizes sizes = data == 0 ? Sizes{default_data, default_total} : Sizes{data, total};
    if (sizes.data % 4 != 0 || sizes.total % 4 != 0 || sizes.total < header_size || sizes.data > sizes.total - header_size) {
        return Err{std::string_view("has an update of impossible sizes")};
    }
    if (sizes.total > file.size()) return Err{std::string_view("ends within an update")};
    return sizes;
}

bool fits(u32 signature, u32 platforms, const Cpu& cpu) {
    return signature == cpu.signature && ((platforms & cpu.platform) != 0 || (platforms == 0 && cpu.platform == 0));
}

/// By its header, or by one of its further signatures.
bool fits(std::span<const u8> update, const Sizes& sizes, const Cpu& cpu) {
    if (fits(get<u32>(update, 12), get<u32>(update, 24), cpu)) return true;
    const auto table = update.subspan(header_size + sizes.data);
    if (table.size() < table_header_size) return false;
    const usize count = std::min<usize>(get<u32>(table, 0), (table.size() - table_header_size) / signature_size);
    for (usize i = 0; i < count; ++i) {
        const usize at = table_header_size + i * signature_size;
        if (fits(get<u32>(table, at), get<u32>(table, at + 4), cpu)) return true;
    }
    return false;
}

}  // namespace

Result<Update, std::string_view> find_intel(std::span<const u8> file, const Cpu& cpu) {
    Update best;
    bool any_fits = false;
    while (!file.empty()) {
        const Sizes sizes = TRY(sizes_of(file));
        const auto update = file.first(sizes.total);
        if (sum(update) != 0 || sum(update.first(header_size + sizes.data)) != 0)
            return Err{std::string_view("has an update whose checksum is wrong")};
        const u32 revision = get<u32>(update, 4);
        const bool right = fits(update, sizes, cpu);
        any_fits = any_fits || right;
        // Revisions are signed: those below 0 are for the makers.
        if (right && static_cast<i32>(revision) > static_cast<i32>(best.bytes.empty() ? cpu.revision : best.revision)) {
            best = {update, update.subspan(header_size, sizes.data), revision};
        }
        file = file.subspan(sizes.total);
    }
    if (best.bytes.empty()) return Err{std::string_view(any_fits ? "has nothing newer for this CPU" : "has nothing for this CPU")};
    return best;
}

}  // namespace px::arch::microcode
