// SPDX-License-Identifier: Apache-2.0
// The libraries' handles, opened once. Any thread may use them: libxenctrl locks its buffers, the
// others are a file descriptor each.
#pragma once

#include <memory>

#include "base/error.hpp"
#include "hypervisor-iface/xen/headers.hpp"

namespace xl::hv::xen {

template <auto Close>
struct Closer {
  template <typename T>
  void operator()(T* handle) const {
    Close(handle);
  }
};

class Handles {
 public:
  // not_supported where no Xen is, or this domain does not control it.
  static Result<std::shared_ptr<Handles>> open();

  xc_interface* xc() const { return xc_.get(); }
  xenforeignmemory_handle* memory() const { return xc_interface_fmem_handle(xc_.get()); }
  xenevtchn_handle* events() const { return events_.get(); }
  // Null without the kernel's gntdev.
  xengnttab_handle* grants() const { return grants_.get(); }
  xs_handle* store() const { return store_.get(); }

 private:
  Handles() = default;

  std::unique_ptr<xc_interface, Closer<xc_interface_close>> xc_;
  std::unique_ptr<xenevtchn_handle, Closer<xenevtchn_close>> events_;
  std::unique_ptr<xengnttab_handle, Closer<xengnttab_close>> grants_;
  std::unique_ptr<xs_handle, Closer<xs_close>> store_;
};

}  // namespace xl::hv::xen
