// SPDX-License-Identifier: Apache-2.0
// A kernel file, any container, any compression. Beyond "no crash": an image without a fault has
// segments that lie in its bytes, ascend and do not overlap, and an entry inside them; its report
// goes through JSON; and a layout that takes it places everything in RAM.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "libdomainbuilder/image/boot_abi.hpp"
#include "libdomainbuilder/image/decode.hpp"
#include "libdomainbuilder/image/report_json.hpp"
#include "libdomainbuilder/layout/layout.hpp"

namespace {

using namespace xl;
using namespace xl::build;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

std::vector<LoadSegment> check_loads(const Decoded& decoded) {
  std::vector<LoadSegment> segments;
  GuestPhys end{0};
  bool entry_inside = false;
  const GuestPhys entry = pvh_entry(decoded.report);
  for (const ElfSegment& load : decoded.loads) {
    require(ByteView(decoded.elf->bytes()).contains(load.offset, load.file_size));
    require(load.file_size <= load.memory_size && load.memory_size != 0);
    const GuestPhys start(load.physical_address);
    require(start >= end && GuestPhys::checked_add(start, Bytes(load.memory_size), end));
    entry_inside = entry_inside || (entry >= start && entry < end);
    segments.push_back({start, Bytes(load.memory_size)});
  }
  require(entry_inside);
  return segments;
}

void check_layout(const std::vector<LoadSegment>& segments) {
  const auto layout =
      make_layout({mib(4096), segments, Bytes(5000), Bytes(300), Bytes(500), true, "k"});
  if (!layout) {
    require(!layout.error().message.empty());
    return;
  }
  for (const Range& range : layout->ranges) {
    const bool populated =
        std::any_of(layout->extents.begin(), layout->extents.end(), [&](const hv::Extent& extent) {
          return range.start >= to_phys(extent.first) &&
                 range.start + range.size <= to_phys(extent.first + extent.count);
        });
    require(populated || range.kind == RangeKind::hole);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto buffer = ImageBuffer::create(size);
  require(buffer.has_value());
  std::copy_n(reinterpret_cast<const std::byte*>(data), size, (*buffer)->writable().begin());
  const Decoded decoded = decode_image("k", *std::move(buffer));
  require(nlohmann::json(decoded.report).dump().size() > 0);
  if (decoded.fault) {
    require(decoded.fault->message.starts_with("'k' "));
    require(decoded.report.problems.size() == 1);
  } else {
    require(decoded.report.can_boot(BootAbi::pvh));
    check_layout(check_loads(decoded));
  }
  return 0;
}
