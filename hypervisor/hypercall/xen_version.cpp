// HYPERVISOR_xen_version. [xen/public version.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hypercall/xen_version.hpp"

#include <algorithm>
#include <cstring>

#include "arch/hypercalls.hpp"
#include "hypervisor/abi/version.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {
namespace {

using abi::Feature;
using abi::XenVersionOp;

constinit abi::Commandline command_line{};

template <usize N>
void fill(char (&to)[N], std::string_view text) {
    const usize length = std::min(text.size(), N - 1);
    std::memset(to, 0, N);
    std::memcpy(to, text.data(), length);
}

/// A text of fixed room, zeros behind it.
template <class Text>
Result<Reply> write_text(u64 argument, std::string_view text) {
    struct {
        Text text;
    } out;
    fill(out.text, text);
    TRY(guest_ptr<decltype(out)>(argument).write(out));
    return Reply{};
}

Result<Reply> version(Vcpu&, u64) { return Reply{abi::version_major << 16 | abi::version_minor}; }
Result<Reply> extraversion(Vcpu&, u64 argument) { return write_text<abi::Extraversion>(argument, ".0-philoxen"); }
Result<Reply> capabilities(Vcpu&, u64 argument) { return write_text<abi::CapabilitiesInfo>(argument, arch::capabilities()); }
Result<Reply> changeset(Vcpu&, u64 argument) { return write_text<abi::ChangesetInfo>(argument, "philoxen"); }

Result<Reply> compile_info(Vcpu&, u64 argument) {
    abi::CompileInfo info;
    fill(info.compiler, "g++ " __VERSION__);
    fill(info.compile_by, "philoxen");
    fill(info.compile_domain, "");
    fill(info.compile_date, "");  // builds are reproducible
    TRY(guest_ptr<abi::CompileInfo>(argument).write(info));
    return Reply{};
}

Result<Reply> platform_parameters(Vcpu&, u64 argument) {
    TRY(guest_ptr<abi::PlatformParameters>(argument).write({arch::hypervisor_virtual_start}));
    return Reply{};
}

u32 features_of(const Domain& domain) {
    const auto bit = [](Feature feature) { return 1u << static_cast<u32>(feature); };
    u32 bits = bit(Feature::memory_op_vnode_supported) | arch::features(domain);
    if (domain.settings.hvm) bits |= bit(Feature::writable_page_tables) | bit(Feature::auto_translated_physmap);
    if (domain.settings.hardware) bits |= bit(Feature::dom0);
    return bits | bit(domain.settings.one_to_one ? Feature::direct_mapped : Feature::not_direct_mapped);
}

Result<Reply> get_features(Vcpu& caller, u64 argument) {
    const auto pointer = guest_ptr<abi::FeatureInfo>(argument);
    const abi::FeatureInfo info = TRY(pointer.read());
    REQUIRE(info.submap_idx < abi::feature_nr_submaps, einval);
    TRY(pointer.write_field(&abi::FeatureInfo::submap, features_of(caller.domain)));
    return Reply{};
}

Result<Reply> pagesize(Vcpu&, u64 argument) {
    REQUIRE(argument == 0, einval);
    return Reply{page_size};
}

Result<Reply> guest_handle(Vcpu& caller, u64 argument) {
    TRY(guest_ptr<std::array<u8, 16>>(argument).write(caller.domain.handle));
    return Reply{};
}

Result<Reply> commandline(Vcpu& caller, u64 argument) {
    return write_text<abi::Commandline>(argument, caller.domain.settings.control ? command_line : "<denied>");
}

Result<Reply> build_id(Vcpu& caller, u64) {
    REQUIRE(caller.domain.settings.control, eperm);
    return Err{Errno::enodata};  // the image carries none: builds are compared by their contents
}

using Handler = Result<Reply> (*)(Vcpu& caller, u64 argument);
constexpr auto table = [] {
    std::array<Handler, 11> entries{};
    const auto set = [&](XenVersionOp op, Handler handler) { entries[static_cast<usize>(op)] = handler; };
    set(XenVersionOp::version, version);
    set(XenVersionOp::extraversion, extraversion);
    set(XenVersionOp::compile_info, compile_info);
    set(XenVersionOp::capabilities, capabilities);
    set(XenVersionOp::changeset, changeset);
    set(XenVersionOp::platform_parameters, platform_parameters);
    set(XenVersionOp::get_features, get_features);
    set(XenVersionOp::pagesize, pagesize);
    set(XenVersionOp::guest_handle, guest_handle);
    set(XenVersionOp::commandline, commandline);
    set(XenVersionOp::build_id, build_id);
    return entries;
}();

}  // namespace

void set_command_line_text(std::string_view text) { fill(command_line, text); }

/// args: (operation, argument)
Result<Reply> hypercall_xen_version(Vcpu& caller, HypercallArgs& args) {
    const u32 operation = static_cast<u32>(args[0]);
    REQUIRE(operation < table.size(), enosys);
    return table[operation](caller, args[1]);
}

}  // namespace px
