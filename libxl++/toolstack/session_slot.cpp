// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/session_slot.hpp"

#include <chrono>
#include <utility>

namespace xl::toolstack {
namespace {

// For a session that was dropped to be gone: calls that wait for its hypervisor end within 2 s.
constexpr std::chrono::seconds patience{5};

}  // namespace

Result<std::shared_ptr<Session>> SessionSlot::get() {
  std::unique_lock lock(mutex_);
  if (session_ != nullptr) {
    return session_;
  }
  if (is_starting_) {
    start_over_.wait(lock, [this] { return !is_starting_; });
    if (session_ != nullptr) {
      return session_;
    }
    if (last_error_ != nullptr) {
      return Unexpected(Error(*last_error_));
    }
    return fail(ErrorCode::hypervisor_gone, "the hypervisor died as soon as it had started");
  }
  is_starting_ = true;
  const std::shared_future<void> last_over = last_over_;
  lock.unlock();
  if (last_over.valid()) {
    last_over.wait_for(patience);
  }
  auto hypervisor = factory_();
  const auto error = hypervisor ? nullptr : std::make_shared<const Error>(hypervisor.error());
  std::shared_ptr<Session> session;
  if (error == nullptr) {
    session = std::make_shared<Session>(std::move(hypervisor).value(), store_);
    started_(session);
  }
  lock.lock();
  is_starting_ = false;
  session_ = session;
  last_error_ = error;
  start_over_.notify_all();
  if (error != nullptr) {
    return Unexpected(Error(*error).while_doing("starting the hypervisor"));
  }
  return session;
}

std::shared_ptr<Session> SessionSlot::current() const {
  const std::lock_guard lock(mutex_);
  return session_;
}

bool SessionSlot::drop(const std::shared_ptr<Session>& session) {
  const std::lock_guard lock(mutex_);
  if (session == nullptr || session_ != session) {
    return false;
  }
  last_over_ = session_->over();
  session_.reset();
  return true;
}

}  // namespace xl::toolstack
