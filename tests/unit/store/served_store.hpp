// xenstored itself, on a directory of its own and without domains: for tests of clients.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/unit/store/harness.hpp"
#include "toolstack/store/client.hpp"

namespace px::store {

class ServedStore : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/px-store-XXXXXX";
        directory = mkdtemp(name);
        unsetenv("XENSTORED_PATH");
        setenv("XENSTORED_RUNDIR", directory.c_str(), 1);
        start();
    }
    void TearDown() override {
        stop();
        std::filesystem::remove_all(directory);
        unsetenv("XENSTORED_RUNDIR");
    }
    void start() {
        holder = fork();
        if (holder == 0) {
            execl(PX_XENSTORED, "xenstored", "-N", "--no-domains", "--pid-file", pid_file().c_str(), nullptr);
            _exit(127);
        }
        for (int tries = 0; tries < 1000 && !Client::open(Client::Via::socket).ok(); ++tries)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    /// Ends the holder, and its worker with it; 0 if it has ended well.
    int stop(int with = SIGTERM) {
        int status = 0;
        kill(holder, with);
        waitpid(holder, &status, 0);
        return status;
    }
    /// The process that serves.
    pid_t worker() const {
        pid_t number = 0;
        std::ifstream(pid_file()) >> number;
        return number;
    }
    std::string pid_file() const { return directory + "/pid"; }
    static Client open() {
        auto client = Client::open(Client::Via::socket);
        EXPECT_TRUE(client.ok());
        return std::move(*client);
    }

    std::string directory;
    pid_t holder = 0;
};

}  // namespace px::store
