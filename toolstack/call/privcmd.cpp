// Hypercalls and mappings of other domains' frames, through /dev/xen/privcmd [linux/uapi xen/privcmd.h].
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/call/privcmd.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <vector>

#include "hypervisor/abi/xen.hpp"

namespace px::call {

namespace {

struct Hypercall {
    u64 number, arguments[5];
};
struct MapBatch {
    u32 count;
    u16 domain;
    u64 address;
    const u64* frames;
    int* errors;
};
struct MapResource {
    u16 domain;
    u32 type, id, first;
    u64 count, address;
};
constexpr unsigned long hypercall_request = _IOC(_IOC_NONE, 'P', 0, sizeof(Hypercall));
constexpr unsigned long map_batch_request = _IOC(_IOC_NONE, 'P', 4, sizeof(MapBatch));
constexpr unsigned long map_resource_request = _IOC(_IOC_NONE, 'P', 7, sizeof(MapResource));

/// Address space for `pages` pages that a request on `fd` fills.
Outcome<Mapping> reserve(int fd, usize pages, int protection) {
    void* address = mmap(nullptr, pages * page_size, protection, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) return failure("can't reserve address space for a domain's frames");
    return Mapping(address, pages * page_size);
}

}  // namespace

Outcome<Privcmd> Privcmd::open(const SystemPaths& paths) {
    Fd fd = TRY(open_device("privcmd", "xen-privcmd", paths));
    Fd buffers{::open((paths.devices + "/hypercall").c_str(), O_RDWR | O_CLOEXEC)};
    return Privcmd(std::move(fd), std::move(buffers));
}

Outcome<HypercallBuffer> Privcmd::buffer(usize bytes) {
    bytes = align_up(std::max<usize>(bytes, 1), page_size);
    int flags = buffers_ ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED;
    void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, buffers_.get(), 0);
    if (address == MAP_FAILED) return failure("no memory for a hypercall's arguments");
    Mapping pages(address, bytes);
    if (!buffers_ && madvise(address, bytes, MADV_DONTFORK) < 0) return failure("can't pin a hypercall's arguments");
    std::memset(address, 0, bytes);
    return HypercallBuffer(std::move(pages));
}

Outcome<u64> Privcmd::hypercall(unsigned number, std::span<const u64> arguments, std::string_view what) {
    Hypercall request{number, {}};
    std::copy_n(arguments.begin(), std::min<usize>(arguments.size(), 5), request.arguments);
    int result = ioctl(fd_.get(), hypercall_request, &request);
    if (result < 0) return failure(what);
    return static_cast<u64>(result);
}

template <class Request>
Outcome<> Privcmd::control(unsigned number, Request& request, std::string_view what) {
    auto memory = TRY(buffer(sizeof request));
    std::memcpy(memory.data(), &request, sizeof request);
    u64 argument = memory.address();
    TRY(hypercall(number, std::span(&argument, 1), what));
    std::memcpy(&request, memory.data(), sizeof request);
    return {};
}

Outcome<> Privcmd::domctl(abi::Domctl& request, std::string_view what) {
    request.interface_version = abi::domctl_interface_version;
    return control(abi::hypercall::domctl, request, what);
}

Outcome<> Privcmd::sysctl(abi::Sysctl& request, std::string_view what) {
    request.interface_version = abi::sysctl_interface_version;
    return control(abi::hypercall::sysctl, request, what);
}

Outcome<Mapping> Privcmd::map_foreign(DomId domain, std::span<const Gfn> frames, int protection) {
    Mapping mapping = TRY(reserve(fd_.get(), frames.size(), protection));
    std::vector<u64> numbers;
    for (Gfn frame : frames) numbers.push_back(frame.raw);
    std::vector<int> errors(frames.size());
    MapBatch request{static_cast<u32>(frames.size()), domain.raw, reinterpret_cast<u64>(mapping.as()), numbers.data(), errors.data()};
    const std::string what = "can't map frames of domain " + std::to_string(domain.raw);
    if (ioctl(fd_.get(), map_batch_request, &request) < 0) return failure(what);
    auto bad = std::ranges::find_if(errors, [](int error) { return error != 0; });
    if (bad != errors.end()) return failure(-*bad, what);
    return mapping;
}

Outcome<Mapping> Privcmd::map_resource(DomId domain, u32 type, u32 id, u32 first, usize count) {
    Mapping mapping = TRY(reserve(fd_.get(), count, PROT_READ | PROT_WRITE));
    MapResource request{domain.raw, type, id, first, count, reinterpret_cast<u64>(mapping.as())};
    if (ioctl(fd_.get(), map_resource_request, &request) < 0) {
        return failure("can't map a resource of domain " + std::to_string(domain.raw));
    }
    return mapping;
}

}  // namespace px::call
