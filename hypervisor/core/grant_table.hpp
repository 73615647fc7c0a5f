// SPDX-License-Identifier: Apache-2.0
// GrantTable<P>: a domain's grant table: the shared frames that the guest writes, what of them is
// in use now (active entries), and what the domain itself has mapped of others (maptrack).
// Freestanding. The caller holds the domain's memory_lock.
#pragma once

#include <array>
#include <cstdint>

#include "hypervisor/core/platform.hpp"

namespace hyp {

inline constexpr unsigned max_grant_frames = 64;  // as Xen's default
inline constexpr unsigned max_status_frames = max_grant_frames / 8;
inline constexpr unsigned max_maptrack_frames = 64;

// A reference that somebody maps or copies: the frame may not go, the entry may not change.
struct ActiveGrant {
  std::uint64_t mfn = 0;
  std::uint16_t readers = 0;  // mappings, copies under way
  std::uint16_t writers = 0;
  std::uint16_t peer = 0;
  std::uint16_t reserved = 0;
  bool used() const { return readers != 0 || writers != 0; }
};
static_assert(sizeof(ActiveGrant) == 16);

// One mapping that a domain, or domain 0, holds of another's grant. The handle is its index. The
// granter lives as long as one of its references is active.
template <typename P>
struct MapTrack {
  Domain<P>* granter = nullptr;
  std::uint64_t gfn = 0;  // where it is mapped; nothing for domain 0
  std::uint32_t ref = 0;
  std::uint16_t writable = 0;
  std::uint16_t used = 0;
};
static_assert(sizeof(MapTrack<void>) == 24);

template <typename P>
class GrantTable {
 public:
  static constexpr unsigned active_per_frame = 256;
  static constexpr unsigned v1_per_frame = 512;
  static constexpr unsigned v2_per_frame = 256;
  static constexpr unsigned tracks_per_frame = 128;

  unsigned version() const { return version_; }
  void set_version(unsigned version) { version_ = version; }
  unsigned frame_count() const { return frame_count_; }
  unsigned status_count() const { return status_count_; }
  Mfn frame(unsigned index) const { return frames_[index]; }
  Mfn status_frame(unsigned index) const { return status_[index]; }
  std::uint32_t entries() const {
    return frame_count_ * (version_ == 2 ? v2_per_frame : v1_per_frame);
  }

  // More shared frames, and status frames as version 2 needs them. `alloc` gives Result<Mfn> of a
  // zeroed frame.
  template <typename Alloc>
  Result<void> grow(unsigned count, Alloc&& alloc) {
    if (count > max_grant_frames) {
      return fail(Errno::inval);
    }
    while (version_ == 2 && status_count_ < (count + 7) / 8) {
      XL_TRY_ASSIGN(const Mfn mfn, alloc());
      status_[status_count_++] = mfn;
    }
    while (frame_count_ < count) {
      XL_TRY_ASSIGN(const Mfn mfn, alloc());
      frames_[frame_count_++] = mfn;
    }
    return {};
  }

  // The active entry of a reference; its frame is made if need be.
  template <typename AllocBytes>
  Result<ActiveGrant*> active(std::uint32_t ref, AllocBytes&& alloc) {
    if (ref >= entries()) {
      return fail(Errno::inval);
    }
    ActiveGrant*& page = active_[ref / active_per_frame];
    if (page == nullptr) {
      XL_TRY_ASSIGN(std::byte* const bytes, alloc());
      // SAFETY: a zeroed frame is 256 unused entries.
      page = reinterpret_cast<ActiveGrant*>(bytes);
    }
    return page + ref % active_per_frame;
  }
  ActiveGrant* find_active(std::uint32_t ref) const {
    if (ref >= entries() || active_[ref / active_per_frame] == nullptr) {
      return nullptr;
    }
    return active_[ref / active_per_frame] + ref % active_per_frame;
  }
  void count_active(int change) { active_count_ += static_cast<unsigned>(change); }
  unsigned active_count() const { return active_count_; }

  bool pins(Mfn mfn) const {
    if (active_count_ == 0) {
      return false;
    }
    for (const ActiveGrant* const page : active_) {
      for (unsigned i = 0; page != nullptr && i < active_per_frame; ++i) {
        if (page[i].used() && page[i].mfn == mfn.value()) {
          return true;
        }
      }
    }
    return false;
  }

  // A new maptrack entry; nospc: too many.
  template <typename AllocBytes>
  Result<std::uint32_t> take_track(AllocBytes&& alloc) {
    for (std::uint32_t i = first_track_; i < max_maptrack_frames * tracks_per_frame; ++i) {
      MapTrack<P>*& page = tracks_[i / tracks_per_frame];
      if (page == nullptr) {
        XL_TRY_ASSIGN(std::byte* const bytes, alloc());
        // SAFETY: a zeroed frame is 128 unused entries, and a rest.
        page = reinterpret_cast<MapTrack<P>*>(bytes);
      }
      if (page[i % tracks_per_frame].used == 0) {
        first_track_ = i + 1;
        page[i % tracks_per_frame].used = 1;
        return i;
      }
    }
    return fail(Errno::nospc);
  }
  MapTrack<P>* find_track(std::uint32_t handle) const {
    if (handle >= max_maptrack_frames * tracks_per_frame ||
        tracks_[handle / tracks_per_frame] == nullptr) {
      return nullptr;
    }
    MapTrack<P>* const track = tracks_[handle / tracks_per_frame] + handle % tracks_per_frame;
    return track->used == 0 ? nullptr : track;
  }
  void release_track(std::uint32_t handle) {
    tracks_[handle / tracks_per_frame][handle % tracks_per_frame] = MapTrack<P>{};
    first_track_ = handle < first_track_ ? handle : first_track_;
  }
  // The first mapping in use at or after `handle`, or ~0.
  std::uint32_t next_track(std::uint32_t handle) const {
    for (; handle < max_maptrack_frames * tracks_per_frame; ++handle) {
      if (tracks_[handle / tracks_per_frame] == nullptr) {
        handle |= tracks_per_frame - 1;  // the whole frame is missing
      } else if (tracks_[handle / tracks_per_frame][handle % tracks_per_frame].used != 0) {
        return handle;
      }
    }
    return ~0U;
  }

  // Gives every frame back: `free(Mfn)`.
  template <typename Free>
  void clear(P& platform, Free&& free) {
    for (unsigned i = 0; i < frame_count_; ++i) {
      free(frames_[i]);
    }
    for (unsigned i = 0; i < status_count_; ++i) {
      free(status_[i]);
    }
    for (ActiveGrant* const page : active_) {
      if (page != nullptr) {
        free(platform.frame_of(page));
      }
    }
    for (MapTrack<P>* const page : tracks_) {
      if (page != nullptr) {
        free(platform.frame_of(page));
      }
    }
    *this = GrantTable{};
  }

 private:
  unsigned version_ = 1;
  unsigned frame_count_ = 0;
  unsigned status_count_ = 0;
  unsigned active_count_ = 0;
  std::uint32_t first_track_ = 0;
  std::array<Mfn, max_grant_frames> frames_{};
  std::array<Mfn, max_status_frames> status_{};
  std::array<ActiveGrant*, max_grant_frames * v1_per_frame / active_per_frame> active_{};
  std::array<MapTrack<P>*, max_maptrack_frames> tracks_{};
};

}  // namespace hyp
