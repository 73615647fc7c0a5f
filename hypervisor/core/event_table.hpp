// SPDX-License-Identifier: Apache-2.0
// EventTable<P>: the event channels of one domain, by port. Frames of 256 channels, made as ports
// are needed. Freestanding. The caller holds the event lock.
#pragma once

#include <array>
#include <cstdint>

#include "hypervisor/core/platform.hpp"

namespace hyp {

// EVTCHNSTAT_* by name, and free.
enum class ChannelState : std::uint8_t { free = 0, unbound, interdomain, virq, ipi, pirq };

struct Channel {
  ChannelState state = ChannelState::free;
  std::uint8_t priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
  std::uint16_t vcpu = 0;           // who is notified
  std::uint16_t remote_domain = 0;  // unbound, interdomain
  std::uint8_t queue_priority =
      EVTCHN_FIFO_PRIORITY_DEFAULT;  // FIFO: queue that the port was last linked on
  std::uint8_t pending_later = 0;    // FIFO: sent before the guest gave the port's event word
  std::uint32_t remote = 0;          // interdomain: the other port; virq, pirq: its number
  std::uint16_t queue_vcpu = 0;
  std::uint16_t reserved = 0;
};
static_assert(sizeof(Channel) == 16);

template <typename P>
class EventTable {
 public:
  static constexpr unsigned per_frame = 256;
  static constexpr unsigned direct_frames = 16;  // the first 4096 ports
  static constexpr unsigned max_frames = direct_frames + 512;
  static constexpr std::uint32_t group = 64;  // Xen makes as many ports at once

  // The channel, free ones included; null where none was ever made.
  Channel* find(std::uint32_t port) const {
    const std::uint32_t frame = port / per_frame;
    if (frame >= frames_) {
      return nullptr;
    }
    return bucket(frame) + port % per_frame;
  }
  // The channel if it is in use; port 0 never is.
  Channel* find_used(std::uint32_t port) const {
    Channel* const channel = find(port);
    return channel == nullptr || channel->state == ChannelState::free ? nullptr : channel;
  }
  std::uint32_t limit() const { return frames_ * per_frame; }
  // The first port that a guest may not even ask about, as in Xen.
  std::uint32_t made() const { return made_; }

  // The lowest free port in [1, end). nospc: none. `alloc` gives a Result of a zeroed frame.
  template <typename Alloc>
  Result<std::uint32_t> take_free(std::uint32_t end, Alloc&& alloc) {
    for (std::uint32_t port = lowest_; port < end; ++port) {
      if (port >= limit()) {
        XL_TRY(grow(alloc));
      }
      if (find(port)->state == ChannelState::free) {
        lowest_ = port + 1;
        made_ = port < made_ ? made_ : port / group * group + group;
        empty(*find(port));
        return port;
      }
    }
    return fail(Errno::nospc);
  }
  void release(std::uint32_t port) {
    empty(*find(port));
    lowest_ = port < lowest_ ? port : lowest_;
  }

  // Gives every frame back; no channel may be in use.
  template <typename Free>
  void clear(P& platform, Free&& free) {
    for (std::uint32_t frame = 0; frame < frames_; ++frame) {
      free(frame_of(platform, bucket(frame)));
    }
    if (more_ != nullptr) {
      free(frame_of(platform, more_));
    }
    *this = EventTable{};
  }

 private:
  // The queue outlives the port: the guest may still have it linked there, as the tail behind which
  // the next event would go, and whoever has the port next is linked elsewhere.
  static void empty(Channel& channel) {
    const Channel before = channel;
    channel = Channel{};
    channel.queue_vcpu = before.queue_vcpu;
    channel.queue_priority = before.queue_priority;
  }
  Channel* bucket(std::uint32_t frame) const {
    return frame < direct_frames ? direct_[frame] : more_[frame - direct_frames];
  }
  static Mfn frame_of(P& platform, const void* pointer) { return platform.frame_of(pointer); }

  template <typename Alloc>
  Result<void> grow(Alloc&& alloc) {
    if (frames_ >= max_frames) {
      return fail(Errno::nospc);
    }
    // SAFETY: a zeroed frame is 512 null pointers, or 256 channels of which each is free.
    if (frames_ >= direct_frames && more_ == nullptr) {
      XL_TRY_ASSIGN(std::byte* const pointers, alloc());
      more_ = reinterpret_cast<Channel**>(pointers);
    }
    XL_TRY_ASSIGN(std::byte* const channels, alloc());
    (frames_ < direct_frames ? direct_[frames_] : more_[frames_ - direct_frames]) =
        reinterpret_cast<Channel*>(channels);
    ++frames_;
    return {};
  }

  std::array<Channel*, direct_frames> direct_{};
  Channel** more_ = nullptr;
  std::uint32_t frames_ = 0;
  std::uint32_t lowest_ = 1;
  std::uint32_t made_ = group;
};

}  // namespace hyp
