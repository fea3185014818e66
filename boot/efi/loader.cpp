// From the image's arguments to modules in memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/efi/loader.hpp"

#include <optional>

#include "boot/efi/arguments.hpp"
#include "boot/efi/config.hpp"
#include "boot/efi/screen.hpp"
#include "boot/efi/sections.hpp"
#include "boot/loader/payload.hpp"

namespace px::efi {
namespace {

constexpr u64 largest_file = u64{2} << 30;
constexpr u64 largest_microcode = u64{64} << 20;

void print_help(const Firmware& firmware) {
    firmware.print(
        "Philoxen, started by EFI: xen.efi [-cfg=FILE] [SECTION] [-mapbs] [-basevideo] [-help] [-- OPTIONS]\n"
        "  -cfg=FILE   the configuration, relative to xen.efi; else the image's name with .cfg, shorter names, xen.cfg\n"
        "  SECTION     of the configuration; else default= of its [global] section\n"
        "  -mapbs      memory of the firmware's boot services stays reserved\n"
        "  -basevideo  the screen stays in its mode, whatever video= says\n"
        "  -- OPTIONS  are added to the hypervisor's command line\n");
}

class Loader {
public:
    Loader(const Firmware& firmware, const LoadedImage& image, boot::EfiHandover& out) : firmware_(firmware), image_(image), out_(out) {}

    Result<bool> run() {
        const auto directory = Directory::of_image(firmware_, image_);
        if (directory.ok()) directory_ = *directory;
        else no_directory_ = static_cast<int>(directory.error());
        TRY(read_arguments());
        if (arguments_.help) {
            print_help(firmware_);
            return false;
        }
        out_.keeps_boot_services = arguments_.map_boot_services;
        auto config = Config::parse({});
        std::string_view section;
        TRY(choose(config.value(), section));
        TRY(load_modules(config.value(), section));
        return true;
    }

    /// After a failure the firmware goes on.
    void free_files() {
        for (const std::span<const u8> file : files_) firmware_.free(file);
        files_.clear();
    }

private:
    std::span<const u8> section(std::string_view name) const {
        return image_section({static_cast<const u8*>(image_.base), image_.size}, name);
    }

    /// A unified image under Secure Boot: what was signed with it counts, and nothing from outside says otherwise.
    bool sealed() const { return !section(".config").empty() && firmware_.secure_boot(); }

    Result<> read_arguments() {
        if (image_.options == nullptr || image_.options_size == 0) return {};
        const std::span<const u8> options{static_cast<const u8*>(image_.options), image_.options_size};
        const std::string_view line = options_text(options, options_);
        if (line.empty()) return {};
        if (sealed()) {
            firmware_.say("Philoxen: Secure Boot is on and this image brings its configuration along: arguments are ignored");
            return {};
        }
        const auto parsed = parse_arguments(line, directory_ ? directory_->image_name() : "xen.efi");
        if (!parsed)
            return firmware_.fail("argument '{}' isn't understood (-help lists them; the hypervisor's own go after --)", parsed.error());
        arguments_ = *parsed;
        return {};
    }

    Result<std::span<const u8>> read(std::string_view purpose, std::string_view name, u64 limit,
                                     Directory::Missing missing = Directory::Missing::is_error) {
        return noted(TRY(directory_->read(purpose, name, limit, missing)));
    }
    std::span<const u8> noted(std::span<const u8> file) {
        if (!file.empty()) (void)files_.push_back(file).ok();
        return file;
    }

    Result<Config> parse(std::string_view name, std::span<const u8> content) const {
        const auto config = Config::parse({reinterpret_cast<const char*>(content.data()), content.size()});
        if (config.ok()) return *config;
        return firmware_.fail("the configuration '{}' isn't plain ASCII text: its line {} has the byte {:#x}", name, config.error().line,
                              config.error().byte);
    }

    Result<Config> read_config(std::string_view name) {
        const auto content = TRY(read("configuration", name, longest_config));
        firmware_.say("Philoxen: configuration {}", name);
        return parse(name, content);
    }

    Result<Config> search_config() {
        for (ConfigNames names(directory_->image_name()); const auto name = names.next();) {
            const auto content = TRY(read("configuration", *name, longest_config, Directory::Missing::is_fine));
            if (content.empty()) continue;
            firmware_.say("Philoxen: configuration {}", *name);
            return parse(*name, content);
        }
        firmware_.print("Philoxen: no configuration; looked for");
        for (ConfigNames names(directory_->image_name()); const auto name = names.next();) {
            firmware_.print(" ");
            firmware_.print(*name);
        }
        firmware_.say(" in {} of the volume that this image came from (-cfg= names another)", directory_->name());
        return Err{Errno::enoent};
    }

    Result<Config> first_config() {
        if (const auto built_in = section(".config"); !built_in.empty()) {
            if (built_in.size() > longest_config)
                return firmware_.fail("the image's own configuration is larger than {} bytes", longest_config);
            firmware_.say("Philoxen: the image's own configuration");
            return parse("(of the image)", built_in);
        }
        if (!directory_)
            return firmware_.fail("this image came from no volume with files (error {}), and it brings no configuration along",
                                  no_directory_);
        return arguments_.config.empty() ? search_config() : read_config(arguments_.config);
    }

    /// A configuration whose section has a kernel, following chain= where it has none.
    Result<> choose(Config& config, std::string_view& section) {
        constexpr unsigned longest_chain = 8;
        config = TRY(first_config());
        for (unsigned i = 0; i < longest_chain; ++i) {
            section = arguments_.section.empty() ? config.text(Config::global, "default") : arguments_.section;
            if (config.value(section, "kernel")) return {};
            const std::string_view chain = config.text(Config::global, "chain");
            if (chain.empty() || !directory_ || sealed()) return complain(config, section);
            config = TRY(read_config(chain));
        }
        return firmware_.fail("more than {} configurations are chained", longest_chain);
    }

    Err<Errno> complain(const Config& config, std::string_view section) const {
        if (section.empty()) return firmware_.fail("the configuration has no kernel=, nor a default= in its [global]");
        if (!config.has_section(section)) return firmware_.fail("the configuration has no section [{}]", section);
        return firmware_.fail("section [{}] of the configuration has no kernel=", section);
    }

    /// A file as a section of the image, else of the volume.
    Result<std::span<const u8>> content(std::string_view purpose, std::string_view built_in, std::string_view name,
                                        u64 limit = largest_file) {
        if (const auto own = section(built_in); !own.empty()) {
            firmware_.say("Philoxen: {} of the image, {} KiB", purpose, own.size() >> 10);
            return own;
        }
        if (name.empty()) return std::span<const u8>{};
        if (!directory_) return firmware_.fail("there is no volume to read the {} '{}' from", purpose, name);
        const std::span<const u8> file = TRY(read(purpose, name, limit));
        firmware_.say("Philoxen: {} {}, {} KiB", purpose, name, file.size() >> 10);
        return file;
    }

    Result<> load_modules(const Config& config, std::string_view section) {
        choose_video(config, section);
        std::string_view arguments = config.text(section, "kernel");
        const std::string_view kernel_name = take_word(arguments);
        const auto kernel = TRY(content("kernel", ".kernel", kernel_name));
        if (kernel.empty()) return firmware_.fail("kernel= of section [{}] is empty", section);
        if (this->section(".kernel").empty()) TRY(verify(kernel_name, kernel));
        if (!loader::find_payload(kernel))
            return firmware_.fail("the file '{}' isn't a kernel: neither a bzImage nor an ELF file", kernel_name);
        TRY(keep_module(kernel, arguments));

        auto ramdisk = TRY(content("ramdisk", ".ramdisk", config.text(section, "ramdisk")));
        if (ramdisk.empty() && !sealed()) {
            ramdisk = noted(TRY(read_offered_initrd(firmware_, largest_file)));
            if (!ramdisk.empty()) firmware_.say("Philoxen: ramdisk of the boot loader, {} KiB", ramdisk.size() >> 10);
        }
        if (!ramdisk.empty()) TRY(keep_module(ramdisk, {}));
        const auto microcode =
            TRY(content("microcode", ".ucode", config.value_or_global(section, "ucode").value_or(""), largest_microcode));
        out_.microcode_start = reinterpret_cast<u64>(microcode.data());
        out_.microcode_size = microcode.size();
        const auto policy = TRY(content("security policy", ".xsm", config.value_or_global(section, "xsm").value_or("")));
        if (!policy.empty()) firmware_.say("Philoxen: the security policy isn't used: this hypervisor has no XSM");
        return keep_texts(config.text(section, "options"));
    }

    void choose_video(const Config& config, std::string_view section) const {
        const auto text = config.value_or_global(section, "video");
        if (!text || arguments_.base_video) return;
        const auto mode = parse_video(*text);
        if (!mode)
            return firmware_.say("Philoxen: video={} isn't understood (gfx-<width>x<height>x<depth>); the screen stays in its mode", *text);
        choose_mode(firmware_, *mode);
    }

    Result<> keep_module(std::span<const u8> content, std::string_view arguments) {
        if (!out_.add_module(content, arguments))
            return firmware_.fail("the kernel's arguments are longer than {} characters", out_.text_capacity);
        return {};
    }

    Result<> keep_texts(std::string_view options) {
        const auto first = out_.keep(options);
        const auto space = out_.keep(!options.empty() && !arguments_.hypervisor.empty() ? " " : "");
        const auto more = out_.keep(arguments_.hypervisor);
        if (!first || !space || !more) return firmware_.fail("the hypervisor's options are longer than {} characters", out_.text_capacity);
        out_.command_line = {first->offset, first->length + space->length + more->length};
        return {};
    }

    /// Secure Boot: what comes as a file must be signed as well. Shim's word counts where there is one, else the firmware's own.
    Result<> verify(std::string_view name, std::span<const u8> kernel) const {
        if (!firmware_.secure_boot()) return {};
        void* found = nullptr;
        Status status = firmware_.boot().locate_protocol(&shim_lock_guid, nullptr, &found);
        if (!failed(status)) {
            status = static_cast<ShimLock*>(found)->verify(kernel.data(), static_cast<u32>(kernel.size()));
        } else {
            Handle loaded = nullptr;
            status = firmware_.boot().load_image(false, firmware_.image(), image_.file_path, kernel.data(), kernel.size(), &loaded);
            if (loaded != nullptr) (void)firmware_.boot().unload_image(loaded);
        }
        if (failed(status))
            return firmware_.fail("Secure Boot is on, and the kernel '{}' isn't signed by a key of this machine: {}", name,
                                  describe(status));
        return {};
    }

    const Firmware& firmware_;
    const LoadedImage& image_;
    boot::EfiHandover& out_;
    std::optional<Directory> directory_;
    int no_directory_ = 0;
    Arguments arguments_;
    StaticVector<std::span<const u8>, 16> files_;
    char options_[4096];
};

}  // namespace

Result<bool> load(const Firmware& firmware, boot::EfiHandover& out) {
    (void)firmware.boot().set_watchdog(0, 0, 0, nullptr);
    void* found = nullptr;
    if (failed(firmware.boot().handle_protocol(firmware.image(), &loaded_image_guid, &found))) {
        return firmware.fail("the firmware doesn't know this image");
    }
    Loader loader(firmware, *static_cast<const LoadedImage*>(found), out);
    const auto result = loader.run();
    if (!result) loader.free_files();
    return result;
}

}  // namespace px::efi
