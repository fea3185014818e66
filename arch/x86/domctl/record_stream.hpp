// The framing of a saved state: descriptor and record, one after the other, ended by a record of type 0. [xen/public hvm/save.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <span>
#include <type_traits>

#include "hypervisor/abi/x86/hvm_save.hpp"
#include "hypervisor/base/result.hpp"

namespace px::hvm {

using abi::x86::HvmSaveCode;

/// Writes into a buffer; without one it only counts.
class RecordWriter {
public:
    explicit RecordWriter(std::span<u8> buffer) : buffer_(buffer) {}
    static RecordWriter counter() {
        RecordWriter writer({});
        writer.counts_only_ = true;
        return writer;
    }

    /// Errors: enospc.
    Result<> put(HvmSaveCode code, u32 instance, std::span<const u8> record) {
        const abi::HvmSaveDescriptor descriptor{static_cast<u16>(code), static_cast<u16>(instance), static_cast<u32>(record.size())};
        TRY(append(&descriptor, sizeof descriptor));
        return append(record.data(), record.size());
    }
    template <class Record>
    Result<> put(HvmSaveCode code, u32 instance, const Record& record) {
        static_assert(std::is_trivially_copyable_v<Record>);
        return put(code, instance, std::span(reinterpret_cast<const u8*>(&record), sizeof record));
    }
    Result<> end() { return put(HvmSaveCode::end, 0, std::span<const u8>{}); }
    usize size() const { return used_; }

private:
    Result<> append(const void* data, usize bytes) {
        if (!counts_only_) {
            REQUIRE(bytes <= buffer_.size() - used_, enospc);
            if (bytes != 0) std::memcpy(buffer_.data() + used_, data, bytes);
        }
        used_ += bytes;
        return {};
    }
    std::span<u8> buffer_;
    usize used_ = 0;
    bool counts_only_ = false;
};

struct Record {
    HvmSaveCode code;
    u16 instance;
    std::span<const u8> data;

    /// As a T of exactly this size. Errors: einval.
    template <class T>
    Result<T> as() const {
        REQUIRE(data.size() == sizeof(T), einval);
        T value;
        std::memcpy(&value, data.data(), sizeof(T));
        return value;
    }
};

class RecordReader {
public:
    explicit RecordReader(std::span<const u8> stream) : rest_(stream) {}
    /// Errors: enodata (the stream ends before its end record, or within one).
    Result<Record> next() {
        abi::HvmSaveDescriptor descriptor;
        REQUIRE(rest_.size() >= sizeof descriptor, enodata);
        std::memcpy(&descriptor, rest_.data(), sizeof descriptor);
        rest_ = rest_.subspan(sizeof descriptor);
        REQUIRE(rest_.size() >= descriptor.length, enodata);
        const Record record{HvmSaveCode{descriptor.typecode}, descriptor.instance, rest_.first(descriptor.length)};
        rest_ = rest_.subspan(descriptor.length);
        return record;
    }

private:
    std::span<const u8> rest_;
};

}  // namespace px::hvm
