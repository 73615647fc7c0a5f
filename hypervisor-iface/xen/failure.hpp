// SPDX-License-Identifier: Apache-2.0
// One Error for each failure inside Xen's libraries: what was being done, errno's meaning in the
// waist's codes, and what the libraries themselves said about it.
#pragma once

#include <string>

#include "base/error.hpp"
#include "hypervisor-iface/xen/headers.hpp"

namespace xl::hv::xen {

// The logger that all libraries are given. What it hears is kept for the thread's Listening, or
// dropped: nothing is printed.
xentoollog_logger* quiet_logger();

// Lives while libraries are called on this thread; the innermost one hears.
class [[nodiscard]] Listening {
 public:
  Listening();
  ~Listening();
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  // From errno, which the call has just set. `doing` is a gerund with its values ("pausing domain
  // 5").
  Unexpected<Error> failure(const std::string& doing) const;
  Unexpected<Error> failure(int errno_value, const std::string& doing) const;
  const std::string& heard() const { return heard_; }

 private:
  friend struct Logger;
  std::string heard_;
  Listening* outer_;
};

ErrorCode code_of_errno(int errno_value);

// EACCES from a sysctl or domctl: Xen is of another version than the libraries.
Error wrong_interface_version(xc_interface* xc);

}  // namespace xl::hv::xen
