// SPDX-License-Identifier: Apache-2.0
// From a file's bytes to a report and the segments to load: container, decompression, ELF, notes,
// boot ABIs. Total: any bytes give a result.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "libdomainbuilder/image/elf_file.hpp"
#include "libdomainbuilder/image/image_buffer.hpp"
#include "libdomainbuilder/image/image_file.hpp"
#include "libdomainbuilder/image/image_report.hpp"

namespace xl::build {

// Bounds on what is read and on what it may expand to.
inline constexpr std::uint64_t max_file_size = 1ULL << 30;
inline constexpr std::uint64_t max_image_size = 512ULL << 20;

struct Decoded {
  ImageReport report;
  std::shared_ptr<ImageBuffer> elf;  // the ELF file's bytes; null if there is none
  std::vector<ElfSegment>
      loads;  // ascending by physical address, without overlap, if there is no fault
  std::optional<Error> fault;  // why PVH cannot boot it; also the report's first problem
};

// Reads and decodes. A file that does not start like a kernel is not read further. Errors:
// not_found, permission_denied, io; invalid_image for one that is too large or changes meanwhile.
Result<Decoded> decode_file(const OpenFile& file);

Decoded decode_image(const std::string& path, std::shared_ptr<ImageBuffer> file);

}  // namespace xl::build
