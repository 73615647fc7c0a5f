// SPDX-License-Identifier: Apache-2.0
// The one reader of the doorbell: a thread that wakes the callers whose answers are there, makes
// event_fd readable when domain 0 has events, tells the janitor of freed frames, and notices at
// once that the hypervisor's process has ended.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "hypervisor-iface/bundled/doorbell.hpp"
#include "hypervisor-iface/bundled/host_area.hpp"

namespace xl::hv::bundled {

class Monitor {
 public:
  struct Parts {
    HostArea area;
    const Doorbell* doorbell = nullptr;
    int process_fd = -1;                    // pidfd; readable when the process has ended
    std::function<void()> on_bell;          // answers may be there
    std::function<void()> on_freed_frames;  // releasable_pages has passed the threshold
    std::function<std::string()>
        why_it_ended;  // called once, when the process or the socket has ended
    std::function<void(const std::string&)> on_gone;
  };
  static Result<std::unique_ptr<Monitor>> start(Parts parts);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  int event_fd() const { return event_.get(); }
  // Makes event_fd readable.
  void signal() const;
  // Takes the signal; before the events themselves are taken.
  void take_signal() const;

 private:
  Monitor(Parts parts, UniqueFd event, UniqueFd stop);
  void run();
  void look() const;
  void gone();

  const Parts parts_;
  const UniqueFd event_;
  const UniqueFd stop_;
  std::thread thread_;
};

// Something is there for take_events.
bool has_events(const HostArea& area);

}  // namespace xl::hv::bundled
