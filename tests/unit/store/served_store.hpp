// A store behind a real socket, served by a thread: for tests of clients.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/unit/store/harness.hpp"
#include "toolstack/store/client.hpp"
#include "toolstack/xenstored/socket_server.hpp"

namespace px::store {

class ServedStore : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/px-store-XXXXXX";
        directory = mkdtemp(name);
        unsetenv("XENSTORED_PATH");
        setenv("XENSTORED_RUNDIR", directory.c_str(), 1);
        ASSERT_TRUE(server.listen(directory).ok());
        thread = std::thread([this] {
            while (!done) {
                loop.run_once(20);
                for (auto ready = store.take_ready(); !ready.empty(); ready = store.take_ready()) {
                    for (ConnectionId id : ready) {
                        if (store.is_connected(id)) server.flush(id);
                    }
                }
            }
        });
    }
    void TearDown() override {
        done = true;
        thread.join();
        std::filesystem::remove_all(directory);
        unsetenv("XENSTORED_RUNDIR");
    }
    static Client open() {
        auto client = Client::open(Client::Via::socket);
        EXPECT_TRUE(client.ok());
        return std::move(*client);
    }

    static daemon::EventLoop make_loop() {
        auto made = daemon::EventLoop::create();
        EXPECT_TRUE(made.ok());
        return std::move(*made);
    }

    std::string directory;
    FakeHost host;
    Store store{host};
    daemon::EventLoop loop = make_loop();
    xenstored::SocketServer server{store, loop};
    std::atomic<bool> done = false;
    std::thread thread;
};

}  // namespace px::store
