// The consoles of all domains: they come and go with the domains that the store announces.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "toolstack/call/domain_info.hpp"
#include "toolstack/call/event_channels.hpp"
#include "toolstack/call/grant_device.hpp"
#include "toolstack/daemon/event_loop.hpp"
#include "toolstack/daemon/log.hpp"
#include "toolstack/store/client.hpp"
#include "toolstack/xenconsoled/console_ring.hpp"
#include "toolstack/xenconsoled/log_file.hpp"
#include "toolstack/xenconsoled/options.hpp"
#include "toolstack/xenconsoled/pty.hpp"
#include "toolstack/xenconsoled/throttle.hpp"

namespace px::console {

/// Where the store has our ends of channels, by guest and number.
inline constexpr std::string_view channels_directory = "/local/domain/0/backend/console";

class Service {
public:
    static call::Outcome<std::unique_ptr<Service>> create(const Options& options, daemon::EventLoop& loop, daemon::Log& log);

    /// How long the loop may sleep before tick() is due, in ms; -1: for ever.
    int sleep_ms() const;
    /// Lets consoles on again that were held back.
    void tick();
    /// Opens all logs again.
    void reopen_logs();

private:
    using Key = std::pair<DomId, unsigned>;
    struct Console {
        DomId domain;
        unsigned number = 0;  // 0: the console that every guest has; the others are channels
        std::string path;     // the guest's end in the store
        std::string back;     // our end; only of channels
        u64 ring_frame = 0;
        u32 remote_port = 0;
        call::Mapping page{};
        std::optional<EvtPort> port{};
        std::optional<Pty> pty{};
        std::optional<LogFile> log{};
        Throttle throttle{};
        bool held_back = false;

        Key key() const { return {domain, number}; }
        ConsoleRing ring() const { return ConsoleRing(*page.as<abi::XenconsInterface>()); }
    };

    Service(const Options& options, daemon::EventLoop& loop, daemon::Log& log, store::Client store, call::EventChannels events,
            call::Privcmd privcmd)
        : options_(options), loop_(loop), log_(log), store_(std::move(store)), events_(std::move(events)), privcmd_(std::move(privcmd)) {}

    call::Outcome<> start();
    call::Outcome<> start_hypervisor_log();
    void drain_store_events();
    void on_event();
    void update_domains();
    void add(DomId domain);
    void remove(Console& console);
    void update_channel(const std::string& changed_path);
    call::Outcome<> connect_channel(Console& channel);
    call::Outcome<> let_go(Console& channel);
    call::Outcome<bool> is_wanted(const Console& channel);
    call::Outcome<> connect(Console& console);
    call::Outcome<> make_terminal(Console& console);
    call::Outcome<> say_terminal(const Console& console);
    call::Outcome<call::Mapping> map_ring(DomId domain, Gfn frame);
    void take_output(Console& console);
    void give_input(Console& console);
    void wait_for(Console& console);
    void read_hypervisor_log();
    void complain(const call::Outcome<>& result) {
        if (!result.ok()) log_.line(result.error().text);
    }

    Options options_;
    daemon::EventLoop& loop_;
    daemon::Log& log_;
    store::Client store_;
    call::EventChannels events_;
    call::Privcmd privcmd_;
    std::optional<call::GrantDevice> grants_;
    std::map<Key, Console> consoles_;
    std::optional<EvtPort> hypervisor_port_;
    std::optional<LogFile> hypervisor_log_;
    call::HypercallBuffer hypervisor_text_;
    u32 hypervisor_index_ = 0;
};

}  // namespace px::console
