// SPDX-License-Identifier: Apache-2.0
// Definitions of Frames<P>: scrubbing, and giving memory back to the host.
#pragma once

#include "hypervisor/core/frames.hpp"

namespace hyp {

// Whole chunks first: they are what a new domain wants. Then the free frames of a broken chunk,
// taken as one run of one.
template <typename P>
bool Frames<P>::start_scrub(Scrub& scrub) {
  for (std::uint64_t g = 0; g < giga_count_; ++g) {
    if (const unsigned index = gigas_[g].dirty.first(); index != ChunkSet::none) {
      gigas_[g].dirty.clear(index);
      scrub = Scrub{g * 512 + index, 0, false};
      return true;
    }
  }
  for (std::uint64_t g = 0; g < giga_count_; ++g) {
    if (const unsigned index = gigas_[g].small_dirty.first(); index != ChunkSet::none) {
      Small& small = small_[g * 512 + index];
      const unsigned frame = small.dirty.first();
      // Out of the free set while it is being zeroed, but still counted.
      small.dirty.clear(frame);
      small.free.clear(frame);
      if (small.free.empty()) {
        gigas_[g].partial.clear(index);
      }
      if (small.dirty.empty()) {
        gigas_[g].small_dirty.clear(index);
      }
      scrub = Scrub{(g * 512 + index) * chunk_frames + frame, 0, true};
      return true;
    }
  }
  return false;
}

template <typename P>
void Frames<P>::finish_scrub(Scrub& scrub) {
  Guard guard(lock_);
  --scrubbing_;
  const std::uint64_t chunk = scrub.small ? scrub.chunk / chunk_frames : scrub.chunk;
  const auto bit = static_cast<unsigned>(chunk % 512);
  Giga& giga = giga_of(chunk);
  const std::uint64_t frames = scrub.small ? 1 : chunk_frames;
  counts_.dirty -= frames;
  counts_.clean += frames;
  if (scrub.small) {
    Small& small = small_[chunk];
    small.free.set(static_cast<unsigned>(scrub.chunk % chunk_frames));
    giga.partial.set(bit);
    if (!small.free.full() || !small.dirty.empty()) {
      scrub = Scrub{};
      return;
    }
    small = Small{};
    giga.partial.clear(bit);
  }
  giga.clean.set(bit);
  giga.resident.set(bit);
  counts_.releasable += chunk_frames;
  scrub = Scrub{};
}

template <typename P>
bool Frames<P>::scrub_some(unsigned cpu) {
  Scrub& scrub = scrubs_[cpu];
  if (scrub.chunk == never) {
    Guard guard(lock_);
    if (counts_.dirty == 0 || !start_scrub(scrub)) {
      return false;
    }
    ++scrubbing_;
  }
  if (scrub.small) {
    std::memset(platform_.frame(Mfn(scrub.chunk)), 0, xl::page_size);
    finish_scrub(scrub);
    return true;
  }
  std::memset(chunk_pointer(scrub.chunk) + scrub.offset, 0, scrub_step);
  scrub.offset += scrub_step;
  if (scrub.offset == chunk_bytes) {
    finish_scrub(scrub);
  }
  return true;
}

template <typename P>
void Frames<P>::abandon_scrub(unsigned cpu) {
  Scrub& scrub = scrubs_[cpu];
  if (scrub.chunk == never) {
    return;
  }
  Guard guard(lock_);
  --scrubbing_;
  giga_of(scrub.chunk).dirty.set(static_cast<unsigned>(scrub.chunk % 512));
  scrub = Scrub{};
}

template <typename P>
unsigned Frames<P>::take_freed(xl::abi::ExtentRecord* out, unsigned capacity) {
  Guard guard(lock_);
  const bool again = counts_.offered != 0;  // only what is out already: it all has to be reported
  unsigned count = 0;
  std::uint64_t run_end = never;  // chunk after the last record
  for (std::uint64_t chunk = 0; chunk < giga_count_ * 512; ++chunk) {
    Giga& giga = giga_of(chunk);
    const auto bit = static_cast<unsigned>(chunk % 512);
    if (bit == 0 && giga.offered.empty() && giga.stale.empty() && giga.resident.empty()) {
      chunk += 511;
      continue;
    }
    const bool resident = giga.resident.test(bit);
    const bool taken = giga.offered.test(bit);
    if (again ? !taken : !resident && !giga.stale.test(bit)) {
      continue;
    }
    if (run_end == chunk) {
      out[count - 1].pages += chunk_frames;
    } else if (count < capacity) {
      out[count++] = xl::abi::ExtentRecord{0, chunk * chunk_frames, chunk_frames};
    } else {
      continue;  // not offered now; nothing was moved
    }
    run_end = chunk + 1;
    if (!taken) {
      (resident ? counts_.clean : counts_.dirty) -= chunk_frames;
      counts_.offered += chunk_frames;
      counts_.releasable -= chunk_frames;
      giga.clean.clear(bit);
      giga.resident.clear(bit);
      giga.stale.clear(bit);
      giga.offered.set(bit);
    }
  }
  return count;
}

template <typename P>
void Frames<P>::return_freed() {
  Guard guard(lock_);
  for (std::uint64_t g = 0; g < giga_count_; ++g) {
    gigas_[g].clean.add(gigas_[g].offered);
    gigas_[g].offered.clear_all();
  }
  counts_.clean += counts_.offered;
  counts_.offered = 0;
}

}  // namespace hyp
