// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/engine.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "libxl++/toolstack/domain_nodes.hpp"

namespace xl::toolstack {
namespace {

Result<std::shared_ptr<xenstore::Server>> open_store(const std::string& directory) {
  auto store = std::make_shared<xenstore::Server>();
  if (!directory.empty()) {
    XL_TRY_ASSIGN(store, xenstore::Server::open(directory));
  }
  XL_TRY(store->write(domain_zero_nodes()));
  return store;
}

}  // namespace

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
  XL_TRY_ASSIGN(std::shared_ptr<xenstore::Server> store, open_store(options.runtime_dir));
  std::unique_ptr<Engine> engine(
      new Engine(std::move(options), std::move(store), std::move(records)));
  EventLoop::Handlers handlers;
  handlers.domain_changed = [self = engine.get()](const SessionRef& session, DomId id) {
    self->domain_changed(session, id);
  };
  handlers.hypervisor_gone = [self = engine.get()](const SessionRef& session) {
    self->lose(session);
  };
  engine->work_ = std::make_unique<WorkQueue>();
  engine->dumps_ = std::make_unique<WorkQueue>();
  XL_TRY_ASSIGN(engine->loop_, EventLoop::create(std::move(handlers)));
  engine->store_->tell_limit_hits([self = engine.get()](DomId id, const xenstore::LimitHits& hits) {
    self->loop_->post([self, id, hits] { self->tell_quota(id, hits); });
  });
  if (engine->options_.attach) {
    auto attached = engine->sessions_.attach(engine->options_.attach);
    if (!attached) {
      return Unexpected(
          std::move(attached).error().while_doing("looking after the domains that run already"));
    }
    if (!*attached) {
      engine->forget_left();
    }
  }
  return engine;
}

Engine::Engine(Options options, std::shared_ptr<xenstore::Server> store,
               std::unique_ptr<Records> records)
    : options_(std::move(options)),
      images_(Bytes(options_.kernel_cache_limit)),
      store_(std::move(store)),
      records_(std::move(records)),
      sessions_(options_.hypervisor, store_, [this](SessionRef session) -> Result<void> {
        XL_TRY(adopt(session));
        loop_->serve(std::move(session));
        return {};
      }) {}

Engine::~Engine() {
  store_->tell_limit_hits({});
  // The threads first, as what they run uses the members; each posts to the other.
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
