// disk=: block devices, xl-disk-configuration(5).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libxlcfg/row.hpp"

namespace px::xlcfg {

enum class DiskFormat { raw, qcow, qcow2, vhd, qed };
enum class DiskAccess { rw, ro };
enum class DiskType { disk, cdrom };
enum class DiskBackend { phy, qdisk, tap, standalone };
enum class DiskProtocol { xen, virtio };

inline constexpr std::string_view disk_format_names[] = {"raw", "qcow", "qcow2", "vhd", "qed"};
inline constexpr std::string_view disk_access_names[] = {"rw", "ro"};
inline constexpr std::string_view disk_type_names[] = {"disk", "cdrom"};
inline constexpr std::string_view disk_backend_names[] = {"phy", "qdisk", "tap", "standalone"};
inline constexpr std::string_view disk_protocol_names[] = {"xen", "virtio"};
constexpr Choices names_of(DiskFormat) { return disk_format_names; }
constexpr Choices names_of(DiskAccess) { return disk_access_names; }
constexpr Choices names_of(DiskType) { return disk_type_names; }
constexpr Choices names_of(DiskBackend) { return disk_backend_names; }
constexpr Choices names_of(DiskProtocol) { return disk_protocol_names; }

/// The guest's name for a disk, and its number in xenstore [xen-vbd-interface(7)].
struct VirtualDisk {
    enum class Bus { xvd, hd, sd, number };

    Bus bus = Bus::xvd;
    std::uint32_t disk = 0;
    std::uint32_t partition = 0;  ///< 0: the whole disk
    std::uint32_t number = 0;     ///< the value in xenstore
};

/// "xvda1", "hdc", "sdb", "d536p37", or a bare number; nothing when it is none of them or out of the bus's range.
std::optional<VirtualDisk> parse_virtual_disk(std::string_view name);

/// One disk. After read() succeeded, `vdev` is present and valid, and `target` is present unless the drive is an empty
/// CD-ROM drive.
struct Disk {
    Span span;
    Field<std::string> target;
    Field<DiskFormat> format;
    Field<std::string> vdev;
    Field<DiskAccess> access;
    Field<DiskType> type;
    Field<std::string> backend;
    Field<DiskBackend> backend_type;
    Field<std::string> script;
    Field<DiskProtocol> protocol;
    Field<bool> direct_io_safe;
    Field<bool> discard;
    Field<bool> trusted;

    bool is_cdrom() const { return type.value_or(DiskType::disk) == DiskType::cdrom; }
    bool is_empty() const { return !target || target->empty(); }
    bool is_writable() const { return !is_cdrom() && access.value_or(DiskAccess::rw) == DiskAccess::rw; }
    VirtualDisk device() const { return parse_virtual_disk(*vdev).value_or(VirtualDisk{}); }
    /// The target as a path on the host: relative ones are under /dev. Only without a script.
    std::string path() const;
};

std::span<const Row<Disk>> rows_of(const Disk*);
bool read(Disk& disk, const Value& value, Diagnostics& out);
Json show(const Disk& disk);

}  // namespace px::xlcfg
