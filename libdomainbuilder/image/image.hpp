// SPDX-License-Identifier: Apache-2.0
// Image: a kernel, decompressed, checked and ready to be copied into a guest. Immutable, so threads
// may share it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libdomainbuilder/image/image_report.hpp"

namespace xl::build {

// Where a LOAD segment goes. [start, start + memory_size) does not wrap and overlaps no other
// segment.
struct LoadSegment {
  GuestPhys start;
  Bytes memory_size;
};

// Bytes to copy; what a segment has beside its runs is zero, as fresh guest frames are.
struct LoadRun {
  GuestPhys start;
  std::span<const std::byte> bytes;
};

class ImageBuffer;

class Image {
 public:
  Image(ImageReport report, std::vector<LoadSegment> segments, std::vector<LoadRun> runs,
        std::shared_ptr<const ImageBuffer> storage, Bytes resident);

  const ImageReport& report() const { return report_; }
  std::span<const LoadSegment> segments() const { return segments_; }  // ascending
  std::span<const LoadRun> runs() const { return runs_; }              // ascending
  Bytes resident() const { return resident_; }  // memory that keeping the object costs

 private:
  ImageReport report_;
  std::vector<LoadSegment> segments_;
  std::vector<LoadRun> runs_;
  std::shared_ptr<const ImageBuffer> storage_;
  Bytes resident_;
};

// Reads, decompresses and checks a kernel that PVH can boot. Error invalid_image: one sentence with
// file, what is missing, and in the hint what to do; not_found, permission_denied, io: it cannot be
// read.
Result<std::shared_ptr<const Image>> load_image(const std::string& path);

}  // namespace xl::build
