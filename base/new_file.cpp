// SPDX-License-Identifier: Apache-2.0
#include "base/new_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace xl {
namespace {

constexpr mode_t owner_only = 0600;

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

Unexpected<Error> error_about(const std::string& path, const char* doing) {
  return Unexpected(system_error(errno, std::string(doing) + " '" + path + "'"));
}

bool is_special(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

}  // namespace

Result<NewFile> NewFile::create(const std::string& path) {
  if (is_special(path)) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));  // NOLINT
    return fd ? Result<NewFile>(NewFile(std::move(fd), Kind::in_place, path, {}))
              : error_about(path, "opening");
  }
  // Unique among those who are at it now; complete() replaces what a killed one left.
  const std::string temporary = path + ".part-" + std::to_string(::getpid());
  UniqueFd nameless(::open(directory_of(path).c_str(),  // NOLINT
                           O_TMPFILE | O_RDWR | O_CLOEXEC, owner_only));
  if (nameless) {
    return NewFile(std::move(nameless), Kind::nameless, path, temporary);
  }
  ::unlink(temporary.c_str());
  UniqueFd fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,  // NOLINT
                     owner_only));
  return fd ? Result<NewFile>(NewFile(std::move(fd), Kind::temporary, path, temporary))
            : error_about(path, "creating");
}

Result<void> NewFile::complete() {
  if (kind_ == Kind::in_place) {
    return {};
  }
  if (kind_ == Kind::nameless) {
    ::unlink(temporary_.c_str());
    const std::string self = "/proc/self/fd/" + std::to_string(fd_.get());
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      return error_about(path_, "creating");
    }
    kind_ = Kind::temporary;
  }
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return error_about(path_, "creating");
  }
  kind_ = Kind::in_place;
  return {};
}

NewFile::~NewFile() {
  if (fd_ && kind_ == Kind::temporary) {
    ::unlink(temporary_.c_str());
  }
}

}  // namespace xl
