// The files that a guest starts from.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "boot/loader/payload.hpp"
#include "toolstack/builder/ramdisk.hpp"
#include "toolstack/call/handle.hpp"

namespace px::builder {

using call::Outcome;
using loader::Loaded;

namespace {

/// Room for a kernel whose file doesn't tell its unpacked size.
constexpr usize unknown_size = usize{256} << 20;

/// The ELF file in `file`; `memory` holds it if it was packed.
Loaded<std::span<const u8>> unpack(std::span<const u8> file, std::unique_ptr<u8[]>& memory) {
    const loader::Payload payload = TRY(loader::find_payload(file));
    if (payload.format == loader::Format::elf) return payload.bytes;
    const usize size = payload.unpacked_size.value_or(unknown_size), scratch_size = loader::scratch_size(payload.format, size);
    memory = std::make_unique_for_overwrite<u8[]>(size);
    const auto scratch = std::make_unique_for_overwrite<u8[]>(scratch_size);
    loader::Arena arena({scratch.get(), scratch_size});
    return loader::unpack(payload, {memory.get(), size}, arena);
}

}  // namespace

Outcome<std::vector<u8>> read_file(const std::string& path, const char* what) {
    const std::string complaint = std::string("can't read the ") + what + " " + path;
    call::Fd fd{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat status {};
    if (!fd || fstat(fd.get(), &status) < 0) return call::failure(complaint);
    if (!S_ISREG(status.st_mode)) return Err{call::Error{EINVAL, complaint + ": it isn't a file"}};
    std::vector<u8> bytes(static_cast<usize>(status.st_size));
    for (usize done = 0; done < bytes.size();) {
        const ssize_t count = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
        if (count < 0 && errno != EINTR) return call::failure(complaint);
        if (count == 0) return Err{call::Error{EIO, complaint + ": it became shorter meanwhile"}};
        if (count > 0) done += static_cast<usize>(count);
    }
    if (bytes.empty()) return Err{call::Error{ENOEXEC, complaint + ": it is empty"}};
    return bytes;
}

Outcome<std::vector<u8>> read_ramdisk(const std::string& path) {
    auto bytes = TRY(read_file(path, "ramdisk"));
    const auto whole = check_ramdisk(bytes);
    if (!whole.ok()) return Err{call::Error{whole.error().code, "can't use the ramdisk " + path + ": " + whole.error().text}};
    return bytes;
}

Outcome<Kernel> Kernel::open(const std::string& path) {
    auto file = TRY(read_file(path, "kernel"));
    const auto cannot_load = [&](loader::LoadError error) {
        return Err{call::Error{ENOEXEC, "can't load the kernel " + path + ": " + std::string(loader::describe(error))}};
    };
    std::unique_ptr<u8[]> unpacked;
    const auto elf = unpack(file, unpacked);
    if (!elf.ok()) return cannot_load(elf.error());
    const auto image = loader::KernelImage::parse(*elf);
    if (!image.ok()) return cannot_load(image.error());
    const auto entry = image->pvh_entry();
    if (!entry.ok()) return cannot_load(entry.error());
    return Kernel(std::move(file), std::move(unpacked), *image, *entry);
}

}  // namespace px::builder
