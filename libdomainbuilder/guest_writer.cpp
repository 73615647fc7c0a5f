// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/guest_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace xl::build {

namespace {

// A cancelled create stops within this much.
constexpr std::size_t slice = 4 << 20;

Unexpected<Error> interrupted() {
  return fail(ErrorCode::interrupted, "the create was cancelled");
}

// The stretch of host memory that starts at `at`, up to `limit` bytes; empty if it lies outside.
std::span<std::byte> stretch(const hv::GuestMapping& mapping, GuestPhys at, std::size_t limit) {
  for (const hv::MappedSegment& segment : mapping.segments()) {
    const GuestPhys start = to_phys(segment.first);
    if (at >= start && at - start < Bytes(segment.bytes.size())) {
      const auto tail = segment.bytes.subspan((at - start).count());
      return tail.first(std::min(limit, tail.size()));
    }
  }
  return {};
}

}  // namespace

Result<void> copy_runs(const hv::GuestMapping& mapping, std::span<const LoadRun> runs,
                       const std::stop_token& cancel) {
  for (const LoadRun& run : runs) {
    for (std::size_t done = 0; done < run.bytes.size(); done += slice) {
      if (cancel.stop_requested()) {
        return interrupted();
      }
      const auto bytes = run.bytes.subspan(done, std::min(slice, run.bytes.size() - done));
      XL_TRY(mapping.write(run.start + Bytes(done), bytes));
    }
  }
  return {};
}

Result<void> read_into_guest(const hv::GuestMapping& mapping, GuestPhys to, const OpenFile& file,
                             Bytes size, const std::stop_token& cancel) {
  for (Bytes done; done < size;) {
    if (cancel.stop_requested()) {
      return interrupted();
    }
    const std::size_t left = std::min<std::uint64_t>(slice, (size - done).count());
    const auto host = stretch(mapping, to + done, left);
    if (host.empty()) {
      return fail(ErrorCode::internal,
                  fmt::format("guest address {:#x} is not mapped", (to + done).value()));
    }
    XL_TRY(read_exactly(file, done.count(), host));
    done += Bytes(host.size());
  }
  return {};
}

}  // namespace xl::build
