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

Err<call::Error> cannot_load(const std::string& path, loader::LoadError error) {
    return Err{call::Error{ENOEXEC, "can't load the kernel " + path + ": " + std::string(loader::describe(error))}};
}

/// A regular file that isn't empty.
class File {
public:
    /// `what` ("kernel") stands in the error.
    static Outcome<File> open(const std::string& path, const char* what) {
        const std::string complaint = std::string("can't read the ") + what + " " + path;
        call::Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
        struct stat status {};
        if (!fd || fstat(fd.get(), &status) < 0) return call::failure(complaint);
        if (!S_ISREG(status.st_mode)) return Err{call::Error{EINVAL, complaint + ": it isn't a file"}};
        if (status.st_size == 0) return Err{call::Error{ENOEXEC, complaint + ": it is empty"}};
        return File(std::move(fd), status, complaint);
    }

    const struct stat& status() const { return status_; }

    bool is_unchanged() const {
        struct stat now {};
        return fstat(fd_.get(), &now) == 0 && same_content(status_, now);
    }

    Outcome<std::vector<u8>> read() const {
        std::vector<u8> bytes(static_cast<usize>(status_.st_size));
        for (usize done = 0; done < bytes.size();) {
            const ssize_t count = ::read(fd_.get(), bytes.data() + done, bytes.size() - done);
            if (count < 0 && errno != EINTR) return call::failure(complaint_);
            if (count == 0) return Err{call::Error{EIO, complaint_ + ": it became shorter meanwhile"}};
            if (count > 0) done += static_cast<usize>(count);
        }
        return bytes;
    }

private:
    File(call::Fd fd, const struct stat& status, std::string complaint)
        : fd_(std::move(fd)), status_(status), complaint_(std::move(complaint)) {}

    call::Fd fd_;
    struct stat status_;
    std::string complaint_;
};

}  // namespace

Outcome<std::vector<u8>> read_file(const std::string& path, const char* what) { return TRY(File::open(path, what)).read(); }

Outcome<std::vector<u8>> read_ramdisk(const std::string& path) {
    auto bytes = TRY(read_file(path, "ramdisk"));
    const auto whole = check_ramdisk(bytes);
    if (!whole.ok()) return Err{call::Error{whole.error().code, "can't use the ramdisk " + path + ": " + whole.error().text}};
    return bytes;
}

Outcome<std::span<const u8>> Kernel::read(const std::string& path, const KernelCache& cache, Bytes& bytes) {
    const File file = TRY(File::open(path, "kernel"));
    bytes.kept = cache.find(file.status());
    if (bytes.kept) return std::span(bytes.kept.as<const u8>(), bytes.kept.size_bytes());
    bytes.file = TRY(file.read());
    const auto elf = unpack(bytes.file, bytes.unpacked);
    if (!elf.ok()) return cannot_load(path, elf.error());
    if (bytes.unpacked && file.is_unchanged()) cache.keep(file.status(), *elf);
    return *elf;
}

Outcome<Kernel> Kernel::open_any(const std::string& path, const KernelCache& cache) {
    Bytes bytes;
    const auto image = loader::KernelImage::parse(TRY(read(path, cache, bytes)));
    if (!image.ok()) return cannot_load(path, image.error());
    return Kernel(std::move(bytes), *image);
}

Outcome<Kernel> Kernel::open(const std::string& path, const KernelCache& cache) {
    Kernel kernel = TRY(open_any(path, cache));
    const auto entry = kernel.image_.pvh_entry();
    if (!entry.ok()) return cannot_load(path, entry.error());
    kernel.entry_ = *entry;
    return kernel;
}

Outcome<Kernel> Kernel::open_pv(const std::string& path, const KernelCache& cache) {
    Kernel kernel = TRY(open_any(path, cache));
    const auto pv = kernel.image_.pv();
    if (!pv.ok()) return cannot_load(path, pv.error());
    kernel.pv_ = *pv;
    return kernel;
}

}  // namespace px::builder
