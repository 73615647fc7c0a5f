// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/image_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace xl::build {

namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileIdentity identify(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

}  // namespace

Result<OpenFile> open_file(const std::string& path, std::string_view what) {
  // Non-blocking, so that a FIFO without a writer does not hold us; a regular file does not care.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) {
    Error error =
        system_error(errno, fmt::format("cannot open '{}'", path), ErrorId::image_missing);
    if (error.id == ErrorId::image_missing) {
      error.hint = fmt::format("give the path of {}", what);
    } else if (error.id == ErrorId::access_denied) {
      error.hint = fmt::format("let user {} read it, and enter its folder", ::geteuid());
    }
    return Unexpected(std::move(error));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return Unexpected(system_error(errno, fmt::format("cannot examine '{}'", path)));
  }
  if (S_ISDIR(status.st_mode)) {
    return fail(ErrorId::image_not_a_file, fmt::format("'{}' is a directory, not {}", path, what),
                fmt::format("give the path of {}", what));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorId::image_not_a_file, fmt::format("'{}' is not a regular file", path),
                fmt::format("give the path of {}", what));
  }
  return OpenFile{path, std::move(fd), identify(status)};
}

Result<void> read_exactly(const OpenFile& file, std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::pread(file.fd.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Unexpected(system_error(errno, fmt::format("cannot read '{}'", file.path)));
    }
    if (got == 0) {
      return fail(ErrorId::image_changed,
                  fmt::format("'{}' became shorter while it was read", file.path), "try again");
    }
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<std::shared_ptr<ImageBuffer>> read_start(const OpenFile& file, std::uint64_t limit) {
  XL_TRY_ASSIGN(auto buffer, ImageBuffer::create(std::min(limit, file.identity.size)));
  XL_TRY(read_exactly(file, 0, buffer->writable()));
  struct stat status {};
  if (::fstat(file.fd.get(), &status) != 0 || identify(status) != file.identity) {
    return fail(ErrorId::image_changed,
                fmt::format("'{}' was changed while it was read", file.path), "try again");
  }
  return buffer;
}

}  // namespace xl::build
