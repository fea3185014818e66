// A person at a domain's console: what `xl console` does.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenconsoled/attach.hpp"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>

namespace px::console {

using call::failure;
using call::Fd;
using call::Outcome;

namespace {

/// Raw mode for as long as this lives, if `fd` is a terminal.
class RawMode {
public:
    explicit RawMode(int fd) : fd_(fd), terminal_(tcgetattr(fd, &before_) == 0) {
        if (!terminal_) return;
        termios raw = before_;
        cfmakeraw(&raw);
        tcsetattr(fd_, TCSANOW, &raw);  // not flushing: what the console said before is wanted
    }
    RawMode(const RawMode&) = delete;
    RawMode& operator=(const RawMode&) = delete;
    ~RawMode() {
        if (terminal_) tcsetattr(fd_, TCSADRAIN, &before_);
    }

private:
    int fd_;
    termios before_{};
    bool terminal_;
};

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        ssize_t count = write(fd, text.data(), text.size());
        if (count < 0 && errno != EINTR) return false;
        if (count > 0) text.remove_prefix(static_cast<usize>(count));
    }
    return true;
}

std::string terminal_path(DomId domain, ConsoleType type, unsigned number) {
    std::string home = "/local/domain/" + std::to_string(domain.raw);
    switch (type) {
    case ConsoleType::serial: return home + "/serial/" + std::to_string(number) + "/tty";
    case ConsoleType::vuart: return home + "/vuart/" + std::to_string(number) + "/tty";
    case ConsoleType::pv: break;
    }
    if (number == 0) return home + "/console/tty";
    // Of a channel, the end that the guest can't write to: else it could make a person open any file of dom0.
    return "/local/domain/0/backend/console/" + std::to_string(domain.raw) + "/" + std::to_string(number) + "/tty";
}

}  // namespace

Outcome<std::string> find_terminal(store::Client& store, DomId domain, ConsoleType type, unsigned number, int wait_ms) {
    std::string path = terminal_path(domain, type, number);
    TRY(store.watch(path, path));
    for (;;) {
        auto value = TRY(store.read_optional(path));
        if (value && !value->empty()) {
            TRY(store.unwatch(path, path));
            return std::move(*value);
        }
        auto event = TRY(store.next_event(wait_ms));
        if (!event) {
            TRY(store.unwatch(path, path));
            return failure(ENOENT, "domain " + std::to_string(domain.raw) + " has no such console (" + path + "); is xenconsoled running?");
        }
    }
}

Outcome<> attach(const std::string& terminal, int input, int output) {
    Fd console{open(terminal.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    if (!console) return failure("can't open the console's terminal " + terminal);
    RawMode console_mode(console.get()), input_mode(input);
    char bytes[4096];
    for (;;) {
        pollfd wait[2] = {{console.get(), POLLIN, 0}, {input, POLLIN, 0}};
        if (poll(wait, 2, -1) < 0) {
            if (errno == EINTR) continue;
            return failure("can't wait for the console");
        }
        if (wait[0].revents) {
            ssize_t count = read(console.get(), bytes, sizeof bytes);
            if (count <= 0) return {};  // the domain ended
            if (!write_all(output, {bytes, static_cast<usize>(count)})) return failure("can't show the console");
        }
        if (wait[1].revents) {
            ssize_t count = read(input, bytes, sizeof bytes);
            if (count <= 0) return {};
            std::string_view typed(bytes, static_cast<usize>(count));
            usize escape = typed.find(escape_key);
            if (!write_all(console.get(), typed.substr(0, escape))) return {};
            if (escape != std::string_view::npos) return {};
        }
    }
}

}  // namespace px::console
