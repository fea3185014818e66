// Mapping frames that other domains granted, through /dev/xen/gntdev [linux/uapi xen/gntdev.h].
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/call/grant_device.hpp"

#include <sys/ioctl.h>

#include <vector>

namespace px::call {

namespace {

struct Reference {
    u32 domain, reference;
};
struct MapHeader {  // `count` References follow
    u32 count, pad;
    u64 index;  // OUT: the offset for mmap
};
struct Unmap {
    u64 index;
    u32 count, pad;
};
constexpr unsigned long map_request = _IOC(_IOC_NONE, 'G', 0, sizeof(MapHeader) + sizeof(Reference));
constexpr unsigned long unmap_request = _IOC(_IOC_NONE, 'G', 1, sizeof(Unmap));

}  // namespace

Outcome<GrantDevice> GrantDevice::open(const SystemPaths& paths) { return GrantDevice(TRY(open_device("gntdev", "xen-gntdev", paths))); }

Outcome<Mapping> GrantDevice::map(DomId domain, std::span<const GrantRef> references) {
    u32 count = static_cast<u32>(references.size());
    std::vector<u64> argument((sizeof(MapHeader) + count * sizeof(Reference)) / sizeof(u64));
    auto* header = reinterpret_cast<MapHeader*>(argument.data());
    auto* entries = reinterpret_cast<Reference*>(header + 1);
    *header = {count, 0, 0};
    for (u32 i = 0; i < count; ++i) entries[i] = {domain.raw, references[i].raw};
    if (ioctl(fd_.get(), map_request, header) < 0) return failure("can't prepare to map granted frames");

    usize bytes = count * page_size;
    void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), static_cast<off_t>(header->index));
    int code = errno;
    Unmap unmap{header->index, count, 0};  // the mapping itself, where there is one, lives on until munmap
    ioctl(fd_.get(), unmap_request, &unmap);
    if (address == MAP_FAILED) return failure(code, "can't map the frames that domain " + std::to_string(domain.raw) + " granted");
    return Mapping(address, bytes);
}

}  // namespace px::call
