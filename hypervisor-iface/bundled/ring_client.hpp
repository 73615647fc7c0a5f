// SPDX-License-Identifier: Apache-2.0
// The host's end of the request ring: requests from any thread, up to slot_count in flight. A
// caller looks for its answer for a short while (the hypervisor mostly answers within that), then
// sleeps until the doorbell's reader wakes it.
//
// A request that is not answered in time, while the hypervisor does not get on with any other
// either, fails with hypervisor_gone; until the hypervisor answers something again, every further
// one fails at once, so that a hanging hypervisor costs a caller 2 s once, not at each step. When
// the late answer comes, what it created for nobody is undone (Orphan).
//
// Lock order: mutex_ is a leaf.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "hypervisor-iface/bundled/doorbell.hpp"
#include "hypervisor-iface/bundled/host_area.hpp"

namespace xl::hv::bundled {

struct Request {
  abi::Op op = abi::Op::ping;
  DomId domain;
  std::array<std::uint64_t, 11> args{};
  std::span<const std::byte> bulk = {};  // at most abi::bulk_size
};

struct Response {
  std::int32_t status = 0;  // 0 or a negative Xen errno
  std::array<std::uint64_t, 18> results{};
  std::vector<std::byte> bulk;  // at most abi::bulk_size, whatever the hypervisor said
};

class RingClient {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::chrono::microseconds spin{50};  // docs/adr/0030
    std::chrono::milliseconds timeout{2000};
  };
  // Gets the request that undoes what an answer created after its caller had given up. Called with
  // the lock held: must not call back, only queue.
  using Orphan = std::function<void(const Request&)>;

  // Goes on where the area's numbers stand.
  RingClient(HostArea area, const Doorbell& doorbell, Options options, Orphan orphan);

  // Returns when everything that an earlier process had posted is done; before the first call. With
  // the doorbell's reader running.
  Result<void> catch_up();
  // Answered, with whatever status; or hypervisor_gone.
  Result<Response> call(const Request& request);

  // The doorbell rang: wakes those whose answers are there. Of the reader's thread.
  void on_bell();
  // The hypervisor is no more: all waiting and all later calls fail with this reason.
  void set_gone(const std::string& why);
  bool gone() const { return gone_.load(std::memory_order_acquire); }
  std::string gone_reason() const;

 private:
  enum class Use { free, waiting, abandoned };
  struct SlotState {
    Use use = Use::free;
    bool asleep = false;
    std::uint64_t number = 0;
    abi::Op op = abi::Op::ping;
    DomId domain;
    std::condition_variable answered;
  };

  Result<std::size_t> submit(const Request& request, Clock::time_point start);
  bool is_done(std::size_t slot) const;
  bool spin(std::size_t slot);
  Result<void> sleep(std::size_t slot, Clock::time_point start);
  Response take(std::size_t slot);
  void abandon(std::size_t slot);        // with the lock
  void collect_abandoned();              // with the lock
  Unexpected<Error> gone_error() const;  // with the lock

  const HostArea area_;
  const Doorbell& doorbell_;
  const Options options_;
  const Orphan orphan_;

  mutable std::mutex mutex_;
  std::array<SlotState, abi::slot_count> slots_;
  std::condition_variable slot_free_;
  std::uint64_t next_ = 0;  // number of the next request
  unsigned abandoned_ = 0;  // slots whose answer nobody waits for any more
  unsigned asleep_ = 0;     // slots whose caller sleeps
  std::string gone_reason_;
  std::atomic<bool> gone_{false};
  std::atomic<unsigned> misses_{0};  // times in a row that looking did not pay
};

}  // namespace xl::hv::bundled
