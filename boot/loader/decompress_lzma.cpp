// xz and lzma, by liblzma, with dictionaries no larger than the output.
//
// A kernel's xz header may ask for a dictionary of 128 MiB, for Linux's own decoder uses the output as
// dictionary. liblzma allocates one. No match reaches farther back than the output's beginning, so the
// dictionary is cut down to the output's size; that is why the container is walked here block by block.
//
// SPDX-License-Identifier: Apache-2.0
#include <lzma.h>

#include <algorithm>
#include <cstring>

#include "boot/loader/decompress.hpp"

namespace px::loader::detail {
namespace {

constexpr usize min_dictionary = 4096;

void* allocate(void* arena, usize count, usize size) {
    usize bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
    return static_cast<Arena*>(arena)->allocate(bytes);
}
void release(void* arena, void* piece) { static_cast<Arena*>(arena)->release(piece); }

u32 dictionary_for(u32 asked, usize output_size) { return static_cast<u32>(std::min<usize>(asked, std::max(output_size, min_dictionary))); }

/// What liblzma's answer means.
LoadError error_of(lzma_ret status, usize input_left) {
    switch (status) {
    case LZMA_MEM_ERROR: return LoadError::scratch_too_small;
    case LZMA_BUF_ERROR: return input_left == 0 ? LoadError::compressed_truncated : LoadError::output_too_small;
    default: return LoadError::compressed_corrupt;
    }
}

/// A walk over one .xz stream.
class XzStream {
public:
    XzStream(std::span<const u8> input, std::span<u8> output, Arena& scratch) : input_(input), output_(output), scratch_(scratch) {}

    Loaded<usize> unpack() {
        TRY(read_header());
        index_ = lzma_index_hash_init(nullptr, &allocator_);
        if (!index_) return Err{LoadError::scratch_too_small};
        while (TRY(next_byte()) != 0) TRY(unpack_block());
        TRY(check_index());
        return out_;
    }

private:
    Loaded<u8> next_byte() const {
        if (in_ == input_.size()) return Err{LoadError::compressed_truncated};
        return input_[in_];
    }

    Loaded<> read_header() {
        if (input_.size() < LZMA_STREAM_HEADER_SIZE) return Err{LoadError::compressed_truncated};
        if (lzma_stream_header_decode(&flags_, input_.data()) != LZMA_OK || !lzma_check_is_supported(flags_.check))
            return Err{LoadError::compressed_corrupt};
        in_ = LZMA_STREAM_HEADER_SIZE;
        return {};
    }

    Loaded<> unpack_block() {
        lzma_filter filters[LZMA_FILTERS_MAX + 1];
        lzma_block block{};
        block.version = 1;
        block.check = flags_.check;
        block.filters = filters;
        block.header_size = lzma_block_header_size_decode(input_[in_]);
        if (block.header_size > input_.size() - in_) return Err{LoadError::compressed_truncated};
        if (const auto status = lzma_block_header_decode(&block, &allocator_, &input_[in_]); status != LZMA_OK)
            return Err{status == LZMA_MEM_ERROR ? LoadError::scratch_too_small : LoadError::compressed_corrupt};
        in_ += block.header_size;
        for (auto* filter = filters; filter->id != LZMA_VLI_UNKNOWN; ++filter) {
            if (filter->id != LZMA_FILTER_LZMA2) continue;
            auto* options = static_cast<lzma_options_lzma*>(filter->options);
            options->dict_size = dictionary_for(options->dict_size, output_.size());
        }
        return unpack_block_body(block);
    }

    /// The decoder is driven piecewise, not by lzma_block_buffer_decode(), which reports a full output as
    /// damage.
    Loaded<> unpack_block_body(lzma_block& block) {
        lzma_stream stream = LZMA_STREAM_INIT;
        stream.allocator = &allocator_;
        stream.next_in = input_.data() + in_;
        stream.avail_in = input_.size() - in_;
        stream.next_out = output_.data() + out_;
        stream.avail_out = output_.size() - out_;
        auto status = lzma_block_decoder(&stream, &block);
        while (status == LZMA_OK) status = lzma_code(&stream, LZMA_FINISH);
        lzma_end(&stream);
        if (status != LZMA_STREAM_END) return Err{error_of(status, stream.avail_in)};
        in_ = input_.size() - stream.avail_in;
        out_ = output_.size() - stream.avail_out;
        if (lzma_index_hash_append(index_, lzma_block_unpadded_size(&block), block.uncompressed_size) != LZMA_OK)
            return Err{LoadError::compressed_corrupt};
        return {};
    }

    /// The stream ends with an index of its blocks and a footer: a lost block shows here.
    Loaded<> check_index() {
        const auto status = lzma_index_hash_decode(index_, input_.data(), &in_, input_.size());
        if (status == LZMA_OK || status == LZMA_BUF_ERROR) return Err{LoadError::compressed_truncated};
        if (status != LZMA_STREAM_END) return Err{LoadError::compressed_corrupt};
        if (input_.size() - in_ < LZMA_STREAM_HEADER_SIZE) return Err{LoadError::compressed_truncated};
        lzma_stream_flags footer;
        if (lzma_stream_footer_decode(&footer, &input_[in_]) != LZMA_OK || lzma_stream_flags_compare(&flags_, &footer) != LZMA_OK ||
            footer.backward_size != lzma_index_hash_size(index_))
            return Err{LoadError::compressed_corrupt};
        return {};
    }

    std::span<const u8> input_;
    std::span<u8> output_;
    Arena& scratch_;
    lzma_allocator allocator_{allocate, release, &scratch_};
    lzma_stream_flags flags_{};
    lzma_index_hash* index_ = nullptr;
    usize in_ = 0;
    usize out_ = 0;
};

}  // namespace

Loaded<usize> decompress_xz(std::span<const u8> input, std::span<u8> output, Arena& scratch) {
    return XzStream{input, output, scratch}.unpack();
}

Loaded<usize> decompress_lzma(std::span<const u8> input, std::span<u8> output, Arena& scratch) {
    constexpr usize header_size = 13;  // properties, dictionary size (u32 at 1), unpacked size (u64 at 5)
    if (input.size() < header_size) return Err{LoadError::compressed_truncated};
    u8 header[header_size];
    std::memcpy(header, input.data(), header_size);
    u32 dictionary;
    std::memcpy(&dictionary, header + 1, sizeof dictionary);
    dictionary = dictionary_for(dictionary, output.size());
    std::memcpy(header + 1, &dictionary, sizeof dictionary);

    const lzma_allocator allocator{allocate, release, &scratch};
    lzma_stream stream = LZMA_STREAM_INIT;
    stream.allocator = &allocator;
    stream.next_in = header;
    stream.avail_in = header_size;
    stream.next_out = output.data();
    stream.avail_out = output.size();
    auto status = lzma_alone_decoder(&stream, UINT64_MAX);  // the arena is the limit
    while (status == LZMA_OK && stream.avail_in > 0) status = lzma_code(&stream, LZMA_RUN);
    if (status == LZMA_OK) {
        stream.next_in = input.data() + header_size;
        stream.avail_in = input.size() - header_size;
    }
    while (status == LZMA_OK) status = lzma_code(&stream, LZMA_FINISH);
    lzma_end(&stream);
    if (status != LZMA_STREAM_END) return Err{error_of(status, stream.avail_in)};
    return output.size() - stream.avail_out;
}

}  // namespace px::loader::detail
