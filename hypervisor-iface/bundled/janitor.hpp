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

// What the janitor has to do. Shared, because a mapping of a grant may outlive the janitor: what is
// put here then is done by nobody, which is right, as there is no connection left.
class Chores {
 public:
  void frames_were_freed();
  void undo(const Request& request);

 private:
  friend class Janitor;
  std::mutex mutex_;  // a leaf
  std::condition_variable changed_;
  std::vector<Request> undo_;
  bool freed_ = false;
  bool stop_ = false;
};

// Lock order: work_mutex_ before the ring's.
class Janitor {
 public:
  // Freed frames wait for `delay` before their memory is given back: a burst of destroys is one
  // pass, and a domain that is created meanwhile takes frames that need not be fetched from the
  // host again.
  Janitor(RingClient& ring, std::shared_ptr<Ram> ram, std::shared_ptr<Chores> chores,
          std::chrono::milliseconds delay = std::chrono::milliseconds(500));
  ~Janitor();  // what is to be undone is still tried, once
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

  // Returns when no frame is held back for release: who runs out of memory tries again after it.
  // Any thread.
  void wait_for_frames();
  // Releases what is freed now, in one pass. False when there was nothing to take or it failed. Any
  // thread.
  bool release_some();

 private:
  void run();
  void release_frames();
  bool stopping();

  RingClient& ring_;
  const std::shared_ptr<Ram> ram_;
  const std::shared_ptr<Chores> chores_;
  const std::chrono::milliseconds delay_;
  std::mutex work_mutex_;  // held while frames are taken
  std::thread thread_;
};

}  // namespace xl::hv::bundled
