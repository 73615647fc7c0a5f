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

// A broken chunk whose frames are all free and clean is whole again.
template <typename P>
bool Frames<P>::join_clean(std::uint64_t chunk) {
  Small& small = small_[chunk];
  if (!small.free.full() || !small.dirty.empty()) {
    return false;
  }
  Giga& giga = giga_of(chunk);
  const auto bit = static_cast<unsigned>(chunk % 512);
  giga.clean.set(bit);
  if (!small.resident.empty()) {
    counts_.small_releasable -= small.resident.count();
    giga.resident.set(bit);
    counts_.releasable += chunk_frames;
  }
  small = Small{};
  giga.partial.clear(bit);
  giga.small_resident.clear(bit);
  return true;
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
    const auto index = static_cast<unsigned>(scrub.chunk % chunk_frames);
    small_[chunk].free.set(index);
    small_[chunk].resident.set(index);
    giga.partial.set(bit);
    giga.small_resident.set(bit);
    ++counts_.small_releasable;
    (void)join_clean(chunk);
  } else {
    giga.clean.set(bit);
    giga.resident.set(bit);
    counts_.releasable += chunk_frames;
  }
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

// A whole chunk, if it is to be offered. `again`: only what is out already, all of which has to be
// reported.
template <typename P>
void Frames<P>::offer_chunk(std::uint64_t chunk, bool again, Offer& offer) {
  Giga& giga = giga_of(chunk);
  const auto bit = static_cast<unsigned>(chunk % 512);
  const bool resident = giga.resident.test(bit);
  const bool wanted = again ? giga.offered.test(bit) : resident || giga.stale.test(bit);
  if (!wanted || !offer.add(chunk * chunk_frames, chunk_frames) || again) {
    return;
  }
  (resident ? counts_.clean : counts_.dirty) -= chunk_frames;
  counts_.offered += chunk_frames;
  counts_.releasable -= chunk_frames;
  giga.clean.clear(bit);
  giga.resident.clear(bit);
  giga.stale.clear(bit);
  giga.offered.set(bit);
}

// The same of a broken chunk's frames, run by run.
template <typename P>
void Frames<P>::offer_small(std::uint64_t chunk, bool again, Offer& offer) {
  Giga& giga = giga_of(chunk);
  const auto bit = static_cast<unsigned>(chunk % 512);
  if (!(again ? giga.small_offered : giga.small_resident).test(bit)) {
    return;
  }
  Small& small = small_[chunk];
  for (unsigned i = 0; i < chunk_frames; ++i) {
    if (!(again ? small.offered : small.resident).test(i)) {
      continue;
    }
    if (!offer.add(chunk * chunk_frames + i, 1)) {
      break;
    }
    if (!again) {
      drop_small_resident(chunk, i);
      small.free.clear(i);
      small.offered.set(i);
      giga.small_offered.set(bit);
      --counts_.clean;
      ++counts_.offered;
    }
  }
  if (small.free.empty()) {
    giga.partial.clear(bit);
  }
}

template <typename P>
unsigned Frames<P>::take_freed(xl::abi::ExtentRecord* out, unsigned capacity) {
  Guard guard(lock_);
  const bool again = counts_.offered != 0;
  const bool small_too = again || counts_.small_releasable >= small_release_threshold;
  Offer offer{out, capacity};
  for (std::uint64_t chunk = 0; chunk < giga_count_ * 512; ++chunk) {
    Giga& giga = giga_of(chunk);
    if (chunk % 512 == 0 && giga.offered.empty() && giga.stale.empty() && giga.resident.empty() &&
        giga.small_offered.empty() && (!small_too || giga.small_resident.empty())) {
      chunk += 511;
      continue;
    }
    offer_chunk(chunk, again, offer);
    if (small_too) {
      offer_small(chunk, again, offer);
    }
  }
  return offer.count;
}

template <typename P>
void Frames<P>::return_freed() {
  Guard guard(lock_);
  for (std::uint64_t g = 0; g < giga_count_; ++g) {
    Giga& giga = gigas_[g];
    giga.clean.add(giga.offered);
    giga.offered.clear_all();
    for (unsigned i = giga.small_offered.first(); i != ChunkSet::none;
         i = giga.small_offered.first()) {
      Small& small = small_[g * 512 + i];
      small.free.add(small.offered);
      small.offered.clear_all();
      giga.small_offered.clear(i);
      giga.partial.set(i);
      (void)join_clean(g * 512 + i);
    }
  }
  counts_.clean += counts_.offered;
  counts_.offered = 0;
}

}  // namespace hyp
