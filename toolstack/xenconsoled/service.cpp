// The consoles of all domains.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenconsoled/service.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace px::console {

using call::failure;
using call::Mapping;
using call::Outcome;

namespace {

constexpr GrantRef reserved_grant{0};  // GNTTAB_RESERVED_CONSOLE [xen/public grant_table.h]
constexpr usize hypervisor_chunk = 16 * 1024;
constexpr std::string_view domains_token = "domains", channels_token = "channels";

u64 now_ms() {
    auto since = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<u64>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

Outcome<u64> read_number(store::Client& store, const std::string& path) {
    std::string text = TRY(store.read(path));
    u64 number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return failure(EINVAL, path + " is '" + text + "'");
    return number;
}

}  // namespace

Outcome<std::unique_ptr<Service>> Service::create(const Options& options, daemon::EventLoop& loop, daemon::Log& log) {
    auto events = TRY(call::EventChannels::open());
    auto privcmd = TRY(call::Privcmd::open());
    auto store = TRY(store::Client::open());
    std::unique_ptr<Service> service(new Service(options, loop, log, std::move(store), std::move(events), std::move(privcmd)));
    TRY(service->start());
    return service;
}

Outcome<> Service::start() {
    auto grants = call::GrantDevice::open();
    if (grants.ok()) grants_ = std::move(*grants);
    TRY(loop_.add(events_.fd(), EPOLLIN, [this](u32) { on_event(); }));
    TRY(loop_.add(store_.fd(), EPOLLIN, [this](u32) { drain_store_events(); }));
    if (options_.log_hypervisor) complain(start_hypervisor_log());
    TRY(store_.watch("@introduceDomain", domains_token));
    TRY(store_.watch("@releaseDomain", domains_token));
    TRY(store_.watch(channels_directory, channels_token));
    drain_store_events();
    return {};
}

void Service::drain_store_events() {
    for (;;) {
        auto event = store_.next_event();
        if (!event.ok()) {
            log_.line("lost the store: " + event.error().text);
            _exit(1);  // nothing works without it; the service manager starts both again
        }
        if (!*event) return;
        if ((*event)->token == domains_token) {
            update_domains();
        } else if ((*event)->token == channels_token) {
            update_channel((*event)->path);
        } else if ((*event)->token.starts_with(channels_directory)) {
            update_channel((*event)->token);  // the guest's end changed; the token names ours
        } else if (auto domain = store::parse_domain((*event)->token)) {
            if (auto found = consoles_.find({*domain, 0}); found != consoles_.end()) complain(connect(found->second));
        }
    }
}

void Service::update_domains() {
    auto domains = call::list_domains(privcmd_, DomId{1});
    if (!domains.ok()) return log_.line(domains.error().text);
    std::map<DomId, bool> alive;
    for (const auto& info : *domains) {
        if (!(info.flags & abi::dominf::dying)) alive[DomId{info.domain}] = true;
    }
    for (auto entry = consoles_.begin(); entry != consoles_.end();) {
        Console& console = (entry++)->second;
        if (!alive.contains(console.domain)) remove(console);
    }
    for (auto [domain, yes] : alive) {
        if (!consoles_.contains({domain, 0})) add(domain);
    }
}

void Service::add(DomId domain) {
    std::string number = std::to_string(domain.raw), path = "/local/domain/" + number + "/console";
    auto watched = store_.watch(path, number);  // its first event connects the console
    if (!watched.ok()) return log_.line(watched.error().text);
    consoles_.emplace(Key{domain, 0}, Console{.domain = domain, .number = 0, .path = path, .back = {}});
    if (options_.verbose) log_.line("domain " + number + " is new");
}

void Service::remove(Console& console) {
    if (console.page) take_output(console);  // its last words
    auto unwatched = store_.unwatch(console.path, console.number == 0 ? std::to_string(console.domain.raw) : console.back);
    if (!unwatched.ok()) log_.line(unwatched.error().text);
    if (console.port) static_cast<void>(events_.unbind(*console.port).ok());  // the domain may have closed it first
    if (console.pty) loop_.remove(console.pty->fd());
    if (options_.verbose) log_.line("domain " + std::to_string(console.domain.raw) + " is gone");
    consoles_.erase(console.key());
}

Outcome<Mapping> Service::map_ring(DomId domain, Gfn frame) {
    if (grants_) {
        auto granted = grants_->map(domain, std::span(&reserved_grant, 1));
        if (granted.ok()) return granted;
    }
    return privcmd_.map_foreign(domain, std::span(&frame, 1));
}

/// Follows what the store says of the console; nothing to do until it says all of it, or when nothing changed.
Outcome<> Service::connect(Console& console) {
    auto type = TRY(store_.read_optional(console.path + "/type"));
    if (type && *type != "xenconsoled") return {};  // a device model serves it
    auto frame = read_number(store_, console.path + "/ring-ref"), port = read_number(store_, console.path + "/port");
    if (!frame.ok() || !port.ok()) return {};
    if (console.port && *frame == console.ring_frame && *port == console.remote_port) return {};

    if (!console.page || *frame != console.ring_frame) console.page = TRY(map_ring(console.domain, Gfn{*frame}));
    if (console.port) static_cast<void>(events_.unbind(*console.port).ok());
    console.port.reset();
    console.port = TRY(events_.bind_interdomain(console.domain, EvtPort{static_cast<u32>(*port)}));
    console.ring_frame = *frame;
    console.remote_port = static_cast<u32>(*port);
    if (!console.pty) TRY(make_terminal(console));
    take_output(console);
    return {};
}

Outcome<> Service::make_terminal(Console& console) {
    if (options_.log_guests && console.number == 0) {
        auto name = TRY(store_.read_optional("/local/domain/" + std::to_string(console.domain.raw) + "/name"));
        std::string file = name && !name->empty() ? *name : "domain-" + std::to_string(console.domain.raw);
        std::ranges::replace(file, '/', '_');
        LogPolicy policy = options_.policy;
        policy.timestamps = options_.stamp_guests;
        auto log = LogFile::open(options_.log_directory + "/guest-" + file + ".log", policy);
        if (log.ok()) console.log = std::move(*log);
        else log_.line(log.error().text);
    }
    console.pty = TRY(Pty::open(options_.keep_output));
    TRY(loop_.add(console.pty->fd(), EPOLLIN, [this, key = console.key()](u32 events) {
        Console& here = consoles_.at(key);
        if (events & EPOLLOUT) here.pty->flush();
        if (events & EPOLLIN) give_input(here);
        wait_for(here);
    }));
    return say_terminal(console);
}

/// Where its name is asked for; nowhere if the toolstack removes the domain meanwhile: a write would make its tree anew.
Outcome<> Service::say_terminal(const Console& console) {
    const std::string home = console.number == 0 ? console.path : console.back;
    const std::string proof = home + (console.number == 0 ? "/ring-ref" : "/frontend");
    return store_.transact([&](u32 transaction) -> Outcome<> {
        if (!TRY(store_.read_optional(proof, transaction))) return {};
        return store_.write(home + "/tty", console.pty->name(), transaction);
    });
}

void Service::take_output(Console& console) {
    std::string text;
    if (console.ring().take(text)) {
        if (console.log) console.log->append(text, std::time(nullptr));
        if (console.pty) console.pty->write(text);
        if (console.port) complain(events_.notify(*console.port));
    }
    if (console.pty) wait_for(console);
}

void Service::give_input(Console& console) {
    if (!console.page) return;  // a channel between two connections
    usize room = console.ring().room();
    if (room == 0) return;
    std::string typed = console.pty->read(room);
    if (typed.empty()) return;
    console.ring().give(typed);
    complain(events_.notify(*console.port));
}

/// Waits for the terminal as far as there is something to write to it, or room for what it has to say.
void Service::wait_for(Console& console) {
    u32 wanted = (console.pty->has_output() ? u32{EPOLLOUT} : 0u) | (console.page && console.ring().room() ? u32{EPOLLIN} : 0u);
    loop_.change(console.pty->fd(), wanted);
}

void Service::on_event() {
    auto port = events_.pending();
    if (!port.ok()) return log_.line(port.error().text);
    if (!*port) return;
    if (*port == hypervisor_port_) {
        read_hypervisor_log();
        return complain(events_.unmask(**port));
    }
    for (auto& [key, console] : consoles_) {
        if (console.port != *port) continue;
        take_output(console);
        console.held_back = !console.throttle.count(now_ms());
        if (!console.held_back) complain(events_.unmask(**port));
        return;
    }
}

int Service::sleep_ms() const {
    u64 now = now_ms();
    int sleep = -1;
    for (const auto& [key, console] : consoles_) {
        if (!console.held_back) continue;
        u64 until = console.throttle.resume_ms();
        int wait = until > now ? static_cast<int>(until - now) : 0;
        sleep = sleep < 0 ? wait : std::min(sleep, wait);
    }
    return sleep;
}

void Service::tick() {
    u64 now = now_ms();
    for (auto& [key, console] : consoles_) {
        if (!console.held_back || now < console.throttle.resume_ms()) continue;
        console.held_back = false;
        take_output(console);
        complain(events_.unmask(*console.port));
    }
}

Outcome<> Service::start_hypervisor_log() {
    LogPolicy policy = options_.policy;
    policy.timestamps = options_.stamp_hypervisor;
    hypervisor_log_ = TRY(LogFile::open(options_.log_directory + "/hypervisor.log", policy));
    hypervisor_text_ = TRY(privcmd_.buffer(hypervisor_chunk));
    read_hypervisor_log();
    hypervisor_port_ = TRY(events_.bind_virq(abi::Virq::con_ring));
    return {};
}

/// All that came since the last time.
void Service::read_hypervisor_log() {
    for (;;) {
        abi::Sysctl request{};
        request.cmd = static_cast<u32>(abi::SysctlCmd::readconsole);
        request.u.readconsole.incremental = 1;
        request.u.readconsole.index = hypervisor_index_;
        request.u.readconsole.buffer = hypervisor_text_.handle<char>();
        request.u.readconsole.count = static_cast<u32>(hypervisor_text_.size_bytes());
        auto done = privcmd_.sysctl(request, "can't read the hypervisor's log");
        if (!done.ok()) return log_.line(done.error().text);
        hypervisor_index_ = request.u.readconsole.index;
        u32 count = request.u.readconsole.count;
        if (count == 0) return;
        hypervisor_log_->append({hypervisor_text_.as<const char>(), count}, std::time(nullptr));
        if (count < hypervisor_text_.size_bytes()) return;
    }
}

void Service::reopen_logs() {
    if (hypervisor_log_) hypervisor_log_->reopen();
    for (auto& [key, console] : consoles_) {
        if (console.log) console.log->reopen();
    }
}

}  // namespace px::console
