// SPDX-License-Identifier: Apache-2.0
// Frames<P>: the frame allocator over all RAM that the hypervisor did not take for itself.
// Freestanding.
//
// RAM is seen as 1 GiB stretches of 512 chunks of 2 MiB; a set of chunks is a bitmap of 512 bits. A
// free chunk is in one set:
//   clean    zero, and the emulator holds no translated code of it; `resident`: the host spends
//   memory on it dirty    must be scrubbed by the hypervisor's own stores (the rule of the emulated
//   CPU) stale    may hold data but was never used by a guest CPU: zeroing by the host (hole
//   punching) is enough offered  with the host, which punches holes; not allocatable until it comes
//   back (then clean, not resident)
// A chunk that is broken into 4 KiB frames has its free frames in Small, and is in `partial` while
// it has any. They too can be resident, and offered: what a guest's balloon gives back is
// scattered. RAM that nobody ever used is clean and is never touched, nor is its metadata: at boot
// one sets a few words per GiB.
//
// Thread rule: any CPU; one lock, held for bit operations only. Memory is zeroed outside of the
// lock.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "hypervisor/core/chunk_set.hpp"
#include "hypervisor/core/hypercall_frame.hpp"
#include "hypervisor/core/platform.hpp"
#include "hypervisor/core/spinlock.hpp"

namespace hyp {

inline constexpr unsigned order_4k = 0;
inline constexpr unsigned order_small_max = 6;  // 256 KiB, the largest inside a broken chunk
inline constexpr unsigned order_2m = 9;
inline constexpr unsigned order_1g = 18;
inline constexpr std::uint64_t chunk_frames = 512;
inline constexpr std::uint64_t chunk_bytes = chunk_frames << xl::page_shift;

// Scattered 4 KiB frames are given back to the host when there are so many.
inline constexpr std::uint64_t small_release_threshold = 1024;

// What has happened to frames that come back.
enum class Taint : std::uint8_t {
  used,       // a guest CPU or the hypervisor touched them: dirty
  untouched,  // only the host may have written: stale
};

template <typename P>
class Frames {
 public:
  constexpr explicit Frames(P& platform) : platform_(platform) {}

  // Takes its own metadata from the first range that can hold it. nomem: no range can.
  Result<void> init(const InitInfo& info);

  // Zeroed frames, aligned to their size; order 0..6, 9 or 18. nomem when there are none; for order
  // 18 also when no whole clean GiB is there. again: there would be, but the host has them
  // (offered).
  Result<Mfn> alloc(unsigned order);
  void free(Mfn mfn, unsigned order, Taint taint);

  // One bounded step of scrubbing for an idle CPU. False: nothing is dirty.
  bool scrub_some(unsigned cpu);
  // The CPU has other work: its half scrubbed chunk goes back.
  void abandon_scrub(unsigned cpu);

  // Offers what the host may release: fills `out` (frames as extents, gfn 0) with everything that
  // is offered now, including what was taken before and not returned. Returns the number of
  // records.
  unsigned take_freed(xl::abi::ExtentRecord* out, unsigned capacity);
  void return_freed();

  struct Counts {
    std::uint64_t clean = 0;  // frames, allocatable at once
    std::uint64_t dirty = 0;  // dirty and stale
    std::uint64_t offered = 0;
    std::uint64_t total = 0;       // frames under management
    std::uint64_t releasable = 0;  // of clean and dirty: whole chunks that take_freed would offer
    std::uint64_t small_releasable = 0;  // resident clean frames of broken chunks
    std::uint64_t metadata = 0;          // frames taken for metadata
    std::uint64_t free() const { return clean + dirty + offered; }
    // What take_freed would offer. A few scattered frames stay: the hypervisor's own come and go.
    std::uint64_t offerable() const {
      return releasable + (small_releasable < small_release_threshold ? 0 : small_releasable);
    }
  };
  Counts counts() const;

 private:
  struct Giga {
    ChunkSet clean, resident, dirty, stale, offered, partial;
    ChunkSet small_dirty, small_resident, small_offered;  // broken chunks that have some
  };
  // Of one broken chunk.
  struct Small {
    ChunkSet free;      // frames
    ChunkSet dirty;     // part of free
    ChunkSet resident;  // part of free and not dirty: the host spends memory on them
    ChunkSet offered;   // with the host; not free
  };
  // The host's list in the making: neighbours are joined.
  struct Offer {
    xl::abi::ExtentRecord* out;
    unsigned capacity;
    unsigned count = 0;
    bool add(std::uint64_t first, std::uint64_t pages) {
      if (count > 0 && out[count - 1].mfn + out[count - 1].pages == first) {
        out[count - 1].pages += pages;
        return true;
      }
      if (count == capacity) {
        return false;
      }
      out[count++] = xl::abi::ExtentRecord{0, first, pages};
      return true;
    }
  };
  struct Scrub {
    std::uint64_t chunk = never;
    std::uint64_t offset = 0;
    bool small = false;
  };

  static constexpr std::uint64_t scrub_step = 128 << 10;  // bytes per idle step
  static constexpr std::uint64_t giga_frames = 512 * chunk_frames;

  std::byte* chunk_pointer(std::uint64_t chunk) {
    return platform_.frame(Mfn(chunk * chunk_frames));
  }
  Giga& giga_of(std::uint64_t chunk) { return gigas_[chunk / 512]; }
  bool carve_metadata(InitInfo& info);
  void add_range(std::uint64_t first, std::uint64_t end);
  void drop_resident(Giga& giga, unsigned index);
  std::uint64_t take_clean_chunk(bool& resident);
  std::uint64_t take_dirty_chunk();
  Result<Mfn> alloc_chunk();
  Result<Mfn> alloc_giga();
  Result<Mfn> alloc_small(unsigned order);
  std::uint64_t find_small(unsigned order, bool dirty_too);
  Mfn take_small(std::uint64_t chunk, unsigned index, unsigned order, bool& dirty);
  void break_chunk(std::uint64_t chunk, bool resident);
  void drop_small_resident(std::uint64_t chunk, unsigned index);
  void offer_chunk(std::uint64_t chunk, bool again, Offer& offer);
  void offer_small(std::uint64_t chunk, bool again, Offer& offer);
  bool join_clean(std::uint64_t chunk);
  void free_small(std::uint64_t frame, unsigned count, Taint taint);
  void free_chunks(std::uint64_t chunk, std::uint64_t count, Taint taint);
  bool start_scrub(Scrub& scrub);
  void finish_scrub(Scrub& scrub);
  Errno shortage() const {
    return scrubbing_ != 0 ? Errno::busy : counts_.offered != 0 ? Errno::again : Errno::nomem;
  }

  P& platform_;
  mutable SpinLock<P> lock_;
  Giga* gigas_ = nullptr;
  std::uint64_t giga_count_ = 0;
  Small* small_ = nullptr;  // by chunk
  Counts counts_;
  unsigned scrubbing_ =
      0;  // chunks and frames that CPUs are scrubbing now: in no set, counted as dirty
  std::array<Scrub, max_cpus> scrubs_{};
};

}  // namespace hyp

#include "hypervisor/core/frames_impl.hpp"
