// SPDX-License-Identifier: Apache-2.0
// EventLoop: the one thread that serves domain 0's events: it takes them from the hypervisor and
// pumps the consoles and xenstore rings they belong to, each a bounded amount at a time and in
// turn, so that a guest that floods has no more than its share. Callbacks to the outside run here
// too.
//
// Thread rule: every function from any thread; tasks run on the loop's thread, in order.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/toolstack/domain.hpp"
#include "libxl++/toolstack/session.hpp"

namespace xl::toolstack {

class EventLoop {
 public:
  struct Handlers {
    // On the loop's thread. A domain shut down or went; its console has been read to the end.
    std::function<void(const std::shared_ptr<Session>&, DomId)> domain_changed;
    std::function<void(const std::shared_ptr<Session>&)> hypervisor_gone;
  };

  static Result<std::unique_ptr<EventLoop>> create(Handlers handlers);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Serves this session from now on, in place of any other.
  void serve(std::shared_ptr<Session> session);
  // If it is the one that is served.
  void stop_serving(std::shared_ptr<Session> session);
  // Ends the thread; what is posted afterwards is never run.
  void stop();
  void post(std::function<void()> task);
  // The line wants to be pumped.
  void wake(const std::shared_ptr<Domain>& domain, Line line);
  // On the loop's thread: pumps the console until nothing more comes, at once.
  static void drain_console(Domain& domain);

 private:
  struct Ready {
    std::shared_ptr<Domain> domain;
    Line line = Line::console;
  };

  EventLoop(Handlers handlers, UniqueFd wakeup);
  void run();
  void wait();
  void run_tasks();
  void take_events();
  void pump_ready();
  void look_again_later(const Ready& ready);
  void look_again();
  bool pump(const Ready& ready);
  void wake_thread();

  Handlers handlers_;
  UniqueFd wakeup_;  // eventfd
  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;
  std::vector<Ready> woken_;
  bool stopping_ = false;
  // The loop's thread alone:
  std::shared_ptr<Session> session_;
  std::vector<Ready> ready_;
  // Lines of guests that may have gone on without a word (xenstore::Ring::Progress::look_again),
  // and when they are looked at.
  std::vector<Ready> quiet_;
  std::chrono::steady_clock::time_point look_at_{};

  std::thread thread_;  // last: starts when all else is there
};

}  // namespace xl::toolstack
