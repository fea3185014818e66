// Fuzzes the decompressors: the first byte chooses the format and the output's size.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <vector>

#include "boot/loader/decompress.hpp"

extern "C" int LLVMFuzzerTestOneInput(const px::u8* data, px::usize size) {
    using namespace px::loader;
    if (size == 0) return 0;
    constexpr Format formats[] = {Format::gzip, Format::xz, Format::lzma, Format::zstd, Format::lz4};
    const auto format = formats[data[0] % std::size(formats)];
    std::vector<px::u8> output(px::usize{1} << data[0] / 16);
    std::vector<px::u8> memory(scratch_size(format, output.size()));
    Arena scratch{memory};
    const auto result = decompress(format, {data + 1, size - 1}, output, scratch);
    if (result.ok() && result.value() > output.size()) std::abort();
    // What scratch_size() promises.
    if (!result.ok() && result.error() == LoadError::scratch_too_small) std::abort();
    return 0;
}
