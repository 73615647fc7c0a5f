// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/journal.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/scope_exit.hpp"

namespace xl::xenstore {
namespace {

constexpr std::string_view magic = "xlstore1";
// What the file may hold beyond twice its size after the last rewrite.
constexpr std::uint64_t slack = 1 << 20;
constexpr std::chrono::seconds retry_interval{1};

struct Frame {
  std::uint32_t length = 0;  // bytes of the batch, which follows
  std::uint32_t checksum = 0;
};
static_assert(sizeof(Frame) == 8);

std::uint32_t checksum(std::string_view batch) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(batch.data()), batch.size()));
}

// All of it, or an errno. A kill in between leaves a part.
int write_batch(int fd, std::string_view batch) {
  const Frame frame{static_cast<std::uint32_t>(batch.size()), checksum(batch)};
  std::array<iovec, 2> parts{{{const_cast<Frame*>(&frame), sizeof frame},
                              {const_cast<char*>(batch.data()), batch.size()}}};
  const ssize_t written = ::writev(fd, parts.data(), static_cast<int>(parts.size()));
  if (written < 0) {
    return errno;
  }
  return static_cast<std::size_t>(written) == sizeof frame + batch.size() ? 0 : ENOSPC;
}

}  // namespace

std::uint64_t read_batches(std::string_view bytes, const Journal::Reader& reader) {
  if (!bytes.starts_with(magic)) {
    return 0;
  }
  std::size_t at = magic.size();
  while (bytes.size() - at >= sizeof(Frame)) {
    Frame frame;
    std::memcpy(&frame, bytes.data() + at, sizeof frame);
    const std::string_view rest = bytes.substr(at + sizeof frame);
    if (frame.length > rest.size() || checksum(rest.substr(0, frame.length)) != frame.checksum ||
        !reader(rest.substr(0, frame.length))) {
      break;
    }
    at += sizeof frame + frame.length;
  }
  return at;
}

Result<std::unique_ptr<Journal>> Journal::open(std::string path, const Reader& reader) {
  std::unique_ptr<Journal> journal(new Journal(std::move(path)));
  const auto doing = [&] { return "opening the xenstore's journal '" + journal->path_ + "'"; };
  auto loaded = journal->load(reader);
  if (!loaded) {
    return Unexpected(std::move(loaded).error().while_doing(doing()));
  }
  return journal;
}

Result<void> Journal::start() {
  fd_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!fd_ ||
      ::write(fd_.get(), magic.data(), magic.size()) != static_cast<ssize_t>(magic.size())) {
    return Unexpected(system_error(errno, "making it"));
  }
  size_ = magic.size();
  return {};
}

Result<void> Journal::load(const Reader& reader) {
  fd_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  if (!fd_) {
    return errno == ENOENT ? start() : Unexpected(system_error(errno, "opening it"));
  }
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) {
    return Unexpected(system_error(errno, "looking at it"));
  }
  const auto length = static_cast<std::size_t>(status.st_size);
  if (length < magic.size()) {
    return start();  // killed while it was being made
  }
  void* memory = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, fd_.get(), 0);
  if (memory == MAP_FAILED) {
    return Unexpected(system_error(errno, "mapping it"));
  }
  const ScopeExit unmap([&] { ::munmap(memory, length); });
  bool makes_sense = true;
  size_ = read_batches({static_cast<const char*>(memory), length}, [&](std::string_view batch) {
    makes_sense = reader(batch);
    return makes_sense;
  });
  if (size_ == 0 || !makes_sense) {
    // Its readable part is in the reader's hands; a rewrite by the caller makes the file anew.
    damaged_ = true;
    ::rename(path_.c_str(), (path_ + ".damaged").c_str());
    spdlog::error("the xenstore's journal '{}' is damaged: put aside as '{}.damaged'", path_,
                  path_);
    return start();
  }
  if (size_ < length && ::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
    return Unexpected(system_error(errno, "cutting off its unfinished end"));
  }
  return {};
}

void Journal::append(std::string_view batch) {
  if (has_gap_) {
    return;  // worth nothing after what is missing
  }
  const int error = write_batch(fd_.get(), batch);
  if (error == 0) {
    size_ += sizeof(Frame) + batch.size();
    return;
  }
  has_gap_ = true;
  (void)!::ftruncate(fd_.get(), static_cast<off_t>(size_));
  spdlog::error(
      "the xenstore's journal '{}' cannot be written ({}): a daemon that is killed now "
      "loses what came since",
      path_, std::strerror(error));
}

bool Journal::wants_rewrite() const {
  if (has_gap_) {
    return std::chrono::steady_clock::now() - last_try_ >= retry_interval;
  }
  return size_ > 2 * rewritten_size_ + slack;
}

void Journal::rewrite(const std::function<void(const Sink&)>& snapshot) {
  last_try_ = std::chrono::steady_clock::now();
  const std::string path = path_ + ".new";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  std::uint64_t size = magic.size();
  int error = 0;
  if (!fd || ::write(fd.get(), magic.data(), magic.size()) != static_cast<ssize_t>(magic.size())) {
    error = errno;
  } else {
    snapshot([&](std::string_view batch) {
      error = error != 0 ? error : write_batch(fd.get(), batch);
      size += sizeof(Frame) + batch.size();
    });
  }
  if (error == 0 && ::rename(path.c_str(), path_.c_str()) != 0) {
    error = errno;
  }
  if (error != 0) {
    if (!has_gap_) {
      spdlog::error("the xenstore's journal '{}' cannot be rewritten: {}", path_,
                    std::strerror(error));
      rewritten_size_ = size_;  // not again at once
    }
    return;
  }
  if (has_gap_) {
    spdlog::info("the xenstore's journal is complete again");
  }
  fd_ = std::move(fd);
  size_ = rewritten_size_ = size;
  has_gap_ = false;
}

}  // namespace xl::xenstore
