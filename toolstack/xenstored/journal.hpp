// The journal: what happened, in a file on tmpfs that this process shares with its successor.
//
// The file is mapped. A record is written behind the end and then counted by moving the end, one store: a
// process that is killed between two instructions leaves all of a record or none. The file needs no fsync: it
// is to survive this process, not the machine.
//
// Sockets. Moving bytes and noting that they moved are two things, and the process may be killed between
// them. So the kernel itself notes it: recvmmsg(2) and sendmmsg(2) store how many bytes they moved into a
// header that lies in the file, before they return. Whoever opens the file next completes the record of a
// transfer that was begun (`Transfer`). Rings need none of this: their indices say what was moved.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <span>

#include "toolstack/call/error.hpp"
#include "toolstack/call/handle.hpp"
#include "toolstack/store/codec.hpp"
#include "toolstack/xenstored/state.hpp"

namespace px::xenstored {

/// A record is one input of State, or what the outside answered within one. Its payload is an Encoder's.
enum class RecordKind : u32 {
    image,          ///< all of the State; the first record, and only that
    change_holder,  ///< u64
    connect,        ///< u64 number, u8 writable
    disconnect,     ///< u32 connection
    receive,        ///< u32 connection, the bytes
    sent,           ///< u32 connection, u32 count
    attached,       ///< u8 ok, u32 request, u32 reply; follows the record whose request asked for it
    attach_local,   ///< u32 request, u32 reply
    reconnect,      ///< u16 domain
    realign,        ///< u16 domain, u32 request, u32 reply
    give_up,        ///< u16 domain, u32 error
    domains,        ///< u16 domain, u8 state, as often as it takes
};

struct Record {
    RecordKind kind;
    std::string_view payload;
};

/// Tests end the process here, to see that it may end anywhere.
inline void (*step_hook)() = nullptr;
inline void step() {
    if (step_hook) step_hook();
}

/// A transfer by a socket. It is under way while `direction` says so and the journal's end is still where it
/// was.
struct Transfer {
    enum Direction : u32 { none, receiving, sending };
    u32 direction;
    u32 connection;
    u64 end_before;
    u32 unknown;  ///< what `message.msg_len` holds until the kernel stores the count
    u32 reserved;
    mmsghdr message;
};

/// The first page of the file.
struct JournalHeader {
    char magic[8];
    u32 version;  ///< changes with this structure, with the records and with State::save()
    u32 reserved;
    u64 end;  ///< of the last record
    Transfer transfer;
};

inline constexpr char journal_magic[8] = {'P', 'X', 's', 't', 'o', 'r', 'e', '\n'};
inline constexpr u32 journal_version = 1;
inline constexpr usize journal_records = 4096;  ///< where the first one begins
inline constexpr usize receive_max = 8192;      ///< bytes taken from a socket at a time

/// Reads a journal's bytes, which nobody vouches for.
class JournalReader {
public:
    explicit JournalReader(std::span<const char> file) : file_(file) {}
    /// Is it a journal of this version? Must be called first.
    call::Outcome<> open();
    /// The next record, or nothing at the end. The error says where and what is wrong.
    call::Outcome<std::optional<Record>> next();

private:
    std::span<const char> file_;
    usize position_ = journal_records;
    usize end_ = journal_records;
};

class Journal {
public:
    /// A new file whose first record is `image`. It takes the place of the one at `path` at once.
    static call::Outcome<Journal> create(const std::string& path, std::string_view image);
    /// The file at `path`, with the transfer completed that was under way; nothing when there is no file.
    /// Errors: it is no journal, or damaged.
    static call::Outcome<std::optional<Journal>> open(const std::string& path);

    std::span<const char> bytes() const { return {file_.as<const char>(), size_}; }

    /// Makes room for one input with all that belongs to it. Error: the file system is full; nothing has
    /// happened then.
    call::Outcome<> make_room();
    /// Adds a record. There is room.
    void append(RecordKind kind, std::string_view payload);
    /// Takes what the socket `fd` has for us and adds the record (RecordKind::receive). Nothing when there is
    /// nothing; an empty text at the end of the stream, without a record. What is returned is valid until the
    /// next record.
    std::optional<std::string_view> receive(int fd, store::ConnectionId id);
    /// Sends some of `bytes` and adds the record (RecordKind::sent). How many; 0 when the socket takes none.
    /// Error: the socket is closed.
    Result<usize> send(int fd, store::ConnectionId id, std::string_view bytes);

    /// Is it time to begin a new file? Not before the records take `slack` bytes, and as many as the image.
    bool is_long(usize slack) const { return header()->end > 2 * image_end_ + slack; }

private:
    Journal() = default;
    JournalHeader* header() const { return file_.as<JournalHeader>(); }
    char* at(usize offset) const { return file_.as<char>() + offset; }
    call::Outcome<> map(const std::string& path, call::Fd fd);
    call::Outcome<> grow(usize size);
    void commit(RecordKind kind, usize length);
    int transfer(Transfer::Direction direction, int fd, store::ConnectionId id, void* bytes, usize count);
    void complete_transfer();

    call::Fd fd_;
    call::Mapping file_;
    usize size_ = 0;
    usize image_end_ = 0;
};

}  // namespace px::xenstored
