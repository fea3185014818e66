// Where a PVH guest finds its memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/layout.hpp"

#include <algorithm>

namespace px::builder {

Layout plan_layout(u64 memory, usize acpi) {
    using abi::HvmMemmapType;
    Layout layout;
    const auto add = [&](u64 start, u64 size, HvmMemmapType type) {
        if (size == 0) return;
        layout.map.push_back({start, size, static_cast<u32>(type), 0});
        if (type == HvmMemmapType::ram) layout.ram.push_back({start, start + size});
    };
    memory = align_down<u64>(memory, page_size);
    const u64 low = std::min(memory, low_memory_end);
    add(0, low, HvmMemmapType::ram);
    add(acpi_start.raw, align_up<u64>(acpi, page_size), HvmMemmapType::acpi);
    add(to_gpaddr(special_start).raw, special_frames * page_size, HvmMemmapType::reserved);
    add(high_memory_start, memory - low, HvmMemmapType::ram);
    return layout;
}

}  // namespace px::builder
