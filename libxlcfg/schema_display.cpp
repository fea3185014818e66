// Keys of the emulated display, VNC, SDL and SPICE.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/schema.hpp"

namespace px::xlcfg {

namespace {

using C = DomainConfig;

// stdvga=1 is vga="stdvga"; 0 is what holds anyway.
void read_stdvga(C& config, const Value& value, const RowView& row, Diagnostics& out) {
    const std::optional<bool> on = read_boolean(value, row, out);
    Field<Vga>& vga = config.display.vga;
    if (on && !vga) {
        vga.value = *on ? Vga::stdvga : Vga::cirrus;
        vga.span = value.span;
    }
}
constexpr Access<C> stdvga_access = {Shape::boolean, {}, read_stdvga, [](const C&) { return Json(); }};

constexpr std::int64_t largest_port = 65535;

constexpr KeyRow rows[] = {
    {"vga", choice<&C::display, &Display::vga>, {.guests = hvm_guest, .fallback = "cirrus", .doc = "Emulated graphics card."}},
    {"stdvga",
     stdvga_access,
     {.guests = hvm_guest, .fallback = "0", .replaced_by = "vga", .doc = "Emulate a standard VGA card instead of a Cirrus."}},
    {"videoram",
     number<&C::display, &Display::videoram>,
     {.guests = hvm_guest, .fallback = "of the card", .unit = "MiB", .max = 1024, .doc = "Memory of the graphics card."}},
    {"nographic", boolean<&C::display, &Display::nographic>, {.guests = hvm_guest, .fallback = "0", .doc = "No graphics card at all."}},

    // These also make a framebuffer for PV and PVH guests.
    {"vnc", boolean<&C::display, &Display::vfb, &Vfb::vnc>, {.fallback = "1 for HVM", .doc = "Serve the display over VNC."}},
    {"vnclisten",
     item<&C::display, &Display::vfb, &Vfb::vnclisten>,
     {.fallback = "127.0.0.1", .form = "ADDRESS[:DISPLAY]", .doc = "Address that the VNC server listens on."}},
    {"vncdisplay",
     number<&C::display, &Display::vfb, &Vfb::vncdisplay>,
     {.fallback = "0", .max = 59635, .doc = "Display number; the port is 5900 more."}},
    {"vncunused", boolean<&C::display, &Display::vfb, &Vfb::vncunused>, {.fallback = "1", .doc = "Look for a free port."}},
    {"vncpasswd", text<&C::display, &Display::vfb, &Vfb::vncpasswd>, {.doc = "Password; empty turns authentication off."}},
    {"keymap", text<&C::display, &Display::vfb, &Vfb::keymap>, {.fallback = "en-us", .doc = "Layout of the keyboard."}},
    {"sdl", boolean<&C::display, &Display::vfb, &Vfb::sdl>, {.fallback = "0", .doc = "Show the display in an X window."}},
    {"opengl", boolean<&C::display, &Display::vfb, &Vfb::opengl>, {.fallback = "0", .doc = "Draw the X window with OpenGL."}},
    {"display", text<&C::display, &Display::vfb, &Vfb::display>, {.doc = "X display of the window."}},
    {"xauthority", text<&C::display, &Display::vfb, &Vfb::xauthority>, {.form = "PATH", .doc = "X authority file."}},
    {"vncviewer",
     boolean<&C::display, &Display::vncviewer>,
     {.fallback = "0", .doc = "Start a VNC viewer once the domain runs, like xl create -V."}},

    {"spice", boolean<&C::display, &Display::spice>, {.guests = hvm_guest, .fallback = "0", .doc = "Serve the display over SPICE."}},
    {"spicehost",
     text<&C::display, &Display::spice_host>,
     {.guests = hvm_guest, .fallback = "any", .form = "ADDRESS", .doc = "Address that the SPICE server listens on."}},
    {"spiceport",
     number<&C::display, &Display::spice_port>,
     {.guests = hvm_guest, .max = largest_port, .doc = "Port of the SPICE server."}},
    {"spicetls_port",
     number<&C::display, &Display::spice_tls_port>,
     {.guests = hvm_guest, .max = largest_port, .doc = "Port of the SPICE server for TLS."}},
    {"spicedisable_ticketing",
     boolean<&C::display, &Display::spice_disable_ticketing>,
     {.guests = hvm_guest, .fallback = "0", .doc = "Let clients in without a password."}},
    {"spicepasswd", text<&C::display, &Display::spice_password>, {.guests = hvm_guest, .doc = "Password of the SPICE server."}},
    {"spiceagent_mouse",
     boolean<&C::display, &Display::spice_agent_mouse>,
     {.guests = hvm_guest, .fallback = "1", .doc = "Use the agent in the guest for the client's mouse."}},
    {"spicevdagent",
     boolean<&C::display, &Display::spice_vdagent>,
     {.guests = hvm_guest, .fallback = "0", .doc = "Connect the agent in the guest."}},
    {"spice_clipboard_sharing",
     boolean<&C::display, &Display::spice_clipboard_sharing>,
     {.guests = hvm_guest, .fallback = "0", .doc = "Share the clipboard; needs the agent."}},
    {"spiceusbredirection",
     number<&C::display, &Display::spice_usb_redirection>,
     {.guests = hvm_guest, .fallback = "0", .max = 4, .doc = "Number of USB devices that a client may redirect."}},
    {"spice_image_compression",
     choice<&C::display, &Display::spice_image_compression>,
     {.guests = hvm_guest, .fallback = "QEMU's", .doc = "How images are compressed."}},
    {"spice_streaming_video",
     choice<&C::display, &Display::spice_streaming_video>,
     {.guests = hvm_guest, .fallback = "QEMU's", .doc = "Which video is streamed."}},
};

}  // namespace

std::span<const KeyRow> display_keys() { return rows; }

}  // namespace px::xlcfg
