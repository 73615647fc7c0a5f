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
  if (directory.empty()) {
    return std::make_shared<xenstore::Server>();
  }
  XL_TRY_ASSIGN(std::shared_ptr<xenstore::Server> store, xenstore::Server::open(directory));
  for (const DomId id : store->unclaimed()) {
    forget_in_store(*store, id);
  }
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
  XL_TRY_ASSIGN(std::shared_ptr<xenstore::Server> store, open_store(options.runtime_dir));
  std::unique_ptr<Engine> engine(new Engine(std::move(options), std::move(store)));
  EventLoop::Handlers handlers;
  handlers.domain_changed = [self = engine.get()](const SessionRef& session, DomId id) {
    self->domain_changed(session, id);
  };
  handlers.hypervisor_gone = [self = engine.get()](const SessionRef& session) {
    self->lose(session);
  };
  engine->work_ = std::make_unique<WorkQueue>();
  XL_TRY_ASSIGN(engine->loop_, EventLoop::create(std::move(handlers)));
  return engine;
}

Engine::Engine(Options options, std::shared_ptr<xenstore::Server> store)
    : options_(std::move(options)),
      images_(Bytes(options_.kernel_cache_limit)),
      store_(std::move(store)),
      sessions_(options_.hypervisor, store_,
                [this](SessionRef session) { loop_->serve(std::move(session)); }) {}

Engine::~Engine() {
  // The threads first, as what they run uses the members; each posts to the other.
  if (loop_ != nullptr) {
    loop_->stop();
  }
  work_.reset();
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
