// xl's table of commands.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "toolstack/xl/command.hpp"

namespace px::xl {
namespace {

TEST(Commands, RowsAreWhole) {
    std::string_view before;
    for (const Command& command : commands()) {
        EXPECT_LT(before, command.name);  // the order of `xl help`
        before = command.name;
        EXPECT_NE(command.run, nullptr) << command.name;
        EXPECT_LE(command.least, command.most) << command.name;
        EXPECT_FALSE(command.help.empty() || command.help.ends_with('.')) << command.name;
        EXPECT_EQ(command.most == 0, command.synopsis.empty()) << command.name;
        std::set<char> letters;
        for (const Option& option : command.options) {
            EXPECT_TRUE(letters.insert(option.letter).second) << command.name << option.letter;
            EXPECT_FALSE(option.help.empty()) << command.name << option.letter;
        }
        EXPECT_NE(usage(command).find(command.help), std::string::npos);
        EXPECT_NE(overview().find(command.help), std::string::npos);
    }
}

TEST(Commands, FoundByNameAndByItsBeginning) {
    EXPECT_EQ(find_command("list")->name, "list");
    EXPECT_EQ(find_command("destr")->name, "destroy");
    EXPECT_EQ(find_command("mem"), nullptr);  // two
    EXPECT_EQ(find_command("launch"), nullptr);
    EXPECT_EQ(find_command(""), nullptr);
}

/// The 93 names of 4.17 [xl(1), and devd, migrate-receive, help]: each is served, or refused with a reason.
TEST(Commands, EachOf417IsKnown) {
    for (const char* name : {"block-attach",
                             "block-detach",
                             "block-list",
                             "button-press",
                             "cd-eject",
                             "cd-insert",
                             "channel-list",
                             "claims",
                             "config-update",
                             "console",
                             "cpupool-cpu-add",
                             "cpupool-cpu-remove",
                             "cpupool-create",
                             "cpupool-destroy",
                             "cpupool-list",
                             "cpupool-migrate",
                             "cpupool-numa-split",
                             "cpupool-rename",
                             "create",
                             "debug-keys",
                             "destroy",
                             "devd",
                             "dmesg",
                             "domid",
                             "domname",
                             "dump-core",
                             "getenforce",
                             "info",
                             "list",
                             "loadpolicy",
                             "mem-max",
                             "mem-set",
                             "migrate",
                             "migrate-receive",
                             "network-attach",
                             "network-detach",
                             "network-list",
                             "pause",
                             "pci-assignable-add",
                             "pci-assignable-list",
                             "pci-assignable-remove",
                             "pci-attach",
                             "pci-detach",
                             "pci-list",
                             "psr-cat-set",
                             "psr-cat-show",
                             "psr-cmt-attach",
                             "psr-cmt-detach",
                             "psr-cmt-show",
                             "psr-hwinfo",
                             "psr-mba-set",
                             "psr-mba-show",
                             "qemu-monitor-command",
                             "reboot",
                             "remus",
                             "rename",
                             "restore",
                             "save",
                             "sched-credit",
                             "sched-credit2",
                             "sched-rtds",
                             "set-parameters",
                             "setenforce",
                             "sharing",
                             "shutdown",
                             "sysrq",
                             "top",
                             "trigger",
                             "unpause",
                             "uptime",
                             "usb-list",
                             "usbctrl-attach",
                             "usbctrl-detach",
                             "usbdev-attach",
                             "usbdev-detach",
                             "vcpu-list",
                             "vcpu-pin",
                             "vcpu-set",
                             "vdispl-attach",
                             "vdispl-detach",
                             "vdispl-list",
                             "vkb-attach",
                             "vkb-detach",
                             "vkb-list",
                             "vm-list",
                             "vncviewer",
                             "vsnd-attach",
                             "vsnd-detach",
                             "vsnd-list",
                             "vtpm-attach",
                             "vtpm-detach",
                             "vtpm-list"}) {
        const Command* command = find_command(name);
        const bool served = command && command->name == name;
        EXPECT_NE(served, !why_unsupported(name).empty()) << name;
    }
    EXPECT_EQ(why_unsupported("frobnicate"), "");
}

TEST(Commands, EachHasItsManualEntryAndCompletion) {
    const auto printed = [](const char* page) {
        std::string word = page;
        char* words[] = {word.data()};
        const auto arguments = Arguments::parse({}, words);
        ::testing::internal::CaptureStdout();
        EXPECT_TRUE(find_command("manual")->run(*arguments).ok());
        return ::testing::internal::GetCapturedStdout();
    };
    const std::string manual = printed("xl"), bash = printed("bash");
    for (const Command& command : commands()) {
        std::string name;
        for (char c : command.name) name += c == '-' ? "\\-" : std::string(1, c);
        EXPECT_NE(manual.find("\\fB" + name + "\\fR"), std::string::npos) << command.name;
        EXPECT_NE(bash.find("    " + std::string(command.name) + ") options="), std::string::npos) << command.name;
    }
    EXPECT_NE(printed("xl.cfg").find("ramdisk"), std::string::npos);
    EXPECT_NE(printed("xl.conf").find("vif.default.bridge"), std::string::npos);
}

TEST(Commands, NearestName) {
    EXPECT_EQ(suggest_command("lsit"), "list");
    EXPECT_EQ(suggest_command("creat"), "create");
    EXPECT_EQ(suggest_command("frobnicate"), "");
}

}  // namespace
}  // namespace px::xl
