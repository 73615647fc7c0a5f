// SPDX-License-Identifier: Apache-2.0
// PtyPoll: tells the consoles of a daemon when their ptys have something to read, or take input
// again; one thread for all of them. It reads nothing itself, so what nobody wants stays where it
// is.
//
// Thread rule: every function from any thread. It must outlive its registrations.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/console/callback_list.hpp"

namespace xl::console {

class PtyPoll {
 public:
  using Ready = CallbackList<>::Function;

  // A descriptor that is looked at. Goes before it is closed; `ready` does not run any more then.
  class [[nodiscard]] Registration {
   public:
    Registration(PtyPoll& poll, std::uint64_t id, int fd) : poll_(poll), id_(id), fd_(fd) {}
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration();

    // `ready` is called once, as soon as there is something to read, room for input if that is
    // asked for, or nobody at the other end.
    void arm(bool for_input);

   private:
    PtyPoll& poll_;
    const std::uint64_t id_;
    const int fd_;
  };

  static Result<std::unique_ptr<PtyPoll>> create();
  ~PtyPoll();
  PtyPoll(const PtyPoll&) = delete;
  PtyPoll& operator=(const PtyPoll&) = delete;

  // `ready` is called from the thread of this; it must be quick. Errors: of the system.
  Result<std::unique_ptr<Registration>> add(int fd, Ready ready);

 private:
  using Entry = std::shared_ptr<CallbackList<>::Entry>;

  PtyPoll(UniqueFd poll, UniqueFd stop);
  void run();
  Entry entry(std::uint64_t id);
  void remove(std::uint64_t id, int fd);

  const UniqueFd poll_;  // epoll
  const UniqueFd stop_;  // eventfd
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::uint64_t last_id_ = 0;
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace xl::console
