// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/image.hpp"

#include <algorithm>
#include <cstring>

#include "libdomainbuilder/image/decode.hpp"
#include "libdomainbuilder/image/image_file.hpp"
#include "libdomainbuilder/image/load_image.hpp"

namespace xl::build {

namespace {

bool is_zero(std::span<const std::byte> bytes) {
  return bytes[0] == std::byte{0} &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

// What of the segment's bytes has to be copied: all but the guest pages that are zero, which fresh
// frames are anyway. A kernel's .bss and .brk are in its file, so this spares a third of the copy
// and of the host's memory.
void add_runs(const ElfSegment& load, std::span<const std::byte> image,
              std::vector<LoadRun>& runs) {
  const auto data = image.subspan(load.offset, load.file_size);
  bool open = false;
  for (std::size_t at = 0; at < data.size();) {
    const std::uint64_t address = load.physical_address + at;
    const std::size_t step =
        std::min<std::size_t>(data.size() - at, page_size - address % page_size);
    if (is_zero(data.subspan(at, step))) {
      open = false;
    } else if (open) {
      LoadRun& last = runs.back();
      last.bytes = {last.bytes.data(), last.bytes.size() + step};
    } else {
      runs.push_back({GuestPhys(address), data.subspan(at, step)});
      open = true;
    }
    at += step;
  }
}

// Gives back all pages of the buffer that no run lies in. Returns what is left.
Bytes release_rest(ImageBuffer& buffer, const std::vector<LoadRun>& runs) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> used;
  for (const LoadRun& run : runs) {
    const auto begin = static_cast<std::uint64_t>(run.bytes.data() - buffer.bytes().data());
    used.emplace_back(begin, begin + run.bytes.size());
  }
  std::sort(used.begin(), used.end());
  std::uint64_t at = 0;
  std::uint64_t kept = 0;
  for (const auto& [begin, end] : used) {
    buffer.release(at, begin & ~(page_size - 1));
    at = std::max(at, (end + page_size - 1) & ~(page_size - 1));
    kept += end - begin;
  }
  buffer.release(at, buffer.bytes().size());
  return Bytes(kept);
}

}  // namespace

Image::Image(ImageReport report, std::vector<LoadSegment> segments, std::vector<LoadRun> runs,
             std::shared_ptr<const ImageBuffer> storage, Bytes resident)
    : report_(std::move(report)),
      segments_(std::move(segments)),
      runs_(std::move(runs)),
      storage_(std::move(storage)),
      resident_(resident) {}

Result<std::shared_ptr<const Image>> load_image(const OpenFile& file) {
  XL_TRY_ASSIGN(Decoded decoded, decode_file(file));
  if (decoded.fault) {
    return Unexpected(*std::move(decoded.fault));
  }
  std::vector<LoadSegment> segments;
  std::vector<LoadRun> runs;
  for (const ElfSegment& load : decoded.loads) {
    segments.push_back({GuestPhys(load.physical_address), Bytes(load.memory_size)});
    add_runs(load, decoded.elf->bytes(), runs);
  }
  const Bytes resident = release_rest(*decoded.elf, runs);
  return std::make_shared<const Image>(std::move(decoded.report), std::move(segments),
                                       std::move(runs), std::move(decoded.elf), resident);
}

Result<std::shared_ptr<const Image>> load_image(const std::string& path) {
  XL_TRY_ASSIGN(const OpenFile file, open_file(path, "a kernel"));
  return load_image(file);
}

}  // namespace xl::build
