// Results: values, errors, and the ways out.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace px {
namespace {

Result<int> half(int value) {
    REQUIRE(value % 2 == 0, einval);
    return value / 2;
}
Result<int> quarter(int value) { return half(TRY(half(value))); }
Result<> check(int value) {
    (void)TRY(quarter(value));
    return {};
}

TEST(Result, CarriesAValueOrAnError) {
    EXPECT_EQ(*half(8), 4);
    EXPECT_EQ(half(7).error(), Errno::einval);
    EXPECT_EQ(half(7).value_or(-1), -1);
    EXPECT_EQ(half(8).value_or(-1), 4);
}
TEST(Result, TryReturnsTheError) {
    EXPECT_EQ(*quarter(8), 2);
    EXPECT_EQ(quarter(6).error(), Errno::einval);
    EXPECT_TRUE(check(4).ok());
    EXPECT_EQ(check(2).error(), Errno::einval);
}
TEST(Result, ObjectsAreCopiedMovedAndDestroyed) {
    const std::string text(100, 'x');  // on the heap: the sanitizer sees a lost or doubled destructor
    Result<std::string, std::string> a = text;
    Result<std::string, std::string> b = Err{std::string(100, 'e')};
    Result<std::string, std::string> c = a;
    a = b;
    EXPECT_FALSE(a.ok());
    b = std::move(c);
    EXPECT_EQ(*b, text);
    b = *&b;
    EXPECT_EQ(*b, text);
}
Result<std::unique_ptr<int>> made() { return std::make_unique<int>(3); }
Result<int> taken() { return *TRY(made()); }
TEST(Result, MovesWhatCannotBeCopied) { EXPECT_EQ(*taken(), 3); }

}  // namespace
}  // namespace px
