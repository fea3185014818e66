// Comparison of our ABI headers with Debian's libxen-dev: same.hpp, and what can be compared at run time only.
//
//   SAME_BITS(Ours, theirs, field)              a bit-field, inside a TEST
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/abi/same.hpp"

#define SAME_BITS(Ours, theirs, field)                                                                \
    do {                                                                                              \
        static_assert(sizeof(px::abi::Ours) == sizeof(theirs));                                       \
        px::abi::Ours ours_value;                                                                     \
        theirs theirs_value;                                                                          \
        std::memset(&ours_value, 0, sizeof ours_value);                                               \
        std::memset(&theirs_value, 0, sizeof theirs_value);                                           \
        ours_value.field -= 1;                                                                        \
        theirs_value.field -= 1;                                                                      \
        EXPECT_EQ(0, std::memcmp(&ours_value, &theirs_value, sizeof ours_value)) << #Ours "." #field; \
    } while (false)
