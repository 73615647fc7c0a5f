// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv {
namespace {

// The segment that holds `gfn`, or nullptr. Segments ascend without gap, so the last one that
// starts at or below it.
const MappedSegment* segment_of(std::span<const MappedSegment> segments, Gfn gfn) {
  auto after =
      std::upper_bound(segments.begin(), segments.end(), gfn,
                       [](Gfn wanted, const MappedSegment& s) { return wanted < s.first; });
  if (after == segments.begin()) {
    return nullptr;
  }
  const MappedSegment& segment = *std::prev(after);
  const std::uint64_t pages = segment.bytes.size() >> page_shift;
  return (gfn - segment.first).count() < pages ? &segment : nullptr;
}

std::string range_text(GuestPhys at, std::size_t size) {
  return "guest memory [" + std::to_string(at.value()) + ", +" + std::to_string(size) + ")";
}

// Calls visit(host bytes, offset in the caller's buffer) for each stretch of [at, at + size);
// checks before it touches.
template <typename Visit>
Result<void> for_each_stretch(std::span<const MappedSegment> segments, GuestPhys at,
                              std::size_t size, Visit visit) {
  if (size == 0) {
    return {};
  }
  GuestPhys last;
  if (!GuestPhys::checked_add(at, Bytes(size - 1), last) ||
      segment_of(segments, to_gfn(at)) == nullptr ||
      segment_of(segments, to_gfn(last)) == nullptr) {
    return fail(ErrorCode::invalid_argument, range_text(at, size) + " lies outside the mapping");
  }
  for (std::size_t done = 0; done < size;) {
    const GuestPhys here = at + Bytes(done);
    const MappedSegment* segment = segment_of(segments, to_gfn(here));
    const auto inside = static_cast<std::size_t>((here - to_phys(segment->first)).count());
    const std::size_t length = std::min(size - done, segment->bytes.size() - inside);
    visit(segment->bytes.subspan(inside, length), done);
    done += length;
  }
  return {};
}

}  // namespace

std::span<std::byte> GuestMapping::frame(Gfn gfn) const {
  const MappedSegment* segment = segment_of(segments_, gfn);
  if (segment == nullptr) {
    return {};
  }
  const auto offset = static_cast<std::size_t>(to_bytes(gfn - segment->first).count());
  return segment->bytes.subspan(offset, page_size);
}

Result<void> GuestMapping::write(GuestPhys at, std::span<const std::byte> bytes) const {
  return for_each_stretch(
      segments_, at, bytes.size(), [&](std::span<std::byte> host, std::size_t offset) {
        const std::span<const std::byte> from = bytes.subspan(offset, host.size());
        if (!writer_ || host.size() < page_size || !writer_->write(host, from)) {
          std::memcpy(host.data(), from.data(), host.size());
        }
      });
}

Result<void> GuestMapping::read(GuestPhys at, std::span<std::byte> bytes) const {
  return for_each_stretch(segments_, at, bytes.size(),
                          [&](std::span<std::byte> host, std::size_t offset) {
                            const std::span<std::byte> to = bytes.subspan(offset, host.size());
                            if (!writer_ || host.size() < page_size || !writer_->read(host, to)) {
                              std::memcpy(to.data(), host.data(), host.size());
                            }
                          });
}

}  // namespace xl::hv
