// The firmware's runtime services as a hardware domain calls them: its clock beside the machine's, its count, its store of variables;
// what isn't right is refused. Anybody else may call none. As dom0 of a machine that EFI has booted.
//
// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "arch/x86/machine/cmos_date.hpp"
#include "hypervisor/abi/platform.hpp"
#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {
namespace {

using abi::EfiFunction;

constexpr u64 efi_success = 0, efi_error = u64{1} << 63, efi_invalid_parameter = efi_error | 2, efi_not_found = efi_error | 14;
constexpr u16 no_time_zone = 0x7ff;
constexpr abi::EfiGuid global_variable{0x8be4df61, 0x93ca, 0x11d2, {0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};

i64 platform_op(abi::PlatformOp& op) { return hypercall(abi::hypercall::platform_op, reinterpret_cast<u64>(&op)); }

/// A call of a runtime service, and what came of it.
struct Service {
    abi::PlatformOp op{};
    i64 result = 0;

    explicit Service(EfiFunction function, u32 misc = 0) {
        op.cmd = static_cast<u32>(abi::PlatformOpCmd::efi_runtime_call);
        op.interface_version = abi::platform_interface_version;
        call().function = static_cast<u32>(function);
        call().misc = misc;
    }
    abi::PlatformEfiRuntimeCall& call() { return op.u.efi_runtime_call; }
    Service& make() {
        result = platform_op(op);
        return *this;
    }
    bool fine() { return result == 0 && call().status == efi_success; }
};

u8 cmos(u8 index) {
    out8(0x70, index);
    return in8(0x71);
}

/// The machine's own clock, read twice alike, while it isn't changing.
u64 machine_seconds() {
    constexpr u8 century = 0x32, register_a = 0x0a, register_b = 0x0b, changing = 0x80;
    const auto read = [&] { return arch::CmosTime{cmos(0), cmos(2), cmos(4), cmos(7), cmos(8), cmos(9), cmos(century), cmos(register_b)}; };
    for (;;) {
        if ((cmos(register_a) & changing) != 0) continue;
        const arch::CmosTime time = read();
        if (time == read()) return arch::seconds_since_1970(time);
    }
}

u64 seconds_of(const abi::EfiTime& time) {
    const auto small = [](unsigned value) { return static_cast<u8>(value); };
    constexpr u8 binary_24_hours = 6;
    return arch::seconds_since_1970(
        {time.sec, time.min, time.hour, time.day, time.month, small(time.year % 100u), small(time.year / 100u), binary_24_hours});
}

void the_clock_is_the_machines() {
    const u64 before = machine_seconds();
    Service get(EfiFunction::get_time);
    PX_CHECK(get.make().fine());
    const u64 after = machine_seconds(), told = seconds_of(get.call().u.get_time.time);
    print("PX-EFI time {} machine {}\n", told, before);
    PX_CHECK(before != 0 && before <= told && told <= after);
    PX_CHECK(get.call().u.get_time.time.tz == no_time_zone ||
             (get.call().u.get_time.time.tz >= -1440 && get.call().u.get_time.time.tz <= 1440));
    // The hypervisor's own date is the same one.
    const abi::SharedInfo& info = shared_info();
    const u64 date = info.wc_sec + system_time() / 1'000'000'000;
    PX_CHECK(date + 3 >= told && date <= told + 3);
}

void the_clock_can_be_set() {
    Service get(EfiFunction::get_time), set(EfiFunction::set_time);
    PX_CHECK(get.make().fine());
    const abi::EfiTime now = get.call().u.get_time.time;
    abi::EfiTime other = now;
    other.year = static_cast<u16>(now.year == 2031 ? 2032 : 2031), other.month = 2, other.day = 3, other.ns = 0;
    set.call().u.set_time = other;
    PX_CHECK(set.make().fine());
    const u64 moved = machine_seconds();
    PX_CHECK(moved >= seconds_of(other) && moved <= seconds_of(other) + 5);
    set.call().u.set_time = now;
    PX_CHECK(set.make().fine());
    other.month = 13;
    set.call().u.set_time = other;
    PX_CHECK_EQ(set.make().result, 0);
    PX_CHECK_EQ(set.call().status, efi_invalid_parameter);
    PX_CHECK(machine_seconds() < seconds_of(now) + 60);
}

void an_alarm() {
    Service get(EfiFunction::get_time), set(EfiFunction::set_wakeup_time, abi::efi_misc::set_wakeup_time_enable);
    PX_CHECK(get.make().fine());
    set.call().u.set_wakeup_time = get.call().u.get_time.time;
    set.call().u.set_wakeup_time.hour = static_cast<u8>((get.call().u.get_time.time.hour + 12) % 24);
    if (!set.make().fine()) return print("PX-EFI no alarm: {} {x}\n", set.result, set.call().status);
    Service alarm(EfiFunction::get_wakeup_time);
    PX_CHECK(alarm.make().fine());
    PX_CHECK((alarm.call().misc & abi::efi_misc::get_wakeup_time_enabled) != 0);
    PX_CHECK_EQ(alarm.call().u.get_wakeup_time.hour, set.call().u.set_wakeup_time.hour);
    Service off(EfiFunction::set_wakeup_time, abi::efi_misc::set_wakeup_time_enable_only);
    PX_CHECK(off.make().fine());
}

void the_count_grows() {
    Service first(EfiFunction::get_next_high_monotonic_count), second(EfiFunction::get_next_high_monotonic_count);
    PX_CHECK(first.make().fine() && second.make().fine());
    PX_CHECK(second.call().misc > first.call().misc);
}

void the_store_of_variables() {
    Service info(EfiFunction::query_variable_info);
    using namespace abi::efi_misc;
    info.call().u.query_variable_info.attr = variable_non_volatile | variable_bootservice_access | variable_runtime_access;
    PX_CHECK(info.make().fine());
    const auto& store = info.call().u.query_variable_info;
    PX_CHECK(store.max_size > 0 && store.max_size <= store.max_store_size && store.remain_store_size <= store.max_store_size);

    static constinit char16_t name[] = u"BootOrder", nobody[] = u"PhiloxenNobody";
    static constinit u16 order[64] = {};
    Service get(EfiFunction::get_variable);
    auto& variable = get.call().u.get_variable;
    variable = {handle<void>(name), sizeof order, handle<void>(order), global_variable};
    PX_CHECK(get.make().fine());
    PX_CHECK(variable.size > 0 && variable.size <= sizeof order && variable.size % sizeof order[0] == 0);
    get.call().misc = 0;
    variable = {handle<void>(nobody), sizeof order, handle<void>(order), global_variable};
    PX_CHECK_EQ(get.make().result, 0);
    PX_CHECK_EQ(get.call().status, efi_not_found);
    // Where its content would go there is nothing.
    get.call().misc = 0;
    variable = {handle<void>(name), sizeof order, {~u64{0} << 12}, global_variable};
    PX_CHECK_EQ(get.make().result, minus(Errno::efault));
    variable = {{~u64{0} << 12}, sizeof order, handle<void>(order), global_variable};
    PX_CHECK_EQ(get.make().result, minus(Errno::efault));
    variable = {handle<void>(name), u64{1} << 40, handle<void>(order), global_variable};
    PX_CHECK_EQ(get.make().result, minus(Errno::e2big));
}

void what_is_refused() {
    constexpr u32 undefined = 0x8000'0000;
    for (const EfiFunction function :
         {EfiFunction::get_time, EfiFunction::set_time, EfiFunction::get_wakeup_time, EfiFunction::set_wakeup_time,
          EfiFunction::get_variable, EfiFunction::get_next_variable_name, EfiFunction::query_variable_info})
        PX_CHECK_EQ(Service(function, undefined).make().result, minus(Errno::einval));
    PX_CHECK_EQ(Service(EfiFunction{0}).make().result, minus(Errno::einval));
    PX_CHECK_EQ(Service(EfiFunction{99}).make().result, minus(Errno::einval));
    PX_CHECK_EQ(Service(EfiFunction::update_capsule).make().result, minus(Errno::enosys));
    Service other(EfiFunction::get_time);
    other.op.interface_version = 1;
    PX_CHECK_EQ(other.make().result, minus(Errno::eacces));
}

}  // namespace

void guest_main() {
    if (!is_dom0()) {
        PX_CHECK_EQ(Service(EfiFunction::get_time).make().result, minus(Errno::eperm));
        return;
    }
    PX_PART(the_clock_is_the_machines());
    PX_PART(the_clock_can_be_set());
    PX_PART(an_alarm());
    PX_PART(the_count_grows());
    PX_PART(the_store_of_variables());
    PX_PART(what_is_refused());
}

}  // namespace px::guest
