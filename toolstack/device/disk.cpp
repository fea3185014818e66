// Disks of guests.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/device/disk.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>

#include "toolstack/device/hotplug.hpp"

namespace px::device {

using call::Error;
using call::Outcome;
using xlcfg::Disk;

namespace {

Err<Error> refused(const Disk& disk, const std::string& why) { return Err{Error{ENOTSUP, "disk " + disk.vdev.value_or("?") + ": " + why}}; }

const Node* find(const std::vector<Node>& nodes, std::string_view name) {
    const auto found = std::ranges::find(nodes, name, &Node::name);
    return found == nodes.end() ? nullptr : &*found;
}

/// "fd:1", as the block back end reads it.
std::string device_numbers(const struct stat& status) {
    char text[32];
    std::snprintf(text, sizeof text, "%x:%x", major(status.st_rdev), minor(status.st_rdev));
    return text;
}

/// What the host has at the target's path goes to the device.
Outcome<> use_target(const Disk& disk, NewDevice& made) {
    const std::string path = disk.path(), name = "disk " + *disk.vdev + ": ";
    struct stat status {};
    if (stat(path.c_str(), &status) < 0) return call::failure(name + "can't find " + path);
    if (!S_ISBLK(status.st_mode) && !S_ISREG(status.st_mode)) {
        return Err{Error{EINVAL, name + path + " is neither a block device nor a file"}};
    }
    if (access(path.c_str(), disk.is_writable() ? R_OK | W_OK : R_OK) < 0) return call::failure(name + "can't use " + path);
    made.back.push_back({"params", path});
    if (S_ISBLK(status.st_mode)) made.back.push_back({"physical-device", device_numbers(status)});
    else made.script = script_path("block");
    return {};
}

}  // namespace

Outcome<> check_supported(const Disk& disk) {
    using namespace xlcfg;
    if (disk.format.value_or(DiskFormat::raw) != DiskFormat::raw) {
        return refused(disk, "only raw images can be served yet: 'qemu-img convert -O raw' makes one");
    }
    if (disk.backend_type.value_or(DiskBackend::phy) != DiskBackend::phy) return refused(disk, "backendtype can only be phy yet");
    if (disk.protocol.value_or(DiskProtocol::xen) != DiskProtocol::xen) return refused(disk, "specification can only be xen yet");
    if (disk.backend && *disk.backend != "0" && *disk.backend != "Domain-0") return refused(disk, "backend can only be Domain-0 yet");
    if (disk.is_empty()) return refused(disk, "a drive without a disk isn't supported yet");
    return {};
}

Outcome<NewDevice> new_disk(const Disk& disk, DomId guest) {
    TRY(check_supported(disk));
    const char* type = disk.is_cdrom() ? "cdrom" : "disk";
    const std::string number = std::to_string(disk.device().number);
    NewDevice made{{Kind::vbd, guest, disk.device().number}, {{"virtual-device", number}, {"device-type", type}}, {}, {}};
    made.back = {{"removable", disk.is_cdrom() ? "1" : "0"},
                 {"bootable", "1"},
                 {"dev", *disk.vdev},
                 {"type", "phy"},
                 {"mode", disk.is_writable() ? "w" : "r"},
                 {"device-type", type},
                 {"discard-enable", disk.discard.value_or(true) ? "1" : "0"},
                 {"direct-io-safe", disk.direct_io_safe.value_or(false) ? "1" : "0"},
                 {"specification", "xen"}};
    if (disk.trusted && !*disk.trusted) made.front.push_back({"trusted", "0"});
    if (disk.script) {
        made.script = script_path(*disk.script);
        made.back.push_back({"params", *disk.target});
        return made;
    }
    TRY(use_target(disk, made));
    return made;
}

Outcome<> refuse_shared(store::Client& store, const NewDevice& disk) {
    const Node* target = find(disk.back, "params");
    const Node* mode = find(disk.back, "mode");
    const std::string all = "/local/domain/0/backend/vbd";
    auto guests = store.list(all);
    if (!guests.ok() || !target || !mode) return {};
    for (const std::string& guest : *guests) {
        auto numbers = store.list(all + "/" + guest);
        if (!numbers.ok()) continue;  // just removed
        for (const std::string& number : *numbers) {
            const std::string other = all + "/" + guest + "/" + number;
            if (other == disk.device.back() || TRY(value_of(store, other + "/params")) != target->value) continue;
            if (mode->value == "r" && TRY(value_of(store, other + "/mode")) == "r") continue;
            return Err{Error{EBUSY, target->value + " is a disk of domain " + guest + " already, and one of the two would write to it"}};
        }
    }
    return {};
}

}  // namespace px::device
