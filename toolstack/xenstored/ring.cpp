// One end of a domain's xenstore ring: bytes in, bytes out.
//
// Ordering: the guest's index is read with acquire before its bytes are, ours is written with release after
// ours are, so that neither side sees an index ahead of the bytes it stands for. Linux sends an event only
// when it saw that we had taken all (requests), or that the ring was full (replies). So after moving our
// index we look at the guest's once more, with a full barrier between: either it sees our index and sends an
// event, or we see its. Hence: try until there is nothing to do.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/ring.hpp"

#include <cstring>

namespace px::xenstored {

namespace {

constexpr u32 ring_size = abi::xenstore_ring_size;

u32 load(const u32& index) { return __atomic_load_n(&index, __ATOMIC_ACQUIRE); }
void publish(u32& index, u32 value) {
    __atomic_store_n(&index, value, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

}  // namespace

void Ring::connect() {
    page_.server_features = abi::xenstore_server_feature_reconnection | abi::xenstore_server_feature_error;
    publish(page_.error, static_cast<u32>(abi::XenstoreError::none));
    publish(page_.connection, static_cast<u32>(abi::XenstoreConnection::connected));
}

bool Ring::wants_reconnection() const { return load(page_.connection) == static_cast<u32>(abi::XenstoreConnection::reconnect); }

/// The guest waits for `connection` before it uses the indices, so that one is written last.
void Ring::reconnect() {
    page_.req_cons = page_.req_prod = page_.rsp_cons = page_.rsp_prod = 0;
    connect();
}

RingIndices Ring::indices() const { return {load(page_.req_cons), load(page_.rsp_prod)}; }

Result<u32> Ring::peek(store::Encoder& out) const {
    u32 producer = load(page_.req_prod), consumer = load(page_.req_cons);
    const u32 available = producer - consumer;
    REQUIRE(available <= ring_size, einval);
    while (consumer != producer) {
        u32 start = abi::mask_xenstore_idx(consumer);
        u32 run = std::min(producer - consumer, ring_size - start);
        out.raw({page_.req + start, run});
        consumer += run;
    }
    return available;
}

void Ring::set_taken(u32 index) { publish(page_.req_cons, index); }

Result<u32> Ring::send(std::string_view bytes) {
    u32 consumer = load(page_.rsp_cons), producer = load(page_.rsp_prod);
    REQUIRE(producer - consumer <= ring_size, einval);
    u32 sent = 0;
    while (sent < bytes.size() && producer - consumer < ring_size) {
        u32 start = abi::mask_xenstore_idx(producer);
        u32 room = std::min(ring_size - (producer - consumer), ring_size - start);
        u32 run = static_cast<u32>(std::min<usize>(room, bytes.size() - sent));
        std::memcpy(page_.rsp + start, bytes.data() + sent, run);
        sent += run;
        producer += run;
    }
    publish(page_.rsp_prod, producer);
    return sent;
}

void Ring::set_error(abi::XenstoreError error) { publish(page_.error, static_cast<u32>(error)); }

}  // namespace px::xenstored
