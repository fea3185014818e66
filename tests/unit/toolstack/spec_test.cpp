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

TEST(Spec, NeedsItsKindOfTheHypervisor) {
    using namespace abi;
    EXPECT_TRUE(builder::check_kind(physcap::hvm, physcap::hvm | physcap::hap).ok());
    EXPECT_TRUE(builder::check_kind(physcap::pv, physcap::pv).ok());
    EXPECT_THAT(builder::check_kind(physcap::hvm, physcap::pv).error().text, HasSubstr("no hardware virtualization"));
    EXPECT_THAT(builder::check_kind(physcap::pv, physcap::hvm | physcap::hap).error().text, HasSubstr("pv=0"));
}

TEST(Spec, TakesWhatTheFileSays) {
    const auto spec = guest_spec(load("maxmem=128\nvcpus=2\nmaxvcpus=4\nramdisk='/boot/r'\nextra='quiet'\nroot='/dev/xvda'\n"
                                      "uuid='7f3c0a52-1d2e-4c0e-9a7b-2f5f0f6a1b11'\nmax_grant_frames=33\ntsc_mode='native'\n"),
                                 {});
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
        {"type='hvm'", "type"},
        {"pci=['01:00.0']", "pci"},
        {"cpuid='host,htt=k'", "cpuid"},
        {"vfb=['vnc=1']", "vfb"},
        {"nestedhvm=1", "nestedhvm"},
        {"bootloader='pygrub'", "bootloader"},
        {"acpi=0", "acpi"},
        {"msr_relaxed=1", "msr_relaxed"},
        {"driver_domain=1", "driver_domain"},
        {"passthrough='enabled'", "passthrough"},
    };
    for (auto [text, key] : cases) {
        const auto done = check_supported(load(text));
        ASSERT_FALSE(done.ok()) << text;
        EXPECT_THAT(done.error().text, HasSubstr(key));
    }
}

TEST(Spec, CpuidBecomesBitsToSetAndToClear) {
    const auto rules = guest_spec(load("cpuid='host,aesni=0,avx2=1'\n"), {}).cpuid;
    ASSERT_EQ(rules.size(), 2u);
    EXPECT_EQ(rules[0].where, (abi::x86::CpuidRegister{1, abi::x86::cpuid_no_subleaf, abi::x86::CpuidRegister::ecx}));
    EXPECT_EQ(rules[0].clear, 1u << 25);
    EXPECT_EQ(rules[0].set, 0u);
    EXPECT_EQ(rules[1].where, (abi::x86::CpuidRegister{7, 0, abi::x86::CpuidRegister::ebx}));
    EXPECT_EQ(rules[1].set, 1u << 5);
}

TEST(Spec, SaysWhatIsLessThanAskedFor) {
    EXPECT_TRUE(reservations(load("on_crash='preserve'\n")).empty());
    EXPECT_THAT(reservations(load("on_crash='coredump-restart'\n")), ::testing::ElementsAre(HasSubstr("core dumps")));
    EXPECT_EQ(reservations(load("maxmem=128\nnomigrate=1\non_soft_reset='soft-reset'\n")).size(), 3u);
}

TEST(Spec, SettledConfigsKeepWhatTheyHaveAndFillTheRest) {
    auto config = load("vif=['mac=00:16:3e:00:00:01', 'devid=0', '']\n");
    settle(config);
    EXPECT_EQ(to_string(config.uuid->bytes)[14], '4');
    EXPECT_EQ(config.vifs[0].mac->bytes[5], 1);
    EXPECT_EQ(*config.vifs[0].devid, 1);
    EXPECT_EQ(*config.vifs[1].devid, 0);
    EXPECT_EQ(*config.vifs[2].devid, 2);
    EXPECT_TRUE(config.vifs[2].mac.value.has_value());
}

TEST(Spec, PlanNamesTheMissingDisk) {
    const auto plan = GuestPlan::prepare(load("disk=['/nowhere/disk.img,raw,xvda,rw']"));
    ASSERT_FALSE(plan.ok());
    EXPECT_THAT(plan.error().text, HasSubstr("disk xvda: can't find /nowhere/disk.img"));
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
