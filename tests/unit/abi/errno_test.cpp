// ABI comparison: error numbers.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#define XEN_ERRNO(name, value) inline constexpr int xen_##name = value;
#define __XEN__ 1  // the hypervisor's own EINTR and ERESTART as well
#include <xen/errno.h>
#undef __XEN__

#include "hypervisor/base/result.hpp"

#define SAME_ERRNO(ours, theirs) static_assert(static_cast<int>(px::Errno::ours) == xen_##theirs, #theirs)
SAME_ERRNO(eperm, EPERM);
SAME_ERRNO(enoent, ENOENT);
SAME_ERRNO(esrch, ESRCH);
SAME_ERRNO(eintr, EINTR);
SAME_ERRNO(eio, EIO);
SAME_ERRNO(enxio, ENXIO);
SAME_ERRNO(e2big, E2BIG);
SAME_ERRNO(enoexec, ENOEXEC);
SAME_ERRNO(ebadf, EBADF);
SAME_ERRNO(echild, ECHILD);
SAME_ERRNO(eagain, EAGAIN);
SAME_ERRNO(enomem, ENOMEM);
SAME_ERRNO(eacces, EACCES);
SAME_ERRNO(efault, EFAULT);
SAME_ERRNO(ebusy, EBUSY);
SAME_ERRNO(eexist, EEXIST);
SAME_ERRNO(exdev, EXDEV);
SAME_ERRNO(enodev, ENODEV);
SAME_ERRNO(enotdir, ENOTDIR);
SAME_ERRNO(eisdir, EISDIR);
SAME_ERRNO(einval, EINVAL);
SAME_ERRNO(enfile, ENFILE);
SAME_ERRNO(emfile, EMFILE);
SAME_ERRNO(enospc, ENOSPC);
SAME_ERRNO(erofs, EROFS);
SAME_ERRNO(emlink, EMLINK);
SAME_ERRNO(edom, EDOM);
SAME_ERRNO(erange, ERANGE);
SAME_ERRNO(edeadlk, EDEADLK);
SAME_ERRNO(enametoolong, ENAMETOOLONG);
SAME_ERRNO(enolck, ENOLCK);
SAME_ERRNO(enosys, ENOSYS);
SAME_ERRNO(enotempty, ENOTEMPTY);
SAME_ERRNO(enodata, ENODATA);
SAME_ERRNO(etime, ETIME);
SAME_ERRNO(ebadmsg, EBADMSG);
SAME_ERRNO(eoverflow, EOVERFLOW);
SAME_ERRNO(eilseq, EILSEQ);
SAME_ERRNO(erestart, ERESTART);
SAME_ERRNO(enotsock, ENOTSOCK);
SAME_ERRNO(emsgsize, EMSGSIZE);
SAME_ERRNO(eopnotsupp, EOPNOTSUPP);
SAME_ERRNO(eaddrinuse, EADDRINUSE);
SAME_ERRNO(eaddrnotavail, EADDRNOTAVAIL);
SAME_ERRNO(enobufs, ENOBUFS);
SAME_ERRNO(eisconn, EISCONN);
SAME_ERRNO(enotconn, ENOTCONN);
SAME_ERRNO(etimedout, ETIMEDOUT);
SAME_ERRNO(econnrefused, ECONNREFUSED);
