// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/guest_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace xl::build {

namespace {

// A cancelled create stops within this much.
constexpr std::size_t slice = 4 << 20;
// Bytes that are worth one more thread.
constexpr std::size_t worth_a_thread = 4 << 20;

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

Result<void> copy_in_turn(const hv::GuestMapping& mapping, std::span<const LoadRun> runs,
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

std::size_t total_size(std::span<const LoadRun> runs) {
  std::size_t total = 0;
  for (const LoadRun& run : runs) {
    total += run.bytes.size();
  }
  return total;
}

// Most of the time goes into the host's page faults, which several threads take at once; a thread
// costs some 50 us.
std::size_t helpers_for(std::span<const LoadRun> runs) {
  const std::size_t cpus = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4);
  return std::clamp<std::size_t>(total_size(runs) / worth_a_thread, 1, cpus);
}

// Equal shares in bytes, cut at pages where a run has to be cut.
std::vector<std::vector<LoadRun>> share_out(std::span<const LoadRun> runs, std::size_t count) {
  std::vector<std::vector<LoadRun>> shares(count);
  const std::size_t share = (total_size(runs) / count + page_size) & ~(page_size - 1);
  std::size_t now = 0;
  std::size_t room = share;
  for (LoadRun run : runs) {
    while (now + 1 < count && run.bytes.size() >= room) {
      shares[now++].push_back({run.start, run.bytes.first(room)});
      run = {run.start + Bytes(room), run.bytes.subspan(room)};
      room = share;
    }
    room -= std::min(room, run.bytes.size());
    if (!run.bytes.empty()) {
      shares[now].push_back(run);
    }
  }
  return shares;
}

}  // namespace

Result<void> copy_runs(const hv::GuestMapping& mapping, std::span<const LoadRun> runs,
                       const std::stop_token& cancel) {
  std::vector<std::vector<LoadRun>> shares = share_out(runs, helpers_for(runs));
  std::vector<Result<void>> results(shares.size());
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < shares.size(); ++i) {
      helpers.emplace_back([&, i] { results[i] = copy_in_turn(mapping, shares[i], cancel); });
    }
    results[0] = copy_in_turn(mapping, shares[0], cancel);
  }
  for (Result<void>& result : results) {
    XL_TRY(std::move(result));
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
