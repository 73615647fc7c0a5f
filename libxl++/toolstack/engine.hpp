// SPDX-License-Identifier: Apache-2.0
// Engine: the Toolstack. What it does to domains is spread over create.cpp, lifecycle.cpp,
// death.cpp and questions.cpp.
//
// Lock order: Domain::lifecycle, then the locks inside registry, session, console, xenstore and
// loop, which are leaves but for the xenstore server's and the event log's, under which the loop's
// is taken. The event thread takes no Domain::lifecycle.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "libdomainbuilder/build.hpp"
#include "libdomainbuilder/image/image_cache.hpp"
#include "libxl++/toolstack/domain.hpp"
#include "libxl++/toolstack/event_log.hpp"
#include "libxl++/toolstack/event_loop.hpp"
#include "libxl++/toolstack/registry.hpp"
#include "libxl++/toolstack/session_slot.hpp"
#include "libxl++/toolstack/toolstack.hpp"
#include "libxl++/toolstack/work_queue.hpp"

namespace xl::toolstack {

class Engine final : public Toolstack {
 public:
  static Result<std::unique_ptr<Engine>> create(Options options);
  ~Engine() override;

  Result<CreatedDomain> create_domain(const config::DomainConfig& config,
                                      const CreateOptions& options,
                                      std::stop_token cancel) override;
  Result<std::string> check_domain(const config::DomainConfig& config,
                                   const CreateOptions& options) override;
  Result<void> pause(DomId domain) override;
  Result<void> unpause(DomId domain) override;
  Result<void> destroy(DomId domain) override;
  Result<void> rename(DomId domain, std::string_view new_name) override;

  Result<DomId> find(std::string_view name_or_id) override;
  Result<std::vector<DomainSummary>> list() override;
  Result<config::DomainConfig> config_of(DomId domain) override;
  Result<std::vector<hv::NamedCounter>> counters(std::optional<DomId> domain) override;
  Result<hv::HostInfo> host_info() override;
  Result<hv::Hypervisor::LogText> read_hypervisor_log(std::uint64_t from) override;
  bool hypervisor_running() const override;

  Result<std::unique_ptr<Subscription>> attach_console(DomId domain, ConsoleOutput output) override;
  Result<void> write_console(DomId domain, std::span<const std::byte> input) override;
  Result<std::string> console_log(DomId domain) override;
  Result<std::string> console_history(DomId domain) override;
  using Toolstack::subscribe;
  std::unique_ptr<Subscription> subscribe(EventSink sink,
                                          std::optional<std::uint64_t> after) override;
  std::vector<LifecycleEvent> events_after(std::uint64_t sequence) const override;

 private:
  using DomainRef = std::shared_ptr<Domain>;
  using SessionRef = std::shared_ptr<Session>;
  using EventList = console::CallbackList<const LifecycleEvent&>;

  Engine(Options options, std::shared_ptr<xenstore::Server> store);

  // --- create.cpp ---
  Result<CreatedDomain> create_claimed(Registry::Claim claim, DomainPlan plan, bool paused,
                                       const std::stop_token& cancel);
  Result<DomainRef> make_domain(const SessionRef& session, Registry::Claim claim, DomainPlan plan,
                                const build::Prepared& prepared, const std::stop_token& cancel,
                                CreatedDomain& report);
  Result<void> connect_lines(const DomainRef& domain, const build::BuiltDomain& built);
  void schedule_cache_clearing();

  // --- lifecycle.cpp; with Domain::lifecycle held, or before the domain is published ---
  void cut_lines(const DomainRef& domain);
  // Frees all that the domain has, then calls cut_lines' end to the console's listeners.
  Result<void> dismantle(const DomainRef& domain);
  // The same for a domain whose create failed: what it was called is free at once.
  void discard(const DomainRef& domain);
  Result<void> destroy_locked(const DomainRef& domain);

  // --- death.cpp ---
  void domain_changed(const SessionRef& session, DomId id);  // event thread
  void handle_death(const DomainRef& domain);                // work queue
  // With Domain::lifecycle held.
  void carry_out(const DomainRef& domain, DomainEnd end, config::ShutdownAction action);
  DomainEnd describe_end(Domain& domain, hv::ShutdownReason reason);
  // The hypervisor is gone: ends all its domains, before the call that noticed returns. Any thread.
  void lose(const SessionRef& session);

  // --- restart.cpp ---
  void restart_later(const DomainRef& domain, DomainEnd end,
                     void (Engine::*how)(const DomainRef&, DomainEnd));
  void restart(const DomainRef& domain, DomainEnd end);          // work queue
  void restart_renamed(const DomainRef& domain, DomainEnd end);  // work queue
  // Creates it again; `end` takes the successor, or why there is none.
  void succeed(Registry::Claim claim, DomainPlan plan, DomainEnd& end);
  // Keeps the domain under another name; gives what it was called before.
  Result<Registry::Claim> step_aside(const DomainRef& domain);

  // --- soft_reset.cpp; with Domain::lifecycle held ---
  void soft_reset(const DomainRef& domain, DomainEnd end);
  Result<void> renew_lines(const DomainRef& domain);
  // Binds domain 0's end, which serves the line from now on.
  Result<EventPort> bind_line(const DomainRef& domain, EventPort guest_port, Line line);

  // --- engine_core.cpp ---
  // Writes a core file on a thread of its own, then does what comes next.
  void keep_core(const DomainRef& domain, DomainEnd end, config::ShutdownAction next);

  // --- engine.cpp ---
  void emit(LifecycleEvent::Kind kind, DomId id, std::string name,
            std::optional<DomainEnd> end = {}, EventDetails details = {});
  // Passes a result on; if it says that the hypervisor is gone, its session ends.
  template <typename T>
  Result<T> checked(const SessionRef& session, Result<T> result) {
    if (!result && result.error().code == ErrorCode::hypervisor_gone) {
      lose(session);
    }
    return result;
  }

  const Options options_;
  Registry registry_;
  build::ImageCache images_;
  EventList events_;
  EventLog event_log_;
  std::uint64_t last_told_ = 0;  // event thread; the number of the last event that events_ got
  std::atomic<std::int64_t> last_create_{0};  // steady clock, ns
  const std::shared_ptr<xenstore::Server> store_;
  SessionSlot sessions_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<WorkQueue> work_;  // last: its tasks use all the rest
};

}  // namespace xl::toolstack
