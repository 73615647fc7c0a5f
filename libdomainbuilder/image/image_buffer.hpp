// SPDX-License-Identifier: Apache-2.0
// ImageBuffer: a file's or an image's bytes in an anonymous mapping of this process, so that nobody
// changes or truncates them while they are parsed, and so that parts that nobody needs any more can
// be given back without moving the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/error.hpp"

namespace xl::build {

class ImageBuffer {
 public:
  // Zeroed. Error no_memory.
  static Result<std::shared_ptr<ImageBuffer>> create(std::uint64_t size);
  ~ImageBuffer();
  ImageBuffer(const ImageBuffer&) = delete;
  ImageBuffer& operator=(const ImageBuffer&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }
  std::span<std::byte> writable() { return bytes_; }

  // Gives back the whole pages in [begin, end): they read as zero afterwards.
  void release(std::uint64_t begin, std::uint64_t end);

 private:
  explicit ImageBuffer(std::span<std::byte> bytes) : bytes_(bytes) {}
  std::span<std::byte> bytes_;
};

}  // namespace xl::build
