// A world around xenstored that outlives it: a holder in a process of its own, workers that die at a chosen
// step, rings in shared memory, and clients and guests that never learn of it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>

#include "toolstack/xenstored/holder.hpp"
#include "toolstack/xenstored/worker.hpp"

namespace px::xenstored::test {

inline constexpr usize domain_count = 4;  // 0 is dom0's own kernel

/// What the processes of a world share, behind the rings.
struct Shared {
    u32 pending;  // events to the worker: a bit per domain, and `changed`
    store::DomainState states[domain_count];
    u64 steps;      // that workers have made since the first one served
    u64 die_at;     // at this step, or
    u64 die_every;  // after so many of each worker's own
    u32 deaths;
};
inline constexpr u32 changed_bit = 31;

/// The edge of the hypervisor, in shared memory. As real ports do, events of a worker that died are lost.
class FakeHypervisor : public Hypervisor {
public:
    FakeHypervisor(Shared& shared, int memory, int event) : shared_(shared), memory_(memory), event_(event) {
        __atomic_store_n(&shared_.pending, 0, __ATOMIC_SEQ_CST);
    }
    call::Outcome<call::Mapping> map_ring(DomId domain, Gfn) override {
        if (domain.raw >= domain_count || shared_.states[domain.raw] == store::DomainState::gone)
            return call::failure(ESRCH, "no such domain");
        void* page = mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_, static_cast<off_t>(domain.raw * page_size));
        return call::Mapping(page, page_size);
    }
    call::Outcome<LocalRing> local_ring() override { return LocalRing{TRY(map_ring(DomId{0}, {})), EvtPort{7}}; }
    call::Outcome<EvtPort> bind(DomId domain, EvtPort) override { return EvtPort{100u + domain.raw}; }
    void unbind(EvtPort) override {}
    call::Outcome<> notify(EvtPort) override { return {}; }  // guests here look all the time
    int event_fd() const override { return event_; }
    call::Outcome<std::optional<EvtPort>> next_event() override {
        u32 pending = __atomic_load_n(&shared_.pending, __ATOMIC_SEQ_CST);
        if (pending == 0) {
            u64 count;
            if (read(event_, &count, sizeof count) < 0) return std::optional<EvtPort>{};
            pending = __atomic_load_n(&shared_.pending, __ATOMIC_SEQ_CST);
            u64 one = 1;
            if (pending == 0 || write(event_, &one, sizeof one) < 0) return std::optional<EvtPort>{};
        }
        u32 bit = static_cast<u32>(__builtin_ctz(pending));
        __atomic_fetch_and(&shared_.pending, ~(1u << bit), __ATOMIC_SEQ_CST);
        return std::optional(EvtPort{100 + bit});
    }
    EvtPort domain_changed() const override { return EvtPort{100 + changed_bit}; }
    call::Outcome<store::DomainState> state_of(DomId domain) override { return shared_.states[domain.raw]; }

private:
    Shared& shared_;
    int memory_;
    int event_;
};

inline Shared* steps_of = nullptr;
inline u64 own_steps = 0;

inline void count_step() {
    u64 step = ++steps_of->steps;
    ++own_steps;
    if (step == steps_of->die_at || (steps_of->die_every != 0 && own_steps == steps_of->die_every)) {
        ++steps_of->deaths;
        raise(SIGKILL);
    }
}

class World {
public:
    World(u64 die_at, u64 die_every, usize slack) : slack_(slack) {
        static_assert(sizeof(abi::XenstoreDomainInterface) <= page_size);
        char name[] = "/tmp/px-recovery-XXXXXX";
        directory_ = mkdtemp(name);
        memory_ = call::Fd{memfd_create("rings", 0)};
        const usize bytes = (domain_count + 1) * page_size;
        EXPECT_EQ(ftruncate(memory_.get(), static_cast<off_t>(bytes)), 0);
        pages_ = call::Mapping(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0), bytes);
        event_ = call::Fd{eventfd(0, EFD_NONBLOCK)};
        shared().die_at = die_at;
        shared().die_every = die_every;
        start_holder();
    }
    ~World() {
        kill(holder_, SIGTERM);
        waitpid(holder_, nullptr, 0);
        std::filesystem::remove_all(directory_);
    }

    Shared& shared() { return *reinterpret_cast<Shared*>(pages_.as<char>() + domain_count * page_size); }
    abi::XenstoreDomainInterface& ring(u16 domain) {
        return *reinterpret_cast<abi::XenstoreDomainInterface*>(pages_.as<char>() + domain * page_size);
    }
    void tell_worker(u32 bit) {
        __atomic_fetch_or(&shared().pending, 1u << bit, __ATOMIC_SEQ_CST);
        u64 one = 1;
        EXPECT_EQ(write(event_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
    }
    const std::string& directory() const { return directory_; }

private:
    void start_holder() {
        int ready[2];
        EXPECT_EQ(pipe(ready), 0);
        holder_ = fork();
        if (holder_ == 0) {
            hold(ready[1]);
            _exit(1);
        }
        close(ready[1]);
        char byte;
        EXPECT_EQ(read(ready[0], &byte, 1), 1) << "the first worker serves";
        close(ready[0]);
    }
    void hold(int ready) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        auto quiet = [](std::string_view) {};
        auto holder = Holder::create(
            directory_, [this](int link) { return start_worker(link); }, quiet);
        if (!holder.ok()) return;
        auto done = holder->run([&] { static_cast<void>(!write(ready, "+", 1)); });
        _exit(done.ok() ? 0 : 1);
    }
    call::Outcome<pid_t> start_worker(int link) {
        bool first = std::exchange(first_, false);
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            signal(SIGTERM, SIG_DFL);
            sigset_t none;
            sigemptyset(&none);
            sigprocmask(SIG_SETMASK, &none, nullptr);
            work(link, first);
            _exit(1);
        }
        return child;
    }
    void work(int link, bool first) {
        steps_of = &shared();
        own_steps = 0;
        if (!first) step_hook = count_step;
        FakeHypervisor hypervisor(shared(), memory_.get(), event_.get());
        auto loop = daemon::EventLoop::create();
        auto complain = [](std::string_view line) { std::fprintf(stderr, "worker: %.*s\n", static_cast<int>(line.size()), line.data()); };
        auto log = [&](std::string_view line) {
            if (getenv("PX_LOUD")) complain(line);
        };
        Worker worker({directory_ + "/journal", link, &hypervisor, true, {}, log, slack_});
        auto done = worker.start(*loop);
        step_hook = count_step;
        while (done.ok()) done = worker.turn(*loop);
        complain(done.error().text);
    }

    usize slack_;
    std::string directory_;
    call::Fd memory_, event_;
    call::Mapping pages_;
    pid_t holder_ = 0;
    bool first_ = true;  // in the holder's process
};

/// Somebody who talks to the store and notes all that it says.
class Party {
public:
    virtual ~Party() = default;
    /// Sends the bytes, and waits until `replies` more replies have come.
    void exchange(const std::string& bytes, unsigned replies) {
        for (usize sent = 0; sent < bytes.size() || replies_ < replies;) {
            ASSERT_LT(++idle_, 20000u) << "no answer";
            if (sent < bytes.size()) sent += send(std::string_view(bytes).substr(sent));
            take();
        }
        replies_ -= replies;
    }
    std::string ask(store::MessageType type, std::string text, u32 transaction = 0) {
        std::replace(text.begin(), text.end(), '|', '\0');
        exchange(store::encode(type, ++requests_, transaction, text), 1);
        return last_;
    }
    /// Takes what is there by now.
    void listen() { take(); }
    const std::string& heard() const { return heard_; }

protected:
    virtual usize send(std::string_view bytes) = 0;
    virtual std::string receive() = 0;

private:
    void take() {
        std::string bytes = receive();
        if (!bytes.empty()) idle_ = 0;
        inbox_.append(bytes);
        for (store::Message message; inbox_.next(message).value_or(false);) {
            const bool event = message.header.type == store::MessageType::watch_event;
            std::string text = message.payload;
            std::replace(text.begin(), text.end(), '\0', '|');
            heard_ += (event                                              ? "event "
                       : message.header.type == store::MessageType::error ? "error "
                                                                          : "reply ") +
                      std::to_string(message.header.request) + " " + text + "\n";
            if (!event) {
                ++replies_;
                last_ = text;
            }
        }
    }

    store::Inbox inbox_;
    std::string heard_, last_;
    unsigned replies_ = 0, idle_ = 0;
    u32 requests_ = 0;
};

class SocketParty : public Party {
public:
    explicit SocketParty(World& world, const char* name = "/socket") {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (world.directory() + name).copy(address.sun_path, sizeof address.sun_path - 1);
        fd_ = call::Fd{socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)};
        EXPECT_EQ(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    bool is_closed() {
        pollfd wait{fd_.get(), POLLIN, 0};
        char byte;
        return poll(&wait, 1, 5000) == 1 && read(fd_.get(), &byte, 1) == 0;
    }
    int fd() const { return fd_.get(); }

protected:
    usize send(std::string_view bytes) override {
        return static_cast<usize>(std::max<ssize_t>(write(fd_.get(), bytes.data(), bytes.size()), 0));
    }
    std::string receive() override {
        pollfd wait{fd_.get(), POLLIN, 0};
        char bytes[512];
        ssize_t count = poll(&wait, 1, 1) == 1 ? read(fd_.get(), bytes, sizeof bytes) : 0;
        return std::string(bytes, static_cast<usize>(std::max<ssize_t>(count, 0)));
    }

private:
    call::Fd fd_;
};

/// A guest takes at most 100 bytes at a time, so that long replies need its ring several times over.
class GuestParty : public Party {
public:
    GuestParty(World& world, u16 domain) : world_(world), page_(world.ring(domain)), domain_(domain) {}
    bool asks_to_begin_anew() {
        page_.connection = static_cast<u32>(abi::XenstoreConnection::reconnect);
        world_.tell_worker(domain_);
        for (int left = 20000; left != 0; --left) {
            if (__atomic_load_n(&page_.connection, __ATOMIC_ACQUIRE) == static_cast<u32>(abi::XenstoreConnection::connected)) return true;
            usleep(500);
        }
        return false;
    }
    /// As firmware does before it hands over to a kernel.
    void clear_ring() { page_.req_cons = page_.req_prod = page_.rsp_cons = page_.rsp_prod = 0; }

protected:
    usize send(std::string_view bytes) override {
        u32 producer = page_.req_prod, consumer = __atomic_load_n(&page_.req_cons, __ATOMIC_ACQUIRE);
        usize count = std::min<usize>(bytes.size(), abi::xenstore_ring_size - (producer - consumer));
        for (usize i = 0; i < count; ++i) page_.req[abi::mask_xenstore_idx(producer + static_cast<u32>(i))] = bytes[i];
        __atomic_store_n(&page_.req_prod, producer + static_cast<u32>(count), __ATOMIC_SEQ_CST);
        if (count != 0) world_.tell_worker(domain_);
        return count;
    }
    std::string receive() override {
        u32 consumer = page_.rsp_cons, producer = __atomic_load_n(&page_.rsp_prod, __ATOMIC_SEQ_CST);
        std::string bytes;
        for (; consumer != producer && bytes.size() < 100; ++consumer) bytes += page_.rsp[abi::mask_xenstore_idx(consumer)];
        __atomic_store_n(&page_.rsp_cons, consumer, __ATOMIC_SEQ_CST);
        if (bytes.empty()) usleep(200);
        else world_.tell_worker(domain_);
        return bytes;
    }

private:
    World& world_;
    abi::XenstoreDomainInterface& page_;
    u16 domain_;
};

}  // namespace px::xenstored::test
