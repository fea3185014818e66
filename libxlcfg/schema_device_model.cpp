// Keys of emulated hardware and of the device model.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/schema.hpp"

namespace px::xlcfg {

namespace {

using C = DomainConfig;

constexpr std::string_view no_stub = "device models run in dom0, not in stub domains";

constexpr KeyRow rows[] = {
    {"serial",
     texts<&C::device_model, &DeviceModel::serial>,
     {.guests = hvm_guest,
      .fallback = "vc",
      .form = "DEVICE of QEMU's -serial",
      .single = true,
      .doc = "Where the virtual serial ports lead: pty, stdio, a file or a socket."}},
    {"hdtype",
     choice<&C::device_model, &DeviceModel::hdtype>,
     {.guests = hvm_guest, .fallback = "ide", .doc = "Emulated disk controller."}},
    {"soundhw",
     text<&C::device_model, &DeviceModel::soundhw>,
     {.guests = hvm_guest, .form = "hda, ac97, es1370, adlib, cs4231a, gus, sb16", .doc = "Emulated sound card."}},
    {"vkb_device",
     boolean<&C::device_model, &DeviceModel::vkb_device>,
     {.guests = hvm_guest, .fallback = "1", .doc = "Give the guest a paravirtual keyboard and pointer."}},
    {"usb", boolean<&C::device_model, &DeviceModel::usb>, {.guests = hvm_guest, .fallback = "0", .doc = "Emulate a USB bus."}},
    {"usbversion",
     number<&C::device_model, &DeviceModel::usbversion>,
     {.guests = hvm_guest, .min = 1, .max = 3, .doc = "Emulate a USB controller of this version; not with usb or usbdevice."}},
    {"usbdevice",
     texts<&C::device_model, &DeviceModel::usbdevice>,
     {.guests = hvm_guest,
      .form = "tablet, mouse, host:BUS.ADDR, host:VENDOR:PRODUCT",
      .single = true,
      .doc = "Devices on the emulated USB bus."}},

    {"device_model_version",
     choice<&C::device_model, &DeviceModel::version>,
     {.fallback = "qemu-xen", .doc = "Which QEMU; the traditional one is not shipped."}},
    {"device_model",
     nowhere<C>,
     {.refused = "write device_model_override, the path of the program", .doc = "Path of the device model, as it was once written."}},
    {"device_model_override", text<&C::device_model, &DeviceModel::path>, {.form = "PATH", .doc = "Program to run as the device model."}},
    {"device_model_args", texts<&C::device_model, &DeviceModel::args>, {.single = true, .doc = "More arguments for the device model."}},
    {"device_model_args_pv",
     texts<&C::device_model, &DeviceModel::args_pv>,
     {.guests = pv_guest, .single = true, .doc = "The same, for PV guests only."}},
    {"device_model_args_hvm",
     texts<&C::device_model, &DeviceModel::args_hvm>,
     {.guests = hvm_guest, .single = true, .doc = "The same, for HVM guests only."}},
    {"device_model_user",
     text<&C::device_model, &DeviceModel::user>,
     {.guests = hvm_guest, .form = "USER", .doc = "User that a restricted device model runs as; one per domain."}},
    {"dm_restrict",
     boolean<&C::device_model, &DeviceModel::restricted>,
     {.guests = hvm_guest, .fallback = "0", .since = "4.11", .doc = "Take the device model's rights away after its start."}},

    {"device_model_stubdomain_override",
     boolean<&C::device_model, &DeviceModel::stubdomain>,
     {.guests = hvm_guest, .fallback = "0", .refused = no_stub, .doc = "Run the device model in a stub domain."}},
    {"device_model_stubdomain_seclabel",
     text<&C::device_model, &DeviceModel::stubdomain_seclabel>,
     {.guests = hvm_guest, .refused = no_stub, .doc = "XSM label of the stub domain."}},
    {"stubdomain_kernel",
     text<&C::device_model, &DeviceModel::stubdomain_kernel>,
     {.guests = hvm_guest, .since = "4.14", .form = "PATH", .refused = no_stub, .doc = "Kernel of the stub domain."}},
    {"stubdomain_cmdline",
     text<&C::device_model, &DeviceModel::stubdomain_cmdline>,
     {.guests = hvm_guest, .since = "4.14", .refused = no_stub, .doc = "Command line of the stub domain's kernel."}},
    {"stubdomain_ramdisk",
     text<&C::device_model, &DeviceModel::stubdomain_ramdisk>,
     {.guests = hvm_guest, .since = "4.14", .form = "PATH", .refused = no_stub, .doc = "Ramdisk of the stub domain."}},
    {"stubdomain_memory",
     mebibytes<&C::device_model, &DeviceModel::stubdomain_memory_kib>,
     {.guests = hvm_guest,
      .fallback = "128",
      .since = "4.14",
      .unit = "MiB",
      .max = 1 << 20,
      .refused = no_stub,
      .doc = "Memory of the stub domain."}},
};

}  // namespace

std::span<const KeyRow> device_model_keys() { return rows; }

}  // namespace px::xlcfg
