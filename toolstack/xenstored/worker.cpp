// The process that serves: recovers what its predecessor left, then one turn after the other.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/worker.hpp"

namespace px::xenstored {

using call::Outcome;

Worker::Worker(Setup setup) : setup_(std::move(setup)), ledger_(setup_.journal, setup_.log) {}

Outcome<> Worker::start(daemon::EventLoop& loop) {
    if (setup_.hypervisor) {
        domains_.emplace(loop, *setup_.hypervisor, setup_.log);
        ledger_.use(*domains_);
    }
    TRY(ledger_.open(setup_.quotas));
    if (domains_) TRY(domains_->serve(ledger_, setup_.local_ring));
    sockets_.emplace(loop, ledger_, setup_.link);
    TRY(sockets_->serve());
    TRY(flush());
    return send_message(setup_.link, {HolderMessage::ready});
}

Outcome<> Worker::turn(daemon::EventLoop& loop) {
    TRY(ledger_.tidy(setup_.journal_slack));
    loop.run_once(domains_ && domains_->has_backlog() ? 0 : -1);
    TRY(sockets_->failure());
    if (domains_) {
        TRY(domains_->failure());
        TRY(domains_->run_backlog());
    }
    return flush();
}

/// Sends what is owed, as far as it is taken.
Outcome<> Worker::flush() {
    store::Store& store = ledger_.state().store();
    for (auto ready = store.take_ready(); !ready.empty(); ready = store.take_ready()) {
        for (store::ConnectionId id : ready) {
            if (!store.is_connected(id)) continue;
            TRY(sockets_->flush(id));
            if (domains_ && store.is_connected(id)) TRY(domains_->flush(id));
        }
    }
    return {};
}

}  // namespace px::xenstored
