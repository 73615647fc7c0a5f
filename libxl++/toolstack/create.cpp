// SPDX-License-Identifier: Apache-2.0
// Creating a domain: claim the name, read and check all files, then the hypervisor, the builder,
// the lines to domain 0, the xenstore nodes. Whatever fails, everything that was done until then is
// undone on the way out.
#include <malloc.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <span>
#include <utility>

#include "base/scope_exit.hpp"
#include "libxl++/toolstack/domain_nodes.hpp"
#include "libxl++/toolstack/engine.hpp"
#include "libxl++/toolstack/memory_size.hpp"
#include "libxl++/toolstack/random_uuid.hpp"
#include "libxl++/toolstack/scheduling.hpp"

namespace xl::toolstack {
namespace {

using Clock = std::chrono::steady_clock;

// Appends what has passed since the last call.
class PhaseRecorder {
 public:
  explicit PhaseRecorder(std::vector<PhaseTime>& phases) : phases_(phases) {}
  void done(std::string phase) {
    const Clock::time_point now = Clock::now();
    phases_.push_back({std::move(phase), now - last_});
    last_ = now;
  }
  // The builder has kept time itself.
  void take(std::span<const build::PhaseTime> phases) {
    for (const build::PhaseTime& phase : phases) {
      phases_.push_back({phase.phase, phase.time, phase.note});
    }
    last_ = Clock::now();
  }

 private:
  std::vector<PhaseTime>& phases_;
  Clock::time_point last_ = Clock::now();
};

std::string absolute(const std::string& path, const std::string& directory) {
  return path.empty() || path.front() == '/' || directory.empty() ? path : directory + '/' + path;
}

Result<DomainPlan> make_plan(const config::DomainConfig& config, const CreateOptions& options) {
  XL_TRY(config::validate(config));
  DomainPlan plan{config, options.ignore_death};
  plan.config.kernel = absolute(config.kernel, options.working_directory);
  plan.config.ramdisk = absolute(config.ramdisk, options.working_directory);
  if (!config.uuid) {
    XL_TRY_ASSIGN(plan.config.uuid, random_uuid());
  }
  return plan;
}

build::BuildRequest build_request(const config::DomainConfig& config, Pages slack) {
  build::BuildRequest request;
  request.kernel = config.kernel;
  request.ramdisk = config.ramdisk;
  request.command_line = config.command_line;
  request.memory = config.memory;
  request.max_memory = config.max_memory;
  request.slack = slack - libxl_slack;
  request.vcpus = config.vcpus;
  request.max_vcpus = config.max_vcpus;
  request.acpi = config.acpi;
  return request;
}

hv::DomainOptions domain_options(const DomainPlan& plan, const build::Prepared& prepared) {
  hv::DomainOptions options;
  options.handle = plan.config.uuid->octets();
  options.max_vcpus = plan.config.max_vcpus;
  options.max_memory = prepared.pages_needed() + libxl_slack;
  return options;
}

Result<void> check_cancelled(const std::stop_token& cancel) {
  return cancel.stop_requested() ? fail(ErrorId::cancelled, "cancelled") : Result<void>();
}

// The hypervisor says only that there is not enough; people want to know of how much.
Error explain_no_memory(hv::Hypervisor& hypervisor, Error error, Pages needed) {
  const auto host = hypervisor.host_info();
  if (error.code != ErrorCode::no_memory || !host || host->free_memory >= needed) {
    return error;
  }
  Error plain = make_error(
      ErrorId::not_enough_memory,
      fmt::format("the domain needs {} MiB of memory, and {} MiB are free",
                  (to_bytes(needed).count() + mib(1).count() - 1) >> 20,
                  to_bytes(host->free_memory).count() >> 20),
      "give it less, or `xl destroy` or `xl mem-set` others: `xl list` shows what they have");
  plain.context = std::move(error.context);
  plain.phase = std::move(error.phase);
  return plain;
}

}  // namespace

Result<std::string> Engine::check_domain(const config::DomainConfig& config,
                                         const CreateOptions& options) {
  XL_TRY_ASSIGN(const DomainPlan plan, in_phase("config", make_plan(config, options)));
  XL_TRY_ASSIGN(const build::Prepared prepared,
                in_phase("image", build::prepare(build_request(plan.config, slack()), images_)));
  schedule_cache_clearing();
  return build::describe(prepared);
}

Result<CreatedDomain> Engine::create_domain(const config::DomainConfig& config,
                                            const CreateOptions& options, std::stop_token cancel) {
  const auto create = [&]() -> Result<CreatedDomain> {
    XL_TRY_ASSIGN(DomainPlan plan, in_phase("config", make_plan(config, options)));
    look_around(sessions_->current());  // whose names are taken
    XL_TRY_ASSIGN(Registry::Claim claim,
                  in_phase("config", registry_.claim(plan.config.name, *plan.config.uuid)));
    const HowToCreate how{options.paused || options.hold, options.hold};
    return create_claimed(std::move(claim), std::move(plan), how, cancel);
  };
  auto created = create();
  if (!created) {
    return Unexpected(
        std::move(created).error().while_doing("creating domain '" + config.name + "'"));
  }
  return created;
}

// The record is written before there is a domain, so that one without a record is never ours, and
// goes after it.
Result<CreatedDomain> Engine::create_claimed(Registry::Claim claim, DomainPlan plan,
                                             const HowToCreate& how,
                                             const std::stop_token& cancel) {
  HowToCreate recorded = how;
  if (how.record.empty()) {
    recorded.record = records_->new_key(*plan.config.uuid);
  }
  ScopeExit forget([&] { records_->remove(recorded.record); });
  CreatedDomain report;
  report.name = plan.config.name;
  XL_TRY(check_cancelled(cancel));
  XL_TRY_ASSIGN(const build::Prepared prepared,
                in_phase("image", build::prepare(build_request(plan.config, slack()), images_)));
  schedule_cache_clearing();
  XL_TRY(check_cancelled(cancel));
  PhaseRecorder phases(report.phases);
  phases.take(prepared.phases);
  XL_TRY_ASSIGN(const SessionRef session, in_phase("hypervisor", sessions_->get()));
  phases.done("hypervisor");
  if (how.record.empty()) {
    Record record;
    record.plan = plan;
    XL_TRY(in_phase("record", records_->write(recorded.record, record)));
  }
  auto created = create_recorded(session, std::move(claim), std::move(plan), prepared, recorded,
                                 cancel, std::move(report));
  if (created) {
    forget.release();
  }
  return created;
}

Result<CreatedDomain> Engine::create_recorded(const SessionRef& session, Registry::Claim claim,
                                              DomainPlan plan, const build::Prepared& prepared,
                                              const HowToCreate& how, const std::stop_token& cancel,
                                              CreatedDomain report) {
  XL_TRY_ASSIGN(const DomainRef domain,
                checked(session, make_domain(session, std::move(claim), std::move(plan), prepared,
                                             how.record, cancel, report)));
  const std::lock_guard lock(domain->lifecycle);
  registry_.publish(domain);
  ScopeExit undo([&] {
    registry_.remove(domain);
    discard(domain);
  });
  if (sessions_->current() != session) {
    // It died before the domain was published, so that lose() did not see the domain.
    return fail(ErrorId::hypervisor_died, "the hypervisor died",
                "call it again: that starts another; `xl dmesg` has its last words");
  }
  PhaseRecorder phases(report.phases);
  domain->paused = how.paused;
  if (!how.hold) {
    // From here on the domain stays: whatever happens, its guest never ran in vain.
    domain->phase = RecordPhase::running;
    XL_TRY(in_phase("record", try_save(*domain)));
    phases.done("record");
  }
  if (!how.paused) {
    XL_TRY(in_phase("unpause", checked(session, session->hypervisor().unpause(domain->id))));
    phases.done("unpause");
  }
  undo.release();
  watch_boot(domain);
  watch_name(domain);
  emit(LifecycleEvent::Kind::created, report.id, report.name);
  if (!how.paused) {
    emit(LifecycleEvent::Kind::unpaused, report.id, report.name);
  }
  return report;
}

Result<Engine::DomainRef> Engine::make_domain(const SessionRef& session, Registry::Claim claim,
                                              DomainPlan plan, const build::Prepared& prepared,
                                              const std::string& record,
                                              const std::stop_token& cancel,
                                              CreatedDomain& report) {
  PhaseRecorder phases(report.phases);
  hv::Hypervisor& hypervisor = session->hypervisor();
  make_room(session, prepared.pages_at_once() + libxl_slack, cancel);
  XL_TRY_ASSIGN(report.id,
                in_phase("create", hypervisor.create_domain(domain_options(plan, prepared))));
  auto domain = std::make_shared<Domain>(session, report.id, std::move(claim), std::move(plan));
  domain->record = record;
  domain->claim.set_domain(report.id);
  ScopeExit undo([&] { discard(domain); });
  phases.done("create");
  XL_TRY(check_cancelled(cancel));
  auto executed = in_phase("platform", build::execute(hypervisor, report.id, prepared, cancel));
  if (!executed) {
    return Unexpected(
        explain_no_memory(hypervisor, std::move(executed).error(), prepared.pages_at_once()));
  }
  const build::BuiltDomain built = std::move(executed).value();
  phases.take(std::span(built.phases).subspan(prepared.phases.size()));
  XL_TRY(in_phase("scheduling", apply_scheduling(hypervisor, report.id, domain->plan.config)));
  XL_TRY(check_cancelled(cancel));
  domain->console_line = {built.console_frame, built.console_port};
  domain->store_line = {built.xenstore_frame, built.xenstore_port};
  XL_TRY(in_phase("xenstore", session->store().write_unseen(nodes_of(*domain))));
  XL_TRY(in_phase("memory", lend_memory(domain, prepared)));
  phases.done("xenstore");
  XL_TRY(in_phase("connect", lines_->connect(domain)));
  phases.done("connect");
  XL_TRY(check_cancelled(cancel));
  undo.release();
  return domain;
}

// Decompressed kernels are large; they are kept while domains are being created, not for ever.
void Engine::schedule_cache_clearing() {
  const Clock::time_point now = Clock::now();
  const bool is_scheduled = last_create_.exchange(now.time_since_epoch().count()) != 0;
  if (is_scheduled) {
    return;
  }
  const auto check = [this](const auto& self, Clock::time_point when) -> void {
    work_->post(
        [this, self] {
          const Clock::time_point last{Clock::duration(last_create_.load())};
          const Clock::time_point due =
              last + std::chrono::duration_cast<Clock::duration>(options_.kernel_cache_idle);
          if (due > Clock::now()) {
            self(self, due);
            return;
          }
          last_create_.store(0);
          images_.clear();
          ::malloc_trim(0);  // an idle daemon is to be small, and creates leave holes behind
        },
        when);
  };
  check(check, now + std::chrono::duration_cast<Clock::duration>(options_.kernel_cache_idle));
}

}  // namespace xl::toolstack
