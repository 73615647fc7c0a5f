// SPDX-License-Identifier: Apache-2.0
// Memory<P>: what changes a domain's physmap: populate, release, pages of the hypervisor and of
// other domains. The caller holds the domain's memory_lock, unless a function says that it takes
// it.
#pragma once

#include <array>

#include "hypervisor/core/core.hpp"
#include "hypervisor/core/reaper.hpp"

namespace hyp {

// From this size on an extent is mapped with 1 GiB pages: below, the finer Accessed bits of 2 MiB
// pages spare more scrubbing at the end than the shorter walk saves.
inline constexpr std::uint64_t giga_leaf_threshold = 2ULL << 18;

// Frames that a domain gave up and that a CPU may still reach through an old translation. They are
// held here until that is flushed: one flush for many.
struct ReleasedFrames {
  static constexpr unsigned capacity = 64;
  std::array<Mfn, capacity> frames{};
  unsigned count = 0;
};

template <typename P>
class Memory {
 public:
  constexpr Memory(Core<P>& core, Reaper<P>& reaper) : core_(core), reaper_(reaper) {}

  // Maps one leaf of new zeroed frames at gfn, as large as `count` pages and `extent` (size of the
  // whole request) allow. Returns its pages. exist: something is mapped; nomem, again: no frames.
  Result<std::uint64_t> populate_leaf(Domain<P>& domain, Gfn gfn, std::uint64_t count,
                                      std::uint64_t extent);
  // Exactly one leaf of this level, or an error.
  Result<void> populate_exact(Domain<P>& domain, Gfn gfn, unsigned level);
  // A new zeroed frame at gfn instead of what is mapped there, RAM or shared. RAM goes on being
  // counted as the domain's.
  Result<void> replace(Domain<P>& domain, Gfn gfn);
  // Gives up the 4 KiB of RAM at gfn, which may be a promise only. inval: no RAM there; busy: a
  // grant or a registered page pins it.
  Result<void> release(Domain<P>& domain, Gfn gfn);
  // The same of 2^order pages, whose frames go into `released`: no CPU reaches them any more, and
  // they are free, when it is finished.
  Result<void> release(Domain<P>& domain, Gfn gfn, unsigned order, ReleasedFrames& released);
  void finish(Domain<P>& domain, ReleasedFrames& released);
  // Undo of populate_leaf and promise_leaf for a domain that has not run since.
  void undo_leaf(Domain<P>& domain, Gfn gfn);

  // --- on demand (memory_on_demand.hpp)
  // Promises RAM at gfn, as one entry as large as `count` allows; returns its pages. exist, nomem.
  Result<std::uint64_t> promise_leaf(Domain<P>& domain, Gfn gfn, std::uint64_t count);
  // nomem: the host has not that much, nothing was changed.
  Result<void> set_target(Domain<P>& domain, std::uint64_t pages, bool withdraw);
  // Gives frames to the promise at gfn, if there is one: 2 MiB where that is whole and within the
  // target. nomem: the domain has all that it may have; again: frames are on their way; nospc: the
  // host has none.
  Result<void> fill(Domain<P>& domain, Gfn gfn);
  // What is at gfn, after fill() where it was a promise. Takes the lock, then.
  Result<PhysmapEntry> touch(Domain<P>& domain, Gfn gfn);
  // Whether the host has this many pages for the domain, beside what it owes to others.
  bool can_take(const Domain<P>& domain, std::uint64_t pages) const;

  // Moves RAM from one gfn to another (XENMAPSPACE_gmfn); what was at `to` is released.
  Result<void> move(Domain<P>& domain, Gfn from, Gfn to);
  // Puts a frame of the hypervisor at gfn; RAM that is there is released first.
  Result<void> map_shared(Domain<P>& domain, Gfn gfn, Mfn mfn);
  // Takes a frame of kind `shared` away again.
  Result<void> unmap_shared(Domain<P>& domain, Gfn gfn);

  // Another domain's frame at gfn, and away again; what was there before is released.
  Result<void> map_grant(Domain<P>& domain, Gfn gfn, Mfn mfn, bool writable);
  Result<void> unmap_grant(Domain<P>& domain, Gfn gfn);

  // The frame at gfn if it is the domain's own RAM; a promise is kept. Valid until this CPU's next
  // schedule(), also without the lock.
  Result<Mfn> ram_frame(Domain<P>& domain, Gfn gfn);
  // A registered or granted page that has to stay where it is.
  bool is_pinned(Domain<P>& domain, Mfn mfn) const;

  // Copies between the domain's guest physical memory and `bytes`; touch()es it. fault: some page
  // is not RAM, or cannot get a frame.
  Result<void> copy_to(Domain<P>& domain, std::uint64_t address, const std::byte* from,
                       std::uint64_t bytes);
  Result<void> copy_from(Domain<P>& domain, std::uint64_t address, std::byte* to,
                         std::uint64_t bytes);

 private:
  auto table_frames(Domain<P>& domain) {
    return [this, &domain] { return core_.alloc_pages(&domain, 0); };
  }
  void settle(Domain<P>& domain);
  bool can_be_had(std::uint64_t pages) const;
  void gave_back(Domain<P>& domain, std::uint64_t pages);
  Result<void> fill_leaf(Domain<P>& domain, Gfn gfn, unsigned level);
  Errno fill_error(Errno cause) const;
  void tell_shortage(Domain<P>& domain);
  Result<void> release_frame(Domain<P>& domain, Gfn gfn, ReleasedFrames& released);
  // Drops the promise that holds gfn, as a whole.
  void drop_promise(Domain<P>& domain, Gfn gfn);
  // Frees the place at gfn for something else to be mapped there.
  Result<void> vacate(Domain<P>& domain, Gfn gfn);
  Result<void> map(Domain<P>& domain, Gfn gfn, Mfn mfn, unsigned level, PageKind kind);
  template <typename Copy>
  Result<void> each_piece(Domain<P>& domain, std::uint64_t address, std::uint64_t bytes,
                          Copy&& copy);

  Core<P>& core_;
  Reaper<P>& reaper_;
};

}  // namespace hyp

#include "hypervisor/core/memory_impl.hpp"
#include "hypervisor/core/memory_on_demand.hpp"
