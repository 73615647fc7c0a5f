// SPDX-License-Identifier: Apache-2.0
// LogFile: what a domain printed, on disk, up to a limit: when it is reached the older half goes.
// The file appears with the first byte; an empty path means none. It is open only while it is
// written to, so that a thousand domains fit into the default limit of 1024 descriptors. Not
// locked; one process writes to a path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.hpp"

namespace xl::console {

class LogFile {
 public:
  LogFile(std::string path, std::uint64_t limit) : path_(std::move(path)), limit_(limit) {}

  const std::string& path() const { return path_; }
  // --- errors: of the file system, naming the path; what could not be written is lost ---
  // For so many bytes more, before they are appended. The file's size then.
  Result<std::uint64_t> make_room(std::uint64_t count);
  Result<void> append(std::span<const std::byte> bytes);
  // What is beyond goes: bytes that an earlier daemon wrote and will be written again.
  Result<void> cut_to(std::uint64_t size);

 private:
  Result<std::uint64_t> drop_older_half(std::uint64_t size);

  std::string path_;
  std::uint64_t limit_;
};

}  // namespace xl::console
