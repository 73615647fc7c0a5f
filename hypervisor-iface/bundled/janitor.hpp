// SPDX-License-Identifier: Apache-2.0
// Work that nobody waits for, on a thread of its own: gives the memory of freed frames back to the
// host, and undoes what late answers created.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "hypervisor-iface/bundled/ram.hpp"
#include "hypervisor-iface/bundled/ring_client.hpp"

namespace xl::hv::bundled {

// Any thread. Lock order: work_mutex_ before the ring's; queue_mutex_ is a leaf.
class Janitor {
 public:
  // Frames are collected for `delay` before they are released, so that a burst of destroys is one
  // pass.
  Janitor(RingClient& ring, std::shared_ptr<Ram> ram,
          std::chrono::milliseconds delay = std::chrono::milliseconds(20));
  ~Janitor();
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

  void frames_were_freed();
  void undo(const Request& request);
  // Returns when no frame is held back for release: who runs out of memory tries again after it.
  void wait_for_frames();

 private:
  void run();
  void release_frames();
  // False when there was nothing to take or it failed.
  bool release_some();

  RingClient& ring_;
  const std::shared_ptr<Ram> ram_;
  const std::chrono::milliseconds delay_;
  std::mutex work_mutex_;  // held while frames are taken
  std::mutex queue_mutex_;
  std::condition_variable queue_changed_;
  std::vector<Request> undo_;
  bool freed_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace xl::hv::bundled
