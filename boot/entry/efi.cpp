// From the firmware's tables to BootInfo. [uefi 7.2.3]
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/entry/efi.hpp"

namespace px::boot {
namespace {

MemoryKind kind_of(const efi::MemoryDescriptor& descriptor, bool keeps_boot_services) {
    using efi::MemoryType;
    const bool cached = (descriptor.attributes & efi::memory_write_back) != 0;
    const bool needed_later = (descriptor.attributes & efi::memory_runtime) != 0;
    const MemoryKind free = cached && !needed_later ? MemoryKind::usable : MemoryKind::reserved;
    switch (MemoryType{descriptor.type}) {
    case MemoryType::conventional:
    case MemoryType::loader_code:
    case MemoryType::loader_data: return free;
    case MemoryType::boot_code:
    case MemoryType::boot_data: return keeps_boot_services ? MemoryKind::reserved : free;
    case MemoryType::acpi_reclaim: return MemoryKind::acpi;
    case MemoryType::acpi_nvs: return MemoryKind::nvs;
    case MemoryType::unusable: return MemoryKind::unusable;
    default: return MemoryKind::reserved;
    }
}

Result<> add(StaticVector<MemoryRegion, max_regions>& memory, const MemoryRegion& region) {
    if (!memory.empty() && memory.back().end == region.start && memory.back().kind == region.kind) {
        memory.back().end = region.end;
        return {};
    }
    if (memory.full()) normalise(memory);  // joins what came out of order
    return memory.push_back(region);
}

Result<> add_descriptor(const efi::MemoryDescriptor& descriptor, bool keeps_boot_services, BootInfo& out) {
    constexpr u64 page_bits = 12;
    if (descriptor.pages == 0) return {};
    REQUIRE(descriptor.pages <= ~u64{0} >> page_bits && descriptor.physical + (descriptor.pages << page_bits) > descriptor.physical,
            einval);
    return add(out.memory,
               {descriptor.physical, descriptor.physical + (descriptor.pages << page_bits), kind_of(descriptor, keeps_boot_services)});
}

}  // namespace

Result<EfiHandover::Text> EfiHandover::keep(std::string_view text) {
    REQUIRE(text.size() <= text_capacity - texts_used, enospc);
    const Text kept{texts_used, static_cast<u32>(text.size())};
    if (!text.empty()) std::memcpy(texts + kept.offset, text.data(), text.size());
    texts_used += kept.length;
    return kept;
}

Result<> EfiHandover::add_module(std::span<const u8> content, std::string_view arguments) {
    REQUIRE(modules_count < max_modules, enospc);
    modules[modules_count] = {reinterpret_cast<u64>(content.data()), content.size(), TRY(keep(arguments))};
    ++modules_count;
    return {};
}

Result<> parse_efi_memory(const EfiHandover& handover, BootInfo& out) {
    out.memory.clear();
    REQUIRE(handover.descriptor_size >= sizeof(efi::MemoryDescriptor) && handover.descriptor_size <= 4096, einval);
    REQUIRE(handover.map_size >= handover.descriptor_size && handover.map_size <= sizeof handover.map, einval);
    Result<> result;
    for_each_descriptor(handover.map, handover.map_size, handover.descriptor_size, [&](const efi::MemoryDescriptor& descriptor) {
        result = add_descriptor(descriptor, handover.keeps_boot_services != 0, out);
        return result.ok();
    });
    return result;
}

Screen parse_efi_screen(const EfiHandover& handover) {
    return {handover.screen.address != 0 ? Screen::Kind::framebuffer : Screen::Kind::none, handover.screen};
}

Result<> parse_efi(const EfiHandover& handover, BootInfo& out) {
    const auto text = [&](const EfiHandover::Text& kept) { return std::string_view(handover.texts + kept.offset, kept.length); };
    out.loader = text(handover.vendor);
    out.command_line = text(handover.command_line);
    out.rsdp = handover.rsdp;
    out.screen = parse_efi_screen(handover);
    for (u64 i = 0; i < handover.modules_count; ++i) {
        const EfiHandover::Module& module = handover.modules[i];
        TRY(out.modules.push_back({module.start, module.size, text(module.arguments)}));
    }
    if (handover.microcode_size != 0) {
        out.microcode_module = out.modules.size();
        TRY(out.modules.push_back({handover.microcode_start, handover.microcode_size, {}}));
    }
    return parse_efi_memory(handover, out);
}

}  // namespace px::boot
