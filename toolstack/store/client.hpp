// A client of a running xenstored: by its socket, or through the kernel from a domain without one.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "toolstack/call/error.hpp"
#include "toolstack/call/handle.hpp"
#include "toolstack/store/permissions.hpp"
#include "toolstack/store/wire.hpp"

namespace px::store {

struct WatchEvent {
    std::string path;
    std::string token;
};

/// One request at a time, each waits for its reply; events that arrive meanwhile are kept. `transaction` 0: none.
/// An Error's code is the protocol's errno: ENOENT, EACCES, EAGAIN, …
class Client {
public:
    enum class Via : u8 { socket, kernel, either };
    /// Connects to $XENSTORED_PATH or $XENSTORED_RUNDIR/socket or /run/xenstored/socket, else opens /dev/xen/xenbus.
    static call::Outcome<Client> open(Via via = Via::either);

    call::Outcome<std::string> read(std::string_view path, u32 transaction = 0);
    /// Nothing when there is no such node.
    call::Outcome<std::optional<std::string>> read_optional(std::string_view path, u32 transaction = 0);
    call::Outcome<> write(std::string_view path, std::string_view value, u32 transaction = 0);
    call::Outcome<> make_directory(std::string_view path, u32 transaction = 0);
    call::Outcome<> remove(std::string_view path, u32 transaction = 0);
    /// The names of the children, however many.
    call::Outcome<std::vector<std::string>> list(std::string_view path, u32 transaction = 0);
    call::Outcome<Permissions> permissions(std::string_view path, u32 transaction = 0);
    call::Outcome<> set_permissions(std::string_view path, const Permissions& permissions, u32 transaction = 0);

    call::Outcome<u32> start_transaction();
    /// False when it must be done again, since somebody else changed what it used.
    call::Outcome<bool> end_transaction(u32 transaction, bool commit);
    /// Runs `body(transaction) → Outcome<>` until it could be committed, or failed.
    template <class Body>
    call::Outcome<> transact(Body&& body);

    call::Outcome<> watch(std::string_view path, std::string_view token);
    call::Outcome<> unwatch(std::string_view path, std::string_view token);
    /// Readable when an event may have arrived; ask next_event() until it has nothing more.
    int fd() const { return fd_.get(); }
    /// The next event; waits for it at most `timeout_ms` (0: not at all, -1: for ever).
    call::Outcome<std::optional<WatchEvent>> next_event(int timeout_ms = 0);

    /// Any request: its reply's payload.
    call::Outcome<std::string> request(MessageType type, std::string_view payload, u32 transaction = 0);

private:
    explicit Client(call::Fd fd) : fd_(std::move(fd)) {}
    call::Outcome<std::string> on_path(MessageType type, const char* verb, std::string_view path, std::string_view rest, u32 transaction);
    call::Outcome<> receive_some();

    call::Fd fd_;
    Inbox inbox_;
    std::deque<WatchEvent> events_;
    u32 last_request_ = 0;
};

template <class Body>
call::Outcome<> Client::transact(Body&& body) {
    for (;;) {
        u32 transaction = TRY(start_transaction());
        call::Outcome<> done = body(transaction);
        if (!done.ok()) {
            auto aborted = end_transaction(transaction, false);  // the first error is the one to report
            static_cast<void>(aborted.ok());
            return done;
        }
        if (TRY(end_transaction(transaction, true))) return {};
    }
}

}  // namespace px::store
