// The hypervisor that this system runs under, by the kernel's devices.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/hypervisor.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cstdlib>

#include "toolstack/call/domain_info.hpp"
#include "toolstack/call/event_channels.hpp"
#include "toolstack/call/grant_device.hpp"

namespace px::xenstored {

using call::failure;
using call::Fd;
using call::Mapping;
using call::Outcome;

namespace {

constexpr GrantRef reserved_grant{1};  // GNTTAB_RESERVED_XENSTORE [xen/public grant_table.h]

/// The kernel's own ring, from the files that it has for us in /proc/xen.
Outcome<Hypervisor::LocalRing> local_ring_of_xenfs() {
    Fd page{open("/proc/xen/xsd_kva", O_RDWR | O_CLOEXEC)}, port{open("/proc/xen/xsd_port", O_RDONLY | O_CLOEXEC)};
    if (!page || !port) return failure("can't open /proc/xen/xsd_kva and xsd_port (is xenfs mounted on /proc/xen?)");
    char text[32] = {};
    if (read(port.get(), text, sizeof text - 1) <= 0) return failure("can't read /proc/xen/xsd_port");
    void* address = mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, page.get(), 0);
    if (address == MAP_FAILED) return failure("can't map /proc/xen/xsd_kva");
    return Hypervisor::LocalRing{Mapping(address, page_size), EvtPort{static_cast<u32>(std::strtoul(text, nullptr, 10))}};
}

/// The same from the device that newer kernels have.
Outcome<Hypervisor::LocalRing> local_ring_of_device() {
    constexpr unsigned long port_request = _IOC(_IOC_NONE, 'B', 0, 0);
    Fd device = TRY(call::open_device("xenbus_backend", "xenbus_backend"));
    int port = ioctl(device.get(), port_request);
    if (port < 0) return failure("can't learn the port of dom0's xenstore ring");
    void* address = mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, device.get(), 0);
    if (address == MAP_FAILED) return failure("can't map dom0's xenstore ring");
    return Hypervisor::LocalRing{Mapping(address, page_size), EvtPort{static_cast<u32>(port)}};
}

class Xen : public Hypervisor {
public:
    Xen(call::EventChannels events, call::Privcmd privcmd, EvtPort domain_changed)
        : events_(std::move(events)), privcmd_(std::move(privcmd)), domain_changed_(domain_changed) {}

    void use(call::GrantDevice grants) { grants_ = std::move(grants); }

    Outcome<Mapping> map_ring(DomId domain, Gfn ring) override {
        if (grants_) {
            auto granted = grants_->map(domain, std::span(&reserved_grant, 1));
            if (granted.ok()) return granted;
        }
        return privcmd_.map_foreign(domain, std::span(&ring, 1));
    }
    Outcome<LocalRing> local_ring() override {
        auto ring = local_ring_of_xenfs();
        if (!ring.ok()) ring = local_ring_of_device();
        return ring;
    }
    Outcome<EvtPort> bind(DomId domain, EvtPort port) override { return events_.bind_interdomain(domain, port); }
    void unbind(EvtPort port) override {
        auto unbound = events_.unbind(port);  // fails when the domain closed its end: all the same to us
        static_cast<void>(unbound.ok());
    }
    Outcome<> notify(EvtPort port) override { return events_.notify(port); }
    int event_fd() const override { return events_.fd(); }
    Outcome<std::optional<EvtPort>> next_event() override {
        auto port = TRY(events_.pending());
        if (port) TRY(events_.unmask(*port));
        return port;
    }
    EvtPort domain_changed() const override { return domain_changed_; }
    Outcome<store::DomainState> state_of(DomId domain) override {
        auto info = TRY(call::domain_info(privcmd_, domain));
        if (!info || info->flags & abi::dominf::dying) return store::DomainState::gone;
        return info->flags & abi::dominf::shutdown ? store::DomainState::shut_down : store::DomainState::running;
    }

private:
    call::EventChannels events_;
    call::Privcmd privcmd_;
    std::optional<call::GrantDevice> grants_;
    EvtPort domain_changed_;
};

}  // namespace

Outcome<std::unique_ptr<Hypervisor>> open_hypervisor(const std::function<void(std::string_view)>& log) {
    auto events = TRY(call::EventChannels::open());
    auto privcmd = TRY(call::Privcmd::open());
    EvtPort domain_changed = TRY(events.bind_virq(abi::Virq::dom_exc));
    auto xen = std::make_unique<Xen>(std::move(events), std::move(privcmd), domain_changed);
    auto grants = call::GrantDevice::open();
    if (grants.ok()) xen->use(std::move(*grants));
    else log(grants.error().text + "; mapping rings by frame number instead");
    return std::unique_ptr<Hypervisor>(std::move(xen));
}

}  // namespace px::xenstored
