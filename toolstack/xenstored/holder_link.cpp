// What the holder and the worker say to each other, over a socket of packets.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/holder_link.hpp"

#include <sys/socket.h>

namespace px::xenstored {

using call::failure;
using call::Outcome;

namespace {

/// Room for one descriptor beside the bytes [man cmsg(3)].
struct Ancillary {
    alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(int))] = {};
};

}  // namespace

Outcome<> send_message(int link, const HolderMessage& message, int fd) {
    iovec range{const_cast<HolderMessage*>(&message), sizeof message};
    Ancillary ancillary;
    msghdr header{};
    header.msg_iov = &range;
    header.msg_iovlen = 1;
    if (fd >= 0) {
        header.msg_control = ancillary.bytes;
        header.msg_controllen = sizeof ancillary.bytes;
        cmsghdr* control = CMSG_FIRSTHDR(&header);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(sizeof fd);
        std::memcpy(CMSG_DATA(control), &fd, sizeof fd);
    }
    if (sendmsg(link, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return failure("the other half of xenstored doesn't answer");
    return {};
}

Outcome<std::optional<ReceivedMessage>> receive_message(int link) {
    ReceivedMessage received{};
    iovec range{&received.message, sizeof received.message};
    Ancillary ancillary;
    msghdr header{};
    header.msg_iov = &range;
    header.msg_iovlen = 1;
    header.msg_control = ancillary.bytes;
    header.msg_controllen = sizeof ancillary.bytes;
    ssize_t count = recvmsg(link, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return std::optional<ReceivedMessage>{};
    if (count < 0) return failure("the other half of xenstored doesn't answer");
    if (count == 0) return failure(ECONNRESET, "the other half of xenstored is gone");
    if (cmsghdr* control = CMSG_FIRSTHDR(&header); control && control->cmsg_type == SCM_RIGHTS) {
        int fd;
        std::memcpy(&fd, CMSG_DATA(control), sizeof fd);
        received.fd = call::Fd{fd};
    }
    if (count != sizeof received.message) return failure(EPROTO, "the other half of xenstored said something else");
    return std::optional(std::move(received));
}

}  // namespace px::xenstored
