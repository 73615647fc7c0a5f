// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/xen/handles.hpp"

#include <fcntl.h>

#include <cerrno>

#include "hypervisor-iface/xen/failure.hpp"

namespace xl::hv::xen {
namespace {

constexpr const char* load_modules =
    "load the kernel's modules xen-privcmd, xen-evtchn and xen-gntdev, as Xen's init script does";

Unexpected<Error> not_opened(const Listening& listening, const char* what, const char* hint) {
  Error error = std::move(listening.failure(what)).error();
  error.id = ErrorId::xen_not_usable;
  error.code = code_of(ErrorId::xen_not_usable);
  error.hint = hint;
  return Unexpected(std::move(error));
}

// The first request that Xen checks the interface's version of.
Result<void> check_version(xc_interface* xc) {
  const Listening listening;
  xc_physinfo_t info{};
  if (xc_physinfo(xc, &info) == 0) {
    return {};
  }
  if (errno == EACCES) {
    return Unexpected(wrong_interface_version(xc));
  }
  return not_opened(listening, "answering a first request", "this domain may not control Xen");
}

}  // namespace

Result<std::shared_ptr<Handles>> Handles::open() {
  const Listening listening;
  std::shared_ptr<Handles> handles(new Handles);
  handles->xc_.reset(xc_interface_open(quiet_logger(), quiet_logger(), 0));
  if (!handles->xc_) {
    return not_opened(listening, "opening its control interface", load_modules);
  }
  XL_TRY(check_version(handles->xc()));
  handles->events_.reset(xenevtchn_open(quiet_logger(), 0));
  if (!handles->events_ ||
      ::fcntl(xenevtchn_fd(handles->events()), F_SETFL, O_RDWR | O_NONBLOCK) != 0) {
    return not_opened(listening, "opening its event channels", load_modules);
  }
  handles->grants_.reset(xengnttab_open(quiet_logger(), 0));
  handles->store_.reset(xs_open(0));
  if (!handles->store_) {
    return not_opened(listening, "opening its xenstore",
                      "start Xen's xenstored (on Debian: `systemctl start xen`)");
  }
  return handles;
}

}  // namespace xl::hv::xen
