// SPDX-License-Identifier: Apache-2.0
// Engine: the Toolstack. What it does to domains is spread over create.cpp, lifecycle.cpp,
// death.cpp and questions.cpp.
//
// Lock order: Domain::lifecycle, then the locks inside registry, session, console, xenstore and
// loop, which are leaves but for the xenstore server's and the event log's, under which the loop's
// is taken. The event thread takes no Domain::lifecycle.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "libdomainbuilder/build.hpp"
#include "libdomainbuilder/image/image_cache.hpp"
#include "libxl++/coredump/core_writer.hpp"
#include "libxl++/toolstack/domain.hpp"
#include "libxl++/toolstack/event_log.hpp"
#include "libxl++/toolstack/event_loop.hpp"
#include "libxl++/toolstack/line_service.hpp"
#include "libxl++/toolstack/records.hpp"
#include "libxl++/toolstack/registry.hpp"
#include "libxl++/toolstack/session_slot.hpp"
#include "libxl++/toolstack/toolstack.hpp"
#include "libxl++/toolstack/work_queue.hpp"

namespace xl::toolstack {

// A request to the guest's kernel, by a node of its control directory.
struct GuestAsk {
  std::string node;     // below control/
  std::string word;     // what is written there
  std::string purpose;  // "power off", for messages
  std::chrono::milliseconds timeout{};
  EventDetails details;
};

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
  Result<void> request_shutdown(DomId domain, const ShutdownRequest& request,
                                std::stop_token cancel) override;
  Result<void> dump_core(DomId domain, int fd, const DumpOptions& options,
                         const DumpProgress& progress, std::stop_token cancel) override;
  Result<void> send_sysrq(DomId domain, char letter, std::chrono::milliseconds timeout,
                          std::stop_token cancel) override;
  Result<VcpuState> set_vcpus(DomId domain, const VcpuRequest& request,
                              std::stop_token cancel) override;
  Result<void> send_trigger(DomId domain, std::string_view trigger, VcpuId vcpu) override;
  Result<std::vector<VcpuSummary>> vcpus(std::optional<DomId> domain) override;
  Result<void> pin_vcpus(DomId domain, std::optional<VcpuId> vcpu, std::optional<hv::CpuSet> hard,
                         std::optional<hv::CpuSet> soft) override;
  Result<std::vector<DomainShare>> shares(std::optional<DomId> domain) override;
  Result<void> set_share(DomId domain, std::optional<std::uint32_t> weight,
                         std::optional<std::uint32_t> cap) override;
  Result<MemoryState> memory_state(DomId domain) override;
  Result<MemoryState> set_memory(DomId domain, Bytes target) override;
  Result<void> set_max_memory(DomId domain, Bytes most) override;

  Result<DomId> find(std::string_view name_or_id) override;
  Result<std::vector<DomainSummary>> list() override;
  Result<DomainSummary> summary(DomId domain) override;
  Result<config::DomainConfig> config_of(DomId domain) override;
  Result<LibxlListing> libxl_listing(DomId domain) override;
  Result<std::vector<hv::NamedCounter>> counters(std::optional<DomId> domain) override;
  Result<hv::HostInfo> host_info() override;
  Result<hv::Hypervisor::LogText> read_hypervisor_log(std::uint64_t from) override;
  bool hypervisor_running() const override;
  Result<void> serve_store(std::vector<UniqueFd> listeners) override {
    return lines_->serve(std::move(listeners));
  }
  std::optional<xenstore::Statistics> store_statistics() override { return lines_->statistics(); }
  bool idle() override;

  Result<std::unique_ptr<Subscription>> attach_console(DomId domain, ConsoleOutput output) override;
  Result<void> write_console(DomId domain, std::span<const std::byte> input) override;
  Result<std::string> console_log(DomId domain) override;
  Result<std::string> console_history(DomId domain) override;
  using Toolstack::subscribe;
  std::unique_ptr<Subscription> subscribe(EventSink sink,
                                          std::optional<std::uint64_t> after) override;
  std::vector<LifecycleEvent> events_after(std::uint64_t sequence) const override;
  std::map<LifecycleEvent::Kind, std::uint64_t> event_counts() const override {
    return event_log_.counts();
  }

 private:
  using DomainRef = std::shared_ptr<Domain>;
  using SessionRef = std::shared_ptr<Session>;
  using EventList = console::CallbackList<const LifecycleEvent&>;

  struct HowToCreate {
    bool paused = false;
    bool hold = false;
    std::string record = {};  // its key, if it is written already: a restart
  };

  Engine(Options options, std::unique_ptr<Records> records);
  Result<void> start();
  Result<std::unique_ptr<LineService>> open_lines();

  // --- create.cpp ---
  Result<CreatedDomain> create_claimed(Registry::Claim claim, DomainPlan plan,
                                       const HowToCreate& how, const std::stop_token& cancel);
  // With its record begun.
  Result<CreatedDomain> create_recorded(const SessionRef& session, Registry::Claim claim,
                                        DomainPlan plan, const build::Prepared& prepared,
                                        const HowToCreate& how, const std::stop_token& cancel,
                                        CreatedDomain report);
  Result<DomainRef> make_domain(const SessionRef& session, Registry::Claim claim, DomainPlan plan,
                                const build::Prepared& prepared, const std::string& record,
                                const std::stop_token& cancel, CreatedDomain& report);
  void schedule_cache_clearing();

  // --- lifecycle.cpp; with Domain::lifecycle held, or before the domain is published ---
  void cut_lines(const DomainRef& domain);
  // Frees all that the domain has, then calls cut_lines' end to the console's listeners.
  Result<void> dismantle(const DomainRef& domain);
  // The same for a domain whose create failed: what it was called is free at once.
  void discard(const DomainRef& domain);
  Result<void> destroy_locked(const DomainRef& domain);
  // Once for each domain; nobody knows of it afterwards.
  void tell_destroyed(const DomainRef& domain);
  // However often it was paused, if that is not known.
  static Result<void> unpause_wholly(const Domain& domain);

  // --- questions.cpp ---
  Result<DomainSummary> summary_of_zero(const SessionRef& session);

  // --- domain_zero.cpp ---
  // What memory, vcpus and shares can be given to: a domain of the registry, or domain 0.
  Result<DomainRef> steered(DomId id);
  Result<DomainRef> zero();
  Result<void> make_memory_nodes(const Domain& zero);

  // --- libxl_listing.cpp ---
  Result<std::string> libxl_config(const hv::DomainInfo& info);

  // --- scheduling.cpp ---
  // All: with domain 0 where it is the hypervisor's to schedule.
  Result<std::vector<DomainRef>> one_or_all(std::optional<DomId> id);
  void told_scheduling(const DomainRef& domain, EventDetails details);

  // --- loan.cpp ---
  // Domains that were lent memory, and may still have some of it. Any thread.
  class Borrowers {
   public:
    void add(const DomainRef& domain);
    std::vector<DomainRef> all();

   private:
    std::mutex mutex_;
    std::vector<std::weak_ptr<Domain>> domains_;
  };
  // Before the domain runs: it may have all of maxmem until its kernel has come up. Where there are
  // no loans, it is held to its memory.
  Result<void> lend_memory(const DomainRef& domain, const build::Prepared& prepared);
  // Asks for it back, if there is a loan. With Domain::lifecycle held.
  Result<void> end_loan(const DomainRef& domain);
  void end_loan_or_log(const DomainRef& domain);
  void end_loan_soon(const DomainRef& domain);  // its first user code has run
  // Gets back what is lent, where that much is not free without it. No Domain::lifecycle is held.
  void make_room(const SessionRef& session, Pages wanted, const std::stop_token& cancel);

  // --- memory.cpp ---
  Pages slack() const;  // what a domain may have beyond its target
  // With Domain::lifecycle held:
  Result<void> tell_target(const DomainRef& domain, Bytes target);  // the guest
  Result<void> apply_target(const DomainRef& domain, const MemoryState& before, Bytes target);
  Result<void> check_host_memory(const DomainRef& domain, const MemoryState& before, Bytes target);

  // --- death.cpp ---
  void domain_changed(const SessionRef& session, DomId id);  // event thread
  void handle_change(const DomainRef& domain);               // work queue
  void handle_change_locked(const DomainRef& domain);        // with Domain::lifecycle held
  // With Domain::lifecycle held.
  bool await_console(const DomainRef& domain);
  void carry_out(const DomainRef& domain, DomainEnd end, config::ShutdownAction action);
  DomainEnd describe_end(Domain& domain, hv::ShutdownReason reason);
  // The hypervisor is gone: ends all its domains, before the call that noticed returns. Any thread.
  void lose(const SessionRef& session);

  // --- guest_request.cpp ---
  Result<DomainRef> answering_domain(DomId id);
  Result<void> ask_guest(DomId id, const GuestAsk& ask, const std::stop_token& cancel);

  // --- vcpu_hotplug.cpp ---
  class VcpuOffer;
  Result<VcpuState> await_vcpus(const DomainRef& domain, const VcpuRequest& request,
                                std::uint32_t max, std::uint64_t number,
                                const std::stop_token& cancel);
  static Unexpected<Error> late(const Domain& domain, const VcpuRequest& request,
                                const VcpuState& state);

  // --- restart.cpp ---
  void restart_later(const DomainRef& domain, DomainEnd end,
                     void (Engine::*how)(const DomainRef&, DomainEnd));
  void restart(const DomainRef& domain, DomainEnd end);          // work queue
  void restart_renamed(const DomainRef& domain, DomainEnd end);  // work queue
  // Creates it again; `end` takes the successor, or why there is none.
  void succeed(Registry::Claim claim, DomainPlan plan, const std::string& record, DomainEnd& end);
  // Keeps the domain under another name; gives what it was called before.
  Result<Registry::Claim> step_aside(const DomainRef& domain);

  // --- soft_reset.cpp; with Domain::lifecycle held ---
  void soft_reset(const DomainRef& domain, DomainEnd end);
  Result<void> renew_lines(const DomainRef& domain);
  // --- engine_core.cpp ---
  Result<void> write_core_of(const DomainRef& domain, int fd, const DumpOptions& options,
                             const DumpProgress& progress, const std::stop_token& cancel);
  Result<coredump::CoreInfo> describe_core(const DomainRef& domain);
  // What it has in these frames; what is not there stays zero. Not while it is being destroyed.
  Result<void> read_frames(const DomainRef& domain, hv::Extent frames, std::span<std::byte> into);
  // Writes a core file on a thread of its own, then does what comes next.
  void keep_core(const DomainRef& domain, DomainEnd end, config::ShutdownAction next);
  // The file's path.
  Result<std::string> write_core_file(const DomainRef& domain);

  // --- adopt.cpp ---
  // What an earlier daemon left, before anyone else sees the session. Errors: the hypervisor does
  // not say what there is.
  Result<void> adopt(const SessionRef& session);
  enum class Maker { us, other };
  void adopt_running(const SessionRef& session, Records::Entry entry, const hv::DomainInfo& info,
                     std::span<const hv::HostBinding> bindings, Maker maker);
  void restart_left(Records::Entry entry);
  void remove_left(const SessionRef& session, DomId id);
  void forget_left();  // there is no hypervisor that could have any of it

  // --- neighbours.cpp; nothing where the hypervisor is ours alone ---
  // What other toolstacks have done since. Takes Domain::lifecycle, so not from the event thread.
  void look_around(const SessionRef& session);
  void take_in(const SessionRef& session, std::span<const hv::DomainInfo> domains);
  void let_go(const DomainRef& domain);         // with Domain::lifecycle held
  Result<void> look_if_paused(Domain& domain);  // the same
  void watch_name(const DomainRef& domain);
  void look_at_name(const DomainRef& domain);  // work queue

  // --- boot.cpp ---
  void watch_boot(const DomainRef& domain);      // from now on it has not booted
  void look_if_booted(const DomainRef& domain);  // event thread

  // --- engine.cpp ---
  void tell_quota(DomId id, const xenstore::LimitHits& hits);
  // Writes the domain's record, as it is now. With Domain::lifecycle held.
  Result<void> try_save(const Domain& domain);
  void save(const Domain& domain);  // logs an error
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
  Borrowers borrowers_;
  EventList events_;
  EventLog event_log_;
  std::uint64_t last_told_ = 0;  // event thread; the number of the last event that events_ got
  std::atomic<std::int64_t> last_create_{0};  // steady clock, ns
  const std::unique_ptr<Records> records_;
  bool has_adopted_ = false;  // while a session starts
  std::mutex taking_in_;      // a domain of others is taken in once
  std::mutex zero_mutex_;
  DomainRef zero_;  // zero_mutex_; null until it is asked for
  std::unique_ptr<SessionSlot> sessions_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<LineService> lines_;  // wakes the loop
  std::unique_ptr<WorkQueue> work_;     // last: its tasks use all the rest
  std::stop_source stop_dumps_;
  std::unique_ptr<WorkQueue> dumps_;  // core files, which may take minutes; posts to work_
};

}  // namespace xl::toolstack
