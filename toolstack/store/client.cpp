// A client of a running xenstored.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/store/client.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>

#include "toolstack/call/device.hpp"

namespace px::store {

using call::Error;
using call::failure;
using call::Fd;
using call::Outcome;

namespace {

std::string socket_path() {
    if (const char* path = std::getenv("XENSTORED_PATH")) return path;
    const char* directory = std::getenv("XENSTORED_RUNDIR");
    return std::string(directory ? directory : "/run/xenstored") + "/socket";
}

Outcome<Fd> connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return failure(ENAMETOOLONG, path);
    path.copy(address.sun_path, path.size());
    Fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (fd && connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
    int code = errno;
    if (code == EACCES) return Err{Error{code, "no permission to connect to " + path + ": run this as root"}};
    return Err{Error{code, "xenstored is not running (" + path + ": " + std::strerror(code) + "): start the service xenstored"}};
}

/// As write(2), to a socket or to the kernel's device, without a signal when the other side is gone.
ssize_t send_some(int fd, std::string_view bytes) {
    ssize_t count = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return count < 0 && errno == ENOTSOCK ? write(fd, bytes.data(), bytes.size()) : count;
}

/// Splits a reply of terminated strings.
Outcome<std::vector<std::string>> strings_of(std::string_view payload) {
    auto strings = split_strings(payload);
    if (!strings.ok()) return failure(EIO, "xenstored sent a malformed reply");
    return std::vector<std::string>(strings->begin(), strings->end());
}

}  // namespace

Outcome<Client> Client::open(Via via) {
    if (via == Via::kernel) return Client(TRY(call::open_device("xenbus", "xenfs")));
    auto fd = connect_to(socket_path());
    if (!fd.ok() && via == Via::either) {
        Fd kernel{::open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC)};
        bool local = access("/proc/xen/xsd_port", F_OK) == 0;  // here the kernel would wait for a xenstored of this domain
        if (kernel && !local) return Client(std::move(kernel));
    }
    return Client(TRY(std::move(fd)));
}

Outcome<std::string> Client::request(MessageType type, std::string_view payload, u32 transaction) {
    if (payload.size() > payload_max) return failure(E2BIG, "a request to the store");
    u32 number = ++last_request_;
    std::string bytes = encode(type, number, transaction, payload);
    for (usize sent = 0; sent < bytes.size();) {
        ssize_t count = send_some(fd_.get(), std::string_view(bytes).substr(sent));
        if (count < 0 && errno != EINTR) return failure("can't send to xenstored");
        if (count > 0) sent += static_cast<usize>(count);
    }
    for (Message message;;) {
        auto whole = inbox_.next(message);
        if (!whole.ok()) return failure(EIO, "xenstored sent a malformed message");
        if (!*whole) {
            TRY(receive_some());
        } else if (message.header.type == MessageType::watch_event) {
            auto strings = TRY(strings_of(message.payload));
            if (strings.size() >= 2) events_.push_back({strings[0], strings[1]});
        } else if (message.header.type == MessageType::error) {
            int code = static_cast<int>(error_from_name(message.payload.c_str()));
            return Err{Error{code, std::strerror(code)}};
        } else {
            return std::move(message.payload);
        }
    }
}

Outcome<> Client::receive_some() {
    char bytes[4096];
    ssize_t count = ::read(fd_.get(), bytes, sizeof bytes);
    if (count == 0) return Err{Error{ECONNRESET, "xenstored closed the connection"}};
    if (count < 0 && errno != EINTR) return failure("can't read from xenstored");
    if (count > 0) inbox_.append(std::span(bytes, static_cast<usize>(count)));
    return {};
}

/// A request whose payload begins with a path; an error says what was tried with it.
Outcome<std::string> Client::on_path(MessageType type, const char* verb, std::string_view path, std::string_view rest, u32 transaction) {
    std::string payload = std::string(path) + '\0' + std::string(rest);
    auto reply = request(type, payload, transaction);
    if (!reply.ok())
        return Err{
            Error{reply.error().code, std::string("can't ") + verb + " " + std::string(path) + " in the store: " + reply.error().text}};
    return reply;
}

Outcome<std::string> Client::read(std::string_view path, u32 transaction) {
    return on_path(MessageType::read, "read", path, "", transaction);
}

Outcome<std::optional<std::string>> Client::read_optional(std::string_view path, u32 transaction) {
    auto value = read(path, transaction);
    if (value.ok()) return std::optional(std::move(*value));
    if (value.error().code == ENOENT) return std::optional<std::string>{};
    return Err{value.error()};
}

Outcome<> Client::write(std::string_view path, std::string_view value, u32 transaction) {
    TRY(on_path(MessageType::write, "write", path, value, transaction));
    return {};
}

Outcome<> Client::make_directory(std::string_view path, u32 transaction) {
    TRY(on_path(MessageType::mkdir, "make", path, "", transaction));
    return {};
}

Outcome<> Client::remove(std::string_view path, u32 transaction) {
    TRY(on_path(MessageType::rm, "remove", path, "", transaction));
    return {};
}

Outcome<std::vector<std::string>> Client::list(std::string_view path, u32 transaction) {
    auto whole = on_path(MessageType::directory, "list", path, "", transaction);
    if (whole.ok()) return strings_of(*whole);
    if (whole.error().code != E2BIG) return Err{whole.error()};

    std::vector<std::string> names;
    std::string generation;
    for (usize offset = 0;;) {  // in parts; from the start again when it changes on the way
        std::string from = std::to_string(offset) + '\0';
        auto part = TRY(strings_of(TRY(on_path(MessageType::directory_part, "list", path, from, transaction))));
        if (part.empty()) return failure(EIO, "xenstored sent a malformed reply");
        if (offset != 0 && part[0] != generation) {
            names.clear();
            offset = 0;
            continue;
        }
        generation = part[0];
        for (usize i = 1; i < part.size(); ++i) {
            if (part[i].empty()) return names;
            offset += part[i].size() + 1;
            names.push_back(part[i]);
        }
        if (part.size() == 1) return failure(EIO, "xenstored sent a malformed reply");
    }
}

Outcome<Permissions> Client::permissions(std::string_view path, u32 transaction) {
    auto strings = TRY(strings_of(TRY(on_path(MessageType::get_perms, "read the permissions of", path, "", transaction))));
    Permissions permissions;
    for (const std::string& text : strings) {
        auto permission = parse_permission(text);
        if (!permission) return failure(EIO, "xenstored sent a malformed reply");
        permissions.push_back(*permission);
    }
    return permissions;
}

Outcome<> Client::set_permissions(std::string_view path, const Permissions& permissions, u32 transaction) {
    std::string list;
    for (Permission permission : permissions) list += to_string(permission) + '\0';
    TRY(on_path(MessageType::set_perms, "change the permissions of", path, list, transaction));
    return {};
}

Outcome<u32> Client::start_transaction() {
    std::string reply = TRY(request(MessageType::transaction_start, std::string_view("\0", 1)));
    return static_cast<u32>(std::strtoul(reply.c_str(), nullptr, 10));
}

Outcome<bool> Client::end_transaction(u32 transaction, bool commit) {
    auto reply = request(MessageType::transaction_end, std::string_view(commit ? "T\0" : "F\0", 2), transaction);
    if (reply.ok()) return true;
    if (reply.error().code == EAGAIN) return false;
    return Err{Error{reply.error().code, "can't end a transaction of the store: " + reply.error().text}};
}

Outcome<> Client::watch(std::string_view path, std::string_view token) {
    TRY(on_path(MessageType::watch, "watch", path, std::string(token) + '\0', 0));
    return {};
}

Outcome<> Client::unwatch(std::string_view path, std::string_view token) {
    TRY(on_path(MessageType::unwatch, "stop watching", path, std::string(token) + '\0', 0));
    return {};
}

Outcome<std::optional<WatchEvent>> Client::next_event(int timeout_ms) {
    while (events_.empty()) {
        Message message;
        auto whole = inbox_.next(message);
        if (!whole.ok()) return failure(EIO, "xenstored sent a malformed message");
        if (*whole) {
            auto strings = TRY(strings_of(message.payload));
            if (message.header.type == MessageType::watch_event && strings.size() >= 2) events_.push_back({strings[0], strings[1]});
            continue;
        }
        pollfd wait{fd_.get(), POLLIN, 0};
        int ready = poll(&wait, 1, timeout_ms);
        if (ready == 0) return std::optional<WatchEvent>{};
        if (ready < 0 && errno != EINTR) return failure("can't wait for xenstored");
        if (ready > 0) TRY(receive_some());
    }
    WatchEvent event = std::move(events_.front());
    events_.pop_front();
    return std::optional(std::move(event));
}

}  // namespace px::store
