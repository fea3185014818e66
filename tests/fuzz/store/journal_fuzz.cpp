// Fuzzes the reader of xenstored's journal: a file that is anything, and records that are anything with the
// right checksums.
//
// The input's first byte chooses. Odd: the rest is a file. Even: the rest is a list of records (a byte for
// the kind, two for the length, the payload); the image among them is the input's too, or, if it isn't one,
// that of an empty store. What was accepted must keep its accounts, and can be saved and loaded again.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "toolstack/xenstored/ledger.hpp"

namespace px::xenstored {
namespace {

class Nobody : public Outside {
public:
    Result<RingIndices> attach(DomId domain, Gfn, EvtPort) override {
        REQUIRE(domain.raw % 2, esrch);
        return RingIndices{5, 7};
    }
    void detach(DomId) override {}
    void log(std::string_view) override {}
};

void must(bool condition) {
    if (!condition) std::abort();
}

/// The records of a file, as far as they are sound.
void read_file(std::string_view bytes) {
    JournalReader reader(bytes);
    if (!reader.open().ok()) return;
    for (;;) {
        auto record = reader.next();
        if (!record.ok() || !*record) return;
        must((*record)->payload.data() >= bytes.data() &&
             (*record)->payload.data() + (*record)->payload.size() <= bytes.data() + bytes.size());
    }
}

void act_upon(std::string_view bytes) {
    Nobody nobody;
    store::Decoder in(bytes);
    std::optional<State> state(std::in_place, nobody);
    if (!state->load(in.text()).ok()) state.emplace(nobody);
    while (!in.finished() && in.ok()) {
        auto kind = static_cast<RecordKind>(in.number<u8>() % 16);
        std::string_view rest = in.rest();
        store::Decoder record(rest);
        usize length = std::min<usize>(record.number<u16>(), rest.size() < 2 ? 0 : rest.size() - 2);
        std::string_view payload = rest.substr(std::min<usize>(2, rest.size()), length);
        if (!apply(*state, {kind, payload}).ok()) break;
        in = store::Decoder(rest.substr(std::min(rest.size(), length + 2)));
        for (store::ConnectionId id : state->store().take_ready()) {
            if (length % 3 == 0 && state->store().is_connected(id)) state->sent(id, state->store().outbox(id).size_bytes() / 2);
        }
    }
    must(!state->store().check());
    State again(nobody);
    std::string image = state->save();
    must(again.load(image).ok());
    must(again.save().size() == image.size());
}

}  // namespace
}  // namespace px::xenstored

extern "C" int LLVMFuzzerTestOneInput(const px::u8* data, px::usize size) {
    if (size == 0) return 0;
    std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] & 1) px::xenstored::read_file(rest);
    else px::xenstored::act_upon(rest);
    return 0;
}
