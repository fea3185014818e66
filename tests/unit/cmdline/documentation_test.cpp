// The option table is well formed, and docs/command-line.md says what it says.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "hypervisor/cmdline/markdown.hpp"
#include "tests/unit/cmdline/parsed.hpp"

namespace px::cmdline {
namespace {

TEST(Documentation, MatchesTheTable) {
    std::string wanted;
    write_markdown([&](std::string_view piece) { wanted += piece; });
    const std::string path = PX_SOURCE_DIR "/docs/command-line.md";
    if (std::getenv("PX_UPDATE_DOCS") != nullptr) std::ofstream{path} << wanted;
    std::stringstream actual;
    actual << std::ifstream{path}.rdbuf();
    EXPECT_EQ(actual.str(), wanted) << "run this test with PX_UPDATE_DOCS=1";
}

TEST(Documentation, RowsAreComplete) {
    std::set<std::string_view> names;
    for (const Option& option : option_table()) {
        EXPECT_TRUE(names.insert(option.name).second) << option.name << " twice";
        EXPECT_TRUE(option.doc.ends_with('.')) << option.name;
        EXPECT_NE(option.store, nullptr);
        const bool needs_syntax = option.kind == Kind::string || option.kind == Kind::list;
        EXPECT_EQ(option.syntax.empty(), !needs_syntax) << option.name;
    }
}

/// What the table documents as default is what an empty line means, where it is a value of the option.
TEST(Documentation, DefaultsAreTheDefaults) {
    unsigned compared = 0;
    for (const Option& option : option_table()) {
        if (option.kind == Kind::list && option.name != "console") continue;
        const std::string line = std::string{option.name} + "=" + std::string{option.fallback};
        const Parsed parsed{line};
        if (option.fallback.empty() || !parsed.problems.empty() || !parsed.notes.empty()) continue;
        ++compared;
        const BootOptions defaults;
        EXPECT_EQ(parsed.console_to_ring, defaults.console_to_ring) << line;
        EXPECT_EQ(parsed.console.devices, defaults.console.devices) << line;
        EXPECT_EQ(parsed.loglvl, defaults.loglvl) << line;
        EXPECT_EQ(parsed.guest_loglvl, defaults.guest_loglvl) << line;
        EXPECT_EQ(parsed.console_timestamps, defaults.console_timestamps) << line;
        EXPECT_EQ(parsed.switch_letter, defaults.switch_letter) << line;
        EXPECT_EQ(parsed.dom0_vcpus_pin, defaults.dom0_vcpus_pin) << line;
        EXPECT_EQ(parsed.nosmp, defaults.nosmp) << line;
        EXPECT_EQ(parsed.sched, defaults.sched) << line;
        EXPECT_EQ(parsed.gnttab_max_frames, defaults.gnttab_max_frames) << line;
        EXPECT_EQ(parsed.gnttab_max_maptrack_frames, defaults.gnttab_max_maptrack_frames) << line;
        EXPECT_EQ(parsed.noreboot, defaults.noreboot) << line;
        EXPECT_EQ(parsed.x2apic, defaults.x2apic) << line;
        EXPECT_EQ(parsed.smep, defaults.smep) << line;
        EXPECT_EQ(parsed.smap, defaults.smap) << line;
    }
    EXPECT_GT(compared, 12u);
}

}  // namespace
}  // namespace px::cmdline
