// SPDX-License-Identifier: Apache-2.0
// Definitions of Frames<P>: start, allocation, release.
#pragma once

#include "hypervisor/core/frames.hpp"

namespace hyp {

template <typename P>
bool Frames<P>::carve_metadata(InitInfo& info) {
  const MemoryRange& last = info.ranges[info.range_count - 1];
  const std::uint64_t end_frame = (last.start + last.size) >> xl::page_shift;
  giga_count_ = (end_frame + giga_frames - 1) / giga_frames;
  const std::uint64_t small_bytes = giga_count_ * 512 * sizeof(Small);
  const std::uint64_t bytes =
      (giga_count_ * sizeof(Giga) + small_bytes + xl::page_size - 1) & ~(xl::page_size - 1);
  for (unsigned i = 0; i < info.range_count; ++i) {
    MemoryRange& range = info.ranges[i];
    if (range.size >= bytes) {
      std::byte* const at = platform_.frame(xl::to_mfn(HostPhys(range.start)));
      // SAFETY: zeroed RAM that nobody else uses; an all-zero Small or Giga is an empty one.
      small_ = reinterpret_cast<Small*>(at);
      gigas_ = reinterpret_cast<Giga*>(at + small_bytes);
      range.start += bytes;
      range.size -= bytes;
      counts_.metadata = bytes >> xl::page_shift;
      return true;
    }
  }
  return false;
}

template <typename P>
Result<void> Frames<P>::init(const InitInfo& given) {
  InitInfo info = given;
  if (info.range_count == 0 || info.range_count > max_memory_ranges || !carve_metadata(info)) {
    return fail(Errno::nomem);
  }
  for (unsigned i = 0; i < info.range_count; ++i) {
    const MemoryRange& range = info.ranges[i];
    const std::uint64_t first = (range.start + xl::page_size - 1) >> xl::page_shift;
    const std::uint64_t end = (range.start + range.size) >> xl::page_shift;
    if (first < end) {
      add_range(first, end);
    }
  }
  return {};
}

template <typename P>
void Frames<P>::add_range(std::uint64_t first, std::uint64_t end) {
  counts_.total += end - first;
  counts_.clean += end - first;
  while (first < end) {
    const std::uint64_t chunk = first / chunk_frames;
    const std::uint64_t chunk_end = (chunk + 1) * chunk_frames;
    const std::uint64_t stop = end < chunk_end ? end : chunk_end;
    const auto index = static_cast<unsigned>(chunk % 512);
    if (stop - first == chunk_frames) {
      giga_of(chunk).clean.set(index);
    } else {
      small_[chunk].free.set_range(static_cast<unsigned>(first % chunk_frames),
                                   static_cast<unsigned>(stop - first));
      giga_of(chunk).partial.set(index);
    }
    first = stop;
  }
}

template <typename P>
typename Frames<P>::Counts Frames<P>::counts() const {
  Guard guard(lock_);
  return counts_;
}

// --- chunks ---

template <typename P>
void Frames<P>::drop_resident(Giga& giga, unsigned index) {
  if (giga.resident.test(index)) {
    giga.resident.clear(index);
    counts_.releasable -= chunk_frames;
  }
}

// Memory that the host has already backed comes first, then a GiB that is already in use, so that
// whole ones stay whole.
template <typename P>
std::uint64_t Frames<P>::take_clean_chunk(bool& resident) {
  std::uint64_t whole = never;
  resident = false;
  for (std::uint64_t g = 0; g < giga_count_; ++g) {
    Giga& giga = gigas_[g];
    unsigned index = giga.clean.first_common(giga.resident);
    if (index == ChunkSet::none) {
      index = giga.clean.first();
      if (index == ChunkSet::none) {
        continue;
      }
      if (giga.clean.full() && whole == never) {
        whole = g * 512 + index;
        continue;
      }
    }
    giga.clean.clear(index);
    resident = giga.resident.test(index);
    drop_resident(giga, index);
    return g * 512 + index;
  }
  if (whole != never) {
    giga_of(whole).clean.clear(static_cast<unsigned>(whole % 512));
  }
  return whole;
}

template <typename P>
std::uint64_t Frames<P>::take_dirty_chunk() {
  for (std::uint64_t g = 0; g < giga_count_; ++g) {
    for (ChunkSet* const set : {&gigas_[g].dirty, &gigas_[g].stale}) {
      if (const unsigned index = set->first(); index != ChunkSet::none) {
        set->clear(index);
        counts_.releasable -= set == &gigas_[g].stale ? chunk_frames : 0;
        return g * 512 + index;
      }
    }
  }
  return never;
}

template <typename P>
Result<Mfn> Frames<P>::alloc_chunk() {
  std::uint64_t chunk = never;
  bool scrub = false;
  {
    Guard guard(lock_);
    bool resident = false;
    chunk = take_clean_chunk(resident);
    if (chunk == never) {
      chunk = take_dirty_chunk();
      scrub = true;
    }
    if (chunk == never) {
      return fail(shortage());
    }
    (scrub ? counts_.dirty : counts_.clean) -= chunk_frames;
  }
  if (scrub) {
    std::memset(chunk_pointer(chunk), 0, chunk_bytes);
  }
  return Mfn(chunk * chunk_frames);
}

template <typename P>
Result<Mfn> Frames<P>::alloc_giga() {
  Guard guard(lock_);
  for (std::uint64_t g = 0; g < giga_count_; ++g) {
    Giga& giga = gigas_[g];
    if (giga.clean.full()) {
      giga.clean.clear_all();
      counts_.releasable -= giga.resident.count() * chunk_frames;
      giga.resident.clear_all();
      counts_.clean -= giga_frames;
      return Mfn(g * giga_frames);
    }
  }
  return fail(Errno::nomem);
}

template <typename P>
Result<Mfn> Frames<P>::alloc(unsigned order) {
  if (order == order_2m) {
    return alloc_chunk();
  }
  if (order == order_1g) {
    return alloc_giga();
  }
  return alloc_small(order);
}

// --- 4 KiB frames inside a broken chunk ---

template <typename P>
std::uint64_t Frames<P>::find_small(unsigned order, bool dirty_too) {
  for (std::uint64_t g = 0; g < giga_count_; ++g) {
    ChunkSet left = gigas_[g].partial;
    for (unsigned i = left.first(); i != ChunkSet::none; i = left.first()) {
      left.clear(i);
      const std::uint64_t chunk = g * 512 + i;
      const Small& small = small_[chunk];
      const unsigned index =
          dirty_too ? small.free.first_run(order) : small.free.minus(small.dirty).first_run(order);
      if (index != ChunkSet::none) {
        return chunk * chunk_frames + index;
      }
    }
  }
  return never;
}

template <typename P>
Mfn Frames<P>::take_small(std::uint64_t chunk, unsigned index, unsigned order, bool& dirty) {
  Small& small = small_[chunk];
  unsigned dirty_count = 0;
  for (unsigned i = index; i < index + (1U << order); ++i) {
    dirty_count += small.dirty.test(i) ? 1U : 0U;
    small.free.clear(i);
    small.dirty.clear(i);
    drop_small_resident(chunk, i);
  }
  Giga& giga = giga_of(chunk);
  if (small.free.empty()) {
    giga.partial.clear(static_cast<unsigned>(chunk % 512));
  }
  if (small.dirty.empty()) {
    giga.small_dirty.clear(static_cast<unsigned>(chunk % 512));
  }
  counts_.dirty -= dirty_count;
  counts_.clean -= (1U << order) - dirty_count;
  dirty = dirty_count != 0;
  return Mfn(chunk * chunk_frames + index);
}

// The chunk is in no set and stays counted as clean or dirty.
template <typename P>
void Frames<P>::break_chunk(std::uint64_t chunk, bool resident) {
  const auto bit = static_cast<unsigned>(chunk % 512);
  small_[chunk].free.set_range(0, chunk_frames);
  giga_of(chunk).partial.set(bit);
  if (resident) {
    small_[chunk].resident.set_range(0, chunk_frames);
    giga_of(chunk).small_resident.set(bit);
    counts_.small_releasable += chunk_frames;
  }
}

template <typename P>
void Frames<P>::drop_small_resident(std::uint64_t chunk, unsigned index) {
  Small& small = small_[chunk];
  if (small.resident.test(index)) {
    small.resident.clear(index);
    --counts_.small_releasable;
    if (small.resident.empty()) {
      giga_of(chunk).small_resident.clear(static_cast<unsigned>(chunk % 512));
    }
  }
}

template <typename P>
Result<Mfn> Frames<P>::alloc_small(unsigned order) {
  bool dirty = false;
  Mfn mfn;
  {
    Guard guard(lock_);
    std::uint64_t frame = find_small(order, false);
    if (frame == never) {
      frame = find_small(order, true);
    }
    if (frame == never) {
      bool resident = false;
      std::uint64_t chunk = take_clean_chunk(resident);
      if (chunk == never) {
        chunk = take_dirty_chunk();
        if (chunk == never) {
          return fail(shortage());
        }
        small_[chunk].dirty.set_range(0, chunk_frames);
        giga_of(chunk).small_dirty.set(static_cast<unsigned>(chunk % 512));
      }
      break_chunk(chunk, resident);
      frame = chunk * chunk_frames;
    }
    mfn =
        take_small(frame / chunk_frames, static_cast<unsigned>(frame % chunk_frames), order, dirty);
  }
  if (dirty) {
    std::memset(platform_.frame(mfn), 0, xl::page_size << order);
  }
  return mfn;
}

// --- release ---

template <typename P>
void Frames<P>::free_small(std::uint64_t frame, unsigned count, Taint) {
  const std::uint64_t chunk = frame / chunk_frames;
  const auto index = static_cast<unsigned>(frame % chunk_frames);
  const auto bit = static_cast<unsigned>(chunk % 512);
  Small& small = small_[chunk];
  Giga& giga = giga_of(chunk);
  for (unsigned i = index; i < index + count; ++i) {
    if (small.free.test(i) || small.offered.test(i)) {
      __builtin_trap();  // freed twice
    }
  }
  small.free.set_range(index, count);
  small.dirty.set_range(index, count);
  counts_.dirty += count;
  giga.partial.set(bit);
  giga.small_dirty.set(bit);
  if (small.free.full()) {
    // Whole again. What is clean in it stays so only by being counted with the rest: one state per
    // chunk.
    const unsigned dirty_count = small.dirty.count();
    counts_.clean -= chunk_frames - dirty_count;
    counts_.dirty += chunk_frames - dirty_count;
    counts_.small_releasable -= small.resident.count();
    small = Small{};
    giga.partial.clear(bit);
    giga.small_dirty.clear(bit);
    giga.small_resident.clear(bit);
    giga.dirty.set(bit);
  }
}

template <typename P>
void Frames<P>::free_chunks(std::uint64_t chunk, std::uint64_t count, Taint taint) {
  for (std::uint64_t i = chunk; i < chunk + count; ++i) {
    Giga& giga = giga_of(i);
    const auto bit = static_cast<unsigned>(i % 512);
    if (giga.clean.test(bit) || giga.dirty.test(bit) || giga.stale.test(bit) ||
        giga.offered.test(bit) || giga.partial.test(bit)) {
      __builtin_trap();  // freed twice
    }
    (taint == Taint::used ? giga.dirty : giga.stale).set(bit);
    counts_.releasable += taint == Taint::used ? 0 : chunk_frames;
  }
  counts_.dirty += count * chunk_frames;
}

template <typename P>
void Frames<P>::free(Mfn mfn, unsigned order, Taint taint) {
  Guard guard(lock_);
  if (order >= order_2m) {
    free_chunks(mfn.value() / chunk_frames, 1ULL << (order - order_2m), taint);
  } else {
    free_small(mfn.value(), 1U << order, taint);
  }
}

}  // namespace hyp

#include "hypervisor/core/frames_scrub.hpp"
