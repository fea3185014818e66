// ABI comparison: rings, xenstore, hypfs, kexec.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/hypfs.h>
#include <xen/io/console.h>
#include <xen/io/ring.h>
#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>
#include <xen/kexec.h>

#include "hypervisor/abi/hypfs.hpp"
#include "hypervisor/abi/io/console.hpp"
#include "hypervisor/abi/io/ring.hpp"
#include "hypervisor/abi/io/xs_wire.hpp"
#include "hypervisor/abi/kexec.hpp"

// io/console.hpp
SAME_STRUCT(XenconsInterface, xencons_interface, in, out, in_cons, in_prod, out_cons, out_prod);

// io/ring.hpp

// io/xs_wire.hpp
SAME(xs_type_count, XS_TYPE_COUNT);
SAME(xenstore_ring_size, XENSTORE_RING_SIZE);
SAME(xenstore_payload_max, XENSTORE_PAYLOAD_MAX);
SAME(xenstore_abs_path_max, XENSTORE_ABS_PATH_MAX);
SAME(xenstore_rel_path_max, XENSTORE_REL_PATH_MAX);
SAME(xenstore_server_feature_reconnection, XENSTORE_SERVER_FEATURE_RECONNECTION);
SAME(xenstore_server_feature_error, XENSTORE_SERVER_FEATURE_ERROR);
SAME(XsMessageType::control, XS_CONTROL);
SAME(XsMessageType::directory, XS_DIRECTORY);
SAME(XsMessageType::read, XS_READ);
SAME(XsMessageType::get_perms, XS_GET_PERMS);
SAME(XsMessageType::watch, XS_WATCH);
SAME(XsMessageType::unwatch, XS_UNWATCH);
SAME(XsMessageType::transaction_start, XS_TRANSACTION_START);
SAME(XsMessageType::transaction_end, XS_TRANSACTION_END);
SAME(XsMessageType::introduce, XS_INTRODUCE);
SAME(XsMessageType::release, XS_RELEASE);
SAME(XsMessageType::get_domain_path, XS_GET_DOMAIN_PATH);
SAME(XsMessageType::write, XS_WRITE);
SAME(XsMessageType::mkdir, XS_MKDIR);
SAME(XsMessageType::rm, XS_RM);
SAME(XsMessageType::set_perms, XS_SET_PERMS);
SAME(XsMessageType::watch_event, XS_WATCH_EVENT);
SAME(XsMessageType::error, XS_ERROR);
SAME(XsMessageType::is_domain_introduced, XS_IS_DOMAIN_INTRODUCED);
SAME(XsMessageType::resume, XS_RESUME);
SAME(XsMessageType::set_target, XS_SET_TARGET);
SAME(XsMessageType::reset_watches, XS_RESET_WATCHES);
SAME(XsMessageType::directory_part, XS_DIRECTORY_PART);
SAME(XsMessageType::invalid, XS_INVALID);
SAME(XsWatchField::path, XS_WATCH_PATH);
SAME(XsWatchField::token, XS_WATCH_TOKEN);
SAME(XenstoreConnection::connected, XENSTORE_CONNECTED);
SAME(XenstoreConnection::reconnect, XENSTORE_RECONNECT);
SAME(XenstoreError::none, XENSTORE_ERROR_NONE);
SAME(XenstoreError::comm, XENSTORE_ERROR_COMM);
SAME(XenstoreError::ringidx, XENSTORE_ERROR_RINGIDX);
SAME(XenstoreError::proto, XENSTORE_ERROR_PROTO);
SAME(XenbusState::unknown, XenbusStateUnknown);
SAME(XenbusState::initialising, XenbusStateInitialising);
SAME(XenbusState::init_wait, XenbusStateInitWait);
SAME(XenbusState::initialised, XenbusStateInitialised);
SAME(XenbusState::connected, XenbusStateConnected);
SAME(XenbusState::closing, XenbusStateClosing);
SAME(XenbusState::closed, XenbusStateClosed);
SAME(XenbusState::reconfiguring, XenbusStateReconfiguring);
SAME(XenbusState::reconfigured, XenbusStateReconfigured);
SAME_STRUCT(XsdSockmsg, xsd_sockmsg, type, req_id, tx_id, len);
SAME_STRUCT(XenstoreDomainInterface, xenstore_domain_interface, req, rsp, req_cons, req_prod, rsp_cons, rsp_prod, server_features,
            connection, error);

// hypfs.hpp
SAME(hypfs_version, XEN_HYPFS_VERSION);
SAME(hypfs_max_pathlen, XEN_HYPFS_MAX_PATHLEN);
SAME_ENUM(HypfsOp, XEN_HYPFS_OP_, get_version, read, write_contents);
SAME(HypfsType::dir, XEN_HYPFS_TYPE_DIR);
SAME(HypfsType::blob, XEN_HYPFS_TYPE_BLOB);
SAME(HypfsType::string, XEN_HYPFS_TYPE_STRING);
SAME(HypfsType::uint_value, XEN_HYPFS_TYPE_UINT);
SAME(HypfsType::int_value, XEN_HYPFS_TYPE_INT);
SAME(HypfsType::bool_value, XEN_HYPFS_TYPE_BOOL);
SAME(HypfsEncoding::plain, XEN_HYPFS_ENC_PLAIN);
SAME(HypfsEncoding::gzip, XEN_HYPFS_ENC_GZIP);
SAME_STRUCT(HypfsDirentry, xen_hypfs_direntry, type, encoding, pad, content_len, max_write_len);
SAME_STRUCT(HypfsDirlistentry, xen_hypfs_dirlistentry, e, off_next);

// kexec.hpp
SAME(KexecCmd::kexec, KEXEC_CMD_kexec);
SAME(KexecCmd::load_v1, KEXEC_CMD_kexec_load_v1);
SAME(KexecCmd::unload_v1, KEXEC_CMD_kexec_unload_v1);
SAME(KexecCmd::get_range, KEXEC_CMD_kexec_get_range);
SAME(KexecCmd::load, KEXEC_CMD_kexec_load);
SAME(KexecCmd::unload, KEXEC_CMD_kexec_unload);
SAME(KexecCmd::status, KEXEC_CMD_kexec_status);
SAME(KexecType::default_image, KEXEC_TYPE_DEFAULT);
SAME(KexecType::crash, KEXEC_TYPE_CRASH);
SAME(KexecRangeId::crash, KEXEC_RANGE_MA_CRASH);
SAME(KexecRangeId::xen, KEXEC_RANGE_MA_XEN);
SAME(KexecRangeId::cpu, KEXEC_RANGE_MA_CPU);
SAME(KexecRangeId::xenheap, KEXEC_RANGE_MA_XENHEAP);
SAME(KexecRangeId::boot_param, KEXEC_RANGE_MA_BOOT_PARAM);
SAME(KexecRangeId::efi_memmap, KEXEC_RANGE_MA_EFI_MEMMAP);
SAME(KexecRangeId::vmcoreinfo, KEXEC_RANGE_MA_VMCOREINFO);
SAME_STRUCT(KexecExec, xen_kexec_exec, type);
SAME_STRUCT(KexecRange, xen_kexec_range, range, nr, size, start);
SAME_STRUCT(KexecSegment, xen_kexec_segment, buf, buf.h, buf_size, dest_maddr, dest_size);
SAME_STRUCT(KexecLoad, xen_kexec_load, type, arch, nr_segments, segments, segments.h, entry_maddr);
SAME_STRUCT(KexecUnload, xen_kexec_unload, type);
SAME_STRUCT(KexecStatus, xen_kexec_status, type);

static_assert(px::abi::HypfsDirlistentry::name_offset == offsetof(xen_hypfs_dirlistentry, name));
SAME(mask_xencons_idx(5000, sizeof(xencons_interface::out)), MASK_XENCONS_IDX(5000, xencons_interface::out));
SAME(mask_xenstore_idx(5000), MASK_XENSTORE_IDX(5000));

struct ProbeRequest {
    px::u64 data[3];
};
DEFINE_RING_TYPES(px_probe, ProbeRequest, px::u32);
static_assert(sizeof(px::abi::SringHeader) == offsetof(px_probe_sring, ring));
SAME_FIELD_AS(SringHeader, req_prod, px_probe_sring, req_prod);
SAME_FIELD_AS(SringHeader, req_event, px_probe_sring, req_event);
SAME_FIELD_AS(SringHeader, rsp_prod, px_probe_sring, rsp_prod);
SAME_FIELD_AS(SringHeader, rsp_event, px_probe_sring, rsp_event);
SAME_FIELD_AS(SringHeader, pvt, px_probe_sring, pvt.pvt_pad);
SAME_FIELD_AS(SringHeader, pad, px_probe_sring, __pad);
SAME(ring_size(4096, 24), __CONST_RING_SIZE(px_probe, 4096));
SAME(ring_size(4 * 4096, 24), __CONST_RING_SIZE(px_probe, 4 * 4096));
