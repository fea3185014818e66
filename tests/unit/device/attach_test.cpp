// Plugging devices in and out, against a store and a back end that does what Linux's do.
//
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "tests/unit/store/served_store.hpp"
#include "toolstack/device/disk.hpp"
#include "toolstack/device/hotplug.hpp"

namespace px::device {
namespace {

using store::Client;
using ::testing::HasSubstr;

constexpr const char* back = "/local/domain/0/backend/vbd/5/51712";
constexpr const char* front = "/local/domain/5/device/vbd/51712";

/// A back end's driver for that one device.
class BackEnd {
public:
    enum class Guest : u8 { obeys, holds_on };
    BackEnd(Client client, Guest guest) : client_(std::move(client)), guest_(guest), thread_([this] { run(); }) {}
    ~BackEnd() {
        done_ = true;
        thread_.join();
    }

private:
    std::string value(const char* end, const char* node) { return value_of(client_, std::string(end) + "/" + node).value_or(""); }
    void set_state(const char* state) { EXPECT_TRUE(client_.write(std::string(back) + "/state", state).ok()); }

    void run() {
        EXPECT_TRUE(client_.watch(back, "b").ok() && client_.watch(front, "f").ok());
        while (!done_) {
            if (!client_.next_event(20).value_or(std::nullopt)) continue;
            const std::string state = value(back, "state");
            const bool guest_lets_go = guest_ == Guest::obeys || value(front, "state").empty();
            if (state == "1") set_state("2");
            if (state == "5" && value(back, "online") == "0" && guest_lets_go) set_state("6");
        }
    }

    Client client_;
    Guest guest_;
    std::atomic<bool> done_ = false;
    std::thread thread_;
};

class Attach : public store::ServedStore {
protected:
    void SetUp() override {
        ServedStore::SetUp();
        setenv("XEN_RUN_DIR", directory.c_str(), 1);
        for (const char* home : {"/local/domain/5", "/libxl/5"}) ASSERT_TRUE(client().make_directory(home).ok());
    }
    void TearDown() override {
        client_.reset();
        unsetenv("XEN_RUN_DIR");
        ServedStore::TearDown();
    }
    Client& client() {
        if (!client_) client_.emplace(open());
        return *client_;
    }
    /// A script of these lines; what it does is logged.
    std::string script(const std::string& lines) {
        const std::string path = directory + "/script";
        std::ofstream(path) << "#!/bin/sh\necho \"$* $XENBUS_PATH $XENBUS_TYPE\" >> " << directory << "/log\n" << lines << "\n";
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        return path;
    }
    std::string log() {
        std::ostringstream text;
        text << std::ifstream(directory + "/log").rdbuf();
        return text.str();
    }
    NewDevice disk(const std::string& with_script) {
        return {{Kind::vbd, DomId{5}, 51712}, {{"virtual-device", "51712"}}, {{"params", "/img"}, {"mode", "w"}}, with_script};
    }
    void expect_nothing_left() {
        for (const std::string& path : {std::string(back), std::string(front), disk("").device.record()}) {
            EXPECT_EQ(client().read(path).error().code, ENOENT) << path;
        }
    }

    std::optional<Client> client_;
};

TEST_F(Attach, BothEndsAndTheScriptAndBackAgain) {
    BackEnd driver(open(), BackEnd::Guest::obeys);
    const NewDevice wanted = disk(script(""));
    ASSERT_TRUE(attach(client(), wanted).ok());
    EXPECT_EQ(value_of(client(), std::string(back) + "/state").value_or(""), "2");
    EXPECT_EQ(value_of(client(), std::string(back) + "/frontend").value_or(""), front);
    EXPECT_EQ(value_of(client(), std::string(front) + "/backend").value_or(""), back);
    EXPECT_EQ(client().permissions(front)->front().domain, DomId{5});
    EXPECT_EQ(log(), std::string("add ") + back + " vbd\n");
    EXPECT_EQ(devices_of(client(), DomId{5}, Kind::vbd)->size(), 1u);
    EXPECT_EQ(attach(client(), wanted).error().code, EEXIST);

    ASSERT_TRUE(detach(client(), wanted.device, Force::none).ok());
    EXPECT_THAT(log(), HasSubstr(std::string("remove ") + back));
    expect_nothing_left();
    EXPECT_TRUE(devices_of(client(), DomId{5}, Kind::vbd)->empty());
}

TEST_F(Attach, AFailingScriptLeavesNothing) {
    BackEnd driver(open(), BackEnd::Guest::obeys);
    const auto done = attach(client(), disk(script("echo 'no loop device is free' >&2; exit 3")));
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().text, HasSubstr("no loop device is free"));
    expect_nothing_left();
}

TEST_F(Attach, AScriptThatHangsIsKilledWithItsChildren) {
    const NewDevice wanted = disk(script("sleep 1000"));
    ASSERT_TRUE(client().make_directory(back).ok());
    const auto done = run_script(client(), wanted.device, wanted.script, Plug::in, 1);
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, ETIMEDOUT);
}

TEST_F(Attach, AMissingScriptIsNamed) {
    BackEnd driver(open(), BackEnd::Guest::obeys);
    EXPECT_THAT(attach(client(), disk("/nowhere/block")).error().text, HasSubstr("/nowhere/block: No such file"));
    expect_nothing_left();
}

TEST_F(Attach, AGuestThatHoldsOnKeepsItUnlessForced) {
    BackEnd driver(open(), BackEnd::Guest::holds_on);
    const NewDevice wanted = disk(script(""));
    ASSERT_TRUE(attach(client(), wanted).ok());
    const auto refused = detach(client(), wanted.device, Force::none, std::chrono::milliseconds(100));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, EBUSY);
    EXPECT_TRUE(client().read(front).ok());
    EXPECT_TRUE(detach(client(), wanted.device, Force::at_once).ok());
    expect_nothing_left();
}

TEST_F(Attach, TwoGuestsDontWriteToOneDisk) {
    ASSERT_TRUE(client().write("/local/domain/0/backend/vbd/4/51712/params", "/img").ok());
    ASSERT_TRUE(client().write("/local/domain/0/backend/vbd/4/51712/mode", "r").ok());
    NewDevice wanted = disk("");
    EXPECT_THAT(refuse_shared(client(), wanted).error().text, HasSubstr("/img is a disk of domain 4 already"));
    wanted.back = {{"params", "/img"}, {"mode", "r"}};
    EXPECT_TRUE(refuse_shared(client(), wanted).ok());
    wanted.back = {{"params", "/other"}, {"mode", "w"}};
    EXPECT_TRUE(refuse_shared(client(), wanted).ok());
}

}  // namespace
}  // namespace px::device
