// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/guest_writer.hpp"

#include <algorithm>
#include <memory>

namespace xl::build {

namespace {

// A cancelled create stops within this much.
constexpr std::size_t slice = 4 << 20;
// A file goes through a buffer that stays in the CPU's cache: writing from it is cheaper than
// reading straight into guest memory, which would fault in each page here first.
constexpr std::size_t bounce_limit = 256 << 10;

Unexpected<Error> interrupted() {
  return fail(ErrorId::cancelled, "the create was cancelled");
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
