// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/runtime_dir.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string_view>

namespace xl::api {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

Result<std::string> absolute(std::string_view path) {
  std::string result(path);
  if (result.front() != '/') {
    char here[PATH_MAX];
    if (::getcwd(here, sizeof here) == nullptr) {
      return Unexpected(system_error(errno, "asking for the working directory"));
    }
    result = std::string(here) + "/" + result;
  }
  while (result.size() > 1 && result.back() == '/') {
    result.pop_back();
  }
  if (result.size() > PATH_MAX - 64) {
    return fail(ErrorId::runtime_dir_invalid,
                "XL_RUNTIME_DIR has " + std::to_string(result.size()) + " characters, at most " +
                    std::to_string(PATH_MAX - 64) + " can be",
                "choose a shorter path");
  }
  return result;
}

Result<void> make_one(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) {
    return {};
  }
  Error error = system_error(errno, "making the runtime directory '" + path + "'");
  error.hint = "set XL_RUNTIME_DIR to a directory that this user may write to";
  return Unexpected(std::move(error));
}

}  // namespace

Result<RuntimeDir> RuntimeDir::from_environment() {
  std::string path;
  if (const std::string_view chosen = variable("XL_RUNTIME_DIR"); !chosen.empty()) {
    XL_TRY_ASSIGN(path, absolute(chosen));
  } else if (::geteuid() == 0) {
    path = "/run/xl";
  } else if (const std::string_view session = variable("XDG_RUNTIME_DIR"); !session.empty()) {
    XL_TRY_ASSIGN(path, absolute(session));
    path += "/xl";
  } else {
    path = "/tmp/xl-" + std::to_string(::geteuid());
  }
  return RuntimeDir(std::move(path));
}

Result<void> RuntimeDir::make() const {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) {
    for (std::size_t slash = path_.find('/', 1); slash != std::string::npos;
         slash = path_.find('/', slash + 1)) {
      XL_TRY(make_one(path_.substr(0, slash)));
    }
    XL_TRY(make_one(path_));
  }
  // stat, not lstat: a link of one's own to a folder of one's own is fine.
  if (::stat(path_.c_str(), &status) != 0) {
    return Unexpected(system_error(errno, "looking at the runtime directory '" + path_ + "'"));
  }
  if (!S_ISDIR(status.st_mode)) {
    return fail(ErrorId::runtime_dir_invalid,
                "the runtime directory '" + path_ + "' is not a directory",
                "set XL_RUNTIME_DIR to another path");
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & 022) != 0) {
    return fail(ErrorId::runtime_dir_unsafe,
                "the runtime directory '" + path_ + "' is not this user's alone",
                "remove it, or set XL_RUNTIME_DIR to another path");
  }
  return {};
}

}  // namespace xl::api
