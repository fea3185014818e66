// Numbers, amounts of memory, ranges of CPUs.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/sizes.hpp"

#include <gtest/gtest.h>

#include "toolstack/xl/format.hpp"

namespace px::xl {
namespace {

TEST(Sizes, Units) {
    EXPECT_EQ(*parse_memory("512"), 512u * 1024);
    EXPECT_EQ(*parse_memory("512M"), 512u * 1024);
    EXPECT_EQ(*parse_memory("2g"), 2u * 1024 * 1024);
    EXPECT_EQ(*parse_memory("1t"), 1024u * 1024 * 1024);
    EXPECT_EQ(*parse_memory("4096k"), 4096u);
    EXPECT_EQ(*parse_memory("8192b"), 8u);
    for (const char* bad : {"", "m", "12x", "12mm", "-1", "1.5g", "99999999999999999999", "99999999t"})
        EXPECT_FALSE(parse_memory(bad).ok()) << bad;
}

TEST(Sizes, Numbers) {
    EXPECT_EQ(*parse_number("7", 7, "thing"), 7u);
    EXPECT_EQ(parse_number("8", 7, "thing").error().text, "'8' is no thing (a number up to 7)");
    EXPECT_FALSE(parse_number("7x", 9, "thing").ok());
}

TEST(Sizes, RangesOfCpus) {
    EXPECT_EQ(ranges({true, true}), "all");
    EXPECT_EQ(ranges({true, true, false, true}), "0-1,3");
    EXPECT_EQ(ranges({false, false}), "none");
}

}  // namespace
}  // namespace px::xl
