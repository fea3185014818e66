// What the debug keys print.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/debug_keys.hpp"

#include <sstream>

#include "hypervisor/console/console.hpp"
#include "hypervisor/console/input.hpp"
#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

class DebugKeysTest : public World {
protected:
    static void SetUpTestSuite() { register_debug_keys(); }

    static std::string answer(char key) {
        const LogThresholds host = console_levels(false), guest = console_levels(true);
        console_set_levels({LogLevel::error, LogLevel::error}, guest);
        u64 at = console_ring_head();
        run_debug_key(key);
        console_set_levels(host, guest);
        std::string text(65536, '\0');
        text.resize(console_ring_read(&at, text));
        return text;
    }
    /// The lines `PX-COUNT name value`, as tests/boot/test_leaks.py reads them.
    static std::map<std::string, u64> counts() {
        std::map<std::string, u64> found;
        std::istringstream lines(answer('m'));
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line.substr(line.find("PX-COUNT")));
            std::string mark, name, rest;
            u64 value = 0;
            EXPECT_TRUE(words >> mark >> name >> value) << line;
            EXPECT_FALSE(words >> rest) << line;
            EXPECT_TRUE(found.emplace(name, value).second) << name << " twice";
        }
        return found;
    }
};

TEST_F(DebugKeysTest, CountsWhatADomainHas) {
    const auto before = counts();
    Domain& domain = make_domain(7, 2);
    Domain& other = make_domain(8);
    const EvtPort port = *domain.events.alloc_unbound(other.id);
    ASSERT_TRUE(other.events.bind_interdomain(domain, port).ok());
    const auto with = counts();
    EXPECT_EQ(with.at("domains"), before.at("domains") + 2);
    EXPECT_EQ(with.at("event-ports"), before.at("event-ports") + 2);
    EXPECT_EQ(with.at("px::DomainBox"), 2u);
    EXPECT_EQ(with.at("px::Vcpu"), 3u);
    EXPECT_LT(with.at("free-frames"), before.at("free-frames"));
    kill(7);
    kill(8);
    auto after = counts();
    for (const auto& [name, value] : after) EXPECT_EQ(value, before.contains(name) ? before.at(name) : 0) << name;
}

TEST_F(DebugKeysTest, AnswersWhateverTheLogsLevelIs) {
    make_domain(7, 2);
    EXPECT_THAT(answer('q'), ::testing::HasSubstr("domain 7: 64 of at most 4096 frames"));
    EXPECT_THAT(answer('q'), ::testing::HasSubstr("  vCPU 1 on CPU"));
    EXPECT_THAT(answer('g'), ::testing::HasSubstr("domain 7: grant table version 1"));
    EXPECT_THAT(answer('r'), ::testing::HasSubstr("scheduler credit2"));
    EXPECT_THAT(answer('h'), ::testing::HasSubstr("'m': counts of what is in use"));
    EXPECT_THAT(answer('~'), ::testing::HasSubstr("no debug key '~'"));
}

}  // namespace
}  // namespace px
