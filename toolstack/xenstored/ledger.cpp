// The state with its journal: an input is written down, then acted upon.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/ledger.hpp"

namespace px::xenstored {

using call::Error;
using call::Outcome;
using store::ConnectionId;
using store::Decoder;
using store::Encoder;

namespace {

std::map<DomId, store::DomainState> read_domains(Decoder& in, usize bytes) {
    std::map<DomId, store::DomainState> states;
    for (usize left = bytes / (sizeof(u16) + sizeof(u8)); left != 0; --left) {
        DomId domain{in.number<u16>()};
        u8 state = in.number<u8>();
        if (state > static_cast<u8>(store::DomainState::gone)) in.fail();
        states[domain] = static_cast<store::DomainState>(state);
    }
    return states;
}

}  // namespace

Result<> apply(State& state, const Record& record) {
    Decoder in(record.payload);
    auto number = [&] { return in.number<u64>(); };
    auto connection = [&] { return ConnectionId{in.number<u32>()}; };
    auto domain = [&] { return DomId{in.number<u16>()}; };
    auto act = [&](auto&& action) -> Result<> {
        REQUIRE(in.finished(), einval);
        action();
        return {};
    };
    switch (record.kind) {
    case RecordKind::change_holder: {
        u64 holder = number();
        return act([&] { state.change_holder(holder); });
    }
    case RecordKind::connect: {
        u64 client = number();
        bool writable = in.number<u8>() != 0;
        return act([&] { state.connect(client, writable); });
    }
    case RecordKind::disconnect: {
        ConnectionId id = connection();
        return act([&] { state.disconnect(id); });
    }
    case RecordKind::receive: {
        ConnectionId id = connection();
        std::string_view bytes = in.rest();
        return act([&] { state.receive(id, bytes); });
    }
    case RecordKind::sent: {
        ConnectionId id = connection();
        u32 count = in.number<u32>();
        return act([&] { state.sent(id, count); });
    }
    case RecordKind::attach_local: {
        RingIndices indices{in.number<u32>(), in.number<u32>()};
        REQUIRE(!state.peers().contains(DomId{0}), einval);
        return act([&] { state.attach_local(indices); });
    }
    case RecordKind::reconnect: {
        DomId id = domain();
        return act([&] { state.reconnect(id); });
    }
    case RecordKind::realign: {
        DomId id = domain();
        RingIndices indices{in.number<u32>(), in.number<u32>()};
        return act([&] { state.realign(id, indices); });
    }
    case RecordKind::give_up: {
        DomId id = domain();
        auto error = static_cast<abi::XenstoreError>(in.number<u32>());
        return act([&] { state.give_up(id, error); });
    }
    case RecordKind::domains: {
        auto states = read_domains(in, record.payload.size());
        return act([&] { state.update_domains(states); });
    }
    default: return Err{Errno::einval};
    }
}

Outcome<> Ledger::open(store::Quotas quotas) {
    state_.emplace(static_cast<Outside&>(*this), quotas);
    journal_ = TRY(Journal::open(path_));
    if (journal_) return replay();
    journal_ = TRY(Journal::create(path_, state_->save()));
    return {};
}

Outcome<> Ledger::replay() {
    JournalReader reader(journal_->bytes());
    auto all = [&]() -> Outcome<> {
        auto wrong = [](std::string_view what) { return Err{Error{EBADMSG, std::string(what)}}; };
        TRY(reader.open());
        auto image = TRY(reader.next());
        if (!image || !state_->load(image->payload).ok()) return wrong("the image in its first record isn't one of a store");
        for (;;) {
            auto record = TRY(reader.next());
            if (!record) return {};
            if (!apply(*state_, *record).ok()) return wrong("a record doesn't follow from those before it");
        }
    };
    replayed_ = &reader;
    quiet_ = true;
    auto done = all();
    replayed_ = nullptr;
    quiet_ = false;
    if (done.ok()) return {};
    return Err{Error{done.error().code, "can't use the store's journal " + path_ + ": " + done.error().text}};
}

/// The answer of the journal, or, where it ends before, of the domain itself: then the process was killed
/// just here.
Result<RingIndices> Ledger::attach(DomId domain, Gfn ring, EvtPort port) {
    if (replayed_) {
        auto answer = replayed_->next();
        if (!answer.ok() || (*answer && (*answer)->kind != RecordKind::attached)) return Err{Errno::eio};
        if (*answer) {
            Decoder in((*answer)->payload);
            bool ok = in.number<u8>() != 0;
            RingIndices indices{in.number<u32>(), in.number<u32>()};
            REQUIRE(ok, einval);
            return indices;
        }
    }
    auto attached = rings_ ? rings_->attach(domain, ring, port) : Outcome<RingIndices>(RingIndices{});
    step();
    Encoder answer;
    answer.number(static_cast<u8>(attached.ok()));
    answer.number(attached.value_or({}).request);
    answer.number(attached.value_or({}).reply);
    journal_->append(RecordKind::attached, answer.bytes());
    if (attached.ok()) return *attached;
    log_("can't serve domain " + std::to_string(domain.raw) + ": " + attached.error().text);
    return Err{Errno::einval};
}

void Ledger::detach(DomId domain) {
    if (rings_) rings_->detach(domain);
}

void Ledger::log(std::string_view line) {
    if (!quiet_) log_(line);
}

Outcome<> Ledger::perform(RecordKind kind, const Encoder& payload) {
    TRY(journal_->make_room());
    journal_->append(kind, payload.bytes());
    if (!apply(*state_, {kind, payload.bytes()}).ok()) return call::failure(EINVAL, "a record of the store's journal");
    return {};
}

Outcome<bool> Ledger::receive(int fd, ConnectionId id) {
    TRY(journal_->make_room());
    auto bytes = journal_->receive(fd, id);
    if (!bytes) return true;
    state_->receive(id, *bytes);
    return !bytes->empty() && state_->clients().contains(id);
}

Outcome<bool> Ledger::flush(int fd, ConnectionId id) {
    store::Outbox& outbox = state_->store().outbox(id);
    while (!outbox.empty()) {
        TRY(journal_->make_room());
        auto count = journal_->send(fd, id, outbox.front());
        if (!count.ok()) return false;
        if (*count == 0) return true;
        state_->sent(id, *count);
    }
    return true;
}

Outcome<> Ledger::tidy(usize slack) {
    if (!journal_->is_long(slack)) return {};
    journal_ = TRY(Journal::create(path_, state_->save()));
    return {};
}

}  // namespace px::xenstored
