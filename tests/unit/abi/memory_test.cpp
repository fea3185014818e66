// ABI comparison: memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/grant_table.h>
#include <xen/memory.h>

#include "hypervisor/abi/grant_table.hpp"
#include "hypervisor/abi/memory.hpp"

// memory.hpp
SAME(memf::populate_on_demand, XENMEMF_populate_on_demand);
SAME(memf::exact_node_request, XENMEMF_exact_node_request);
SAME(memf::vnode, XENMEMF_vnode);
SAME(mapidx_grant_table_status, XENMAPIDX_grant_table_status);
SAME(rdm_all, XENMEM_RDM_ALL);
SAME(resource_grant_table_id_shared, XENMEM_resource_grant_table_id_shared);
SAME(resource_grant_table_id_status, XENMEM_resource_grant_table_id_status);
SAME(resource_ioreq_server_frame_bufioreq, XENMEM_resource_ioreq_server_frame_bufioreq);
SAME_ENUM(MemoryOp, XENMEM_, increase_reservation, decrease_reservation, maximum_ram_page, current_reservation, maximum_reservation,
          machphys_mfn_list, populate_physmap, add_to_physmap, memory_map, machine_memory_map, exchange, machphys_mapping, set_memory_map,
          maximum_gpfn, remove_from_physmap, set_pod_target, get_pod_target, get_sharing_freed_pages, get_sharing_shared_pages, paging_op,
          access_op, sharing_op, add_to_physmap_batch, claim_pages, machphys_compat_mfn_list, get_vnumainfo, reserved_device_memory_map,
          acquire_resource);
SAME_ENUM(MapSpace, XENMAPSPACE_, shared_info, grant_table, gmfn, gmfn_range, gmfn_foreign, dev_mmio);
SAME_ENUM(PagingOp, XENMEM_paging_op_, nominate, evict, prep);
SAME_ENUM(AccessOp, XENMEM_access_op_, set_access, get_access, set_access_multi);
SAME(MemAccess::n, XENMEM_access_n);
SAME(MemAccess::r, XENMEM_access_r);
SAME(MemAccess::w, XENMEM_access_w);
SAME(MemAccess::rw, XENMEM_access_rw);
SAME(MemAccess::x, XENMEM_access_x);
SAME(MemAccess::rx, XENMEM_access_rx);
SAME(MemAccess::wx, XENMEM_access_wx);
SAME(MemAccess::rwx, XENMEM_access_rwx);
SAME(MemAccess::rx2rw, XENMEM_access_rx2rw);
SAME(MemAccess::n2rwx, XENMEM_access_n2rwx);
SAME(MemAccess::default_access, XENMEM_access_default);
SAME_ENUM(ResourceType, XENMEM_resource_, ioreq_server, grant_table, vmtrace_buf);
SAME_STRUCT(MemoryReservation, xen_memory_reservation, extent_start, nr_extents, extent_order, mem_flags, domid);
SAME_STRUCT(MemoryExchange, xen_memory_exchange, in, out, nr_exchanged);
SAME_STRUCT(MemoryDomain, xen_memory_domain, domid);
SAME_STRUCT(MachphysMfnList, xen_machphys_mfn_list, max_extents, extent_start, nr_extents);
SAME_STRUCT(MachphysMapping, xen_machphys_mapping, v_start, v_end, max_mfn);
SAME_STRUCT(AddToPhysmap, xen_add_to_physmap, domid, size, space, idx, gpfn);
SAME_STRUCT(AddToPhysmapBatch, xen_add_to_physmap_batch, domid, space, size, u, u.foreign_domid, u.res0, idxs, gpfns, errs);
SAME_STRUCT(RemoveFromPhysmap, xen_remove_from_physmap, domid, gpfn);
SAME_STRUCT(MemoryMap, xen_memory_map, nr_entries, buffer);
SAME_STRUCT(ForeignMemoryMap, xen_foreign_memory_map, domid, map);
SAME_STRUCT(PodTarget, xen_pod_target, target_pages, tot_pages, pod_cache_pages, pod_entries, domid);
SAME_STRUCT(MemPagingOp, xen_mem_paging_op, op, domain, buffer, gfn);
SAME_STRUCT(MemAccessOp, xen_mem_access_op, op, access, domid, nr, pfn, pfn_list, access_list);
SAME_STRUCT(ReservedDeviceMemory, xen_reserved_device_memory, start_pfn, nr_pages);
SAME_STRUCT(ReservedDeviceMemoryMap, xen_reserved_device_memory_map, flags, nr_entries, buffer, dev, dev.pci);
SAME_STRUCT(MemAcquireResource, xen_mem_acquire_resource, domid, type, id, nr_frames, pad, frame, frame_list);
SAME_STRUCT(Vmemrange, xen_vmemrange, start, end, flags, nid);
SAME_STRUCT(VnumaTopologyInfo, xen_vnuma_topology_info, domid, pad, nr_vnodes, nr_vcpus, nr_vmemranges, vdistance, vcpu_to_vnode,
            vmemrange);

// grant_table.hpp
SAME(gnttab_nr_reserved_entries, GNTTAB_NR_RESERVED_ENTRIES);
SAME(gnttab_reserved_console, GNTTAB_RESERVED_CONSOLE);
SAME(gnttab_reserved_xenstore, GNTTAB_RESERVED_XENSTORE);
SAME(gtf::invalid, GTF_invalid);
SAME(gtf::permit_access, GTF_permit_access);
SAME(gtf::accept_transfer, GTF_accept_transfer);
SAME(gtf::transitive, GTF_transitive);
SAME(gtf::type_mask, GTF_type_mask);
SAME(gtf::readonly, GTF_readonly);
SAME(gtf::reading, GTF_reading);
SAME(gtf::writing, GTF_writing);
SAME(gtf::pwt, GTF_PWT);
SAME(gtf::pcd, GTF_PCD);
SAME(gtf::pat, GTF_PAT);
SAME(gtf::sub_page, GTF_sub_page);
SAME(gtf::transfer_committed, GTF_transfer_committed);
SAME(gtf::transfer_completed, GTF_transfer_completed);
SAME(gntmap::device_map, GNTMAP_device_map);
SAME(gntmap::host_map, GNTMAP_host_map);
SAME(gntmap::readonly, GNTMAP_readonly);
SAME(gntmap::application_map, GNTMAP_application_map);
SAME(gntmap::contains_pte, GNTMAP_contains_pte);
SAME(gntmap::guest_avail0_bit, _GNTMAP_guest_avail0);
SAME(gntmap::guest_avail_mask, GNTMAP_guest_avail_mask);
SAME(gntcopy::source_gref, GNTCOPY_source_gref);
SAME(gntcopy::dest_gref, GNTCOPY_dest_gref);
SAME(gnttab_cache::clean, GNTTAB_CACHE_CLEAN);
SAME(gnttab_cache::inval, GNTTAB_CACHE_INVAL);
SAME(gnttab_cache::source_gref, GNTTAB_CACHE_SOURCE_GREF);
SAME_ENUM(GnttabOp, GNTTABOP_, map_grant_ref, unmap_grant_ref, setup_table, dump_table, transfer, copy, query_size, unmap_and_replace,
          set_version, get_status_frames, get_version, swap_grant_ref, cache_flush);
SAME_ENUM(GntStatus, GNTST_, okay, general_error, bad_domain, bad_gntref, bad_handle, bad_virt_addr, bad_dev_addr, no_device_space,
          permission_denied, bad_page, bad_copy_arg, address_too_big, eagain, no_space);
SAME_STRUCT(GrantEntryV1, grant_entry_v1, flags, domid, frame);
SAME_STRUCT(GrantEntryHeader, grant_entry_header, flags, domid);
SAME_STRUCT(GrantEntryV2, grant_entry_v2, hdr, full_page, full_page.hdr, full_page.pad0, full_page.frame, sub_page, sub_page.hdr,
            sub_page.page_off, sub_page.length, sub_page.frame, transitive, transitive.hdr, transitive.trans_domid, transitive.pad0,
            transitive.gref);
SAME_STRUCT(GnttabMapGrantRef, gnttab_map_grant_ref, host_addr, flags, ref, dom, status, handle, dev_bus_addr);
SAME_STRUCT(GnttabUnmapGrantRef, gnttab_unmap_grant_ref, host_addr, dev_bus_addr, handle, status);
SAME_STRUCT(GnttabSetupTable, gnttab_setup_table, dom, nr_frames, status, frame_list);
SAME_STRUCT(GnttabDumpTable, gnttab_dump_table, dom, status);
SAME_STRUCT(GnttabTransfer, gnttab_transfer, mfn, domid, ref, status);
SAME_STRUCT(GnttabCopyPtr, gnttab_copy::gnttab_copy_ptr, u, u.ref, u.gmfn, domid, offset);
SAME_STRUCT(GnttabCopy, gnttab_copy, source, dest, len, flags, status);
SAME_STRUCT(GnttabQuerySize, gnttab_query_size, dom, nr_frames, max_nr_frames, status);
SAME_STRUCT(GnttabUnmapAndReplace, gnttab_unmap_and_replace, host_addr, new_addr, handle, status);
SAME_STRUCT(GnttabSetVersion, gnttab_set_version, version);
SAME_STRUCT(GnttabGetStatusFrames, gnttab_get_status_frames, nr_frames, dom, status, frame_list);
SAME_STRUCT(GnttabGetVersion, gnttab_get_version, dom, pad, version);
SAME_STRUCT(GnttabSwapGrantRef, gnttab_swap_grant_ref, ref_a, ref_b, status);
SAME_STRUCT(GnttabCacheFlush, gnttab_cache_flush, a, a.dev_bus_addr, a.ref, offset, length, op);

// Macros with an argument.
SAME(memf::address_bits(40), XENMEMF_address_bits(40));
SAME(memf::get_address_bits(0x12345), XENMEMF_get_address_bits(0x12345));
SAME(memf::node(3), XENMEMF_node(3));
SAME(memf::get_node(0x12345), XENMEMF_get_node(0x12345));
SAME(memf::exact_node(3), XENMEMF_exact_node(3));
SAME(resource_ioreq_server_frame_ioreq(1), XENMEM_resource_ioreq_server_frame_ioreq(1));
