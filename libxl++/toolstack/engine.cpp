// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/engine.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "libxl++/toolstack/host_lines.hpp"
#include "libxl++/toolstack/own_lines.hpp"

namespace xl::toolstack {

Result<std::unique_ptr<Toolstack>> Toolstack::create(Options options) {
  XL_TRY_ASSIGN(std::unique_ptr<Engine> engine, Engine::create(std::move(options)));
  return std::unique_ptr<Toolstack>(std::move(engine));
}

Result<std::unique_ptr<Engine>> Engine::create(Options options) {
  if (!options.log_dir.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.log_dir, error);
    if (error) {
      return Unexpected(
          system_error(error.value(), "creating the log directory '" + options.log_dir + "'"));
    }
  }
  XL_TRY_ASSIGN(std::unique_ptr<Records> records, Records::open(options.runtime_dir));
  std::unique_ptr<Engine> engine(new Engine(std::move(options), std::move(records)));
  XL_TRY(engine->start());
  return engine;
}

Engine::Engine(Options options, std::unique_ptr<Records> records)
    : options_(std::move(options)),
      images_(Bytes(options_.kernel_cache_limit)),
      records_(std::move(records)) {}

Result<void> Engine::start() {
  EventLoop::Handlers handlers;
  handlers.domain_changed = [this](const SessionRef& session, DomId id) {
    domain_changed(session, id);
  };
  handlers.hypervisor_gone = [this](const SessionRef& session) { lose(session); };
  work_ = std::make_unique<WorkQueue>();
  dumps_ = std::make_unique<WorkQueue>();
  XL_TRY_ASSIGN(loop_, EventLoop::create(std::move(handlers)));
  XL_TRY_ASSIGN(lines_, open_lines());
  sessions_ = std::make_unique<SessionSlot>(options_.hypervisor, lines_->store(),
                                            [this](SessionRef session) -> Result<void> {
                                              XL_TRY(adopt(session));
                                              loop_->serve(std::move(session));
                                              return {};
                                            });
  if (options_.attach) {
    auto attached = sessions_->attach(options_.attach);
    if (!attached) {
      return Unexpected(
          std::move(attached).error().while_doing("looking after the domains that run already"));
    }
    if (!*attached) {
      forget_left();
    }
  }
  return {};
}

Result<std::unique_ptr<LineService>> Engine::open_lines() {
  if (options_.host) {
    XL_TRY_ASSIGN(std::unique_ptr<LineService> lines, HostLines::open(*options_.host, *loop_));
    return lines;
  }
  XL_TRY_ASSIGN(
      std::unique_ptr<LineService> lines,
      OwnLines::open(options_.runtime_dir, {options_.log_dir, options_.console_log_limit},
                     *records_, *loop_, [this](DomId id, const xenstore::LimitHits& hits) {
                       loop_->post([this, id, hits] { tell_quota(id, hits); });
                     }));
  return lines;
}

// The threads first, as what they run uses the members; each posts to the other.
Engine::~Engine() {
  if (loop_ != nullptr) {
    loop_->stop();
  }
  stop_dumps_.request_stop();
  for (const std::unique_ptr<WorkQueue>* const queue : {&dumps_, &work_}) {
    if (*queue != nullptr) {
      (*queue)->stop();  // it stays until the other one's last task has posted to it
    }
  }
}

Result<void> Engine::try_save(const Domain& domain) {
  if (domain.is_foreign) {
    return {};
  }
  Record record;
  record.phase = domain.phase;
  record.plan = domain.plan;
  record.id = domain.id;
  record.created = domain.created;
  record.started = domain.started;
  record.paused = domain.paused;
  record.death_seen = domain.death_seen;
  record.has_loan = domain.has_loan;
  record.console = domain.console_line;
  record.store = domain.store_line;
  record.console_log = domain.console == nullptr ? std::string() : domain.console->log_path();
  record.console_log_start = domain.console_log_start;
  return records_->write(domain.record, record);
}

void Engine::save(const Domain& domain) {
  if (const auto saved = try_save(domain); !saved) {
    spdlog::error("a daemon after this one would not know the whole of domain {}: {}",
                  domain.id.value(), describe(saved.error()));
  }
}

void Engine::tell_quota(DomId id, const xenstore::LimitHits& hits) {
  if (const DomainRef domain = registry_.find(id)) {
    emit(LifecycleEvent::Kind::quota, id, domain->claim.name(), {},
         {{"hits", hits.total()}, {"limits", xenstore::to_string(hits)}});
  }
}

void Engine::emit(LifecycleEvent::Kind kind, DomId id, std::string name,
                  std::optional<DomainEnd> end, EventDetails details) {
  event_log_.add({kind, id, std::move(name), std::move(end), std::move(details)},
                 [this](const LifecycleEvent& event) {
                   loop_->post([this, event] {
                     last_told_ = event.sequence;
                     events_.call(event);
                   });
                 });
}

}  // namespace xl::toolstack
