// The half of xenstored that lives on: it has the sockets, and starts a worker whenever there is none.
//
// It never reads what clients send, and knows nothing of the store: it accepts connections, hands them to the
// worker, and keeps a copy of each until the worker says that its client is gone. So there is little in it
// that could fail.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "toolstack/xenstored/holder_link.hpp"

namespace px::xenstored {

class Holder {
public:
    using Log = std::function<void(std::string_view)>;
    /// Starts a worker whose end of the link is the given descriptor; returns its process number.
    using Spawn = std::function<call::Outcome<pid_t>(int link)>;

    static call::Outcome<Holder> create(const std::string& directory, Spawn spawn, Log log);
    Holder(Holder&&) = default;
    Holder& operator=(Holder&&) = delete;

    /// Holds until it is asked to end (SIGTERM, SIGINT, SIGHUP) or the worker ends by its own will. `ready`
    /// is called when the first worker serves. Error: the first worker could not begin, and said why.
    call::Outcome<> run(const std::function<void()>& ready);

private:
    struct Listener {
        call::Fd fd;
        std::string path;
        bool writable;
    };
    struct Client {
        call::Fd fd;
        bool writable;
    };

    Holder(Spawn spawn, Log log) : spawn_(std::move(spawn)), log_(std::move(log)) {}
    call::Outcome<> lock(const std::string& path);
    call::Outcome<> listen(const std::string& path, bool writable);
    call::Outcome<> start_worker();
    void accept_from(const Listener& listener);
    void hear_worker(const std::function<void()>& ready);
    void tell_worker();
    call::Outcome<bool> on_signal();
    call::Outcome<bool> worker_ended(int status);
    bool has_room() const;

    Spawn spawn_;
    Log log_;
    call::Fd lock_;  // the worker has it too: whoever gets it knows that both are gone
    call::Fd signals_;
    std::vector<Listener> listeners_;
    std::map<u64, Client> clients_;
    u64 own_number_ = 0, last_number_ = 0;

    pid_t worker_ = 0;
    call::Fd link_;
    u64 told_ = 0;  // the worker knows of the clients up to this number
    bool hello_said_ = false, complete_said_ = false;
    bool worker_ready_ = false, was_ready_ = false;
    unsigned failures_ = 0;  // of workers in a row
    bool ending_ = false;
};

/// Starts `program` with `arguments`, the link as its descriptor `worker_link_fd`. It ends when this process
/// does.
call::Outcome<pid_t> start_program(const std::string& program, const std::vector<std::string>& arguments, int link);

}  // namespace px::xenstored
