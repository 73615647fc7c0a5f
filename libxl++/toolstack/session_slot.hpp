// SPDX-License-Identifier: Apache-2.0
// SessionSlot: starts the hypervisor at the first call that needs it, once, however many calls come
// at the same time; and again after it died.
//
// Thread rule: every function from any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>

#include "base/error.hpp"
#include "libxl++/toolstack/session.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::toolstack {

class SessionSlot {
 public:
  // `started` is called with each new session before anyone else sees it; its error is the start's.
  SessionSlot(HypervisorFactory factory, std::shared_ptr<xenstore::NodeStore> store,
              std::function<Result<void>(std::shared_ptr<Session>)> started)
      : factory_(std::move(factory)), store_(std::move(store)), started_(std::move(started)) {}

  // Errors: the factory's; everyone who waited for that start gets it, the next call tries again.
  Result<std::shared_ptr<Session>> get();
  // Before anyone else has this object: takes the hypervisor that runs already, if `attach` gives
  // one. False if it gives none.
  Result<bool> attach(const HypervisorFactory& attach);
  // Null if none runs.
  std::shared_ptr<Session> current() const;
  // True for the one caller that ended it.
  bool drop(const std::shared_ptr<Session>& session);

 private:
  Result<std::shared_ptr<Session>> begin(Result<std::unique_ptr<hv::Hypervisor>> hypervisor);
  void end_start(const Result<std::shared_ptr<Session>>& begun);

  HypervisorFactory factory_;
  const std::shared_ptr<xenstore::NodeStore> store_;
  std::function<Result<void>(std::shared_ptr<Session>)> started_;
  mutable std::mutex mutex_;
  std::condition_variable start_over_;
  bool is_starting_ = false;
  std::shared_ptr<Session> session_;
  std::shared_future<void> last_over_;       // of the session that was dropped last; may be invalid
  std::shared_ptr<const Error> last_error_;  // of the start that ended last; null: it went well
};

}  // namespace xl::toolstack
