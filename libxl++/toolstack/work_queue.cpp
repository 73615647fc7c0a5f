// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/work_queue.hpp"

#include <utility>

namespace xl::toolstack {

WorkQueue::~WorkQueue() {
  stop();
}

void WorkQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void WorkQueue::post(std::function<void()> task, Clock::time_point when) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.emplace(when, std::move(task));
  }
  changed_.notify_all();
}

void WorkQueue::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (tasks_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = tasks_.begin();
    if (first->first > Clock::now()) {
      const Clock::time_point due = first->first;
      changed_.wait_until(lock, due);
      continue;
    }
    const std::function<void()> task = std::move(first->second);
    tasks_.erase(first);
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace xl::toolstack
