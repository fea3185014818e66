// Fuzzes the store through its wire: bytes of several clients, dom0 and guests, as they could arrive.
//
// The input is a list of commands: a byte that picks a client (or an end of a domain), a length byte, so many bytes for
// that client's inbox; header fields come from the input too, with their type and length folded into what is legal most
// of the time so that the fuzzer gets past the framing. After each input the accounts must agree with the tree.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "toolstack/store/store.hpp"

namespace px::store {
namespace {

class QuietHost : public Host {
public:
    Result<> attach(DomId, Gfn, EvtPort, ConnectionId) override { return {}; }
    void detach(DomId) override {}
    void log(std::string_view) override {}
};

class Bytes {
public:
    explicit Bytes(std::span<const u8> data) : data_(data) {}
    bool empty() const { return data_.empty(); }
    u8 byte() { return empty() ? u8{0} : take(1)[0]; }
    std::span<const u8> take(usize count) {
        auto taken = data_.first(std::min(count, data_.size()));
        data_ = data_.subspan(taken.size());
        return taken;
    }

private:
    std::span<const u8> data_;
};

/// A message with any type, a small transaction number, and a payload as long as it says.
std::string message_from(Bytes& input) {
    auto type = static_cast<MessageType>(input.byte() % (message_type_limit + 2));
    u32 transaction = input.byte() % 4;
    auto payload = input.take(input.byte());
    std::string text(payload.begin(), payload.end());
    std::replace(text.begin(), text.end(), '|', '\0');
    return encode(type, 1, transaction, text);
}

void run(std::span<const u8> data) {
    QuietHost host;
    Quotas quotas;
    quotas.set(Quota::entries, 20);
    quotas.set(Quota::queued, 4096);
    Store store(host, quotas);
    std::array<ConnectionId, 4> clients{store.connect_socket(true), store.connect_socket(false), store.connect_domain(DomId{1}),
                                        store.connect_domain(DomId{2})};
    std::array<Inbox, 4> inboxes;
    Bytes input(data);
    for (unsigned steps = 0; !input.empty() && steps < 200; ++steps) {
        u8 command = input.byte();
        unsigned who = command & 3;
        if (command >= 0xfc) {
            store.update_domains(
                [&](DomId domain) { return domain == DomId{u16(1 + (command & 1))} ? DomainState::gone : DomainState::shut_down; });
        }
        if (!store.is_connected(clients[who])) {  // a domain that ended; the next one has its number
            clients[who] = who < 2 ? store.connect_socket(who == 0) : store.connect_domain(DomId{u16(who - 1)});
            inboxes[who] = {};
        }
        std::string bytes = message_from(input);
        inboxes[who].append(bytes);
        for (Message message; store.is_connected(clients[who]);) {
            auto whole = inboxes[who].next(message);
            if (!whole.ok() || !*whole) break;
            store.receive(clients[who], message);
        }
        for (ConnectionId id : store.take_ready()) {
            if (!store.is_connected(id)) continue;
            Outbox& outbox = store.outbox(id);
            while (!(command & 0x40) && !outbox.empty()) outbox.consume(outbox.front().size());
        }
    }
    if (auto fault = store.check()) {
        std::fprintf(stderr, "%s\n", fault->c_str());
        std::abort();
    }
}

}  // namespace
}  // namespace px::store

extern "C" int LLVMFuzzerTestOneInput(const px::u8* data, px::usize size) {
    px::store::run({data, size});
    return 0;
}
