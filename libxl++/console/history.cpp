// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/history.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

namespace xl::console {
namespace {

struct Header {
  std::uint64_t magic = 0;
  std::uint64_t end = 0;
  std::uint64_t log_size = 0;
  std::uint32_t ring_taken = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(Header) == 32 && std::has_unique_object_representations_v<Header>);

constexpr std::uint64_t magic = 0x315453494843584c;  // "LXCHIST1"
constexpr std::uint64_t text_offset = 64;
// More than is shown, so that what is appended and not committed yet overwrites nothing of that.
constexpr std::uint64_t capacity = history_limit + 4096;

Result<void> write_at(int fd, std::span<const std::byte> bytes, std::uint64_t at,
                      const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno != EINTR) {
      return Unexpected(system_error(errno, "writing '" + path + "'"));
    }
    const auto count = static_cast<std::uint64_t>(std::max<ssize_t>(written, 0));
    bytes = bytes.subspan(count);
    at += count;
  }
  return {};
}

// Fewer if the file ends before.
std::size_t read_at(int fd, char* to, std::size_t count, std::uint64_t at) {
  std::size_t filled = 0;
  while (filled < count) {
    const ssize_t got = ::pread(fd, to + filled, count - filled, static_cast<off_t>(at + filled));
    if (got == 0 || (got < 0 && errno != EINTR)) {
      break;
    }
    filled += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  }
  return filled;
}

}  // namespace

History History::resume(std::string path) {
  History history(std::move(path));
  const UniqueFd file(::open(history.path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  char bytes[sizeof(Header)];
  if (!file || read_at(file.get(), bytes, sizeof bytes, 0) != sizeof bytes) {
    return history;
  }
  Header header;
  std::memcpy(&header, bytes, sizeof header);
  if (header.magic == magic) {
    history.end_ = header.end;
    history.position_ = Position{header.ring_taken, header.log_size};
  }
  return history;
}

Result<void> History::open() {
  if (file_) {
    return {};
  }
  const int fresh = position_ ? 0 : O_CREAT | O_TRUNC;
  file_ = UniqueFd(::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | fresh, 0600));
  return file_ ? Result<void>() : Unexpected(system_error(errno, "opening '" + path_ + "'"));
}

Result<void> History::append(std::span<const std::byte> bytes) {
  if (path_.empty() || bytes.empty()) {
    return {};
  }
  XL_TRY(open());
  if (bytes.size() > history_limit) {
    appended_ += bytes.size() - history_limit;
    bytes = bytes.last(history_limit);
  }
  while (!bytes.empty()) {
    const std::uint64_t at = (end_ + appended_) % capacity;
    const std::size_t count = std::min<std::size_t>(bytes.size(), capacity - at);
    XL_TRY(write_at(file_.get(), bytes.first(count), text_offset + at, path_));
    appended_ += count;
    bytes = bytes.subspan(count);
  }
  return {};
}

Result<void> History::commit(const Position& position) {
  if (path_.empty()) {
    return {};
  }
  XL_TRY(open());
  const UniqueFd file = std::move(file_);
  const Header header{magic, end_ + appended_, position.log_size, position.ring_taken, 0};
  XL_TRY(write_at(file.get(), std::as_bytes(std::span(&header, 1)), 0, path_));
  end_ = header.end;
  appended_ = 0;
  position_ = position;
  return {};
}

std::string History::text() const {
  std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(end_, history_limit)), '\0');
  if (text.empty()) {
    return text;
  }
  const UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  const std::uint64_t start = (end_ - text.size()) % capacity;
  const std::size_t until_wrap = std::min<std::size_t>(text.size(), capacity - start);
  std::size_t filled = read_at(file.get(), text.data(), until_wrap, text_offset + start);
  if (filled == until_wrap) {
    filled += read_at(file.get(), text.data() + filled, text.size() - filled, text_offset);
  }
  text.resize(filled);
  return text;
}

std::string last_line(const std::string& text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t end = text.find_last_not_of(blank);
  if (end == text.npos) {
    return {};
  }
  const std::size_t before = text.find_last_of("\r\n", end);
  const std::size_t start = text.find_first_not_of(blank, before == text.npos ? 0 : before + 1);
  return text.substr(start, end + 1 - start);
}

}  // namespace xl::console
