// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/ring_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "hypervisor-iface/bundled/patience.hpp"

namespace xl::hv::bundled {
namespace {

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

// What undoes a request whose answer came too late for its caller; nothing for those that leave
// nothing behind or belong to a domain, which its creator destroys.
std::optional<Request> undo_of(abi::Op op, DomId domain, const Response& response) {
  Request undo;
  undo.domain = domain;
  switch (op) {
    case abi::Op::create_domain:
      undo.op = abi::Op::destroy_domain;
      undo.domain = DomId(static_cast<std::uint16_t>(response.results[0]));
      return undo;
    case abi::Op::event_bind:
      undo.op = abi::Op::event_close;
      undo.domain = DomId(0);
      undo.args[0] = response.results[0];
      return undo;
    case abi::Op::grant_map:
      undo.op = abi::Op::grant_unmap;
      undo.args[0] = response.results[1];
      return undo;
    case abi::Op::take_freed_frames: undo.op = abi::Op::return_freed_frames; return undo;
    default: return std::nullopt;
  }
}

}  // namespace

RingClient::RingClient(HostArea area, const Doorbell& doorbell, Options options, Orphan orphan)
    : area_(area), doorbell_(doorbell), options_(options), orphan_(std::move(orphan)) {
  // An earlier process may have died with requests on their way. Nobody waits for their answers,
  // and what they created is its successor's to find and to judge: no undo (which ping has not).
  next_ = area_.producer().load(std::memory_order_acquire);
  for (std::uint64_t number = next_ > slots_.size() ? next_ - slots_.size() : 0; number < next_;
       ++number) {
    const auto slot = static_cast<std::size_t>(number % abi::slot_count);
    slots_[slot].number = number;
    slots_[slot].op = abi::Op::ping;
    if (!is_done(slot)) {
      abandon(slot);
    }
  }
}

Result<void> RingClient::catch_up() {
  Patience patience(area_, Clock::now(), options_.timeout);
  on_bell();  // from here on it rings for answers
  std::unique_lock lock(mutex_);
  while (abandoned_ > 0 && !gone()) {
    if (slot_free_.wait_until(lock, patience.deadline()) == std::cv_status::timeout &&
        !patience.goes_on()) {
      break;
    }
  }
  if (abandoned_ > 0 || gone()) {
    return gone_error();
  }
  return {};
}

Result<Response> RingClient::call(const Request& request) {
  const Clock::time_point start = Clock::now();
  XL_TRY_ASSIGN(const std::size_t slot, submit(request, start));
  if (!spin(slot)) {
    XL_TRY(sleep(slot, start));
  }
  return take(slot);
}

Result<std::size_t> RingClient::submit(const Request& request, Clock::time_point start) {
  if (request.bulk.size() > abi::bulk_size) {
    return fail(ErrorCode::internal, fmt::format("a request of {} bytes", request.bulk.size()));
  }
  std::size_t slot = 0;
  Patience patience(area_, start, options_.timeout);
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      collect_abandoned();
      if (gone() || abandoned_ > 0) {
        return gone_error();
      }
      slot = static_cast<std::size_t>(next_ % abi::slot_count);
      if (slots_[slot].use == Use::free) {
        break;
      }
      if (slot_free_.wait_until(lock, patience.deadline()) == std::cv_status::timeout &&
          !patience.goes_on()) {
        return fail(ErrorId::hypervisor_silent, "the hypervisor's request ring stays full",
                    "`xl doctor` looks for what holds it; `xl daemon stop --all` ends it");
      }
    }
    abi::Slot filled{};
    filled.op = static_cast<std::uint32_t>(request.op);
    filled.domain = request.domain.value();
    std::copy(request.args.begin(), request.args.end(), std::begin(filled.args));
    filled.bulk_bytes = static_cast<std::uint32_t>(request.bulk.size());
    area_.fill_slot(slot, filled);
    if (!request.bulk.empty()) {
      std::memcpy(area_.bulk(slot).data(), request.bulk.data(), request.bulk.size());
    }
    SlotState& state = slots_[slot];
    state.use = Use::waiting;
    state.asleep = false;
    state.number = next_++;
    state.op = request.op;
    state.domain = request.domain;
    area_.producer().store(next_, std::memory_order_release);
  }
  // The other side says that it sleeps, looks once more, then sleeps; we publish, then look whether
  // it sleeps. With a full barrier on both sides one of the two sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (area_.hypervisor_sleeping().load(std::memory_order_relaxed) != 0) {
    doorbell_.ring();
  }
  return slot;
}

bool RingClient::is_done(std::size_t slot) const {
  return area_.done(slot).load(std::memory_order_acquire) == slots_[slot].number + 1;
}

// Looking pays while the hypervisor answers within the time. It does not where its CPUs are busy
// with guests, nor where it waits for the very core that we look from: after two failures in a row
// only every 16th request tries again.
bool RingClient::spin(std::size_t slot) {
  constexpr unsigned patience = 2;
  if (misses_.load(std::memory_order_relaxed) >= patience && slots_[slot].number % 16 != 0) {
    return is_done(slot);
  }
  const Clock::time_point until = Clock::now() + options_.spin;
  do {
    for (int i = 0; i < 32; ++i) {
      if (is_done(slot)) {
        misses_.store(0, std::memory_order_relaxed);
        return true;
      }
      relax();
    }
  } while (Clock::now() < until && !gone());
  misses_.fetch_add(1, std::memory_order_relaxed);
  return is_done(slot);
}

Result<void> RingClient::sleep(std::size_t slot, Clock::time_point start) {
  Patience patience(area_, start, options_.timeout);
  std::unique_lock lock(mutex_);
  SlotState& state = slots_[slot];
  state.asleep = true;
  ++asleep_;
  area_.host_sleeping().fetch_or(abi::sleeping_for_responses, std::memory_order_seq_cst);
  while (!is_done(slot) && !gone()) {
    if (state.answered.wait_until(lock, patience.deadline()) == std::cv_status::timeout &&
        !patience.goes_on()) {
      break;
    }
  }
  state.asleep = false;
  --asleep_;
  if (is_done(slot)) {
    return {};
  }
  abandon(slot);
  return gone_error();
}

Response RingClient::take(std::size_t slot) {
  Response response;
  const abi::Slot copy = area_.slot(slot);  // copied once; the checks and the use are of the copy
  response.status = copy.status;
  std::copy(std::begin(copy.results), std::end(copy.results), response.results.begin());
  const std::size_t bytes = std::min<std::size_t>(copy.bulk_bytes, abi::bulk_size);
  if (copy.status == 0 && bytes > 0) {
    const std::span<std::byte> bulk = area_.bulk(slot).first(bytes);
    response.bulk.assign(bulk.begin(), bulk.end());
  }
  std::lock_guard lock(mutex_);
  slots_[slot].use = Use::free;
  slot_free_.notify_all();
  return response;
}

void RingClient::abandon(std::size_t slot) {
  slots_[slot].use = Use::abandoned;
  ++abandoned_;
}

void RingClient::collect_abandoned() {
  if (abandoned_ == 0) {
    return;
  }
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    SlotState& state = slots_[slot];
    if (state.use != Use::abandoned || !is_done(slot)) {
      continue;
    }
    const abi::Slot copy = area_.slot(slot);
    Response late;
    std::copy(std::begin(copy.results), std::end(copy.results), late.results.begin());
    if (copy.status == 0) {
      if (const std::optional<Request> undo = undo_of(state.op, state.domain, late)) {
        orphan_(*undo);
      }
    }
    state.use = Use::free;
    --abandoned_;
  }
  slot_free_.notify_all();
}

void RingClient::on_bell() {
  std::lock_guard lock(mutex_);
  if (asleep_ + abandoned_ > 0) {
    // The hypervisor took the bit back when it rang. Set it before looking, or an answer in between
    // is missed.
    area_.host_sleeping().fetch_or(abi::sleeping_for_responses, std::memory_order_seq_cst);
  }
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].asleep && is_done(slot)) {
      slots_[slot].answered.notify_one();
    }
  }
  collect_abandoned();
}

void RingClient::set_gone(const std::string& why) {
  std::lock_guard lock(mutex_);
  if (gone()) {
    return;
  }
  gone_reason_ = why;
  gone_.store(true, std::memory_order_release);
  for (SlotState& state : slots_) {
    state.answered.notify_all();
  }
  slot_free_.notify_all();
}

std::string RingClient::gone_reason() const {
  std::lock_guard lock(mutex_);
  return gone_reason_;
}

Unexpected<Error> RingClient::gone_error() const {
  return gone() ? fail(ErrorId::hypervisor_died, gone_reason_,
                       "the next create starts another; `xl dmesg` has its last words")
                : fail(ErrorId::hypervisor_silent,
                       fmt::format("the hypervisor has not answered for {} ms",
                                   options_.timeout.count()),
                       "`xl doctor` looks for what holds it; `xl daemon stop --all` ends it");
}

}  // namespace xl::hv::bundled
