// Options of xl's commands.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/arguments.hpp"

#include <gtest/gtest.h>

namespace px::xl {
namespace {

constexpr Option options[] = {{'a', "all", "", ""}, {'q', "", "", ""}, {'n', "num", "NUMBER", ""}, {'\1', "json", "", ""}};

call::Outcome<Arguments> parse(std::vector<std::string> words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    return Arguments::parse(options, pointers);
}

TEST(Arguments, OptionsMayStandAnywhere) {
    const auto arguments = parse({"one", "-aq", "two", "-n", "5", "--json"});
    ASSERT_TRUE(arguments.ok());
    EXPECT_EQ(arguments->words(), (std::vector<std::string>{"one", "two"}));
    EXPECT_TRUE(arguments->has('a') && arguments->has('q') && arguments->has('\1'));
    EXPECT_EQ(arguments->value('n'), "5");
    EXPECT_FALSE(parse({"one"})->has('a'));
}

TEST(Arguments, AllFormsOfAValue) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"-n5"}, {"-n", "5"}, {"-an5"}, {"--num=5"}, {"--num", "5"}, {"-n", "4", "-n5"}}) {
        const auto arguments = parse(words);
        ASSERT_TRUE(arguments.ok());
        EXPECT_EQ(arguments->value('n'), "5");
        EXPECT_TRUE(arguments->words().empty());
    }
}

TEST(Arguments, DashesEndTheOptions) {
    const auto arguments = parse({"--", "-a", "-"});
    ASSERT_TRUE(arguments.ok());
    EXPECT_FALSE(arguments->has('a'));
    EXPECT_EQ(arguments->words(), (std::vector<std::string>{"-a", "-"}));
    EXPECT_EQ(parse({"-"})->word(0), "-");
}

TEST(Arguments, BadOnesAreNamed) {
    EXPECT_EQ(parse({"-z"}).error().text, "there is no option '-z'");
    EXPECT_EQ(parse({"--zz"}).error().text, "there is no option '--zz'");
    EXPECT_EQ(parse({"-n"}).error().text, "option '-n' needs a value");
    EXPECT_EQ(parse({"--num"}).error().text, "option '--num' needs a value");
    EXPECT_EQ(parse({"--all=1"}).error().text, "option '--all' takes no value");
    EXPECT_FALSE(parse({"--="}).ok());
}

}  // namespace
}  // namespace px::xl
