// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <cerrno>
#include <system_error>

namespace xl {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::invalid_config: return "invalid_config";
    case ErrorCode::invalid_image: return "invalid_image";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::already_exists: return "already_exists";
    case ErrorCode::permission_denied: return "permission_denied";
    case ErrorCode::not_supported: return "not_supported";
    case ErrorCode::no_memory: return "no_memory";
    case ErrorCode::limit: return "limit";
    case ErrorCode::busy: return "busy";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::io: return "io";
    case ErrorCode::protocol: return "protocol";
    case ErrorCode::hypervisor_gone: return "hypervisor_gone";
    case ErrorCode::interrupted: return "interrupted";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

std::string describe(const Error& error) {
  std::string text = error.message;
  const char* separator = " (while ";
  for (const std::string& what : error.context) {
    text += separator + what;
    separator = ", while ";
  }
  if (!error.context.empty()) {
    text += ')';
  }
  if (!error.hint.empty()) {
    text += "; " + error.hint;
  }
  return text;
}

namespace {

// What helps whatever was being done.
std::string_view cure_of(ErrorId id) {
  switch (id) {
    case ErrorId::config_missing:
    case ErrorId::file_missing: return "look at the path";
    case ErrorId::host_out_of_memory: return "`xl doctor` shows memory and limits";
    case ErrorId::disk_full: return "`df` shows what is full";
    case ErrorId::too_many_files: return "raise the limit of open files (`ulimit -n`)";
    default: return {};
  }
}

}  // namespace

Error system_error(int errno_value, std::string_view what, std::optional<ErrorId> missing) {
  ErrorId id = ErrorId::io;
  switch (errno_value) {
    case EACCES:
    case EPERM: id = ErrorId::access_denied; break;
    case ENOENT: id = missing.value_or(ErrorId::file_missing); break;
    case ENOMEM: id = ErrorId::host_out_of_memory; break;
    case ENOSPC:
    case EDQUOT: id = ErrorId::disk_full; break;
    case EMFILE:
    case ENFILE: id = ErrorId::too_many_files; break;
    default: break;
  }
  std::string message(what);
  message += ": " + std::generic_category().message(errno_value);
  return make_error(id, std::move(message), std::string(cure_of(id)));
}

}  // namespace xl
