// Typed characters: who gets them.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/console/input.hpp"

#include <string>

#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

class InputTest : public World {
protected:
    void type(std::string_view text) {
        for (const char c : text) input.typed(c);
    }
    std::string taken(usize room = 4096) {
        std::string text(room, '\0');
        text.resize(input.read(text));
        return text;
    }
    ConsoleInput input;
};

constexpr std::string_view thrice = "\1\1\1";
unsigned key_runs = 0;

TEST_F(InputTest, GoesToTheHardwareDomain) {
    type("ls\n");
    EXPECT_EQ(taken(2), "ls");
    EXPECT_EQ(taken(), "\n");
    EXPECT_EQ(taken(), "");
}
TEST_F(InputTest, ThreeTimesCtrlASwitchesThereAndBack) {
    register_debug_key({'Q', "counts the tests that press it", [] { ++key_runs; }});
    key_runs = 0;
    type(thrice);
    type("Q");
    EXPECT_EQ(key_runs, 1u);
    EXPECT_EQ(taken(), "");
    type(thrice);
    type("Q");
    EXPECT_EQ(key_runs, 1u);
    EXPECT_EQ(taken(), "Q");
}
TEST_F(InputTest, AnotherLetterSwitchesWhereOneWasChosen) {
    register_debug_key({'R', "counts as well", [] { ++key_runs; }});
    key_runs = 0;
    input.set_switch('b', true);
    type("R");
    EXPECT_EQ(key_runs, 1u) << "the hypervisor has the input first";
    type("\2\2\2");
    type(thrice);
    type("R");
    EXPECT_EQ(key_runs, 1u);
    EXPECT_EQ(taken(), std::string(thrice) + "R");
}
TEST_F(InputTest, FewerOfThemAreForTheHardwareDomain) {
    // Ctrl-A means something to shells and to screen.
    type("a\1b\1\1c");
    EXPECT_EQ(taken(), "a\1b\1\1c");
    type("\1\1x\1");
    type(thrice.substr(1));
    EXPECT_EQ(taken(), "\1\1x") << "and the last three switched";
}
TEST_F(InputTest, AFullQueueDropsWhatIsNew) {
    type(std::string(1024, 'o') + "new");
    EXPECT_EQ(taken(), std::string(1024, 'o'));
    type("later");
    EXPECT_EQ(taken(), "later");
}
TEST_F(InputTest, UnknownKeysHarmNobody) {
    type(thrice);
    for (unsigned c = 0; c < 256; ++c) {
        if (c != 1) input.typed(static_cast<char>(c));
    }
    EXPECT_EQ(taken(), "");
}

}  // namespace
}  // namespace px
