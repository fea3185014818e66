// xl create of what is wrong before any hypervisor is asked: what it says, and how shortly.
//
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "toolstack/xl/command.hpp"

namespace px::xl {
namespace {

using ::testing::HasSubstr;

/// What `xl create -q FILE` prints as errors; it must fail.
std::string complaint(const std::string& file, const std::string& extra = {}) {
    std::vector<std::string> words{"-q", file};
    if (!extra.empty()) words.push_back(extra);
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    const auto arguments = Arguments::parse(create_command.options, pointers);
    EXPECT_TRUE(arguments.ok());
    ::testing::internal::CaptureStderr();
    const auto done = create_command.run(*arguments);
    std::string text = ::testing::internal::GetCapturedStderr();
    EXPECT_FALSE(done.ok() && *done == exit_success);
    return done.ok() ? text : text + done.error().text + "\n";
}

std::string file_with(const char* text) {
    const std::string path = ::testing::TempDir() + "create.cfg";
    std::ofstream(path) << text;
    return path;
}

TEST(Create, OneErrorIsShownWithItsLine) {
    const std::string text = complaint(file_with("name='x'\ntype='pvh'\nkernel='/k'\nmemory = 0\n"));
    EXPECT_THAT(text, HasSubstr("create.cfg:4:10: error: 'memory'"));
    EXPECT_THAT(text, HasSubstr("    4 | memory = 0\n"));
    EXPECT_LE(std::ranges::count(text, '\n'), 4);
}

TEST(Create, SeveralErrorsAreALineEach) {
    const std::string text = complaint(file_with("name = \"bad\nmemory = \n"));
    EXPECT_THAT(text, HasSubstr("create.cfg:1:8: error: "));
    EXPECT_THAT(text, HasSubstr("create.cfg:2:10: error: "));
    EXPECT_LE(std::ranges::count(text, '\n'), 3);
}

TEST(Create, TheCommandLineIsChecked) {
    EXPECT_THAT(complaint(file_with("name='x'\ntype='pvh'\nkernel='/k'\n"), "memory=?"), HasSubstr("command line:1:8: error: "));
}

TEST(Create, NoFile) { EXPECT_EQ(complaint("/nowhere/x.cfg"), "error: can't read /nowhere/x.cfg: No such file or directory\n"); }

}  // namespace
}  // namespace px::xl
