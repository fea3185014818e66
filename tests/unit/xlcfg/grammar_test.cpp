// The grammar of xl.cfg: what each form means, as a table.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "libxlcfg/load.hpp"
#include "libxlcfg/parser.hpp"
#include "libxlcfg/reader.hpp"

namespace px::xlcfg {
namespace {

// One notation for values: "text", number, [ … ].
std::string show(const Value& value) {
    if (value.kind == Value::Kind::number) return value.text;
    if (value.kind == Value::Kind::string) return '"' + value.text + '"';
    std::string all = "[";
    for (const Value& item : value.items) all += (all.size() > 1 ? "," : "") + show(item);
    return all + "]";
}

std::string meaning(std::string_view text) {
    Sources sources;
    Diagnostics out;
    Document document;
    parse(sources, sources.add("t", std::string(text)), document, out);
    std::string all;
    for (const Setting& setting : document.settings) all += (all.empty() ? "" : " ") + setting.key + "=" + show(setting.value);
    for (const Diagnostic& diagnostic : out.all()) all += " !" + diagnostic.message;
    return all;
}

struct Case {
    std::string_view text;
    std::string_view meaning;
};

constexpr Case cases[] = {
    {"", ""},
    {"\n\n  \t\n;;;\n", ""},
    {"# only a comment, without an end of line", ""},
    {"a=1", "a=1"},
    {"a = 1\n", "a=1"},
    {"a=1;b=2", "a=1 b=2"},
    {"a=1 ; b=2 ;\n", "a=1 b=2"},
    {"a=1\r\nb=2\r\n", "a=1 b=2"},
    {"a=1\r", "a=1"},
    {"\xef\xbb\xbf"
     "a=1",
     "a=1"},
    {"a.b_9=1", "a.b_9=1"},
    {"a=\"x\"", "a=\"x\""},
    {"a='x'", "a=\"x\""},
    {"a=''", "a=\"\""},
    {"a='say \"hi\"'", "a=\"say \"hi\"\""},
    {"a=\"it's\"", "a=\"it's\""},
    {"a='# ; = no comment'", "a=\"# ; = no comment\""},
    {"a='x' # comment 'y'\nb=1", "a=\"x\" b=1"},
    {R"(a="\\\"\'")", R"(a="\"'")"},
    {R"(a='\a\b\f\n\r\t\v')", "a=\"\a\b\f\n\r\t\v\""},
    {R"(a="\x41\x7e")", "a=\"A~\""},
    {R"(a="\x4g")", "a=\"\x04g\""},
    {R"(a="\101\60\0601")", "a=\"A001\""},
    {"a='\xc3\xa9'", "a=\"\xc3\xa9\""},
    {"a=0x1F", "a=0x1F"},
    {"a=010", "a=010"},
    {"a=-3600", "a=-3600"},
    {"a=12ab", "a=12ab"},
    {"a=[]", "a=[]"},
    {"a=[1]", "a=[1]"},
    {"a=[1,]", "a=[1]"},
    {"a=['x',\"y\",3]", "a=[\"x\",\"y\",3]"},
    {"a=[\n 'x',  # one\n # none\n\n 'y'\n,\n 'z'\n]\nb=1", "a=[\"x\",\"y\",\"z\"] b=1"},
    {"a=[ [1,2], [], [[3]], ]", "a=[[1,2],[],[[3]]]"},
    {"a=1\na=2", "a=2 !'a' is set again"},
    {"a='x'\na+='y'", "a=\"xy\""},
    {"a='x' ; a += \"y\" ; a += 1", "a=\"xy1\""},
    {"a=[1]\na+=[2,3]", "a=[1,2,3]"},
    {"a+=[1]", "a=[1]"},
    {"a+='x'", "a=\"x\""},
    {"a=[1]\na+='x'", "a=[1] !'+=' can't join a string to 'a', which is a list"},
};

TEST(Grammar, Meaning) {
    for (const Case& test : cases) EXPECT_EQ(meaning(test.text), test.meaning) << "of: " << test.text;
}

TEST(Grammar, EveryPartOfAStringKnowsItsPlace) {
    Sources sources;
    Diagnostics out;
    Document document;
    parse(sources, sources.add("t", "a = 'x\\ty'\n\n  a += \"z\""), document, out);
    const Value& value = document.find("a")->value;
    ASSERT_EQ(value.text, "x\tyz");
    const auto place = [&](std::size_t at) { return sources.place(value.part(at, 1).span.begin); };
    EXPECT_EQ(place(0).column, 6u);
    EXPECT_EQ(place(1).column, 7u);  // the escape's backslash
    EXPECT_EQ(place(2).column, 9u);
    EXPECT_EQ(place(3).line, 3u);
    EXPECT_EQ(place(3).column, 9u);
}

TEST(Grammar, LaterSourcesAddAndReplaceWithoutComplaint) {
    Sources sources;
    Diagnostics out;
    Document document;
    parse(sources, sources.add("guest.cfg", "extra='a'\nmemory=1"), document, out);
    parse(sources, sources.add("command line", "extra+=' b';memory=2"), document, out);
    EXPECT_EQ(out.all().size(), 0u);
    EXPECT_EQ(document.find("extra")->value.text, "a b");
    EXPECT_EQ(document.find("memory")->value.text, "2");
    EXPECT_EQ(sources.place(document.find("memory")->value.span.begin).file, "command line");
}

TEST(Grammar, DepthAndSizeAreBounded) {
    EXPECT_EQ(meaning("a=" + std::string(max_list_depth, '[') + std::string(max_list_depth, ']')).find('!'), std::string::npos);
    EXPECT_NE(meaning("a=" + std::string(max_list_depth + 1, '[') + std::string(max_list_depth + 1, ']')).find("nested too deeply"),
              std::string::npos);
    EXPECT_NE(meaning("a=" + std::string(100000, '[')).find("nested too deeply"), std::string::npos);
    Sources sources;
    EXPECT_EQ(sources.add("t", std::string(Sources::max_size + 1, ' ')), 0u);
    std::string many;
    for (int i = 0; i < 3000; ++i) many += "k" + std::to_string(i) + "=1\n";
    EXPECT_NE(meaning(many).find("too many settings"), std::string::npos);
}

TEST(Grammar, ABinaryFileMakesABoundedNumberOfDiagnostics) {
    Sources sources;
    Diagnostics out;
    Document document;
    std::string garbage;
    for (int i = 0; i < 100000; ++i) garbage += "\xff\n";
    parse(sources, sources.add("t", garbage), document, out);
    EXPECT_EQ(out.errors(), Diagnostics::max_kept);
}

struct NumberCase {
    std::string_view text;
    std::optional<std::int64_t> number;
};

TEST(Grammar, Numbers) {
    constexpr NumberCase numbers[] = {
        {"0", 0},
        {"42", 42},
        {"-1", -1},
        {"0x10", 16},
        {"0XfF", 255},
        {"010", 8},
        {"-010", -8},
        {"08", {}},
        {"12ab", {}},
        {"0x", {}},
        {"", {}},
        {"-", {}},
        {" 1", {}},
        {"1 ", {}},
        {"--1", {}},
        {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
        {"9223372036854775808", {}},
        {"99999999999999999999999", {}},
    };
    for (const NumberCase& test : numbers) EXPECT_EQ(parse_number(test.text), test.number) << test.text;
}

TEST(Format, ShowsFileLineColumnSourceAndCaret) {
    Sources sources;
    Diagnostics out;
    const Position base = sources.add("guest.cfg", "name='x'\n\tkey = 'v\xc3\xa9', 2\n");
    Document document;
    parse(sources, base, document, out);
    ASSERT_EQ(out.all().size(), 1u);
    EXPECT_EQ(format(out.all()[0], sources),
              "guest.cfg:2:12: error: unexpected ',' after the value of 'key'\n"
              "    2 | \tkey = 'v\xc3\xa9', 2\n"
              "      | \t          ^\n"
              "      = several values go in a list: [ …, … ]\n");
    EXPECT_EQ(format({Severity::warning, {}, "no file", "none"}, sources), "warning: no file\n    = none\n");
}

TEST(Format, AReportIsWholeForOneAndALineEachForSeveral) {
    const auto reported = [](const char* text) {
        Sources sources;
        Diagnostics out;
        (void)load(sources, "guest.cfg", text, out);
        return report(out, sources, "guest.cfg");
    };
    constexpr const char* rest = "name='x'; type='pvh'; kernel='/k'\n";
    EXPECT_EQ(reported(rest), "");
    EXPECT_EQ(reported((rest + std::string("initrd = '/i'\n")).c_str()),
              "guest.cfg:2:1: error: unknown key 'initrd'\n"
              "    2 | initrd = '/i'\n"
              "      | ^~~~~~\n"
              "      = did you mean 'ramdisk'?\n");
    EXPECT_EQ(reported((rest + std::string("initrd = '/i'\nvcpus = []\n")).c_str()),
              "guest.cfg:2:1: error: unknown key 'initrd'; did you mean 'ramdisk'?\n"
              "guest.cfg:3:9: error: 'vcpus' takes one value, not a list; leave out the brackets\n"
              "2 errors; 'xl check guest.cfg' shows each in its line\n");
}

TEST(Format, AReportOfManyIsShort) {
    Sources sources;
    Diagnostics out;
    for (int i = 0; i < 500; ++i) out.error({}, "wrong");
    const std::string text = report(out, sources, "f");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11);
    EXPECT_NE(text.find("500 errors"), std::string::npos);
}

TEST(Format, TheSinkSeesEachDiagnosticAtOnce) {
    std::vector<std::string> seen;
    Diagnostics out([&](const Diagnostic& diagnostic) { seen.push_back(diagnostic.message); });
    out.error({}, "one");
    out.warning({}, "two");
    EXPECT_EQ(seen, (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(out.errors(), 1u);
    EXPECT_EQ(out.warnings(), 1u);
}

}  // namespace
}  // namespace px::xlcfg
