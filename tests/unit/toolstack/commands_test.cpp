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

TEST(Commands, NearestName) {
    EXPECT_EQ(suggest_command("lsit"), "list");
    EXPECT_EQ(suggest_command("creat"), "create");
    EXPECT_EQ(suggest_command("frobnicate"), "");
}

}  // namespace
}  // namespace px::xl
