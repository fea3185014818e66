// Calls of the firmware.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/efi/firmware.hpp"

#include <algorithm>
#include <cstring>

namespace px::efi {
namespace {

constexpr u64 page_bytes = 4096;
constexpr u64 pages_of(u64 bytes) { return (bytes + page_bytes - 1) / page_bytes; }

char ascii(char16_t c) { return c >= ' ' && c < 0x7f ? static_cast<char>(c) : '?'; }

}  // namespace

std::string_view describe(Status status) {
    switch (status) {
    case not_found: return "not found";
    case load_error: return "load error";
    case unsupported: return "unsupported";
    case device_error: return "device error";
    case out_of_resources: return "out of memory";
    case volume_corrupted: return "the volume is corrupted";
    case no_media: return "no media";
    case media_changed: return "the media was changed";
    case access_denied: return "access denied";
    case security_violation: return "security violation";
    case invalid_parameter: return "invalid parameter";
    default: return "error";
    }
}

void Firmware::print(std::string_view text) const {
    if (system_.output == nullptr) return;
    char16_t line[128];
    usize used = 0;
    const auto flush = [&] {
        line[used] = 0;
        (void)system_.output->output(system_.output, line);
        used = 0;
    };
    for (const char c : text) {
        if (c == '\n') line[used++] = '\r';
        line[used++] = c == '\n' ? u'\n' : static_cast<char16_t>(ascii(static_cast<u8>(c)));
        if (used + 3 > std::size(line)) flush();
    }
    if (used > 0) flush();
}

void Firmware::wait_for_key(unsigned seconds) const {
    constexpr u64 second = 10'000'000;
    Event timer = nullptr;
    if (failed(boot().create_event(timer_event, 0, nullptr, nullptr, &timer))) return;
    if (!failed(boot().set_timer(timer, TimerDelay::relative, seconds * second))) {
        Event events[] = {timer, system_.input != nullptr ? system_.input->wait_for_key : nullptr};
        u64 index = 0;
        (void)boot().wait_for_event(events[1] != nullptr ? 2 : 1, events, &index);
        InputKey key;
        if (index == 1) (void)system_.input->read_key(system_.input, &key);
    }
    (void)boot().close_event(timer);
}

Result<std::span<u8>> Firmware::allocate(u64 bytes) const {
    u64 address = 0;
    REQUIRE(!failed(boot().allocate_pages(Allocate::any, MemoryType::loader_data, pages_of(bytes), &address)), enomem);
    return std::span<u8>(reinterpret_cast<u8*>(address), bytes);
}

void Firmware::free(std::span<const u8> memory) const {
    (void)boot().free_pages(reinterpret_cast<u64>(memory.data()), pages_of(memory.size()));
}

u64 Firmware::configuration_table(const Guid& guid) const {
    for (u64 i = 0; i < system_.tables_count; ++i) {
        if (system_.tables[i].guid == guid) return reinterpret_cast<u64>(system_.tables[i].table);
    }
    return 0;
}

bool Firmware::secure_boot() const {
    const auto variable = [&](const char16_t* name) {
        u8 value = 0;
        u64 size = sizeof value;
        return !failed(system_.runtime->get_variable(name, &global_variable_guid, nullptr, &size, &value)) && size == 1 && value == 1;
    };
    return variable(u"SecureBoot") && !variable(u"SetupMode");
}

// ---- files

namespace {

template <class Protocol>
Protocol* protocol_of(const BootServices& boot, Handle handle, const Guid& guid) {
    void* found = nullptr;
    return handle != nullptr && !failed(boot.handle_protocol(handle, &guid, &found)) ? static_cast<Protocol*>(found) : nullptr;
}

/// The volume of the loaded image. A loader that starts images from memory may not name their device: then the one in the path, then
/// the volume of the loader itself.
FileSystem* volume_of(const BootServices& boot, const LoadedImage& image) {
    if (FileSystem* const own = protocol_of<FileSystem>(boot, image.device, file_system_guid)) return own;
    Handle handle = nullptr;
    const DevicePath* path = image.file_path;
    if (path != nullptr && !failed(boot.locate_device_path(&file_system_guid, &path, &handle))) {
        if (FileSystem* const named = protocol_of<FileSystem>(boot, handle, file_system_guid)) return named;
    }
    const LoadedImage* const parent = protocol_of<LoadedImage>(boot, image.parent, loaded_image_guid);
    return parent != nullptr ? protocol_of<FileSystem>(boot, parent->device, file_system_guid) : nullptr;
}

}  // namespace

Result<Directory> Directory::of_image(const Firmware& firmware, const LoadedImage& image) {
    Directory directory(firmware);
    FileSystem* const volume = volume_of(firmware.boot(), image);
    REQUIRE(volume != nullptr, enodev);
    REQUIRE(!failed(volume->open_volume(volume, &directory.root_)), eio);
    // A path that isn't one: the root then.
    if (image.file_path == nullptr || !directory.add_path(image.file_path)) directory.path_length_ = 0;
    directory.split();
    return directory;
}

Result<> Directory::append(char16_t c) {
    REQUIRE(path_length_ + 1 < longest_path, enametoolong);
    path_[path_length_++] = c;
    return {};
}

/// The text of all file path nodes, with one backslash between them. [uefi 10.3.5.4]
Result<> Directory::add_path(const DevicePath* node) {
    constexpr u8 media = 4, file_path = 4, end = 0x7f;
    for (; node->type != end; node = reinterpret_cast<const DevicePath*>(reinterpret_cast<const u8*>(node) + node->size())) {
        REQUIRE(node->size() >= sizeof *node, einval);
        if (node->type != media || node->subtype != file_path) continue;
        const u8* const text = reinterpret_cast<const u8*>(node + 1);
        if (path_length_ > 0 && path_[path_length_ - 1] != '\\') TRY(append('\\'));
        for (usize at = 0; at + 1 < node->size() - sizeof *node; at += 2) {
            const char16_t c = static_cast<char16_t>(text[at] | text[at + 1] << 8);
            if (c == 0) break;
            if (c == '\\' && path_length_ > 0 && path_[path_length_ - 1] == '\\') continue;
            TRY(append(c == '/' ? u'\\' : c));
        }
    }
    return {};
}

void Directory::split() {
    usize slash = path_length_;
    while (slash > 0 && path_[slash - 1] != '\\') --slash;
    for (usize at = slash; at < path_length_ && image_name_length_ < sizeof image_name_; ++at)
        image_name_[image_name_length_++] = ascii(path_[at]);
    path_length_ = slash > 0 ? slash - 1 : 0;
    for (usize at = 0; at < path_length_; ++at) name_[name_length_++] = ascii(path_[at]);
    if (name_length_ == 0) name_[name_length_++] = '\\';
}

Result<std::span<u8>> Directory::read(std::string_view purpose, std::string_view name, u64 limit, Missing missing) const {
    const bool from_root = name.starts_with('/') || name.starts_with('\\');
    char16_t path[longest_path + 1];
    usize used = 0;
    if (!from_root) {
        std::copy(path_, path_ + path_length_, path);
        used = path_length_;
        path[used++] = '\\';
    }
    if (used + name.size() > longest_path) return firmware_->fail("the name of the {} is too long: {}", purpose, name);
    for (const char c : name) path[used++] = c == '/' ? u'\\' : static_cast<char16_t>(static_cast<u8>(c));
    path[used] = 0;

    File* file = nullptr;
    const Status status = root_->open(root_, &file, path, file_read, 0);
    if (status == not_found && missing == Missing::is_fine) return std::span<u8>{};
    if (failed(status)) {
        return firmware_->fail("the {} '{}' can't be opened in {} of the volume that this image came from: {}", purpose, name,
                               from_root ? std::string_view("\\") : this->name(), describe(status));
    }
    const auto content = read_opened(*file, purpose, name, limit);
    (void)file->close(file);
    return content;
}

Result<std::span<u8>> Directory::read_opened(File& file, std::string_view purpose, std::string_view name, u64 limit) const {
    alignas(8) u8 information[sizeof(FileInfo) + 2 * longest_path];
    u64 size = sizeof information;
    Status status = file.get_info(&file, &file_info_guid, &size, information);
    FileInfo info{};
    std::memcpy(&info, information, sizeof info);
    if (failed(status)) return firmware_->fail("the {} '{}' has no size: {}", purpose, name, describe(status));
    if ((info.attributes & file_is_directory) != 0) return firmware_->fail("the {} '{}' is a directory", purpose, name);
    if (info.file_size == 0) return firmware_->fail("the {} '{}' is empty", purpose, name);
    if (info.file_size > limit) {
        return firmware_->fail("the {} '{}' is too large: {} bytes, at most {} are read", purpose, name, info.file_size, limit);
    }
    const auto memory = firmware_->allocate(info.file_size);
    if (!memory) return firmware_->fail("no memory for the {} '{}' of {} KiB", purpose, name, info.file_size >> 10);
    // In pieces: some firmware can't read much at once.
    constexpr u64 piece = u64{8} << 20;
    for (u64 done = 0; done < info.file_size;) {
        u64 count = std::min(piece, info.file_size - done);
        status = file.read(&file, &count, memory->data() + done);
        if (failed(status) || count == 0) {
            firmware_->free(*memory);
            return firmware_->fail("the {} '{}' can't be read beyond {} of {} bytes: {}", purpose, name, done, info.file_size,
                                   count == 0 ? "it ends there" : describe(status));
        }
        done += std::min(count, info.file_size - done);
    }
    return *memory;
}

Result<std::span<u8>> read_offered_initrd(const Firmware& firmware, u64 limit) {
    struct [[gnu::packed]] {
        DevicePath media{4, 3, {20, 0}};
        Guid vendor = initrd_media_guid;
        DevicePath end{0x7f, 0xff, {4, 0}};
    } const wanted;
    const DevicePath* path = &wanted.media;
    Handle handle = nullptr;
    void* found = nullptr;
    if (failed(firmware.boot().locate_device_path(&load_file2_guid, &path, &handle))) return std::span<u8>{};
    if (failed(firmware.boot().handle_protocol(handle, &load_file2_guid, &found))) return std::span<u8>{};
    LoadFile2& file = *static_cast<LoadFile2*>(found);
    u64 size = 0;
    const Status asked = file.load(&file, path, false, &size, nullptr);
    if (asked == not_found || size == 0) return std::span<u8>{};
    if (asked != buffer_too_small || size > limit) return firmware.fail("the boot loader's initrd can't be read: {}", describe(asked));
    const auto memory = firmware.allocate(size);
    if (!memory) return firmware.fail("no memory for the boot loader's initrd of {} KiB", size >> 10);
    const Status status = file.load(&file, path, false, &size, memory->data());
    if (failed(status) || size > memory->size()) return firmware.fail("the boot loader's initrd can't be read: {}", describe(status));
    return memory->first(size);
}

}  // namespace px::efi
