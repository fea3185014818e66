// Included before every source of the hypervisor: nothing is looked up through a table, for nothing is exported.
//
// SPDX-License-Identifier: Apache-2.0
#pragma GCC visibility push(hidden)
