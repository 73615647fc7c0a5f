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
    return fail(ErrorId::hypervisor_died, "the hypervisor died as soon as it had started");
  }
  is_starting_ = true;
  const std::shared_future<void> last_over = last_over_;
  lock.unlock();
  if (last_over.valid()) {
    last_over.wait_for(patience);
  }
  auto begun = begin(factory_());
  end_start(begun);
  if (!begun) {
    return Unexpected(std::move(begun).error().while_doing("starting the hypervisor"));
  }
  return begun;
}

void SessionSlot::end_start(const Result<std::shared_ptr<Session>>& begun) {
  const std::lock_guard lock(mutex_);
  is_starting_ = false;
  session_ = begun ? *begun : nullptr;
  last_error_ = begun ? nullptr : std::make_shared<const Error>(begun.error());
  start_over_.notify_all();
}

Result<std::shared_ptr<Session>> SessionSlot::begin(
    Result<std::unique_ptr<hv::Hypervisor>> hypervisor) {
  XL_TRY_ASSIGN(std::unique_ptr<hv::Hypervisor> running, std::move(hypervisor));
  auto session = std::make_shared<Session>(std::move(running), store_);
  XL_TRY(started_(session));
  return session;
}

Result<bool> SessionSlot::attach(const HypervisorFactory& attach) {
  XL_TRY_ASSIGN(std::unique_ptr<hv::Hypervisor> hypervisor, attach());
  if (hypervisor == nullptr) {
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    is_starting_ = true;  // what `started` sets going may ask for the session
  }
  const auto begun = begin(std::move(hypervisor));
  end_start(begun);
  return begun ? Result<bool>(true) : Unexpected(Error(begun.error()));
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
