// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>

#include "base/unique_fd.hpp"

namespace xl::console {
namespace {

Result<void> write_all(int fd, std::span<const std::byte> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return Unexpected(system_error(errno, "writing '" + path + "'"));
    }
    bytes = bytes.subspan(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return {};
}

// Up to the end of the file.
Result<std::string> read_from(int fd, std::uint64_t start, std::uint64_t size,
                              const std::string& path) {
  std::string text(size - start, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t count =
        ::pread(fd, text.data() + filled, text.size() - filled, static_cast<off_t>(start + filled));
    if (count < 0 && errno != EINTR) {
      return Unexpected(system_error(errno, "reading '" + path + "'"));
    }
    if (count == 0) {
      break;
    }
    filled += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  text.resize(filled);
  return text;
}

}  // namespace

Result<std::uint64_t> LogFile::make_room(std::uint64_t count) {
  struct stat status {};
  if (path_.empty() || ::lstat(path_.c_str(), &status) != 0) {
    return std::uint64_t{0};  // append says what is wrong, if anything is
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  return size != 0 && size + count > limit_ ? drop_older_half(size) : Result<std::uint64_t>(size);
}

Result<void> LogFile::append(std::span<const std::byte> bytes) {
  if (path_.empty()) {
    return {};
  }
  const UniqueFd fd(
      ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    return Unexpected(system_error(errno, "opening '" + path_ + "'"));
  }
  return write_all(fd.get(), bytes, path_);
}

Result<void> LogFile::cut_to(std::uint64_t size) {
  const UniqueFd fd(path_.empty() ? -1 : ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 ||
      static_cast<std::uint64_t>(status.st_size) <= size) {
    return {};  // nothing is beyond
  }
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return Unexpected(system_error(errno, "cutting '" + path_ + "'"));
  }
  return {};
}

Result<std::uint64_t> LogFile::drop_older_half(std::uint64_t size) {
  const std::uint64_t kept_size = std::min(size, limit_ / 2);
  const UniqueFd old(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!old) {
    return Unexpected(system_error(errno, "opening '" + path_ + "'"));
  }
  XL_TRY_ASSIGN(const std::string text, read_from(old.get(), size - kept_size, size, path_));
  const std::size_t line_end = text.find('\n');
  const std::string_view kept =
      std::string_view(text).substr(line_end == text.npos ? 0 : line_end + 1);
  // Beside the old file and then in its place, so that a reader sees either whole.
  const std::string fresh_path = path_ + ".new";
  const UniqueFd fresh(
      ::open(fresh_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fresh) {
    return Unexpected(system_error(errno, "opening '" + fresh_path + "'"));
  }
  auto written = write_all(fresh.get(), std::as_bytes(std::span(kept)), fresh_path);
  if (written && ::rename(fresh_path.c_str(), path_.c_str()) != 0) {
    written = Unexpected(system_error(errno, "replacing '" + path_ + "'"));
  }
  if (!written) {
    ::unlink(fresh_path.c_str());
    return Unexpected(std::move(written).error());
  }
  return static_cast<std::uint64_t>(kept.size());
}

}  // namespace xl::console
