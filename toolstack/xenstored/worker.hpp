// The process that serves: recovers what its predecessor left, then one turn after the other.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/xenstored/domain_server.hpp"
#include "toolstack/xenstored/socket_server.hpp"

namespace px::xenstored {

class Worker {
public:
    struct Setup {
        std::string journal;               ///< its file
        int link = worker_link_fd;         ///< to the holder
        Hypervisor* hypervisor = nullptr;  ///< null: no domains are served
        bool local_ring = true;            ///< serve this kernel's own ring
        store::Quotas quotas{};            ///< of a store that begins; one that goes on has its own
        Ledger::Log log;
        usize journal_slack = 1 << 20;  ///< see Ledger::tidy()
    };

    explicit Worker(Setup setup);
    /// Takes up what there was; everybody is served as before afterwards, in turns. Error: the journal or a
    /// device can't be used.
    call::Outcome<> start(daemon::EventLoop& loop);
    /// Waits for something to do, and does it. Error: serving can't go on in this process; a successor may
    /// fare better.
    call::Outcome<> turn(daemon::EventLoop& loop);
    Ledger& ledger() { return ledger_; }

private:
    call::Outcome<> flush();

    Setup setup_;
    std::optional<DomainServer> domains_;
    Ledger ledger_;
    std::optional<SocketServer> sockets_;
};

}  // namespace px::xenstored
