// The build host as an architecture: guest memory is what a test has registered.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/guest_memory.hpp"

#include <cstring>
#include <mutex>
#include <vector>

namespace px::arch {
namespace {

struct Region {
    u64 begin, end;
    bool writable;
};
std::mutex regions_mutex;
std::vector<Region> regions;

bool accessible(u64 address, usize bytes, bool write) {
    const std::lock_guard lock(regions_mutex);
    for (const Region& region : regions) {
        if (address >= region.begin && address <= region.end && bytes <= region.end - address) return region.writable || !write;
    }
    return false;
}

}  // namespace

Result<> copy_from_guest(void* to, u64 address, usize bytes) {
    if (bytes == 0) return {};
    REQUIRE(accessible(address, bytes, false), efault);
    std::memcpy(to, reinterpret_cast<const void*>(address), bytes);
    return {};
}

Result<> copy_to_guest(u64 address, const void* from, usize bytes) {
    if (bytes == 0) return {};
    REQUIRE(accessible(address, bytes, true), efault);
    std::memcpy(reinterpret_cast<void*>(address), from, bytes);
    return {};
}

void host_guest_memory(void* base, usize bytes, bool writable) {
    const u64 begin = reinterpret_cast<u64>(base);
    const std::lock_guard lock(regions_mutex);
    regions.push_back({begin, begin + bytes, writable});
}

void host_guest_memory_clear() {
    const std::lock_guard lock(regions_mutex);
    regions.clear();
}

}  // namespace px::arch
