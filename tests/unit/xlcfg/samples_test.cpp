// Whole files: the forms that documents show parse without an error, and their meaning survives the way through JSON.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/unit/xlcfg/helpers.hpp"

namespace px::xlcfg {
namespace {

std::vector<std::string> samples() {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(PX_SAMPLES)) paths.push_back(entry.path());
    return paths;
}

class Sample : public testing::TestWithParam<std::string> {
protected:
    Options options_{Severity::error, true};
};

TEST_P(Sample, HasNoErrors) {
    Diagnostics reading;
    const auto text = read_file(GetParam(), reading);
    ASSERT_TRUE(text.has_value());
    Loaded loaded(*text, options_);
    EXPECT_EQ(loaded.out.errors(), 0u) << loaded.complaints();
}

TEST_P(Sample, SurvivesJsonAndBack) {
    Diagnostics reading;
    Loaded loaded(read_file(GetParam(), reading).value_or(""), options_);
    const Json first = to_json(loaded.config);
    EXPECT_GE(first.size(), 5u);

    Sources sources;
    Diagnostics out;
    const DomainConfig again = from_json(sources, "again", Json::parse(first.dump()), out, options_);
    EXPECT_EQ(out.errors(), 0u);
    for (const Diagnostic& diagnostic : out.all()) ADD_FAILURE() << format(diagnostic, sources);  // no deprecated form is left
    EXPECT_EQ(to_json(again).dump(1), first.dump(1));
    EXPECT_EQ(again.command_line(), loaded.config.command_line());
    EXPECT_EQ(again.maxmem_kib(), loaded.config.maxmem_kib());
}

INSTANTIATE_TEST_SUITE_P(Files, Sample, testing::ValuesIn(samples()), [](const auto& info) {
    std::string name = std::filesystem::path(info.param).stem();
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST(Json, EscapesWhatTextNeeds) {
    Loaded loaded(minimal(R"(extra='a"b\\c\x01\n\'d')"));
    ASSERT_EQ(loaded.out.errors(), 0u) << loaded.complaints();
    const auto text = to_xlcfg(to_json(loaded.config), loaded.out);
    ASSERT_TRUE(text.has_value());
    EXPECT_NE(text->find(R"(extra = "a\"b\\c\x01\x0a'd")"), std::string::npos) << *text;
    EXPECT_EQ(*Loaded(*text).config.boot.extra, "a\"b\\c\x01\n'd");
}

TEST(Json, SaysWhatXlCfgCannot) {
    constexpr std::string_view cases[] = {
        "[]",
        R"({"Name":"x"})",
        R"({"name":1.5})",
        R"({"vif":[{"bridge":"a,b"}]})",
        R"({"vif":[{"bridge":["a"]}]})",
        R"({"vif":[{"a,b":1}]})",
        R"({"vnuma":[[[["deep"]]]]})",
        R"({"name":"a\u0000b"})",
    };
    for (std::string_view json : cases) {
        Diagnostics out;
        EXPECT_FALSE(to_xlcfg(Json::parse(json), out).has_value()) << json;
        EXPECT_GE(out.errors(), 1u) << json;
    }
}

TEST(Json, MistakesPointIntoTheGeneratedText) {
    Sources sources;
    Diagnostics out;
    from_json(sources, "guest.json", Json::parse(R"({"name":"x","type":"hvm","memroy":1})"), out);
    ASSERT_EQ(out.errors(), 1u);
    EXPECT_EQ(sources.place(out.all()[0].span.begin).line, 3u);
    EXPECT_EQ(out.all()[0].hint, "did you mean 'memory'?");
}

TEST(Check, PrintsDiagnosticsAndGivesTheExitCode) {
    const std::string fine = std::string(PX_SAMPLES) + "/pvh-linux.cfg";
    const std::string bad = testing::TempDir() + "/bad.cfg";
    std::ofstream(bad) << "name='x'\ninitrd='/i'\ntype='hvm'\n";
    std::ostringstream out;
    EXPECT_EQ(check(std::vector{fine}, out), 0);
    EXPECT_EQ(out.str(), fine + ": fine\n");
    out.str("");
    EXPECT_EQ(check(std::vector{bad, fine}, out), 1);
    EXPECT_EQ(out.str(), bad +
                             ":2:1: error: unknown key 'initrd'\n"
                             "    2 | initrd='/i'\n"
                             "      | ^~~~~~\n"
                             "      = did you mean 'ramdisk'?\n" +
                             fine + ": fine\n");
    out.str("");
    EXPECT_EQ(check(std::vector<std::string>{"/nonexistent/x.cfg"}, out), 1);
    EXPECT_EQ(out.str(), "error: can't read /nonexistent/x.cfg: No such file or directory\n");
    out.str("");
    EXPECT_EQ(check(std::vector<std::string>{"/"}, out), 1);
    EXPECT_EQ(out.str(), "error: can't read /: Is a directory\n");
    std::filesystem::remove(bad);
}

}  // namespace
}  // namespace px::xlcfg
