// SPDX-License-Identifier: Apache-2.0
#include "xld/host_checks.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/error.hpp"
#include "libxl++/api/runtime_dir.hpp"
#include "libxl++/api/unix_socket.hpp"

namespace xl::daemon {
namespace {

constexpr rlim_t least_descriptors = 128;   // the daemon's own, and some domains' and clients'
constexpr rlim_t usual_descriptors = 1024;  // what 100 domains with consoles have room in
constexpr rlim_t least_processes = 64;      // threads of xld and QEMU count
constexpr std::uint64_t mib = 1024 * 1024;
constexpr std::uint64_t least_space = 4 * mib;  // logs and records of a domain or two
constexpr std::uint64_t usual_space = 64 * mib;

Check check_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::string detail =
      limit.rlim_max == RLIM_INFINITY ? "unlimited" : fmt::format("at most {}", limit.rlim_max);
  const std::string cure = fmt::format(
      "raise RLIMIT_NOFILE (`ulimit -Hn`, LimitNOFILE= of the "
      "unit) to {} or more",
      usual_descriptors);
  return limit.rlim_max < least_descriptors   ? check_failed("open files", detail, cure)
         : limit.rlim_max < usual_descriptors ? check_warning("open files", detail, cure)
                                              : check_ok("open files", detail);
}

Check check_processes() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NPROC, &limit);
  // Root is not held to it.
  if (limit.rlim_cur == RLIM_INFINITY || ::geteuid() == 0) {
    return check_ok("processes", "unlimited");
  }
  const std::string detail = fmt::format("at most {} processes and threads", limit.rlim_cur);
  return limit.rlim_cur < least_processes
             ? check_failed(
                   "processes", detail,
                   fmt::format("raise RLIMIT_NPROC (`ulimit -u`) to {} or more", usual_descriptors))
             : check_ok("processes", detail);
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == path.npos ? "/" : path.substr(0, slash);
}

// The directory itself, or the nearest one above it that is there.
std::string nearest(std::string path) {
  struct stat status {};
  while (path != "/" && ::stat(path.c_str(), &status) != 0 && errno == ENOENT) {
    path = parent_of(path);
  }
  return path;
}

constexpr const char* elsewhere = "set XL_RUNTIME_DIR to a directory that this user may write to";

// An errno value, or 0. A folder that is made and removed says it, where access(2) only guesses
// (root, read-only mounts, quotas).
int try_to_write(const std::string& directory) {
  std::string path = directory + "/.xl-doctor-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return errno;
  }
  ::rmdir(path.c_str());
  return 0;
}

// As xl and xld look at it when they start, without making it.
Check check_runtime_dir(const std::string& path) {
  const std::string there = nearest(path);
  if (there == path) {
    if (const Result<void> usable = api::RuntimeDir(path).make(); !usable) {
      return check_failed("runtime directory", usable.error().message, usable.error().hint);
    }
  }
  if (const int error = try_to_write(there); error != 0) {
    return check_failed("runtime directory",
                        system_error(error, fmt::format("writing to '{}'", there)).message,
                        elsewhere);
  }
  return check_ok("runtime directory",
                  there == path ? fmt::format("'{}' can be written to", path)
                                : fmt::format("'{}' is not there yet, and can be made", path));
}

Check check_space(const std::string& path) {
  const std::string there = nearest(path);
  struct statvfs status {};
  if (::statvfs(there.c_str(), &status) != 0) {
    return check_failed("disk space",
                        system_error(errno, fmt::format("asking '{}'", there)).message, elsewhere);
  }
  const std::uint64_t free = std::uint64_t{status.f_bavail} * status.f_frsize;
  const std::string detail =
      fmt::format("{} MiB free for state and logs below '{}'{}", free / mib, there,
                  status.f_favail == 0 && status.f_files != 0 ? ", but no inode" : "");
  const std::string cure = fmt::format("free some there, or {}", elsewhere);
  if (free < least_space || (status.f_files != 0 && status.f_favail == 0)) {
    return check_failed("disk space", detail, cure);
  }
  return free < usual_space ? check_warning("disk space", detail, cure)
                            : check_ok("disk space", detail);
}

// Of an xld that was killed. They are in nobody's way, but people ask.
Check check_leftovers(const api::RuntimeDir& dir) {
  struct stat status {};
  if (::lstat(dir.socket().c_str(), &status) != 0) {
    return check_ok("stale files", "none");
  }
  const auto listener = api::connect_unix(dir.socket());
  if (listener) {
    return check_ok("stale files", "none: an xld serves");
  }
  if (listener.error().code != ErrorCode::not_found) {
    return check_failed("stale files", listener.error().message,
                        fmt::format("rm '{}'", dir.socket()));
  }
  return check_ok("stale files", fmt::format("nobody listens at '{}': an xld was killed, and the "
                                             "next one takes its place",
                                             dir.socket()));
}

}  // namespace

std::vector<Check> host_checks(const Options& options) {
  const api::RuntimeDir dir(options.runtime_dir);
  return {check_runtime_dir(dir.path()), check_space(dir.path()), check_leftovers(dir),
          check_descriptors(), check_processes()};
}

}  // namespace xl::daemon
