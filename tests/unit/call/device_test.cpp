// Opening the hypervisor's devices: each cause of failure has its own sentence.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/call/device.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "toolstack/call/event_channels.hpp"
#include "toolstack/call/grant_device.hpp"
#include "toolstack/call/privcmd.hpp"

namespace px::call {
namespace {

using testing::HasSubstr;

class Device : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/px-call-XXXXXX";
        root = mkdtemp(name);
        paths = {root + "/dev", root + "/sys"};
        std::filesystem::create_directory(paths.devices);
        std::filesystem::create_directory(paths.hypervisor);
    }
    void TearDown() override { std::filesystem::remove_all(root); }
    void boot_under_hypervisor() { std::ofstream(paths.hypervisor + "/type") << "xen\n"; }

    std::string root;
    SystemPaths paths;
};

TEST_F(Device, not_under_the_hypervisor) {
    auto privcmd = Privcmd::open(paths);
    ASSERT_FALSE(privcmd.ok());
    EXPECT_EQ(privcmd.error().code, ENOENT);
    EXPECT_THAT(privcmd.error().text, HasSubstr("not booted under the hypervisor"));
    std::ofstream(paths.hypervisor + "/type") << "kvm\n";
    EXPECT_THAT(GrantDevice::open(paths).error().text, HasSubstr("not booted under the hypervisor"));
}

TEST_F(Device, the_module_is_missing) {
    boot_under_hypervisor();
    EXPECT_THAT(Privcmd::open(paths).error().text, HasSubstr("run 'modprobe xen-privcmd'"));
    EXPECT_THAT(EventChannels::open(paths).error().text, HasSubstr("run 'modprobe xen-evtchn'"));
    EXPECT_THAT(GrantDevice::open(paths).error().text, HasSubstr("run 'modprobe xen-gntdev'"));
}

TEST_F(Device, no_permission) {
    boot_under_hypervisor();
    std::ofstream(paths.devices + "/privcmd") << "";
    std::filesystem::permissions(paths.devices + "/privcmd", std::filesystem::perms::none);
    const uid_t before = geteuid();
    if (before == 0) {
        ASSERT_EQ(seteuid(65534), 0);  // root may open everything
    }
    auto privcmd = Privcmd::open(paths);
    if (before == 0) { ASSERT_EQ(seteuid(before), 0); }
    ASSERT_FALSE(privcmd.ok());
    EXPECT_THAT(privcmd.error().text, HasSubstr("run this as root"));
}

/// A plain file in the device's place: every request to it is refused, and each refusal becomes a sentence.
TEST_F(Device, requests_that_the_kernel_refuses) {
    boot_under_hypervisor();
    for (const char* name : {"privcmd", "gntdev", "evtchn"}) std::ofstream(paths.devices + "/" + name) << "";
    auto privcmd = Privcmd::open(paths);
    ASSERT_TRUE(privcmd.ok());
    abi::Sysctl request{};
    EXPECT_THAT(privcmd->sysctl(request, "can't do this").error().text, testing::StartsWith("can't do this: "));
    EXPECT_EQ(request.interface_version, abi::sysctl_interface_version);
    Gfn frame{1};
    EXPECT_THAT(privcmd->map_foreign(DomId{7}, std::span(&frame, 1)).error().text, HasSubstr("can't map frames of domain 7"));
    EXPECT_THAT(privcmd->map_resource(DomId{7}, 1, 0, 0, 1).error().text, HasSubstr("can't map a resource of domain 7"));
    auto grants = GrantDevice::open(paths);
    ASSERT_TRUE(grants.ok());
    GrantRef reference{0};
    EXPECT_FALSE(grants->map(DomId{7}, std::span(&reference, 1)).ok());
    auto events = EventChannels::open(paths);
    ASSERT_TRUE(events.ok());
    EXPECT_FALSE(events->bind_virq(abi::Virq::dom_exc).ok());
    EXPECT_FALSE(events->notify(EvtPort{3}).ok());
    auto pending = events->pending();
    EXPECT_TRUE(pending.ok() && !*pending);
}

TEST_F(Device, hypercall_buffers_are_whole_zeroed_pages) {
    boot_under_hypervisor();
    std::ofstream(paths.devices + "/privcmd") << "";
    auto privcmd = Privcmd::open(paths);
    ASSERT_TRUE(privcmd.ok());
    auto buffer = privcmd->buffer(page_size + 1);
    ASSERT_TRUE(buffer.ok());
    EXPECT_EQ(buffer->size_bytes(), 2 * page_size);
    EXPECT_EQ(buffer->address() % page_size, 0u);
    EXPECT_THAT(buffer->elements<u8>(), testing::Each(0));
}

TEST(Handles, close_once) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    Fd reader{ends[0]};
    {
        Fd writer{ends[1]};
        Fd moved = std::move(writer);
        EXPECT_FALSE(writer);
        char byte = 'x';
        EXPECT_EQ(write(moved.get(), &byte, 1), 1);
    }
    char bytes[2];
    EXPECT_EQ(read(reader.get(), bytes, 2), 1);
    EXPECT_EQ(read(reader.get(), bytes, 1), 0) << "the other end is closed";
}

}  // namespace
}  // namespace px::call
