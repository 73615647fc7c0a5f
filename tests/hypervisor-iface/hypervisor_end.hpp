// SPDX-License-Identifier: Apache-2.0
// The other end of the request ring, played by the test: the area in ordinary memory, the doorbell
// a socket pair.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <functional>
#include <thread>

#include "hypervisor-iface/bundled/ring_client.hpp"

namespace xl::hv::bundled {

class HypervisorEnd {
 public:
  // Answers one request: fills status, results, bulk_bytes. False: does not answer it (yet).
  using Answer = std::function<bool(abi::Slot& slot, std::span<std::byte> bulk)>;

  HypervisorEnd()
      : memory_(static_cast<std::byte*>(::mmap(nullptr, abi::host_area_size, PROT_READ | PROT_WRITE,
                                               MAP_SHARED | MAP_ANONYMOUS, -1, 0))),
        area_(memory_) {
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    host_socket_.reset(pair[0]);
    own_ = std::make_unique<Doorbell>(UniqueFd(pair[1]));
  }
  HypervisorEnd(const HypervisorEnd&) = delete;
  HypervisorEnd& operator=(const HypervisorEnd&) = delete;
  ~HypervisorEnd() {
    stop();
    ::munmap(memory_, abi::host_area_size);
  }

  HostArea area() const { return area_; }
  std::byte* memory() { return memory_; }
  UniqueFd take_host_socket() { return std::move(host_socket_); }
  const Doorbell& doorbell() const { return *own_; }
  void hang_up() { own_.reset(); }

  // Serves requests as the hypervisor does, sleeping in between, until stop().
  void serve(Answer answer) {
    answer_ = std::move(answer);
    thread_ = std::thread([this] { run(); });
  }
  // As if a process before this one had posted `posted` requests, of which `answered` are.
  void begin_at(std::uint64_t posted, std::uint64_t answered) {
    for (std::uint64_t number = 0; number < answered; ++number) {
      area_.done(static_cast<std::size_t>(number % abi::slot_count)).store(number + 1);
    }
    area_.producer().store(posted);
    next_ = posted;
  }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
    stop_ = false;
  }
  // Answers request `number` now, in the slot's own memory.
  void finish(std::uint64_t number, std::int32_t status, std::uint64_t result0) {
    abi::Slot slot = slot_of(number);
    slot.status = status;
    slot.results[0] = result0;
    put(number, slot);
  }
  // Says that it works on a request that is not finished.
  void step() {
    // SAFETY: a word of the header, naturally aligned.
    auto* steps = reinterpret_cast<std::uint64_t*>(memory_ + offsetof(abi::Header, request_steps));
    std::atomic_ref(*steps).fetch_add(1);
  }
  bool rings_for_responses() {
    return (area_.host_sleeping().fetch_and(~abi::sleeping_for_responses) &
            abi::sleeping_for_responses) != 0;
  }

 private:
  abi::Slot slot_of(std::uint64_t number) const {
    return area_.slot(static_cast<std::size_t>(number % abi::slot_count));
  }
  void put(std::uint64_t number, const abi::Slot& slot) {
    const auto index = static_cast<std::size_t>(number % abi::slot_count);
    std::byte* at = memory_ + abi::slots_offset + index * sizeof(abi::Slot);
    std::memcpy(at + offsetof(abi::Slot, bulk_bytes), &slot.bulk_bytes, 8);
    std::memcpy(at + offsetof(abi::Slot, results), slot.results, sizeof(slot.results));
    area_.done(index).store(number + 1, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (rings_for_responses()) {
      own_->ring();
    }
  }
  void run() {
    while (!stop_) {
      const std::uint64_t producer = area_.producer().load(std::memory_order_acquire);
      if (next_ == producer) {
        area_.hypervisor_sleeping().store(1, std::memory_order_seq_cst);
        if (area_.producer().load() == next_) {
          pollfd entry{own_->fd(), POLLIN, 0};
          (void)::poll(&entry, 1, 10);
          (void)own_->drain();
        }
        area_.hypervisor_sleeping().store(0, std::memory_order_seq_cst);
        continue;
      }
      abi::Slot slot = slot_of(next_);
      const auto index = static_cast<std::size_t>(next_ % abi::slot_count);
      if (answer_(slot, area_.bulk(index))) {
        put(next_, slot);
      }
      ++next_;
    }
  }

  std::byte* memory_;
  HostArea area_;
  UniqueFd host_socket_;
  std::unique_ptr<Doorbell> own_;
  Answer answer_;
  std::uint64_t next_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace xl::hv::bundled
