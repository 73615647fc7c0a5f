# SPDX-License-Identifier: Apache-2.0
"""Xen's library alone, without a toolstack."""
import ctypes
import errno


class Xen:
    def __init__(self):
        self.library = ctypes.CDLL("libxenctrl.so.4.17", use_errno=True)
        self.library.xc_interface_open.restype = ctypes.c_void_p
        self.handle = ctypes.c_void_p(self.library.xc_interface_open(None, None, 0))

    def destroy(self, domid):
        while self.library.xc_domain_destroy(self.handle, ctypes.c_uint32(domid)) != 0:
            if ctypes.get_errno() not in (errno.EAGAIN, errno.EBUSY, errno.EINTR):
                raise OSError(ctypes.get_errno(), "xc_domain_destroy")
