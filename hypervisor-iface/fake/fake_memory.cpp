// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/fake/fake_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

namespace xl::hv::fake {

bool Memory::is_free(Extent extent) const {
  auto next = pieces_.upper_bound(extent.first);
  if (next != pieces_.end() && next->first < extent.first + extent.count) {
    return false;
  }
  if (next == pieces_.begin()) {
    return true;
  }
  const auto& [first, piece] = *std::prev(next);
  return first + Pages(piece.bytes.size() >> page_shift) <= extent.first;
}

std::vector<Extent> Memory::extents() const {
  std::vector<Extent> all;
  for (const auto& [first, piece] : pieces_) {
    const Pages count(piece.bytes.size() / page_size);
    if (!all.empty() && all.back().first + all.back().count == first) {
      all.back().count += count;
    } else {
      all.push_back({first, count});
    }
  }
  return all;
}

Result<void> Memory::add(Extent extent, Pages piece) {
  const auto size = static_cast<std::size_t>(to_bytes(extent.count).count());
  void* start = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) {
    return Unexpected(system_error(errno, "mapping memory for the fake's guest"));
  }
  std::shared_ptr<void> lot(start, [size](void* p) { ::munmap(p, size); });
  const auto base = std::span(static_cast<std::byte*>(start), size);
  std::size_t from_end = size;
  for (Pages done; done < extent.count;) {
    const Pages pages(std::min((extent.count - done).count(), piece.count()));
    const auto bytes = static_cast<std::size_t>(to_bytes(pages).count());
    from_end -= bytes;
    pieces_[extent.first + done] = Piece{base.subspan(from_end, bytes), lot};
    done += pages;
  }
  populated_ += extent.count;
  return {};
}

Result<GuestMapping> Memory::map(Extent extent, std::shared_ptr<void> token) const {
  struct Keep {
    std::shared_ptr<void> token;
    std::vector<std::shared_ptr<void>> lots;
  };
  auto keep = std::make_shared<Keep>(Keep{std::move(token), {}});
  std::vector<MappedSegment> segments;
  Gfn end;
  if (extent.count == Pages(0) || !Gfn::checked_add(extent.first, extent.count, end)) {
    return fail(ErrorCode::invalid_argument, "an empty or wrapping extent");
  }
  for (Gfn at = extent.first; at < end;) {
    auto next = pieces_.upper_bound(at);
    const bool inside =
        next != pieces_.begin() &&
        at < std::prev(next)->first + Pages(std::prev(next)->second.bytes.size() >> page_shift);
    if (!inside) {
      return fail(ErrorCode::invalid_argument,
                  "guest frame " + std::to_string(at.value()) + " is not populated");
    }
    const auto& [first, piece] = *std::prev(next);
    const auto offset = static_cast<std::size_t>(to_bytes(at - first).count());
    const std::size_t length = std::min<std::size_t>(
        piece.bytes.size() - offset, static_cast<std::size_t>(to_bytes(end - at).count()));
    segments.push_back({at, piece.bytes.subspan(offset, length)});
    if (keep->lots.empty() || keep->lots.back() != piece.lot) {
      keep->lots.push_back(piece.lot);
    }
    at += Pages(length >> page_shift);
  }
  return GuestMapping(std::move(segments), std::move(keep));
}

Result<void> Memory::write(GuestPhys at, std::span<const std::byte> bytes) const {
  if (bytes.empty()) {
    return {};
  }
  XL_TRY_ASSIGN(const Extent extent, frames_of(at, bytes.size()));
  XL_TRY_ASSIGN(const GuestMapping mapping, map(extent, nullptr));
  return mapping.write(at, bytes);
}

Result<void> Memory::read(GuestPhys at, std::span<std::byte> bytes) const {
  if (bytes.empty()) {
    return {};
  }
  XL_TRY_ASSIGN(const Extent extent, frames_of(at, bytes.size()));
  XL_TRY_ASSIGN(const GuestMapping mapping, map(extent, nullptr));
  return mapping.read(at, bytes);
}

Result<Extent> frames_of(GuestPhys at, std::size_t size) {
  GuestPhys last;
  if (size == 0 || !GuestPhys::checked_add(at, Bytes(size - 1), last)) {
    return fail(ErrorCode::invalid_argument, "an empty or wrapping stretch of guest memory");
  }
  return Extent{to_gfn(at), Pages((to_gfn(last) - to_gfn(at)).count() + 1)};
}

}  // namespace xl::hv::fake
