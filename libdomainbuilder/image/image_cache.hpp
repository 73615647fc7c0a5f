// SPDX-License-Identifier: Apache-2.0
// ImageCache: kernels that were decompressed before, found by device, inode, size and both times of
// their file. Two creates of the same kernel at once decompress it once. The least recently used go
// when the sum exceeds the limit; an image larger than the limit is handed out and not kept.
//
// Thread rule: any thread at any time; waiting for another thread's decompression is the only wait.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libdomainbuilder/image/image.hpp"

namespace xl::build {

class ImageCache {
 public:
  struct Statistics {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;  // loads from the file, failed ones included
    std::uint64_t evictions = 0;
    std::size_t images = 0;
    Bytes resident;
  };

  explicit ImageCache(Bytes limit);
  ~ImageCache();

  // Errors: load_image's. A failure is not cached.
  struct Found {
    std::shared_ptr<const Image> image;
    bool was_cached = false;  // or was being loaded for somebody else
  };
  Result<Found> find(const std::string& path);
  Result<std::shared_ptr<const Image>> get(const std::string& path);
  Statistics statistics() const;
  void clear();  // for a daemon that has been idle; images in use live on

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace xl::build
