// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/janitor.hpp"

#include <pthread.h>
#include <signal.h>

#include <utility>

#include "hypervisor-iface/bundled/wire.hpp"

namespace xl::hv::bundled {

Janitor::Janitor(RingClient& ring, std::shared_ptr<Ram> ram, std::chrono::milliseconds delay)
    : ring_(ring), ram_(std::move(ram)), delay_(delay) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(thread_.native_handle(), "hv-janitor");
}

Janitor::~Janitor() {
  {
    std::lock_guard lock(queue_mutex_);
    stop_ = true;
  }
  queue_changed_.notify_all();
  thread_.join();
}

void Janitor::frames_were_freed() {
  std::lock_guard lock(queue_mutex_);
  freed_ = true;
  queue_changed_.notify_all();
}

void Janitor::undo(const Request& request) {
  std::lock_guard lock(queue_mutex_);
  undo_.push_back(request);
  queue_changed_.notify_all();
}

void Janitor::wait_for_frames() {
  std::lock_guard lock(work_mutex_);
}

void Janitor::run() {
  std::unique_lock lock(queue_mutex_);
  bool retry = false;
  for (;;) {
    queue_changed_.wait(lock, [&] { return stop_ || freed_ || !undo_.empty(); });
    // Frames wait to be collected, and a failed undo keeps a distance from the next try; a fresh
    // undo goes at once.
    if (undo_.empty() || retry) {
      queue_changed_.wait_for(lock, delay_, [&] { return stop_; });
    }
    const bool stopping = stop_;
    const std::vector<Request> undo = std::exchange(undo_, {});
    retry = false;
    const bool freed = std::exchange(freed_, false);
    lock.unlock();
    for (const Request& request : undo) {
      // A hanging hypervisor may come back later; a dead one has nothing left to undo.
      if (!ring_.call(request) && !ring_.gone() && !stopping) {
        this->undo(request);
        retry = true;
      }
    }
    if (stopping) {
      return;
    }
    if (freed) {
      release_frames();
    }
    lock.lock();
  }
}

void Janitor::release_frames() {
  while (!ring_.gone()) {
    {
      std::lock_guard lock(queue_mutex_);
      if (stop_) {
        return;
      }
    }
    if (!release_some()) {
      return;
    }
  }
}

bool Janitor::release_some() {
  std::lock_guard lock(work_mutex_);
  Request take;
  take.op = abi::Op::take_freed_frames;
  const Result<Response> taken = ring_.call(take);
  if (!taken || taken->status != 0) {
    return false;
  }
  const std::vector<abi::ExtentRecord> extents = records<abi::ExtentRecord>(taken->bulk);
  bool all_released = !extents.empty();
  for (const abi::ExtentRecord& extent : extents) {
    all_released = ram_->release(Mfn(extent.mfn), Pages(extent.pages)).has_value() && all_released;
  }
  // Back in any case: a frame whose memory the host keeps is still a free frame.
  Request give;
  give.op = abi::Op::return_freed_frames;
  return ring_.call(give).has_value() && all_released;
}

}  // namespace xl::hv::bundled
