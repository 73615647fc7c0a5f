// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/janitor.hpp"

#include <pthread.h>
#include <signal.h>

#include <utility>

#include "hypervisor-iface/bundled/wire.hpp"

namespace xl::hv::bundled {

void Chores::frames_were_freed() {
  std::lock_guard lock(mutex_);
  freed_ = true;
  changed_.notify_all();
}

void Chores::undo(const Request& request) {
  std::lock_guard lock(mutex_);
  undo_.push_back(request);
  changed_.notify_all();
}

Janitor::Janitor(RingClient& ring, std::shared_ptr<Ram> ram, std::shared_ptr<Chores> chores,
                 std::chrono::milliseconds delay)
    : ring_(ring), ram_(std::move(ram)), chores_(std::move(chores)), delay_(delay) {
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
    std::lock_guard lock(chores_->mutex_);
    chores_->stop_ = true;
  }
  chores_->changed_.notify_all();
  thread_.join();
}

void Janitor::wait_for_frames() {
  std::lock_guard lock(work_mutex_);
}

bool Janitor::stopping() {
  std::lock_guard lock(chores_->mutex_);
  return chores_->stop_;
}

void Janitor::run() {
  Chores& chores = *chores_;
  bool again = false;  // an undo failed and is tried once more
  std::unique_lock lock(chores.mutex_);
  for (;;) {
    chores.changed_.wait(lock,
                         [&] { return chores.stop_ || chores.freed_ || !chores.undo_.empty(); });
    if (again || chores.undo_.empty()) {
      chores.changed_.wait_for(lock, delay_,
                               [&] { return chores.stop_ || (!again && !chores.undo_.empty()); });
    }
    const bool stop = chores.stop_;
    const std::vector<Request> undo = std::exchange(chores.undo_, {});
    const bool freed = undo.empty() && std::exchange(chores.freed_, false);
    lock.unlock();
    again = false;
    for (const Request& request : undo) {
      // A hanging hypervisor may come back later; a dead one has nothing left to undo.
      if (!ring_.call(request) && !ring_.gone() && !stop) {
        chores.undo(request);
        again = true;
      }
    }
    if (stop) {
      return;
    }
    if (freed) {
      release_frames();
    }
    lock.lock();
  }
}

void Janitor::release_frames() {
  while (!ring_.gone() && !stopping() && release_some()) {
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
