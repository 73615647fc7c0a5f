// SPDX-License-Identifier: Apache-2.0
// Where a core file's bytes go, from its first to its last: a file with holes, anything else that
// takes bytes, and compressors before either. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.hpp"

namespace xl::coredump {

enum class Compression { none, zstd, gzip };
std::string_view to_string(Compression compression);
std::optional<Compression> parse_compression(std::string_view text);

// Errors: of the file system, io. After an error nothing more may be written.
class Output {
 public:
  virtual ~Output() = default;
  virtual Result<void> write(std::span<const std::byte> bytes) = 0;
  virtual Result<void> zeros(std::uint64_t count) = 0;
  // All is written; called once, last.
  virtual Result<void> finish() = 0;
};

// Writes from the beginning of the file on. In a regular file zeros become holes. The descriptor
// stays its owner's.
std::unique_ptr<Output> to_descriptor(int fd);
// `under` must outlive what is returned, which finishes it too. Errors: no_memory.
Result<std::unique_ptr<Output>> compressed(Compression compression, Output& under);

}  // namespace xl::coredump
