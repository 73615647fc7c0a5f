// SPDX-License-Identifier: Apache-2.0
// Opening and reading the files that a user names as kernel or ramdisk. The bytes are read, not
// mapped: a file that somebody truncates meanwhile gives an error, not a SIGBUS.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "libdomainbuilder/image/image_buffer.hpp"

namespace xl::build {

// Tells whether it is still the same content. Times in nanoseconds since the epoch.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified = 0;
  std::int64_t changed = 0;
  auto operator<=>(const FileIdentity&) const = default;
};

struct OpenFile {
  std::string path;
  UniqueFd fd;
  FileIdentity identity;
};

// `what` is "a kernel" or "a ramdisk", for the message. Errors: not_found, permission_denied, io;
// invalid_image for a directory or another thing that is no regular file.
Result<OpenFile> open_file(const std::string& path, std::string_view what);

// All of `out` from `offset` on. Error invalid_image if the file ends before.
Result<void> read_exactly(const OpenFile& file, std::uint64_t offset, std::span<std::byte> out);

// The first `limit` bytes, or all if there are fewer. Errors: as read_exactly, and invalid_image if
// the file changed while it was read.
Result<std::shared_ptr<ImageBuffer>> read_start(const OpenFile& file, std::uint64_t limit);

}  // namespace xl::build
