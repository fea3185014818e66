// The devices whose specification is a plain KEY=VALUE,… string: vfb, vkb, channel, vtpm, p9, pvcalls, vdispl, usb.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "libxlcfg/row.hpp"

namespace px::xlcfg {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};
    bool operator==(const Uuid&) const = default;
};

/// vnclisten=: an address, and perhaps the display's number after a colon.
struct VncListen {
    std::string address;
    std::optional<std::uint16_t> display;
};

/// A paravirtual framebuffer; an emulated display has the same keys.
struct Vfb {
    Span span;
    Field<bool> vnc;
    Field<VncListen> vnclisten;
    Field<std::int64_t> vncdisplay;
    Field<bool> vncunused;
    Field<std::string> vncpasswd;
    Field<bool> sdl;
    Field<bool> opengl;
    Field<std::string> display;
    Field<std::string> xauthority;
    Field<std::string> keymap;
};

enum class VkbBackend { qemu, linux_domain };
inline constexpr std::string_view vkb_backend_names[] = {"qemu", "linux"};
constexpr Choices names_of(VkbBackend) { return vkb_backend_names; }

struct Vkb {
    Span span;
    Field<std::string> unique_id;
    Field<std::string> backend;
    Field<VkbBackend> backend_type;
    Field<bool> disable_keyboard, disable_pointer, abs_pointer, raw_pointer, multi_touch;
    Field<std::int64_t> multi_touch_width, multi_touch_height, multi_touch_contacts, width, height;
};

enum class ChannelConnection { socket, pty };
inline constexpr std::string_view channel_connection_names[] = {"socket", "pty"};
constexpr Choices names_of(ChannelConnection) { return channel_connection_names; }

/// After read(): name and connection are present, and path exactly when the connection is a socket.
struct Channel {
    Span span;
    Field<std::string> name;
    Field<ChannelConnection> connection;
    Field<std::string> path;
    Field<std::string> backend;
};

struct Vtpm {
    Span span;
    Field<std::string> backend;  ///< present after read()
    Field<Uuid> uuid;
};

enum class P9Security { none };
inline constexpr std::string_view p9_security_names[] = {"none"};
constexpr Choices names_of(P9Security) { return p9_security_names; }

/// After read() all but the backend are present.
struct P9 {
    Span span;
    Field<std::string> tag;
    Field<P9Security> security_model;
    Field<std::string> path;
    Field<std::string> backend;
};

struct Pvcalls {
    Span span;
    Field<std::string> backend;
};

/// One output of a virtual display.
struct Connector {
    std::string id;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};
struct Connectors {
    std::vector<Connector> list;
};
struct Vdispl {
    Span span;
    Field<std::string> backend;
    Field<bool> be_alloc;
    Field<Connectors> connectors;
};

enum class UsbControllerType { automatic, pv, qusb, devicemodel };
inline constexpr std::string_view usb_controller_names[] = {"auto", "pv", "qusb", "devicemodel"};
constexpr Choices names_of(UsbControllerType) { return usb_controller_names; }
enum class UsbDeviceType { hostdev };
inline constexpr std::string_view usb_device_names[] = {"hostdev"};
constexpr Choices names_of(UsbDeviceType) { return usb_device_names; }

struct UsbController {
    Span span;
    Field<UsbControllerType> type;
    Field<std::int64_t> version;
    Field<std::int64_t> ports;
};

/// After read(): the host's bus and address are present.
struct UsbDevice {
    Span span;
    Field<UsbDeviceType> type;
    Field<std::int64_t> hostbus;
    Field<std::int64_t> hostaddr;
    Field<std::int64_t> controller;
    Field<std::int64_t> port;
};

bool read(Uuid& uuid, const Value& value, Diagnostics& out);
Json show(const Uuid& uuid);
bool read(VncListen& listen, const Value& value, Diagnostics& out);
Json show(const VncListen& listen);
bool read(Connectors& connectors, const Value& value, Diagnostics& out);
Json show(const Connectors& connectors);

std::span<const Row<Vfb>> rows_of(const Vfb*);
std::span<const Row<Vkb>> rows_of(const Vkb*);
std::span<const Row<Channel>> rows_of(const Channel*);
std::span<const Row<Vtpm>> rows_of(const Vtpm*);
std::span<const Row<P9>> rows_of(const P9*);
std::span<const Row<Pvcalls>> rows_of(const Pvcalls*);
std::span<const Row<Vdispl>> rows_of(const Vdispl*);
std::span<const Row<UsbController>> rows_of(const UsbController*);
std::span<const Row<UsbDevice>> rows_of(const UsbDevice*);

bool read(Vfb& vfb, const Value& value, Diagnostics& out);
bool read(Vkb& vkb, const Value& value, Diagnostics& out);
bool read(Channel& channel, const Value& value, Diagnostics& out);
bool read(Vtpm& vtpm, const Value& value, Diagnostics& out);
bool read(P9& p9, const Value& value, Diagnostics& out);
bool read(Pvcalls& pvcalls, const Value& value, Diagnostics& out);
bool read(Vdispl& vdispl, const Value& value, Diagnostics& out);
bool read(UsbController& controller, const Value& value, Diagnostics& out);
bool read(UsbDevice& device, const Value& value, Diagnostics& out);

/// For every device that is nothing but its rows.
template <Tabled Device>
Json show(const Device& device) {
    return show_rows(device, rows_of(&device));
}

}  // namespace px::xlcfg
