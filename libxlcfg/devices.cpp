// The devices whose specification is a plain KEY=VALUE,… string: their rows, and the rules between the keys.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/devices.hpp"

#include "libxlcfg/spec.hpp"

namespace px::xlcfg {

namespace {

constexpr std::int64_t largest_size = 65535;
constexpr std::string_view dom0 = "dom0";
constexpr std::string_view backend_doc = "Domain that serves the device, by name or number.";

constexpr Row<Vfb> vfb_rows[] = {
    {"vnc", boolean<&Vfb::vnc>, {.fallback = "1", .doc = "Serve the display over VNC."}},
    {"vnclisten",
     item<&Vfb::vnclisten>,
     {.fallback = "127.0.0.1", .form = "ADDRESS[:DISPLAY]", .doc = "Address that the VNC server listens on."}},
    {"vncdisplay", number<&Vfb::vncdisplay>, {.fallback = "0", .max = 59635, .doc = "Display number; the port is 5900 more."}},
    {"vncunused", boolean<&Vfb::vncunused>, {.fallback = "1", .doc = "Look for a free port."}},
    {"vncpasswd", text<&Vfb::vncpasswd>, {.doc = "Password; empty turns authentication off."}},
    {"sdl", boolean<&Vfb::sdl>, {.fallback = "0", .doc = "Show the display in an X window."}},
    {"opengl", boolean<&Vfb::opengl>, {.fallback = "0", .doc = "Draw the X window with OpenGL."}},
    {"display", text<&Vfb::display>, {.doc = "X display of the window."}},
    {"xauthority", text<&Vfb::xauthority>, {.doc = "X authority file."}},
    {"keymap", text<&Vfb::keymap>, {.fallback = "en-us", .doc = "Layout of the keyboard."}},
};

constexpr Row<Vkb> vkb_rows[] = {
    {"unique-id", text<&Vkb::unique_id>, {.doc = "Name of the input device."}},
    {"backend", text<&Vkb::backend>, {.fallback = dom0, .doc = backend_doc}},
    {"backend-type", choice<&Vkb::backend_type>, {.fallback = "qemu", .doc = "Who serves the device."}},
    {"feature-disable-keyboard", boolean<&Vkb::disable_keyboard>, {.fallback = "0", .doc = "No keyboard."}},
    {"feature-disable-pointer", boolean<&Vkb::disable_pointer>, {.fallback = "0", .doc = "No pointer."}},
    {"feature-abs-pointer", boolean<&Vkb::abs_pointer>, {.fallback = "0", .doc = "The pointer can give absolute coordinates."}},
    {"feature-raw-pointer", boolean<&Vkb::raw_pointer>, {.fallback = "0", .doc = "Absolute coordinates can be unscaled."}},
    {"feature-multi-touch", boolean<&Vkb::multi_touch>, {.fallback = "0", .doc = "The device takes several touches."}},
    {"multi-touch-width", number<&Vkb::multi_touch_width>, {.max = largest_size, .doc = "Width of the touch area."}},
    {"multi-touch-height", number<&Vkb::multi_touch_height>, {.max = largest_size, .doc = "Height of the touch area."}},
    {"multi-touch-num-contacts", number<&Vkb::multi_touch_contacts>, {.max = largest_size, .doc = "Largest number of touches."}},
    {"width", number<&Vkb::width>, {.max = largest_size, .doc = "Width of the pointer's area."}},
    {"height", number<&Vkb::height>, {.max = largest_size, .doc = "Height of the pointer's area."}},
};

constexpr Row<Channel> channel_rows[] = {
    {"name", text<&Channel::name>, {.doc = "Name that the guest's program finds it by. Mandatory."}},
    {"connection", choice<&Channel::connection>, {.doc = "A Unix socket or a pty in dom0. Mandatory."}},
    {"path", text<&Channel::path>, {.doc = "Path of the socket."}},
    {"backend", text<&Channel::backend>, {.fallback = dom0, .doc = backend_doc}},
};

constexpr Row<Vtpm> vtpm_rows[] = {
    {"backend", text<&Vtpm::backend>, {.doc = "The vTPM domain, or the vTPM manager's. Mandatory."}},
    {"uuid", item<&Vtpm::uuid>, {.fallback = "random", .form = "UUID", .doc = "Identity of the vTPM."}},
};

constexpr Row<P9> p9_rows[] = {
    {"tag", text<&P9::tag>, {.doc = "Name that the guest mounts. Mandatory."}},
    {"security_model", choice<&P9::security_model>, {.doc = "How owners are stored. Mandatory."}},
    {"path", text<&P9::path>, {.doc = "Directory that is shared. Mandatory."}},
    {"backend", text<&P9::backend>, {.fallback = dom0, .doc = backend_doc}},
};

constexpr Row<Pvcalls> pvcalls_rows[] = {{"backend", text<&Pvcalls::backend>, {.fallback = dom0, .doc = backend_doc}}};

constexpr Row<Vdispl> vdispl_rows[] = {
    {"backend", text<&Vdispl::backend>, {.fallback = dom0, .doc = backend_doc}},
    {"be-alloc", boolean<&Vdispl::be_alloc>, {.fallback = "0", .doc = "The backend allocates the buffers."}},
    {"connectors", item<&Vdispl::connectors>, {.form = "ID:WxH;…", .doc = "Outputs with their sizes in pixels."}},
};

constexpr Row<UsbController> usb_controller_rows[] = {
    {"type", choice<&UsbController::type>, {.fallback = "auto", .doc = "Who serves the controller."}},
    {"version", number<&UsbController::version>, {.fallback = "2", .min = 1, .max = 3, .doc = "USB version."}},
    {"ports", number<&UsbController::ports>, {.fallback = "8", .min = 1, .max = 31, .doc = "Number of ports."}},
};

constexpr Row<UsbDevice> usb_device_rows[] = {
    {"type", choice<&UsbDevice::type>, {.fallback = "hostdev", .doc = "A device of the host."}},
    {"hostbus", number<&UsbDevice::hostbus>, {.min = 1, .max = 255, .doc = "Bus number on the host. Mandatory."}},
    {"hostaddr", number<&UsbDevice::hostaddr>, {.min = 1, .max = 255, .doc = "Device number on that bus. Mandatory."}},
    {"controller", number<&UsbDevice::controller>, {.fallback = "a free one", .max = 255, .doc = "The guest's controller."}},
    {"port", number<&UsbDevice::port>, {.fallback = "a free one", .min = 1, .max = 31, .doc = "Port of that controller."}},
};

template <class Device>
bool read_device(Device& device, const Value& value, std::string_view what, Diagnostics& out) {
    device.span = value.span;
    return read_rows(device, value, what, out);
}

bool require(bool present, const Value& value, std::string_view what, std::string_view key, Diagnostics& out) {
    if (!present) out.error(value.span, std::string(what) + " has no " + quote(key), "add " + std::string(key) + "=…");
    return present;
}

}  // namespace

std::span<const Row<Vfb>> rows_of(const Vfb*) { return vfb_rows; }
std::span<const Row<Vkb>> rows_of(const Vkb*) { return vkb_rows; }
std::span<const Row<Channel>> rows_of(const Channel*) { return channel_rows; }
std::span<const Row<Vtpm>> rows_of(const Vtpm*) { return vtpm_rows; }
std::span<const Row<P9>> rows_of(const P9*) { return p9_rows; }
std::span<const Row<Pvcalls>> rows_of(const Pvcalls*) { return pvcalls_rows; }
std::span<const Row<Vdispl>> rows_of(const Vdispl*) { return vdispl_rows; }
std::span<const Row<UsbController>> rows_of(const UsbController*) { return usb_controller_rows; }
std::span<const Row<UsbDevice>> rows_of(const UsbDevice*) { return usb_device_rows; }

bool read(Vkb& vkb, const Value& value, Diagnostics& out) { return read_device(vkb, value, "a vkb", out); }
bool read(Pvcalls& pvcalls, const Value& value, Diagnostics& out) { return read_device(pvcalls, value, "a pvcalls", out); }
bool read(Vdispl& vdispl, const Value& value, Diagnostics& out) { return read_device(vdispl, value, "a vdispl", out); }

bool read(Vfb& vfb, const Value& value, Diagnostics& out) {
    if (!read_device(vfb, value, "a vfb", out)) return false;
    if (vfb.vnclisten && vfb.vnclisten->display && vfb.vncdisplay)
        out.warning(vfb.vncdisplay.span, "the display's number is given twice", "leave out vncdisplay");
    return true;
}

bool read(Channel& channel, const Value& value, Diagnostics& out) {
    constexpr std::string_view what = "a channel";
    if (!read_device(channel, value, what, out)) return false;
    const bool named = require(channel.name.value.has_value(), value, what, "name", out);
    if (!require(channel.connection.value.has_value(), value, what, "connection", out)) return false;
    if (*channel.connection == ChannelConnection::socket)
        return require(channel.path.value.has_value(), value, "a channel with connection=socket", "path", out) && named;
    if (!channel.path) return named;
    out.error(channel.path.span, "a channel with connection=pty has no path", "leave it out, or write connection=socket");
    return false;
}

bool read(Vtpm& vtpm, const Value& value, Diagnostics& out) {
    return read_device(vtpm, value, "a vtpm", out) && require(vtpm.backend.value.has_value(), value, "a vtpm", "backend", out);
}

bool read(P9& p9, const Value& value, Diagnostics& out) {
    constexpr std::string_view what = "a p9 share";
    if (!read_device(p9, value, what, out)) return false;
    const bool tagged = require(p9.tag.value.has_value(), value, what, "tag", out);
    const bool secured = require(p9.security_model.value.has_value(), value, what, "security_model", out);
    return require(p9.path.value.has_value(), value, what, "path", out) && tagged && secured;
}

bool read(UsbController& controller, const Value& value, Diagnostics& out) {
    if (!read_device(controller, value, "a USB controller", out)) return false;
    const auto type = controller.type.value_or(UsbControllerType::automatic);
    const bool paravirtual = type == UsbControllerType::pv || type == UsbControllerType::qusb;
    if (!paravirtual || controller.version.value_or(2) != 3) return true;
    out.error(controller.version.span, "a paravirtual USB controller has no version 3", "write type=devicemodel, or version=2");
    return false;
}

bool read(UsbDevice& device, const Value& value, Diagnostics& out) {
    constexpr std::string_view what = "a USB device";
    if (!read_device(device, value, what, out)) return false;
    const bool bus = require(device.hostbus.value.has_value(), value, what, "hostbus", out);
    if (!require(device.hostaddr.value.has_value(), value, what, "hostaddr", out) || !bus) return false;
    if (!device.port || device.controller) return true;
    out.error(device.port.span, "a USB port means nothing without its controller", "add controller=…");
    return false;
}

bool read(Uuid& uuid, const Value& value, Diagnostics& out) {
    if (!check_text(value, "a UUID", out)) return false;
    std::string digits;
    bool good = value.text.size() == 36;
    for (std::size_t at = 0; good && at < value.text.size(); ++at) {
        const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
        if (dash) good = value.text[at] == '-';
        else digits += value.text[at];
    }
    if (value.text.size() == 32) {
        good = true;
        digits = value.text;
    }
    for (std::size_t at = 0; good && at < uuid.bytes.size(); ++at) {
        const auto byte = parse_digits(std::string_view(digits).substr(2 * at, 2), 16);
        good = byte.has_value();
        if (good) uuid.bytes[at] = static_cast<std::uint8_t>(*byte);
    }
    if (!good)
        out.error(value.span, quote(value.text) + " is no UUID", "it is like 7f3c0a52-1d2e-4c0e-9a7b-2f5f0f6a1b11; uuidgen makes one");
    return good;
}

Json show(const Uuid& uuid) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t at = 0; at < uuid.bytes.size(); ++at) {
        if (at == 4 || at == 6 || at == 8 || at == 10) text += '-';
        text += digits[uuid.bytes[at] >> 4];
        text += digits[uuid.bytes[at] & 15];
    }
    return text;
}

bool read(VncListen& listen, const Value& value, Diagnostics& out) {
    if (!check_text(value, "'vnclisten'", out)) return false;
    const std::size_t colon = value.text.rfind(':');
    // More than one colon is an IPv6 address; it has a display only after brackets: [::1]:2
    const bool divides = colon != std::string::npos && (value.text.find(':') == colon || value.text[colon - 1] == ']');
    listen.address = value.text.substr(0, divides ? colon : std::string::npos);
    if (!divides) return true;
    const std::optional<std::uint64_t> display = parse_digits(std::string_view(value.text).substr(colon + 1), 10);
    if (display && *display <= 59635) {
        listen.display = static_cast<std::uint16_t>(*display);
        return true;
    }
    out.error(value.part(colon + 1).span, "after the ':' comes the number of a display, 0 to 59635");
    return false;
}

Json show(const VncListen& listen) { return listen.display ? listen.address + ':' + std::to_string(*listen.display) : listen.address; }

bool read(Connectors& connectors, const Value& value, Diagnostics& out) {
    for (const Value& part : split(value, ';')) {
        const std::size_t colon = part.text.find(':');
        const std::size_t x = part.text.find('x', colon == std::string::npos ? 0 : colon);
        const bool whole = colon != std::string::npos && x != std::string::npos && colon > 0;
        const std::string_view text = part.text;
        const auto width = whole ? parse_digits(text.substr(colon + 1, x - colon - 1), 10) : std::nullopt;
        const auto height = whole ? parse_digits(text.substr(x + 1), 10) : std::nullopt;
        if (!width || !height || *width == 0 || *height == 0 || *width > largest_size || *height > largest_size) {
            out.error(part.span, quote(part.text) + " is no connector", "it is ID:WIDTHxHEIGHT, like 0:1920x1080");
            return false;
        }
        connectors.list.push_back({part.text.substr(0, colon), static_cast<std::uint32_t>(*width), static_cast<std::uint32_t>(*height)});
    }
    return true;
}

Json show(const Connectors& connectors) {
    std::string text;
    for (const Connector& connector : connectors.list) {
        if (!text.empty()) text += ';';
        text += connector.id + ':' + std::to_string(connector.width) + 'x' + std::to_string(connector.height);
    }
    return text;
}

}  // namespace px::xlcfg
