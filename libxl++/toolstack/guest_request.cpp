// SPDX-License-Identifier: Apache-2.0
// Asking the guest's kernel for something: a word in a node of its control directory, which it
// empties when it has taken it (docs/misc/xenstore-paths of Xen; drivers/xen/manage.c of Linux).
#include <condition_variable>
#include <mutex>
#include <utility>

#include "libxl++/toolstack/death_policy.hpp"
#include "libxl++/toolstack/engine.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::toolstack {
namespace {

using Clock = std::chrono::steady_clock;

// What ends the wait: the node changed, or the domain did.
class Wakeup {
 public:
  void node_changed() {
    note([](Wakeup&) {});
  }
  void domain_changed(const LifecycleEvent& event) {
    note([&](Wakeup& self) {
      self.stopped_ = self.stopped_ || event.kind == LifecycleEvent::Kind::shutdown ||
                      event.kind == LifecycleEvent::Kind::ended;
    });
  }
  // Until something has changed since the last call, the deadline, or the cancel.
  void wait(Clock::time_point deadline, const std::stop_token& cancel) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, cancel, deadline, [this] { return news_; });
    news_ = false;
  }
  bool stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }

 private:
  template <typename Change>
  void note(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change(*this);
      news_ = true;
    }
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool news_ = false;
  bool stopped_ = false;
};

Unexpected<Error> not_taken(const std::string& name, const GuestAsk& ask) {
  const auto seconds = std::chrono::duration<double>(ask.timeout).count();
  std::string text = std::to_string(seconds);
  text.erase(text.find_last_not_of('0') + 1);
  text.erase(text.find_last_not_of('.') + 1);
  return fail(ErrorId::guest_no_answer,
              "domain '" + name + "' has not taken the request to " + ask.purpose + " within " +
                  text + " s: its kernel has no driver for it, has not come up yet, or hangs",
              "`xl console " + name + "` shows what it does, `xl destroy " + name + "` ends it");
}

}  // namespace

// A domain that can answer. Another reason than a missing driver is named at once.
Result<Engine::DomainRef> Engine::answering_domain(DomId id) {
  XL_TRY_ASSIGN(const DomainRef domain, steered(id));
  const std::lock_guard lock(domain->lifecycle);
  const std::string name = domain->claim.name();
  if (domain->lines_cut) {
    return fail(ErrorId::domain_busy, "domain '" + name + "' is being destroyed",
                "`xl list` shows when it has gone");
  }
  XL_TRY_ASSIGN(const hv::DomainInfo info,
                checked(domain->session, domain->session->hypervisor().domain_info(id)));
  if (info.shutdown) {
    return fail(ErrorId::domain_shut_down,
                "domain '" + name + "' has shut down already (" +
                    std::string(to_string(*info.shutdown)) + ")",
                "`xl destroy " + name + "` frees it");
  }
  XL_TRY(look_if_paused(*domain));
  if (domain->paused) {
    return fail(ErrorId::domain_paused, "domain '" + name + "' is paused and cannot answer",
                "`xl unpause " + name + "` first");
  }
  return domain;
}

Result<void> Engine::ask_guest(DomId id, const GuestAsk& ask, const std::stop_token& cancel) {
  XL_TRY_ASSIGN(const DomainRef domain, answering_domain(id));
  xenstore::NodeStore& store = domain->session->store();
  const std::string path = xenstore::domain_path(id) + "/control/" + ask.node;
  Wakeup wakeup;
  const auto subscription = subscribe([&wakeup, id](const LifecycleEvent& event) {
    if (event.id == id) {
      wakeup.domain_changed(event);
    }
  });
  const auto watch = store.watch(path, [&wakeup] { wakeup.node_changed(); });
  const std::vector<xenstore::NodeSpec> request{{path, ask.word, nullptr}};
  XL_TRY(store.write(request));
  emit(LifecycleEvent::Kind::trigger, id, domain->claim.name(), {}, ask.details);
  const Clock::time_point deadline = Clock::now() + ask.timeout;
  for (;;) {
    const auto value = store.read(path);
    if (sessions_->current() != domain->session) {  // its nodes have gone for another reason
      return fail(ErrorId::hypervisor_died, "the hypervisor died, and the domain with it",
                  "`xl dmesg` has its last words");
    }
    if (!value || value->empty() || wakeup.stopped()) {
      return {};
    }
    const bool late = Clock::now() >= deadline;
    if (late || cancel.stop_requested()) {
      // A request that was called a failure must not take effect later.
      const std::vector<xenstore::NodeSpec> nothing{{path, {}, nullptr}};
      XL_TRY(store.write(nothing));
      return late ? Result<void>(not_taken(domain->claim.name(), ask))
                  : fail(ErrorId::cancelled, "cancelled");
    }
    wakeup.wait(deadline, cancel);
    watch->drain();
  }
}

Result<void> Engine::request_shutdown(DomId id, const ShutdownRequest& request,
                                      std::stop_token cancel) {
  const bool reboot = request.reboot;
  GuestAsk ask;
  ask.node = "shutdown";
  ask.word = reboot ? "reboot" : "poweroff";
  ask.purpose = reboot ? "reboot" : "power off";
  ask.timeout = request.timeout;
  ask.details = {{"trigger", std::string(reboot ? "reboot" : "shutdown")}};
  const Result<void> asked = ask_guest(id, ask, cancel);
  if (asked || asked.error().code != ErrorCode::timeout || !request.fall_back_to_trigger) {
    return asked;
  }
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  auto pressed = checked(domain->session,
                         domain->session->hypervisor().send_trigger(
                             id, VcpuId(0), reboot ? hv::Trigger::reset : hv::Trigger::power));
  return pressed ? Result<void>()
                 : Unexpected(std::move(pressed).error().while_doing(
                       "falling back to a button, as " + asked.error().message));
}

Result<void> Engine::send_sysrq(DomId id, char letter, std::chrono::milliseconds timeout,
                                std::stop_token cancel) {
  if (letter < '!' || letter > '~') {
    return fail(ErrorId::sysrq_wrong, "a SysRq is one letter or digit",
                "Linux's sysrq.rst has what each does");
  }
  GuestAsk ask;
  ask.node = "sysrq";
  ask.word = std::string(1, letter);
  ask.purpose = "handle SysRq '" + ask.word + "'";
  ask.timeout = timeout;
  ask.details = {{"trigger", std::string("sysrq")}, {"letter", ask.word}};
  return ask_guest(id, ask, cancel);
}

}  // namespace xl::toolstack
