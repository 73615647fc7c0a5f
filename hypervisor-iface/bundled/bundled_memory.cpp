// SPDX-License-Identifier: Apache-2.0
// The waist's memory operations.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hypervisor-iface/bundled/parts.hpp"
#include "hypervisor-iface/bundled/translation.hpp"

namespace xl::hv::bundled {
namespace {

Result<Extent> frames_of(GuestPhys at, std::size_t size) {
  GuestPhys last;
  if (!GuestPhys::checked_add(at, Bytes(size - 1), last)) {
    return fail(ErrorCode::invalid_argument, "a stretch of guest memory that wraps");
  }
  return Extent{to_gfn(at), Pages((to_gfn(last) - to_gfn(at)).count() + 1)};
}

// What a building daemon touched of a guest's memory stays in its resident size until it is let go.
// Not for a few pages: those are rings, mapped for the life of the domain.
std::shared_ptr<void> keep_alive(const std::shared_ptr<Ram>& ram, Pages count,
                                 const std::vector<MappedSegment>& segments) {
  constexpr Pages few(16);
  if (count <= few) {
    return ram;
  }
  return {nullptr, [ram, segments](void*) {
            for (const MappedSegment& segment : segments) {
              Ram::let_go(segment.bytes);
            }
          }};
}

}  // namespace

Result<void> BundledHypervisor::set_max_memory(DomId domain, Pages max) {
  return parts_->tell(abi::Op::set_max_memory, domain, {max.count()});
}

Result<void> BundledHypervisor::populate_physmap(DomId domain, std::span<const Extent> extents) {
  std::vector<abi::ExtentRecord> wire;
  for (const Extent& extent : extents) {
    wire.push_back({extent.first.value(), 0, extent.count.count()});
  }
  Result<void> result = parts_->tell(abi::Op::populate, domain, {}, bytes_of(wire));
  if (!result && result.error().code == ErrorCode::no_memory) {
    // Frames on their way back to the host are free, but not to be had for a moment.
    parts_->janitor->wait_for_frames();
    result = parts_->tell(abi::Op::populate, domain, {}, bytes_of(wire));
  }
  return result;
}

Result<void> BundledHypervisor::populate_on_demand(DomId domain, std::span<const Extent> extents,
                                                   Pages target) {
  std::vector<abi::ExtentRecord> wire;
  for (const Extent& extent : extents) {
    wire.push_back({extent.first.value(), 0, extent.count.count()});
  }
  Result<void> result =
      parts_->tell(abi::Op::populate_on_demand, domain, {target.count()}, bytes_of(wire));
  if (!result && result.error().code == ErrorCode::no_memory) {
    parts_->janitor->wait_for_frames();
    result = parts_->tell(abi::Op::populate_on_demand, domain, {target.count()}, bytes_of(wire));
  }
  return result;
}

Result<void> BundledHypervisor::set_memory_target(DomId domain, Pages target, Excess excess) {
  const std::uint64_t flags = excess == Excess::withdraw ? abi::target_flag_withdraw : 0;
  return parts_->tell(abi::Op::set_memory_target, domain, {target.count(), flags});
}

Result<std::vector<Extent>> BundledHypervisor::populated_extents(DomId domain) {
  std::vector<Extent> all;
  for (std::uint64_t from = 0;;) {
    XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::list_extents, domain, {from}));
    for (const abi::ExtentRecord& record : records<abi::ExtentRecord>(response.bulk)) {
      const Extent extent{Gfn(record.gfn), Pages(record.pages)};
      Gfn end;
      if (record.gfn < from || record.pages == 0 ||
          !Gfn::checked_add(extent.first, extent.count, end)) {
        return fail(ErrorId::hypervisor_bad_answer,
                    "the hypervisor's list of frames is out of order");
      }
      if (!all.empty() && all.back().first + all.back().count == extent.first) {
        all.back().count += extent.count;
      } else {
        all.push_back(extent);
      }
      from = end.value();
    }
    if (response.results[0] == 0 || response.bulk.empty()) {
      return all;
    }
  }
}

Result<GuestMapping> BundledHypervisor::map_frames(DomId domain, Extent extent) {
  Gfn end;
  if (extent.count == Pages(0) || !Gfn::checked_add(extent.first, extent.count, end)) {
    return fail(ErrorCode::invalid_argument, "an empty or wrapping stretch of guest frames");
  }
  std::vector<MappedSegment> segments;
  for (Gfn at = extent.first; at < end;) {
    const Pages left = end - at;
    const auto translate = [&] {
      return parts_->ask(abi::Op::translate, domain, {at.value(), left.count()});
    };
    Result<Response> answer = translate();
    if (!answer && answer.error().code == ErrorCode::no_memory) {
      parts_->janitor->wait_for_frames();  // as in populate_physmap, for memory on demand
      answer = translate();
    }
    XL_TRY_ASSIGN(const Response response, std::move(answer));
    const Pages covered(response.results[0]);
    if (covered == Pages(0)) {
      return fail(
          ErrorId::guest_memory_absent,
          fmt::format("guest frame {} of domain {} is not populated", at.value(), domain.value()));
    }
    if (covered > left) {
      return fail(ErrorId::hypervisor_bad_answer,
                  "the hypervisor translated more than was asked for");
    }
    XL_TRY(append_segments(*parts_->ram, at, covered, records<abi::ExtentRecord>(response.bulk),
                           segments));
    at += covered;
  }
  return GuestMapping(segments, keep_alive(parts_->ram, extent.count, segments), parts_->ram);
}

Result<void> BundledHypervisor::copy_to_guest(DomId domain, GuestPhys to,
                                              std::span<const std::byte> from) {
  if (from.empty()) {
    return {};
  }
  XL_TRY_ASSIGN(const Extent extent, frames_of(to, from.size()));
  if (from.size() > abi::bulk_size) {
    XL_TRY(map_frames(domain, extent));  // all of it is there, so that no part alone is written
  }
  for (std::size_t done = 0; done < from.size();) {
    const std::size_t length = std::min<std::size_t>(from.size() - done, abi::bulk_size);
    XL_TRY(parts_->tell(abi::Op::copy_to_guest, domain, {to.value() + done, length},
                        from.subspan(done, length)));
    done += length;
  }
  return {};
}

// Reading directly is always right: only stores have to be seen by the emulated CPU.
Result<void> BundledHypervisor::copy_from_guest(DomId domain, GuestPhys from,
                                                std::span<std::byte> to) {
  if (to.empty()) {
    return {};
  }
  XL_TRY_ASSIGN(const Extent extent, frames_of(from, to.size()));
  XL_TRY_ASSIGN(const GuestMapping mapping, map_frames(domain, extent));
  return mapping.read(from, to);
}

Result<void> BundledHypervisor::set_memory_map(DomId domain, std::span<const MemoryMapEntry> map) {
  std::vector<abi::MemoryMapRecord> wire;
  for (const MemoryMapEntry& entry : map) {
    wire.push_back({entry.start.value(), entry.size.count(), entry.type, 0});
  }
  return parts_->tell(abi::Op::set_memory_map, domain, {}, bytes_of(wire));
}

}  // namespace xl::hv::bundled
