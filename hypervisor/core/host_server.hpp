// SPDX-License-Identifier: Apache-2.0
// HostServer<P>: serves domain 0's request ring (abi/host_area.hpp), one request at a time and in
// order, in bounded steps: a request that is not finished goes on at the next call. Whichever CPU
// comes by serves. The slot and its bulk buffer are hostile: each request is copied out once.
#pragma once

#include <atomic>

#include "hypervisor/core/host_ops.hpp"
#include "hypervisor/core/host_request.hpp"
#include "hypervisor/core/parts.hpp"

namespace hyp {

template <typename P>
class HostServer {
 public:
  explicit constexpr HostServer(Parts<P>& parts) : parts_(parts), ops_(parts) {}

  // Up to this many requests, or steps of one, per call.
  static constexpr unsigned requests_per_call = 8;
  // An idle CPU keeps looking at the ring this long after a request: the next one of a series needs
  // no doorbell.
  static constexpr std::uint64_t poll_ns = 200'000;

  bool has_request() const { return producer() != consumer_.load(std::memory_order_acquire); }

  void serve(unsigned cpu);

  // An idle CPU asks whether to look again instead of sleeping. At most one CPU polls.
  bool keep_polling(unsigned cpu);
  void stop_polling(unsigned cpu);

 private:
  std::uint64_t producer() const {
    return shared_word::load<std::uint64_t>(parts_.core.platform.host_area() +
                                            xl::abi::producer_offset);
  }
  xl::abi::Slot& slot(std::uint64_t number) {
    // SAFETY: inside the host area, aligned; shared with the host, so only read once and written.
    return reinterpret_cast<xl::abi::Slot*>(parts_.core.platform.host_area() +
                                            xl::abi::slots_offset)[number % xl::abi::slot_count];
  }
  void load(std::uint64_t number);
  void finish(std::uint64_t number, std::int32_t status);

  Parts<P>& parts_;
  HostOps<P> ops_;
  SpinLock<P> lock_;
  std::atomic<std::uint64_t> consumer_{0};
  bool loaded_ = false;  // request_ is under way
  std::uint64_t steps_ = 0;
  HostRequest request_{};
  std::atomic<unsigned> poller_{max_cpus};
  std::atomic<std::uint64_t> last_request_ns_{0};
};

template <typename P>
void HostServer<P>::load(std::uint64_t number) {
  xl::abi::Slot copy;
  std::memcpy(&copy, &slot(number), sizeof copy);
  request_.op = static_cast<xl::abi::Op>(copy.op);
  // An id that no domain can have becomes one that none has.
  request_.domain = DomId(copy.domain > last_domain_id ? std::uint16_t{0xffff}
                                                       : static_cast<std::uint16_t>(copy.domain));
  std::memcpy(request_.args.data(), copy.args, sizeof copy.args);
  request_.input_bytes =
      copy.bulk_bytes <= xl::abi::bulk_size ? copy.bulk_bytes : xl::abi::bulk_size;
  request_.output = parts_.core.platform.host_area() + xl::abi::bulk_offset +
                    number % xl::abi::slot_count * xl::abi::bulk_size;
  std::memcpy(request_.input.data(), request_.output, request_.input_bytes);
  request_.results = {};
  request_.output_bytes = 0;
  request_.step = request_.position = request_.undo_to = 0;
  loaded_ = true;
}

template <typename P>
void HostServer<P>::finish(std::uint64_t number, std::int32_t status) {
  xl::abi::Slot& out = slot(number);
  out.status = status;
  out.bulk_bytes = request_.output_bytes;
  std::memcpy(out.results, request_.results.data(), sizeof out.results);
  shared_word::store<std::uint64_t>(&out.done, number + 1);
  consumer_.store(number + 1, std::memory_order_release);
  shared_word::store<std::uint64_t>(parts_.core.platform.host_area() + xl::abi::consumer_offset,
                                    number + 1);
  loaded_ = false;
  parts_.core.ring_host(xl::abi::sleeping_for_responses);
}

template <typename P>
void HostServer<P>::serve(unsigned cpu) {
  if (!has_request() || !lock_.try_lock()) {
    return;
  }
  last_request_ns_.store(parts_.core.platform.now_ns());
  for (unsigned i = 0; i < requests_per_call && has_request(); ++i) {
    const std::uint64_t number = consumer_.load(std::memory_order_relaxed);
    if (!loaded_) {
      load(number);
    }
    const HostResult result = ops_.run(request_, cpu);
    if (result && *result == Progress::more) {
      ++steps_;
      shared_word::store<std::uint64_t>(&parts_.core.header().request_steps, steps_);
      break;  // the CPU looks at its other work first
    }
    finish(number, result ? 0 : static_cast<std::int32_t>(negative(result.error())));
  }
  lock_.unlock();
}

template <typename P>
bool HostServer<P>::keep_polling(unsigned cpu) {
  if (parts_.core.platform.now_ns() - last_request_ns_.load() > poll_ns) {
    stop_polling(cpu);
    return false;
  }
  unsigned nobody = max_cpus;
  if (poller_.compare_exchange_strong(nobody, cpu)) {
    shared_word::store<std::uint32_t>(&parts_.core.header().hypervisor_sleeping, 0);
    return true;
  }
  return nobody == cpu;
}

template <typename P>
void HostServer<P>::stop_polling(unsigned cpu) {
  if (poller_.load() == cpu) {
    // From here on the host rings; what it sent before is found by the caller's next look.
    shared_word::exchange<std::uint32_t>(&parts_.core.header().hypervisor_sleeping, 1);
    poller_.store(max_cpus);
  }
}

}  // namespace hyp
