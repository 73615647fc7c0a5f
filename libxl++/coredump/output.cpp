// SPDX-License-Identifier: Apache-2.0
#include "libxl++/coredump/output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace xl::coredump {
namespace {

constexpr std::array<std::byte, 64 * 1024> zero_bytes{};

Unexpected<Error> write_error() {
  return Unexpected(system_error(errno, "writing the core file"));
}

// What cannot seek: pipes, terminals.
class PlainOutput final : public Output {
 public:
  explicit PlainOutput(int fd) : fd_(fd) {}

  Result<void> write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t done = ::write(fd_, bytes.data(), bytes.size());
      if (done < 0 && errno != EINTR) {
        return write_error();
      }
      bytes = bytes.subspan(done > 0 ? static_cast<std::size_t>(done) : 0);
    }
    return {};
  }
  Result<void> zeros(std::uint64_t count) override {
    while (count > 0) {
      const std::uint64_t part = std::min<std::uint64_t>(count, zero_bytes.size());
      XL_TRY(write(std::span(zero_bytes).first(static_cast<std::size_t>(part))));
      count -= part;
    }
    return {};
  }
  Result<void> finish() override { return {}; }

 private:
  int fd_;
};

class SparseFile final : public Output {
 public:
  explicit SparseFile(int fd) : fd_(fd) {}

  Result<void> write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t done = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at_));
      if (done < 0 && errno != EINTR) {
        return write_error();
      }
      const auto count = done > 0 ? static_cast<std::size_t>(done) : 0;
      at_ += count;
      bytes = bytes.subspan(count);
    }
    return {};
  }
  Result<void> zeros(std::uint64_t count) override {
    at_ += count;
    return {};
  }
  Result<void> finish() override {
    return ::ftruncate(fd_, static_cast<off_t>(at_)) == 0 ? Result<void>() : write_error();
  }

 private:
  int fd_;
  std::uint64_t at_ = 0;
};

}  // namespace

std::string_view to_string(Compression compression) {
  switch (compression) {
    case Compression::none: return "none";
    case Compression::zstd: return "zstd";
    case Compression::gzip: return "gzip";
  }
  return "none";
}

std::optional<Compression> parse_compression(std::string_view text) {
  for (const Compression one : {Compression::none, Compression::zstd, Compression::gzip}) {
    if (text == to_string(one)) {
      return one;
    }
  }
  return std::nullopt;
}

std::unique_ptr<Output> to_descriptor(int fd) {
  struct stat status {};
  const bool is_file = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
  const int flags = ::fcntl(fd, F_GETFL);  // NOLINT: variadic by its nature
  if (is_file && flags >= 0 && (flags & O_APPEND) == 0) {
    return std::make_unique<SparseFile>(fd);
  }
  return std::make_unique<PlainOutput>(fd);
}

}  // namespace xl::coredump
