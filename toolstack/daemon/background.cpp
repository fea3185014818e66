// Becoming a daemon.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/daemon/background.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>

namespace px::daemon {

namespace {

/// One datagram to the service manager [systemd sd_notify(3)]. A name that begins with '@' is abstract.
void notify_service_manager(std::string_view text) {
    const char* name = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (!name || std::strlen(name) >= sizeof address.sun_path) return;
    std::strcpy(address.sun_path, name);
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
    call::Fd socket_fd{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    socklen_t size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(name));
    sendto(socket_fd.get(), text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size);
}

}  // namespace

call::Outcome<> Background::enter() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return call::failure("can't make a pipe");
    call::Fd reader{ends[0]}, writer{ends[1]};
    pid_t child = ::fork();
    if (child < 0) return call::failure("can't go to the background");
    if (child > 0) {
        writer.reset();
        char ok;
        _exit(read(reader.get(), &ok, 1) == 1 ? 0 : 1);
    }
    setsid();
    parent_ = std::move(writer);
    return {};
}

void Background::ready() {
    notify_service_manager("READY=1");
    if (!parent_) return;
    leave_terminal();
    if (chdir("/") < 0 || write(parent_.get(), "+", 1) < 0) return;  // a parent that is gone needs no word
    parent_.reset();
}

void leave_terminal() {
    call::Fd nowhere{open("/dev/null", O_RDWR)};
    for (int standard : {0, 1, 2}) dup2(nowhere.get(), standard);
}

call::Outcome<call::Fd> write_pid_file(const std::string& path) {
    call::Fd file{open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
    if (!file) return call::failure("can't write the process number to " + path);
    if (lockf(file.get(), F_TLOCK, 0) < 0) return call::failure(path + " is locked: another one runs already");
    std::string number = std::to_string(getpid()) + "\n";
    if (ftruncate(file.get(), 0) < 0 || write(file.get(), number.data(), number.size()) < 0) {
        return call::failure("can't write the process number to " + path);
    }
    return file;
}

}  // namespace px::daemon
