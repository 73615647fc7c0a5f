// SPDX-License-Identifier: Apache-2.0
// Errno: Xen's error numbers as a type of their own. A hypercall answers with the negative.
// Freestanding.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "hypervisor/core/xen_abi.hpp"

namespace hyp {

enum class Errno : std::int32_t {
  perm = XEN_EPERM,
  noent = XEN_ENOENT,
  srch = XEN_ESRCH,
  toobig = XEN_E2BIG,
  again = XEN_EAGAIN,
  nomem = XEN_ENOMEM,
  acces = XEN_EACCES,
  fault = XEN_EFAULT,
  busy = XEN_EBUSY,
  exist = XEN_EEXIST,
  inval = XEN_EINVAL,
  nospc = XEN_ENOSPC,
  nosys = XEN_ENOSYS,
  opnotsupp = XEN_EOPNOTSUPP,
  xdev = XEN_EXDEV,
  time = XEN_ETIME,
  nxio = XEN_ENXIO,
  range = XEN_ERANGE,
  nobufs = XEN_ENOBUFS,
  nodata = XEN_ENODATA,
};

template <typename T>
using Result = xl::Result<T, Errno>;

constexpr xl::Unexpected<Errno> fail(Errno error) {
  return xl::Unexpected(error);
}

// The value that a hypercall puts into the guest's RAX.
constexpr std::int64_t negative(Errno error) {
  return -static_cast<std::int64_t>(error);
}
constexpr std::int64_t to_value(const Result<void>& result) {
  return result ? 0 : negative(result.error());
}

}  // namespace hyp
