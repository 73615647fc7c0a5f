// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/engine.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <system_error>
#include <utility>

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
  std::unique_ptr<Engine> engine(new Engine(std::move(options)));
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

Engine::Engine(Options options)
    : options_(std::move(options)),
      images_(Bytes(options_.kernel_cache_limit)),
      sessions_(options_.hypervisor,
                [this](SessionRef session) { loop_->serve(std::move(session)); }) {}

Engine::~Engine() {
  // The threads first, as what they run uses the members; each posts to the other.
  if (loop_ != nullptr) {
    loop_->stop();
  }
  work_.reset();
}

void Engine::emit(LifecycleEvent::Kind kind, DomId id, std::string name,
                  std::optional<DomainEnd> end) {
  LifecycleEvent event{kind, id, std::move(name), std::move(end)};
  loop_->post([this, event = std::move(event)] { events_.call(event); });
}

}  // namespace xl::toolstack
