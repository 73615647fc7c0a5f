// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/xen/failure.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <system_error>

namespace xl::hv::xen {
namespace {

thread_local Listening* listening = nullptr;

std::string strerror_text(int errno_value) {
  return std::generic_category().message(errno_value);
}

}  // namespace

struct Logger {
  static void message(xentoollog_logger*, xentoollog_level level, int, const char*,
                      const char* format, va_list arguments) {
    constexpr std::size_t enough = 400;
    if (listening == nullptr || level < XTL_WARN || listening->heard_.size() > enough) {
      return;
    }
    char line[256];
    std::vsnprintf(line, sizeof line, format, arguments);
    if (!listening->heard_.empty()) {
      listening->heard_ += "; ";
    }
    listening->heard_ += line;
  }
  static void progress(xentoollog_logger*, const char*, const char*, int, unsigned long,
                       unsigned long) {}
  static void destroy(xentoollog_logger*) {}
};

xentoollog_logger* quiet_logger() {
  static xentoollog_logger logger{Logger::message, Logger::progress, Logger::destroy};
  return &logger;
}

Listening::Listening() : outer_(listening) {
  listening = this;
}

Listening::~Listening() {
  listening = outer_;
}

ErrorCode code_of_errno(int errno_value) {
  switch (errno_value) {
    case ESRCH: return ErrorCode::not_found;
    case ENOMEM: return ErrorCode::no_memory;
    case EPERM:
    case EACCES: return ErrorCode::permission_denied;
    case ENOSYS:
    case ENODEV:
    case EOPNOTSUPP: return ErrorCode::not_supported;
    case ENOSPC: return ErrorCode::limit;
    case EBUSY:
    case EAGAIN: return ErrorCode::busy;
    case EEXIST: return ErrorCode::already_exists;
    case EINVAL:
    case ERANGE:
    case ENOENT:
    case ENODATA:
    case EFAULT:
    case E2BIG:
    case EOVERFLOW:
    case ENXIO:
    case ENOTCONN: return ErrorCode::invalid_argument;
    default: return ErrorCode::io;
  }
}

Unexpected<Error> Listening::failure(const std::string& doing) const {
  return failure(errno, doing);
}

Unexpected<Error> Listening::failure(int errno_value, const std::string& doing) const {
  if (errno_value == ESRCH) {
    return fail(ErrorId::no_such_domain, "Xen has no such domain, " + doing);
  }
  std::string message = "Xen failed " + doing + ": " + strerror_text(errno_value);
  if (!heard_.empty()) {
    message += " (" + heard_ + ")";
  }
  return fail(code_of_errno(errno_value), std::move(message));
}

Error wrong_interface_version(xc_interface* xc) {
  const int version = xc_version(xc, XENVER_version, nullptr);
  const std::string running =
      version < 0 ? "an unknown version"
                  : "Xen " + std::to_string(version >> 16) + "." + std::to_string(version & 0xffff);
  return make_error(ErrorId::xen_version_mismatch,
                    running + " runs here, and xl's module for it is made for Xen " XL_XEN_VERSION,
                    "install xl++ built for the Xen that runs, or boot the Xen of the libraries");
}

}  // namespace xl::hv::xen
