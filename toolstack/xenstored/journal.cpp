// The journal: what happened, in a file on tmpfs that this process shares with its successor.
//
// Ordering: one thread writes. A kill comes between two instructions, and the successor sees all stores
// before it in program order, so the compiler alone must be kept from moving stores across the ones that
// count: store() does.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>

namespace px::xenstored {

using call::Error;
using call::failure;
using call::Fd;
using call::Mapping;
using call::Outcome;
using store::ConnectionId;

namespace {

struct RecordHeader {
    u32 length;  // of the payload
    u32 checksum;
    RecordKind kind;
};

static_assert(sizeof(JournalHeader) <= journal_records);

constexpr usize address_space = usize{1} << 32;  // what a journal may grow to
constexpr usize growth = usize{1} << 20;
/// The longest record of an input, and the answers (`attached`) that its requests need at most.
constexpr usize input_room = 4 * receive_max + receive_max / sizeof(abi::XsdSockmsg) * 32;

template <class T>
void store(T& place, T value) {
    __atomic_store_n(&place, value, __ATOMIC_RELEASE);
}

u32 checksum_of(RecordKind kind, std::string_view payload) {
    uLong sum = crc32(0, reinterpret_cast<const Bytef*>(&kind), sizeof kind);
    return static_cast<u32>(crc32(sum, reinterpret_cast<const Bytef*>(payload.data()), static_cast<uInt>(payload.size())));
}

Err<Error> damaged(usize offset, std::string_view what) {
    return Err{Error{EBADMSG, "it is damaged at offset " + std::to_string(offset) + ": " + std::string(what)}};
}

}  // namespace

Outcome<> JournalReader::open() {
    JournalHeader header;
    if (file_.size() < journal_records) return damaged(0, "it is shorter than its first page");
    std::memcpy(&header, file_.data(), sizeof header);
    if (std::memcmp(header.magic, journal_magic, sizeof journal_magic) != 0)
        return damaged(0, "it doesn't begin as a journal of xenstored does");
    if (header.version != journal_version) {
        return Err{Error{EBADMSG, "it has version " + std::to_string(header.version) + ", this xenstored reads version " +
                                      std::to_string(journal_version)}};
    }
    if (header.end < journal_records) return damaged(0, "its end is before its beginning");
    if (header.end > file_.size()) {
        return damaged(file_.size(), "the file was cut off; its records reach to " + std::to_string(header.end));
    }
    end_ = header.end;
    return {};
}

Outcome<std::optional<Record>> JournalReader::next() {
    if (position_ == end_) return std::optional<Record>{};
    RecordHeader header;
    if (end_ - position_ < sizeof header) return damaged(position_, "the last record is cut off");
    std::memcpy(&header, file_.data() + position_, sizeof header);
    if (end_ - position_ - sizeof header < header.length) return damaged(position_, "a record is longer than what is left");
    std::string_view payload(file_.data() + position_ + sizeof header, header.length);
    if (checksum_of(header.kind, payload) != header.checksum) return damaged(position_, "a record's checksum is wrong");
    if (header.kind > RecordKind::domains) return damaged(position_, "a record is of no known kind");
    if ((header.kind == RecordKind::image) != (position_ == journal_records))
        return damaged(position_, "the first record isn't the image, or another one is");
    position_ += sizeof header + header.length;
    return std::optional(Record{header.kind, payload});
}

Outcome<> Journal::map(const std::string& path, Fd fd) {
    struct stat status;
    if (fstat(fd.get(), &status) < 0) return failure("can't look at " + path);
    void* address = mmap(nullptr, address_space, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
    if (address == MAP_FAILED) return failure("can't map " + path);
    fd_ = std::move(fd);
    file_ = Mapping(address, address_space);
    size_ = static_cast<usize>(status.st_size);
    return {};
}

Outcome<> Journal::grow(usize size) {
    if (size > address_space) return failure(EFBIG, "the store's journal");
    int code = posix_fallocate(fd_.get(), 0, static_cast<off_t>(size));  // a page that can't be had is SIGBUS later
    if (code != 0) return failure(code, "can't make room for the store's journal");
    size_ = size;
    return {};
}

Outcome<> Journal::make_room() {
    usize needed = header()->end + input_room;
    return needed <= size_ ? Outcome<>{} : grow(needed + growth);
}

Outcome<Journal> Journal::create(const std::string& path, std::string_view image) {
    const std::string draft = path + ".new";
    Fd fd{::open(draft.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (!fd) return failure("can't write the store's journal " + draft);
    Journal journal;
    TRY(journal.map(draft, std::move(fd)));
    TRY(journal.grow(journal_records + sizeof(RecordHeader) + image.size() + input_room));
    std::ranges::copy(journal_magic, journal.header()->magic);
    journal.header()->version = journal_version;
    journal.header()->end = journal_records;
    journal.append(RecordKind::image, image);
    journal.image_end_ = journal.header()->end;
    step();
    if (rename(draft.c_str(), path.c_str()) < 0) return failure("can't put the store's journal to " + path);
    step();
    return journal;
}

Outcome<std::optional<Journal>> Journal::open(const std::string& path) {
    Fd fd{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    if (!fd && errno == ENOENT) return std::optional<Journal>{};
    if (!fd) return failure("can't open the store's journal " + path);
    Journal journal;
    TRY(journal.map(path, std::move(fd)));
    auto first = [&]() -> Outcome<> {
        JournalReader reader(journal.bytes());
        TRY(reader.open());
        auto image = TRY(reader.next());
        if (!image) return damaged(journal_records, "there is no record");
        journal.image_end_ = journal_records + sizeof(RecordHeader) + image->payload.size();
        return {};
    };
    if (auto sound = first(); !sound.ok()) {
        return Err{Error{sound.error().code, "can't use the store's journal " + path + ": " + sound.error().text}};
    }
    TRY(journal.make_room());
    journal.complete_transfer();
    return std::optional(std::move(journal));
}

void Journal::append(RecordKind kind, std::string_view payload) {
    char* place = at(header()->end);
    if (!payload.empty()) std::memcpy(place + sizeof(RecordHeader), payload.data(), payload.size());
    commit(kind, payload.size());
}

/// Counts the record whose payload lies behind the end.
void Journal::commit(RecordKind kind, usize length) {
    char* place = at(header()->end);
    RecordHeader record{static_cast<u32>(length), checksum_of(kind, {place + sizeof record, length}), kind};
    std::memcpy(place, &record, sizeof record);
    step();
    store(header()->end, header()->end + sizeof record + length);
    step();
}

/// One system call, of which the successor will know whether it happened. As recvmmsg and sendmmsg: -1 with
/// errno, or 1.
int Journal::transfer(Transfer::Direction direction, int fd, ConnectionId id, void* bytes, usize count) {
    Transfer& transfer = header()->transfer;
    iovec range{bytes, count};
    transfer.message = {};
    transfer.message.msg_hdr.msg_iov = &range;
    transfer.message.msg_hdr.msg_iovlen = 1;
    transfer.unknown = ~u32{0};
    transfer.message.msg_len = transfer.unknown;
    transfer.connection = id.raw;
    transfer.end_before = header()->end;
    store(transfer.direction, u32{direction});
    step();
    int done;
    do {
        done = direction == Transfer::receiving ? recvmmsg(fd, &transfer.message, 1, MSG_DONTWAIT, nullptr)
                                                : sendmmsg(fd, &transfer.message, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (done < 0 && errno == EINTR);
    step();
    return done;
}

std::optional<std::string_view> Journal::receive(int fd, ConnectionId id) {
    char* payload = at(header()->end) + sizeof(RecordHeader);
    std::memcpy(payload, &id.raw, sizeof id.raw);
    char* bytes = payload + sizeof id.raw;
    int done = transfer(Transfer::receiving, fd, id, bytes, receive_max);
    int code = errno;
    complete_transfer();
    if (done < 0 && code == EAGAIN) return {};
    return std::string_view(bytes, done == 1 ? header()->transfer.message.msg_len : 0);
}

Result<usize> Journal::send(int fd, ConnectionId id, std::string_view bytes) {
    int done = transfer(Transfer::sending, fd, id, const_cast<char*>(bytes.data()), bytes.size());
    int code = errno;
    complete_transfer();
    if (done < 0 && code != EAGAIN) return Err{Errno::enotconn};
    return done == 1 ? usize{header()->transfer.message.msg_len} : 0;
}

/// Adds the record of a transfer that has none yet, if bytes were moved.
void Journal::complete_transfer() {
    Transfer& transfer = header()->transfer;
    u32 count = transfer.message.msg_len;
    bool moved = transfer.direction != Transfer::none && transfer.end_before == header()->end && count != transfer.unknown && count != 0;
    if (moved && transfer.direction == Transfer::receiving && count <= receive_max) {
        commit(RecordKind::receive, sizeof transfer.connection + count);
    } else if (moved && transfer.direction == Transfer::sending) {
        store::Encoder record;
        record.number(transfer.connection);
        record.number(count);
        append(RecordKind::sent, record.bytes());
    }
    store(transfer.direction, u32{Transfer::none});
}

}  // namespace px::xenstored
