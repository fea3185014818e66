// GNTTABOP_copy.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hypercall/grant_copy.hpp"

#include <cstring>

namespace px {

using abi::GntStatus;

GrantResult<> GrantCopier::hold(Side& side, const abi::GnttabCopyPtr& pointer, bool by_grant, bool write) {
    const DomId domain{pointer.domid};
    const u64 name = by_grant ? pointer.u.ref : pointer.u.gmfn;
    if (side.data != nullptr && side.by_grant == by_grant && side.domain == domain && side.name == name) return {};
    side = {};
    if (!by_grant) {
        if (domain != domid_self) return Err{GntStatus::permission_denied};
        auto frame = caller_.physmap.get_frame(Gfn{name}, write);
        if (!frame) return Err{GntStatus::bad_page};
        side.data = static_cast<char*>(frame->data());
        if (write) {
            auto target = WritableFrame::take(std::move(*frame));
            if (!target) {
                side = {};
                return Err{GntStatus::general_error};
            }
            side.target = std::move(*target);
        } else {
            side.frame = std::move(*frame);
        }
        side.start = 0;
        side.end = page_size;
    } else {
        DomainRef granter = domain == domid_self ? DomainRef(caller_) : find_domain(domain).value_or(DomainRef{});
        if (!granter) return Err{GntStatus::bad_domain};
        side.pin = TRY(granter->grants.pin(caller_.id, GrantRef{static_cast<u32>(name)}, write, false));
        side.data = static_cast<char*>(to_virtual(side.pin.mfn));
        side.start = side.pin.start;
        side.end = u32{side.pin.start} + side.pin.length;
    }
    side.by_grant = by_grant;
    side.domain = domain;
    side.name = name;
    return {};
}

GrantResult<> GrantCopier::copy(const abi::GnttabCopy& op) {
    const auto attempt = [&]() -> GrantResult<> {
        TRY(hold(source_, op.source, (op.flags & abi::gntcopy::source_gref) != 0, false));
        TRY(hold(destination_, op.dest, (op.flags & abi::gntcopy::dest_gref) != 0, true));
        const u32 from = op.source.offset, to = op.dest.offset, length = op.len;
        if (from + length > page_size || to + length > page_size) return Err{GntStatus::bad_copy_arg};
        if (from < source_.start || from + length > source_.end) return Err{GntStatus::general_error};
        if (to < destination_.start || to + length > destination_.end) return Err{GntStatus::general_error};
        // Both may be the same page.
        std::memmove(destination_.data + to, source_.data + from, length);
        return {};
    };
    const auto result = attempt();
    if (!result) {
        source_ = {};
        destination_ = {};
    }
    return result;
}

}  // namespace px
