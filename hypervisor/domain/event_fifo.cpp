// FIFO event channels.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/event_fifo.hpp"

#include "hypervisor/console/log.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/domain/event_upcall.hpp"

namespace px {
namespace {

constexpr u32 pending = 1u << abi::evtchn_fifo::pending_bit;
constexpr u32 masked = 1u << abi::evtchn_fifo::masked_bit;
constexpr u32 linked = 1u << abi::evtchn_fifo::linked_bit;
constexpr u32 busy = 1u << abi::evtchn_fifo::busy_bit;
/// How often a guest may change a word under our hands before it is asked to wait, and then before it loses the event.
constexpr unsigned patience = 4;

u32 load(const u32& word) { return __atomic_load_n(&word, __ATOMIC_SEQ_CST); }
u32 fetch_or(u32& word, u32 bits) { return __atomic_fetch_or(&word, bits, __ATOMIC_SEQ_CST); }
u32 fetch_clear(u32& word, u32 bits) { return __atomic_fetch_and(&word, ~bits, __ATOMIC_SEQ_CST); }

/// Enters `next` as the successor of a linked word. Nothing where the guest changed the word each time that we tried.
enum class Attempt : u8 { done, not_linked, changed };
Attempt try_link(u32& word, EvtPort next) {
    for (unsigned i = 0; i < patience; ++i) {
        u32 old = load(word);
        if ((old & linked) == 0) return Attempt::not_linked;
        const u32 wanted = (old & ~(busy | abi::evtchn_fifo::link_mask)) | next.raw;
        if (__atomic_compare_exchange_n(&word, &old, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) return Attempt::done;
    }
    return Attempt::changed;
}

}  // namespace

Result<Box<FifoEvents>> FifoEvents::create(Domain& domain) {
    Box<FifoEvents> fifo = TRY(make<FifoEvents>(domain));
    fifo->vcpus_ = TRY(HeapArray<VcpuQueues*>::create(domain.settings.max_vcpus));
    for (VcpuQueues*& vcpu : fifo->vcpus_) vcpu = TRY(make<VcpuQueues>()).release();
    return fifo;
}

FifoEvents::~FifoEvents() {
    for (VcpuQueues* vcpu : vcpus_) {
        if (vcpu != nullptr) HeapDelete<VcpuQueues>{}(vcpu);
    }
}

Result<> FifoEvents::add_control_block(Vcpu& vcpu, Gfn gfn, u32 offset) {
    REQUIRE(offset <= page_size - sizeof(abi::EvtchnFifoControlBlock) && offset % 8 == 0, einval);
    VcpuQueues& mine = *vcpus_[vcpu.id.raw];
    REQUIRE(mine.control.load(std::memory_order_relaxed) == nullptr, einval);
    auto named = domain_.physmap.get_frame(gfn, true);
    REQUIRE(named.ok(), einval);
    auto frame = WritableFrame::take(std::move(*named));
    REQUIRE(frame.ok(), einval);
    auto* const control = reinterpret_cast<abi::EvtchnFifoControlBlock*>(static_cast<char*>(frame->data()) + offset);
    mine.queues.unlocked().frame = std::move(*frame);
    mine.control.store(control, std::memory_order_release);
    return {};
}

Result<EvtPort> FifoEvents::add_words(Gfn gfn) {
    REQUIRE(frames_ < max_frames && frames_ * words_per_frame <= domain_.settings.max_event_port, enospc);
    auto named = domain_.physmap.get_frame(gfn, true);
    REQUIRE(named.ok(), einval);
    auto frame = WritableFrame::take(std::move(*named));
    REQUIRE(frame.ok(), einval);
    auto* const words = static_cast<u32*>(frame->data());
    word_frames_[frames_] = std::move(*frame);
    words_[frames_].store(words, std::memory_order_seq_cst);
    return EvtPort{frames_++ * words_per_frame};
}

bool FifoEvents::set_pending(Vcpu* vcpu, EvtPort port, EventChannel& channel) {
    u32* event = word(port);
    if (event == nullptr) {
        const bool before = channel.pending_early.exchange(true, std::memory_order_seq_cst);
        // The frame may have come meanwhile, and whoever brought it may have looked already.
        deliver_early(vcpu, port, channel);
        return !before;
    }
    const u32 before = fetch_or(*event, pending);
    if ((before & (masked | linked)) == 0 && vcpu != nullptr) link(*vcpu, port, channel, *event);
    return (before & pending) == 0;
}

void FifoEvents::deliver_early(Vcpu* vcpu, EvtPort port, EventChannel& channel) {
    if (word(port) == nullptr || !channel.pending_early.exchange(false, std::memory_order_seq_cst)) return;
    set_pending(vcpu, port, channel);
}

void FifoEvents::unmask(Vcpu* vcpu, EvtPort port, EventChannel& channel) {
    u32* const event = word(port);
    if (event == nullptr) return;
    const u32 before = fetch_clear(*event, masked);
    if ((before & pending) != 0 && (before & linked) == 0 && vcpu != nullptr) link(*vcpu, port, channel, *event);
}

bool FifoEvents::is_pending(EvtPort port, const EventChannel& channel) const {
    const u32* const event = word(port);
    return event != nullptr ? (load(*event) & pending) != 0 : channel.pending_early.load(std::memory_order_relaxed);
}

void FifoEvents::clear_pending(EvtPort port, EventChannel& channel) {
    channel.pending_early.store(false, std::memory_order_relaxed);
    // It stays in its queue: the guest takes it out, and ignores what isn't pending.
    if (u32* const event = word(port)) fetch_clear(*event, pending);
}

bool FifoEvents::is_busy(EvtPort port) const {
    const u32* const event = word(port);
    return event != nullptr && (load(*event) & linked) != 0;
}

/// Who sets LINKED puts the event into a queue. It is set under the lock of the queue that the event was in last: so that
/// this queue's tail doesn't go on naming an event that has moved to another queue.
void FifoEvents::link(Vcpu& vcpu, EvtPort port, EventChannel& channel, u32& event) {
    const QueueId target{vcpu.id.raw, channel.priority.load(std::memory_order_relaxed)};
    VcpuQueues& mine = *vcpus_[target.vcpu];
    abi::EvtchnFifoControlBlock* const control = mine.control.load(std::memory_order_acquire);
    if (control == nullptr) return;  // the guest has given none: its event stays pending
    bool first = false;
    for (bool placed = false; !placed;) {
        const u32 last = channel.queue.load(std::memory_order_acquire);
        const QueueId from = QueueId::unpack(last);
        {
            auto queues = vcpus_[from.vcpu]->queues.lock();
            if (channel.queue.load(std::memory_order_relaxed) != last) continue;  // moved while we waited
            if ((fetch_or(event, linked) & linked) != 0) return;
            if (queues->tail[from.priority] == port.raw) queues->tail[from.priority] = 0;
            channel.queue.store(target.pack(), std::memory_order_release);
            if (from.vcpu == target.vcpu) {
                first = append(mine, *queues, target.priority, port);
                placed = true;
            }
        }
        if (!placed) {
            auto queues = mine.queues.lock();
            first = append(mine, *queues, target.priority, port);
            placed = true;
        }
    }
    if (first && (fetch_or(control->ready, 1u << target.priority) >> target.priority & 1) == 0) raise_upcall(vcpu);
}

/// True where the queue was empty, so that its head names the event now.
bool FifoEvents::append(VcpuQueues& vcpu, Queues& queues, u8 priority, EvtPort port) {
    const EvtPort tail{std::exchange(queues.tail[priority], port.raw)};
    if (tail.raw != 0 && tail != port && link_behind(tail, port)) return false;
    __atomic_store_n(&vcpu.control.load(std::memory_order_relaxed)->head[priority], port.raw, __ATOMIC_SEQ_CST);
    return true;
}

/// False where the guest has taken `tail` out already, and thereby emptied the queue.
bool FifoEvents::link_behind(EvtPort tail, EvtPort port) {
    u32& event = *word(tail);
    Attempt attempt = try_link(event, port);
    if (attempt != Attempt::changed) return attempt == Attempt::done;
    fetch_or(event, busy);
    attempt = try_link(event, port);
    if (attempt == Attempt::done) return true;
    fetch_clear(event, busy);
    if (attempt == Attempt::not_linked) return false;
    guest_log(LogLevel::warning, "domain {}: port {} is changed all the time, its successor {} is lost", domain_.id, tail, port);
    return true;
}

}  // namespace px
