// The state with its journal: an input is written down, then acted upon.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/xenstored/journal.hpp"

namespace px::xenstored {

/// Acts upon a record other than an image or an answer. Error einval: its payload is malformed, or it can't
/// be the next one.
Result<> apply(State& state, const Record& record);

/// Who has the rings of the domains.
class Rings {
public:
    virtual ~Rings() = default;
    virtual call::Outcome<RingIndices> attach(DomId domain, Gfn ring, EvtPort port) = 0;
    virtual void detach(DomId domain) = 0;
};

class Ledger : private Outside {
public:
    using Log = std::function<void(std::string_view)>;

    /// The journal is the file `path`.
    Ledger(std::string path, Log log) : path_(std::move(path)), log_(std::move(log)) {}
    /// Without rings, domains are known, and have none. Before open().
    void use(Rings& rings) { rings_ = &rings; }

    /// Goes on with the journal that is there, or begins one with an empty store. Error: the journal can't be
    /// used.
    call::Outcome<> open(store::Quotas quotas);
    State& state() { return *state_; }

    // Each of these fails only when there is no room for the journal; nothing has happened then.
    call::Outcome<> perform(RecordKind kind, const store::Encoder& payload);
    /// Takes what the socket has. Returns whether the client is still there.
    call::Outcome<bool> receive(int fd, store::ConnectionId id);
    /// Sends what the outbox of `id` holds, as far as the socket takes it. Returns whether the client is
    /// still there.
    call::Outcome<bool> flush(int fd, store::ConnectionId id);
    /// Begins a new file if this one has grown by `slack`, and by as much again as it began with. Not within
    /// an input.
    call::Outcome<> tidy(usize slack);

private:
    Result<RingIndices> attach(DomId domain, Gfn ring, EvtPort port) override;
    void detach(DomId domain) override;
    void log(std::string_view line) override;
    call::Outcome<> replay();

    std::string path_;
    Rings* rings_ = nullptr;
    Log log_;
    std::optional<State> state_;
    std::optional<Journal> journal_;
    JournalReader* replayed_ = nullptr;  // while the journal is read
    bool quiet_ = false;                 // while what happens was logged before
};

}  // namespace px::xenstored
