// From a configuration file to what is built, and what is refused.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libxlcfg/load.hpp"
#include "toolstack/domain/guest.hpp"
#include "toolstack/domain/monitor.hpp"
#include "toolstack/domain/uuid.hpp"

namespace px::domain {
namespace {

using ::testing::HasSubstr;

xlcfg::DomainConfig load(const std::string& more) {
    xlcfg::Sources sources;
    xlcfg::Diagnostics diagnostics;
    auto config = xlcfg::load(sources, "test.cfg", "name='g'\ntype='pvh'\nkernel='/boot/k'\nmemory=64\n" + more, diagnostics);
    EXPECT_EQ(diagnostics.errors(), 0u) << diagnostics.all().front().message;
    return config;
}

TEST(Spec, TakesWhatTheFileSays) {
    const auto spec = pvh_spec(load("maxmem=128\nvcpus=2\nmaxvcpus=4\nramdisk='/boot/r'\nextra='quiet'\nroot='/dev/xvda'\n"
                                    "uuid='7f3c0a52-1d2e-4c0e-9a7b-2f5f0f6a1b11'\nmax_grant_frames=33\ntsc_mode='native'\n"), {});
    EXPECT_EQ(spec.kernel, "/boot/k");
    EXPECT_EQ(spec.ramdisk, "/boot/r");
    EXPECT_THAT(spec.command_line, HasSubstr("root=/dev/xvda"));
    EXPECT_THAT(spec.command_line, HasSubstr("quiet"));
    EXPECT_EQ(spec.memory_kib, 64u * 1024);
    EXPECT_EQ(spec.max_memory_kib, 128u * 1024);
    EXPECT_EQ(spec.max_vcpus, 4u);
    EXPECT_EQ(spec.max_grant_frames, 33);
    EXPECT_EQ(spec.tsc_mode, 2u);
    EXPECT_EQ(to_string(spec.handle), "7f3c0a52-1d2e-4c0e-9a7b-2f5f0f6a1b11");
}

TEST(Spec, RefusesWhatCantBeHadByTheNameOfItsKey) {
    EXPECT_TRUE(check_supported(load("")).ok());
    const std::pair<const char*, const char*> cases[] = {
        {"disk=['/dev/vg/x,,xvda']", "disk"}, {"vif=['bridge=xenbr0']", "vif"}, {"type='pv'", "type"}, {"pci=['01:00.0']", "pci"},
        {"cpuid='host,htt=0'", "cpuid"}, {"vfb=['vnc=1']", "vfb"}, {"nestedhvm=1", "nestedhvm"}, {"bootloader='pygrub'", "bootloader"},
    };
    for (auto [text, key] : cases) {
        const auto done = check_supported(load(text));
        ASSERT_FALSE(done.ok()) << text;
        EXPECT_THAT(done.error().text, HasSubstr(key));
    }
}

TEST(Spec, PlanNamesTheMissingFile) {
    const auto plan = GuestPlan::prepare(load(""));
    ASSERT_FALSE(plan.ok());
    EXPECT_THAT(plan.error().text, HasSubstr("/boot/k"));
}

TEST(Monitor, ActionsAndTheirDefaults) {
    using xlcfg::ShutdownAction;
    const auto config = load("on_crash='preserve'\n");
    EXPECT_EQ(action_for(config.on, abi::ShutdownReason::poweroff), ShutdownAction::destroy);
    EXPECT_EQ(action_for(config.on, abi::ShutdownReason::reboot), ShutdownAction::restart);
    EXPECT_EQ(action_for(config.on, abi::ShutdownReason::crash), ShutdownAction::preserve);
    EXPECT_EQ(action_for(config.on, static_cast<abi::ShutdownReason>(77)), ShutdownAction::preserve);
    EXPECT_EQ(action_for(config.on, abi::ShutdownReason::suspend), std::nullopt);
}

TEST(Uuid, RandomOnesAreOfVersion4) {
    const auto uuid = random_uuid();
    EXPECT_EQ(uuid[6] >> 4, 4);
    EXPECT_EQ(uuid[8] >> 6, 2);
    EXPECT_NE(uuid, random_uuid());
}

}  // namespace
}  // namespace px::domain
