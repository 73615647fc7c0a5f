// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/image_buffer.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>

#include "base/types.hpp"

namespace xl::build {

Result<std::shared_ptr<ImageBuffer>> ImageBuffer::create(std::uint64_t size) {
  const std::uint64_t length = size == 0 ? 1 : size;  // mmap refuses an empty mapping
  void* const at = ::mmap(nullptr, length, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    return Unexpected(system_error(errno, fmt::format("cannot map {} bytes for an image", size)));
  }
  // Best effort: tens of MB are about to be written, fewer faults are faster.
  (void)::madvise(at, length, MADV_HUGEPAGE);
  return std::shared_ptr<ImageBuffer>(new ImageBuffer({static_cast<std::byte*>(at), size}));
}

ImageBuffer::~ImageBuffer() {
  (void)::munmap(bytes_.data(), bytes_.empty() ? 1 : bytes_.size());
}

void ImageBuffer::release(std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t first = (begin + page_size - 1) & ~(page_size - 1);
  const std::uint64_t last = end & ~(page_size - 1);
  if (first < last && last <= bytes_.size()) {
    (void)::madvise(bytes_.data() + first, last - first, MADV_DONTNEED);
  }
}

}  // namespace xl::build
