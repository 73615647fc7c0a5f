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
  // Errors: of the file system, naming the path. What could not be written is lost.
  Result<void> append(std::span<const std::byte> bytes);

 private:
  Result<void> drop_older_half(std::uint64_t size);

  std::string path_;
  std::uint64_t limit_;
};

}  // namespace xl::console
