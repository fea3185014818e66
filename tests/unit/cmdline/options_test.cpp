// Options with a value grammar of their own.
//
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hypervisor/cmdline/values.hpp"
#include "tests/unit/cmdline/parsed.hpp"

namespace px::cmdline {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr u64 mib = 1 << 20;
constexpr u64 gib = 1 << 30;

TEST(Console, DevicesInOrder) {
    const Parsed parsed{"console=vga,com2,vga"};
    EXPECT_EQ(parsed.console.count, 2);
    EXPECT_EQ(parsed.console.devices[0], ConsoleDevice::vga);
    EXPECT_EQ(parsed.console.devices[1], ConsoleDevice::com2);
    EXPECT_FALSE(parsed.console.contains(ConsoleDevice::com1));
    EXPECT_EQ(Parsed{"console=none"}.console.count, 0);
}

TEST(SpecCtrl, AllOrSome) {
    EXPECT_EQ(Parsed{""}.spec_ctrl, (SpecCtrl{true, true, true}));
    for (const char* const off : {"spec-ctrl=no", "no-spec-ctrl", "spec-ctrl=0"})
        EXPECT_EQ(Parsed{off}.spec_ctrl, (SpecCtrl{false, false, false, false, BranchThunk::jump})) << off;
    EXPECT_EQ(Parsed{"spec-ctrl=no-ibpb"}.spec_ctrl, (SpecCtrl{false, true, true}));
    EXPECT_EQ((Parsed{"spec-ctrl=l1d-flush=off,md-clear=no"}.spec_ctrl), (SpecCtrl{true, false, false}));
    EXPECT_EQ((Parsed{"spec-ctrl=no spec-ctrl=on"}.spec_ctrl), (SpecCtrl{true, true, true}));
    const Parsed unknown{"spec-ctrl=no-verw,bti-thunk=lfence"};
    EXPECT_THAT(unknown.problems, SizeIs(1));
    EXPECT_EQ(Parsed{"spec-ctrl=no"}.spec_ctrl.branches, BranchThunk::jump);
    EXPECT_EQ(Parsed{"spec-ctrl=bti-thunk=retpoline"}.spec_ctrl, (SpecCtrl{true, true, true, true, BranchThunk::retpoline}));
    EXPECT_EQ((Parsed{"spec-ctrl=no-ibrs,bti-thunk=jmp"}.spec_ctrl), (SpecCtrl{true, true, true, false, BranchThunk::jump}));
    EXPECT_EQ(unknown.spec_ctrl, (SpecCtrl{true, false, true})) << "what is known counts";
}

TEST(Vga, Modes) {
    using Kind = VgaOption::Kind;
    EXPECT_EQ(Parsed{""}.vga, VgaOption{});
    EXPECT_EQ((Parsed{"vga=keep"}.vga), (VgaOption{.keep = true}));
    EXPECT_EQ((Parsed{"vga=current,keep"}.vga), (VgaOption{.keep = true}));
    EXPECT_EQ((Parsed{"vga=text-80x25"}.vga), (VgaOption{.kind = Kind::text, .rows = 25}));
    EXPECT_EQ((Parsed{"vga=gfx-1024x768x32,keep"}.vga),
              (VgaOption{.kind = Kind::graphics, .width = 1024, .height = 768, .depth = 32, .keep = true}));
    EXPECT_EQ((Parsed{"vga=keep,gfx-800x600"}.vga), (VgaOption{.kind = Kind::graphics, .width = 800, .height = 600, .keep = true}));
    EXPECT_EQ((Parsed{"vga=ask"}.vga), (VgaOption{.kind = Kind::ask}));
    EXPECT_EQ((Parsed{"vga=mode-0x311"}.vga), (VgaOption{.kind = Kind::number}));
    for (const char* const bad : {"vga=best", "vga=text-132x25", "vga=text-80x", "vga=gfx-", "vga=gfx-1024", "vga=gfx-1024x768x",
                                  "vga=gfx-1x2x3x4", "vga=gfx-0x10x10", "vga=gfx-99999x10", "vga=mode-", "vga=mode-x"}) {
        const Parsed parsed{bad};
        EXPECT_THAT(parsed.problems, SizeIs(1)) << bad;
        EXPECT_EQ(parsed.vga, VgaOption{}) << bad;
    }
    const Parsed partly{"vga=best,keep"};
    EXPECT_THAT(partly.problems, SizeIs(1));
    EXPECT_TRUE(partly.vga.keep) << "what is known counts";
}

TEST(Microcode, ModuleOrScan) {
    EXPECT_EQ(Parsed{""}.ucode, MicrocodeOption{});
    EXPECT_EQ((Parsed{"ucode=scan"}.ucode), (MicrocodeOption{.scan = true, .module = {}}));
    EXPECT_EQ((Parsed{"ucode=2"}.ucode), (MicrocodeOption{.scan = false, .module = 2}));
    EXPECT_EQ((Parsed{"ucode=-1,nmi=off"}.ucode), (MicrocodeOption{.scan = false, .module = -1}));
    EXPECT_EQ((Parsed{"ucode=no-nmi,digest-check=no,scan"}.ucode), (MicrocodeOption{.scan = true, .module = {}}));
    EXPECT_EQ((Parsed{"ucode=scan ucode=no-scan"}.ucode), MicrocodeOption{});
    EXPECT_EQ((Parsed{"ucode=scan ucode=nmi"}.ucode), (MicrocodeOption{.scan = true, .module = {}}));
    for (const char* const bad : {"ucode=file", "ucode=256", "ucode=--1", "ucode=1x"}) EXPECT_THAT(Parsed{bad}.problems, SizeIs(1)) << bad;
}

TEST(Console, WhatWeDoNotHave) {
    const Parsed some{"console=dbgp,com1"};
    EXPECT_THAT(some.problems, SizeIs(1));
    EXPECT_EQ(some.console.count, 1);
    const Parsed nothing{"console=xhci"};
    EXPECT_THAT(nothing.problems, ElementsAre("console=xhci: xhci: is not a console of this hypervisor (vga, com1, com2, none)"));
    EXPECT_EQ(nothing.console.count, 2);  // the default rather than silence
}

TEST(Console, Timestamps) {
    EXPECT_EQ(Parsed{"console_timestamps"}.console_timestamps, Timestamps::date);
    EXPECT_EQ(Parsed{"console_timestamps=datems"}.console_timestamps, Timestamps::date_ms);
    EXPECT_EQ(Parsed{"console_timestamps=boot"}.console_timestamps, Timestamps::boot);
    EXPECT_EQ(Parsed{"console_timestamps=raw no-console_timestamps"}.console_timestamps, Timestamps::none);
    EXPECT_THAT(Parsed{"console_timestamps=noon"}.problems, SizeIs(1));
}

TEST(Console, SwitchCharacter) {
    const Parsed chosen{"conswitch=bx"};
    EXPECT_EQ(chosen.switch_letter, 'b');
    EXPECT_TRUE(chosen.input_to_hypervisor);
    EXPECT_FALSE(Parsed{"conswitch=q"}.input_to_hypervisor);
    for (const char* line : {"conswitch=", "conswitch=1", "conswitch=ab", "conswitch=axx"}) {
        const Parsed parsed{line};
        EXPECT_THAT(parsed.problems, SizeIs(1)) << line;
        EXPECT_EQ(parsed.switch_letter, 'a');
    }
}

TEST(Cpuid, ListsAddUp) {
    const Parsed parsed{"cpuid=no-avx,rdrand=off x2apic=off cpuid=avx"};
    EXPECT_THAT(parsed.problems, SizeIs(0));
    EXPECT_THAT(parsed.cpuid.all(), ElementsAre("no-avx,rdrand=off", "avx"));
    EXPECT_THAT(Parsed{"cpuid=a cpuid=b cpuid=c cpuid=d cpuid=e"}.problems, ElementsAre("cpuid=e: is given too often: write one list"));
}

TEST(Console, LogLevels) {
    EXPECT_EQ(Parsed{"loglvl=info"}.loglvl, (LogFilter{Verbosity::info, Verbosity::info}));
    EXPECT_EQ(Parsed{"guest_loglvl=error/all"}.guest_loglvl, (LogFilter{Verbosity::error, Verbosity::debug}));
    EXPECT_EQ(Parsed{"loglvl=info/none"}.loglvl, (LogFilter{Verbosity::info, Verbosity::info}));
    EXPECT_THAT(Parsed{"loglvl=loud"}.problems, ElementsAre("loglvl=loud: loud: is not a level"));
    EXPECT_THAT(Parsed{"loglvl=info/loud"}.problems, ElementsAre("loglvl=info/loud: loud: is not a level"));
    EXPECT_THAT(Parsed{"loglvl=all/"}.problems, SizeIs(1));
}

TEST(Dom0Mem, Amounts) {
    const Parsed parsed{"dom0_mem=1G+25%,min:512M,max:-256M"};
    EXPECT_TRUE(parsed.clean());
    EXPECT_EQ(parsed.dom0_mem.initial, (MemoryAmount{.bytes = gib, .percent = 25}));
    EXPECT_EQ(parsed.dom0_mem.min, (MemoryAmount{.bytes = 512 * mib}));
    EXPECT_EQ(parsed.dom0_mem.max, (MemoryAmount{.bytes = 256 * mib, .all_but = true}));
    EXPECT_EQ(parsed.dom0_mem.initial->resolve(256 * gib), 65 * gib);
    EXPECT_EQ(parsed.dom0_mem.max->resolve(gib), 768 * mib);
    EXPECT_EQ(parsed.dom0_mem.max->resolve(mib), 0u);
    EXPECT_EQ(Parsed{"dom0_mem=10%"}.dom0_mem.initial->resolve(gib), gib / 10);
    EXPECT_EQ(Parsed{"dom0_mem=8G"}.dom0_mem.initial->resolve(gib), gib);     // never more than there is
    EXPECT_EQ(Parsed{"dom0_mem=524288"}.dom0_mem.initial->bytes, 512 * mib);  // KiB
    EXPECT_EQ(Parsed{"dom0_mem=max:1G"}.dom0_mem.initial, std::nullopt);
    EXPECT_EQ((MemoryAmount{.bytes = ~u64{0}, .percent = 99}.resolve(~u64{0})), ~u64{0});
}

TEST(Dom0Mem, Nonsense) {
    for (const char* line : {"dom0_mem=lots", "dom0_mem=100%", "dom0_mem=1G+", "dom0_mem=1G+5", "dom0_mem=min:", "dom0_mem=-25%",
                             "dom0_mem=0", "dom0_mem=avg:1G", "dom0_mem=1G,x"}) {
        const Parsed parsed{line};
        EXPECT_FALSE(parsed.problems.empty()) << line;
        EXPECT_EQ(parsed.dom0_mem.initial, std::nullopt) << line;
    }
}

TEST(Dom0, Vcpus) {
    EXPECT_EQ(Parsed{"dom0_max_vcpus=4"}.dom0_max_vcpus, (VcpuRange{4, 4}));
    const VcpuRange range = Parsed{"dom0_max_vcpus=4-8"}.dom0_max_vcpus;
    EXPECT_EQ(range.resolve(2), 4u);
    EXPECT_EQ(range.resolve(6), 6u);
    EXPECT_EQ(range.resolve(10), 8u);
    EXPECT_EQ(Parsed{"dom0_max_vcpus=-8"}.dom0_max_vcpus, (VcpuRange{1, 8}));
    EXPECT_EQ(Parsed{"dom0_max_vcpus=3-"}.dom0_max_vcpus, (VcpuRange{3, VcpuRange::unlimited}));
    for (const char* line : {"dom0_max_vcpus=-", "dom0_max_vcpus=0", "dom0_max_vcpus=8-4", "dom0_max_vcpus=a-b", "dom0_max_vcpus=1-2-3",
                             "dom0_max_vcpus=", "dom0_max_vcpus=4294967296"}) {
        const Parsed parsed{line};
        EXPECT_THAT(parsed.problems, SizeIs(1)) << line;
        EXPECT_EQ(parsed.dom0_max_vcpus, VcpuRange{}) << line;
    }
}

TEST(Dom0, Flags) {
    const Parsed parsed{"dom0=pvh,verbose,no-bounce"};
    EXPECT_TRUE(parsed.clean());
    EXPECT_TRUE(parsed.dom0.verbose);
    EXPECT_FALSE(parsed.dom0.bounce);
    EXPECT_EQ(parsed.dom0.kind, Dom0Kind::pvh);
    EXPECT_EQ(Parsed{"dom0=verbose"}.dom0.kind, std::nullopt);
    EXPECT_EQ(Parsed{"dom0=pv"}.dom0.kind, Dom0Kind::pv);
    const Parsed partly{"dom0=hvm,verbose=perhaps,no-bounce"};
    EXPECT_THAT(partly.problems, ElementsAre("dom0=hvm,verbose=perhaps,no-bounce: hvm: is not known"));
    EXPECT_FALSE(partly.dom0.bounce);
}

TEST(Dom0, DeprecatedAlias) {
    const Parsed parsed{"dom0pvh=1"};
    EXPECT_THAT(parsed.problems, ElementsAre());
    EXPECT_THAT(parsed.notes, ElementsAre("dom0pvh=1: is deprecated: write dom0=pvh"));
    EXPECT_EQ(parsed.dom0.kind, Dom0Kind::pvh);
    EXPECT_EQ(Parsed{"dom0pvh=0"}.dom0.kind, Dom0Kind::pv);
}

TEST(Dom0, PvModeOff) {
    EXPECT_TRUE(Parsed{""}.pv);
    for (const char* line : {"pv=0", "pv=off", "no-pv", "pv no-pv"}) {
        EXPECT_FALSE(Parsed{line}.pv) << line;
        EXPECT_TRUE(Parsed{line}.clean()) << line;
    }
    for (const char* line : {"pv", "pv=1", "pv=no-32", "pv=32=0", "pv=0 pv=1"}) {
        EXPECT_TRUE(Parsed{line}.pv) << line;
        EXPECT_TRUE(Parsed{line}.clean()) << line;
    }
    EXPECT_THAT(Parsed{"pv=32"}.problems, ElementsAre("pv=32: 32: 32-bit PV guests aren't supported"));
    EXPECT_THAT(Parsed{"pv=perhaps"}.problems, ElementsAre("pv=perhaps: perhaps: is not known"));
    EXPECT_TRUE(Parsed{"pv=perhaps"}.pv);
}

TEST(Machine, Reboot) {
    EXPECT_EQ(Parsed{"reboot=t"}.reboot, RebootMethod::triple_fault);
    EXPECT_EQ(Parsed{"reboot=kbd"}.reboot, RebootMethod::keyboard);
    EXPECT_EQ(Parsed{"reboot=acpi"}.reboot, RebootMethod::acpi);
    EXPECT_EQ(Parsed{"reboot=pci"}.reboot, RebootMethod::pci);
    for (const char* line : {"reboot=warm", "reboot=Power", "reboot=e"}) EXPECT_THAT(Parsed{line}.problems, SizeIs(1)) << line;
    EXPECT_TRUE(Parsed{"reboot=no"}.noreboot);
    EXPECT_THAT(Parsed{"reboot=x"}.problems, ElementsAre("reboot=x: x: is not a way to reboot of this hypervisor"));
}

TEST(Machine, PreventionOfExecutionAndAccess) {
    EXPECT_EQ(Parsed{"smep=hvm"}.smep, Prevention::hvm_only);
    EXPECT_EQ(Parsed{"nosmep"}.smep, Prevention::off);
    EXPECT_EQ(Parsed{"no-smap"}.smap, Prevention::off);
    EXPECT_EQ(Parsed{"smap=0"}.smap, Prevention::off);
    EXPECT_EQ(Parsed{"smap=0 smap"}.smap, Prevention::on);
    EXPECT_THAT(Parsed{"smap=pv"}.problems, SizeIs(1));
}

TEST(Machine, Choices) {
    EXPECT_EQ(Parsed{"sched=null"}.sched, "null");
    EXPECT_EQ(Parsed{"clocksource=hpet"}.clocksource, ClockSource::hpet);
    EXPECT_THAT(Parsed{"clocksource=tsc"}.problems, ElementsAre("clocksource=tsc: is none of the choices"));
    EXPECT_TRUE(Parsed{"tsc=unstable"}.tsc_unstable);
    EXPECT_TRUE(Parsed{"tsc=skewed"}.tsc_unstable);
    EXPECT_THAT(Parsed{"tsc=stable:socket"}.problems, SizeIs(1));
    EXPECT_EQ(Parsed{"mem=4G"}.mem, 4 * gib);
    EXPECT_EQ(Parsed{"gnttab_max_frames=128"}.gnttab_max_frames, 128u);
    EXPECT_THAT(Parsed{"maxcpus=0"}.problems, SizeIs(1));
}

}  // namespace
}  // namespace px::cmdline
