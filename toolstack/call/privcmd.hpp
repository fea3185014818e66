// Hypercalls and mappings of other domains' frames, through /dev/xen/privcmd.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "hypervisor/abi/domctl.hpp"
#include "hypervisor/abi/sysctl.hpp"
#include "toolstack/call/device.hpp"

namespace px::call {

/// Zeroed memory that the hypervisor may read and write during a hypercall: whole pages that stay where they are.
class HypercallBuffer {
public:
    HypercallBuffer() = default;
    void* data() const { return pages_.as(); }
    usize size_bytes() const { return pages_.size_bytes(); }
    u64 address() const { return reinterpret_cast<u64>(pages_.as()); }
    template <class T>
    T* as() const {
        return pages_.as<T>();
    }
    template <class T>
    abi::GuestHandle<T> handle() const {
        return {address()};
    }
    template <class T>
    std::span<T> elements() const {
        return {as<T>(), size_bytes() / sizeof(T)};
    }

private:
    friend class Privcmd;
    explicit HypercallBuffer(Mapping pages) : pages_(std::move(pages)) {}
    Mapping pages_;
};

class Privcmd {
public:
    static Outcome<Privcmd> open(const SystemPaths& paths = {});

    /// Memory for at least `bytes` bytes of hypercall arguments.
    Outcome<HypercallBuffer> buffer(usize bytes);
    /// A hypercall with up to five arguments; pointers among them are addresses of HypercallBuffers. The value is what
    /// the hypervisor returned, ≥ 0; its -errno becomes an Error that begins with `what`.
    Outcome<u64> hypercall(unsigned number, std::span<const u64> arguments, std::string_view what);
    /// Runs a domctl or sysctl; the interface version is filled in here. OUT fields are in `request` afterwards.
    Outcome<> domctl(abi::Domctl& request, std::string_view what);
    Outcome<> sysctl(abi::Sysctl& request, std::string_view what);

    /// Maps `frames` of `domain` side by side. One that can't be mapped fails all.
    Outcome<Mapping> map_foreign(DomId domain, std::span<const Gfn> frames, int protection = PROT_READ | PROT_WRITE);
    /// Maps `count` frames of a resource of `domain` from frame `first` on [xen/public memory.h XENMEM_acquire_resource].
    Outcome<Mapping> map_resource(DomId domain, u32 type, u32 id, u32 first, usize count);

private:
    Privcmd(Fd fd, Fd buffers) : fd_(std::move(fd)), buffers_(std::move(buffers)) {}
    template <class Request>
    Outcome<> control(unsigned number, Request& request, std::string_view what);

    Fd fd_;
    Fd buffers_;  // /dev/xen/hypercall, where the kernel has it
};

}  // namespace px::call
