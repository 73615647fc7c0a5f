// SPDX-License-Identifier: Apache-2.0
// Reaper<P>: frees what other CPUs may still look at, after a grace period and in bounded steps:
// frames that living domains gave up, and whole domains. Any CPU; the main loop calls step().
#pragma once

#include "hypervisor/core/core.hpp"
#include "hypervisor/core/grace.hpp"
#include "hypervisor/core/limbo.hpp"

namespace hyp {

template <typename P>
class Reaper {
 public:
  explicit constexpr Reaper(Core<P>& core) : core_(core), grace_(core.platform) {}

  Grace<P>& grace() { return grace_; }

  // The frames are no longer in any physmap, and no CPU translates to them any more.
  void add_frames(const Mfn* frames, unsigned count) {
    Guard guard(lock_);
    for (unsigned i = 0; i < count; ++i) {
      gathered_.add(core_.platform, frames[i]);
    }
    pending_.fetch_add(count);
    work_.store(true);
  }

  // The domain is in no table and `dying`; its event channels are closed.
  void add_domain(Domain<P>& domain) {
    Guard guard(lock_);
    domain.next_dying = gathered_domains_;
    gathered_domains_ = &domain;
    domain.counted_frames = domain.pages.load() + domain.overhead_pages.load();
    pending_.fetch_add(domain.counted_frames);
    work_.store(true);
  }

  // A domain that was held back at its teardown; its frames are still counted as pending.
  void add_domain_again(Domain<P>& domain) {
    Guard guard(lock_);
    domain.next_dying = gathered_domains_;
    gathered_domains_ = &domain;
    work_.store(true);
  }

  // Calls `look` while nothing is on its way from pending to free, so that sums come out right. The
  // caller holds no memory_lock: a step may want it.
  template <typename Look>
  void between_steps(Look&& look) {
    Guard guard(step_lock_);
    look(pending_.load());
  }
  // The same for a caller that holds one: does nothing while a step is under way.
  template <typename Look>
  void try_between_steps(Look&& look) {
    if (step_lock_.try_lock()) {
      look(pending_.load());
      step_lock_.unlock();
    }
  }

  bool has_work() const { return work_.load(std::memory_order_relaxed); }
  // Frames that will be free soon.
  std::uint64_t pending_frames() const { return pending_.load(); }

  // One bounded step. `tear_down(Domain&)` frees a piece of a domain that nobody looks at any more
  // and says whether there is more; it subtracts what it freed with freed(). Returns true if
  // something was done.
  template <typename TearDown>
  bool step(TearDown&& tear_down);
  void freed(std::uint64_t frames) { pending_.fetch_sub(frames); }
  // The same of a domain. What its last moments changed after it was counted is evened out at the
  // end.
  void freed(Domain<P>& domain, std::uint64_t frames, bool last) {
    const std::uint64_t part =
        last || frames > domain.counted_frames ? domain.counted_frames : frames;
    domain.counted_frames -= part;
    freed(part);
  }

 private:
  static constexpr unsigned frames_per_step = 256;

  bool free_frames();
  bool advance_grace();

  Core<P>& core_;
  Grace<P> grace_;
  SpinLock<P> lock_;
  SpinLock<P> step_lock_;  // outside of lock_: one CPU reaps at a time
  std::atomic<bool> work_{false};
  std::atomic<std::uint64_t> pending_{0};
  // Gathered now; waiting for the grace period; past it.
  Limbo<P> gathered_, waiting_, ready_;
  Domain<P>* gathered_domains_ = nullptr;
  Domain<P>* waiting_domains_ = nullptr;
  Domain<P>* ready_domains_ = nullptr;
  bool in_grace_ = false;
};

template <typename P>
bool Reaper<P>::free_frames() {
  unsigned count = 0;
  for (; count < frames_per_step && !ready_.empty(); ++count) {
    core_.frames.free(ready_.take(core_.platform), order_4k, Taint::used);
  }
  freed(count);
  return count != 0;
}

// Starts a grace period for what was gathered, or ends one.
template <typename P>
bool Reaper<P>::advance_grace() {
  if (in_grace_) {
    if (!grace_.elapsed()) {
      return false;
    }
    in_grace_ = false;
    ready_ = waiting_.take_all();
    ready_domains_ = waiting_domains_;
    waiting_domains_ = nullptr;
    return true;
  }
  Guard guard(lock_);
  if (gathered_.empty() && gathered_domains_ == nullptr) {
    work_.store(false);
    return false;
  }
  waiting_ = gathered_.take_all();
  waiting_domains_ = gathered_domains_;
  gathered_domains_ = nullptr;
  in_grace_ = true;
  grace_.start(core_.cpus);
  return true;
}

template <typename P>
template <typename TearDown>
bool Reaper<P>::step(TearDown&& tear_down) {
  if (!has_work() || !step_lock_.try_lock()) {
    return false;
  }
  bool did = false;
  if (!ready_.empty()) {
    did = free_frames();
  } else if (ready_domains_ != nullptr) {
    Domain<P>* const domain = ready_domains_;
    Domain<P>* const next = domain->next_dying;
    if (!tear_down(*domain)) {
      ready_domains_ = next;
    }
    did = true;
  } else {
    did = advance_grace();
  }
  step_lock_.unlock();
  return did;
}

}  // namespace hyp
