// SPDX-License-Identifier: Apache-2.0
// Core<P>: the parts that everything in the core shares. Hypervisor<P> owns one; the operations
// hold a reference.
#pragma once

#include <atomic>

#include "hypervisor/core/domain.hpp"
#include "hypervisor/core/domain_table.hpp"
#include "hypervisor/core/frames.hpp"
#include "hypervisor/core/log.hpp"
#include "hypervisor/core/scheduler.hpp"
#include "hypervisor/core/spinlock.hpp"
#include "hypervisor/core/timers.hpp"

namespace hyp {

template <typename P>
struct Core {
  constexpr explicit Core(P& p) : platform(p), log(p), frames(p), scheduler(p, timers), timers(p) {}

  P& platform;
  Log<P> log;
  Frames<P> frames;
  DomainTable<P> domains;
  Scheduler<P> scheduler;
  Timers<P> timers;
  SpinLock<P> event_lock;
  EventTable<P> host_events;  // domain 0's ports
  unsigned cpus = 1;
  std::uint64_t tsc_khz = 0;
  std::uint64_t last_frame = 0;  // of the machine's RAM
  GrantTable<P> host_grants;     // what domain 0 has mapped: only the maptrack is used
  std::byte* changed = nullptr;  // one frame: a bit per domain id
  std::atomic<std::uint64_t> hypervisor_frames{0};  // held by the hypervisor for itself
  std::atomic<std::uint64_t> promised{0};           // of all domains: frames set aside for them

  // Zeroed hypervisor frames, aligned to their size; order <= 6. `domain` pays, or the hypervisor
  // if it is null.
  Result<Mfn> alloc_pages(Domain<P>* domain, unsigned order) {
    XL_TRY_ASSIGN(const Mfn mfn, frames.alloc(order));
    account(domain).fetch_add(1ULL << order);
    return mfn;
  }
  void free_pages(Domain<P>* domain, Mfn mfn, unsigned order) {
    account(domain).fetch_sub(1ULL << order);
    frames.free(mfn, order, Taint::used);
  }
  Result<std::byte*> alloc_bytes(Domain<P>* domain) {
    XL_TRY_ASSIGN(const Mfn mfn, alloc_pages(domain, 0));
    return platform.frame(mfn);
  }

  // The tables that the first domain would bring, so that a domain leaves nothing behind when it
  // goes.
  Result<void> init_tables() {
    const auto frame = [this] { return alloc_bytes(nullptr); };
    XL_TRY_ASSIGN(changed, frame());
    XL_TRY_ASSIGN(std::byte* const ids, frame());
    domains.add_page(DomId(1), ids);
    XL_TRY_ASSIGN(const std::uint32_t port, host_events.take_free(2, frame));
    host_events.release(port);
    XL_TRY_ASSIGN(const std::uint32_t handle, host_grants.take_track(frame));
    host_grants.release_track(handle);
    return {};
  }

  xl::abi::Header& header() {
    // SAFETY: the header lies at the start of the host area, page aligned.
    return *reinterpret_cast<xl::abi::Header*>(platform.host_area() + xl::abi::header_offset);
  }

  // Unblocks the vcpu, or makes its CPU look when it runs: there is something to deliver.
  void wake(Vcpu<P>& vcpu) {
    if (vcpu.blocked.exchange(false)) {
      scheduler.update(vcpu);
    } else {
      scheduler.kick(vcpu);
    }
  }

  // A domain shut down, is gone, or ran user code for the first time: the host should ask which
  // (take_state_changes).
  void tell_host_changed(DomId id) {
    shared_word::test_and_set(changed, id.value());
    shared_word::exchange<std::uint32_t>(&header().state_changed, 1);
    ring_host(xl::abi::sleeping_for_events);
  }
  // Rings the doorbell if the host sleeps for this (abi::sleeping_for_*); once, until it says so
  // again.
  void ring_host(std::uint32_t reason) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    std::uint32_t* const word = &header().host_sleeping;
    if ((shared_word::load<std::uint32_t>(word) & reason) != 0 &&
        (__atomic_fetch_and(word, ~reason, __ATOMIC_SEQ_CST) & reason) != 0) {
      platform.ring_host();
    }
  }

 private:
  std::atomic<std::uint64_t>& account(Domain<P>* domain) {
    return domain == nullptr ? hypervisor_frames : domain->overhead_pages;
  }
};

}  // namespace hyp
