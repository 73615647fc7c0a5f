// SPDX-License-Identifier: Apache-2.0
// WorkQueue: a thread for what takes long and nobody waits for: acting on a domain's death,
// restarts.
//
// Thread rule: post from any thread; tasks run one after the other, in the order of their time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace xl::toolstack {

class WorkQueue {
 public:
  using Clock = std::chrono::steady_clock;

  WorkQueue() : thread_([this] { run(); }) {}
  // Ends the task that runs, drops the others.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // What runs is finished, what waits is dropped, as what is posted from now on. Not from a task.
  void stop();

  void post(std::function<void()> task, Clock::time_point when = Clock::now());

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace xl::toolstack
