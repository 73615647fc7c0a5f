// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/guest_writer.hpp"

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

namespace xl::build {

namespace {

// A cancelled create stops within this much.
constexpr std::size_t slice = 4 << 20;
// A file goes through a buffer that stays in the CPU's cache: writing from it is cheaper than
// reading straight into guest memory, which would fault in each page here first.
constexpr std::size_t bounce_limit = 256 << 10;
// Bytes that are worth one more thread.
constexpr std::size_t worth_a_thread = 4 << 20;

Unexpected<Error> interrupted() {
  return fail(ErrorCode::interrupted, "the create was cancelled");
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
  const std::size_t bounce_size = std::min<std::uint64_t>(bounce_limit, size.count());
  const auto bounce = std::make_unique_for_overwrite<std::byte[]>(bounce_size);
  for (Bytes done; done < size;) {
    if (cancel.stop_requested()) {
      return interrupted();
    }
    const std::span part(bounce.get(), std::min<std::uint64_t>(bounce_size, (size - done).count()));
    XL_TRY(read_exactly(file, done.count(), part));
    XL_TRY(mapping.write(to + done, part));
    done += Bytes(part.size());
  }
  return {};
}

}  // namespace xl::build
