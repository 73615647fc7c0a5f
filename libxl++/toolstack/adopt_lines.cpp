// SPDX-License-Identifier: Apache-2.0
// A domain's lines to domain 0, taken up where an earlier daemon left them.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "libxl++/toolstack/domain_nodes.hpp"
#include "libxl++/toolstack/engine.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::toolstack {
namespace {

// As `xl mem-set` left it; the guest cannot write there.
void restore_memory_target(Domain& domain, xenstore::Server& store) {
  domain.memory_target = domain.plan.config.memory.count();
  const auto text = store.read(xenstore::domain_path(domain.id) + "/memory/target");
  std::uint64_t target = 0;
  if (text &&
      std::from_chars(text->data(), text->data() + text->size(), target).ec == std::errc{}) {
    domain.memory_target = kib(target).count();
  }
}

}  // namespace

Result<void> Engine::reconnect_lines(const DomainRef& domain, const std::string& console_log,
                                     std::span<const hv::HostBinding> bindings) {
  hv::Hypervisor& hypervisor = domain->session->hypervisor();
  const console::Console::Files files{records_->console_path(domain->record), console_log,
                                      options_.console_log_limit};
  const auto map = [&](Gfn frame) { return hypervisor.map_frames(domain->id, {frame, Pages(1)}); };
  auto console_page = map(domain->console_line.frame);
  auto store_page = map(domain->store_line.frame);
  if (!console_page || !store_page) {
    domain->console = std::make_unique<console::Console>(hv::GuestMapping(), files,
                                                         console::Console::Origin::adopted);
    domain->store = std::make_unique<xenstore::GuestLink>();
    return Unexpected(std::move(console_page ? store_page : console_page).error());
  }
  domain->console = std::make_unique<console::Console>(std::move(console_page).value(), files,
                                                       console::Console::Origin::adopted);
  reconnect_store(domain, std::move(store_page).value());
  domain->console_port = rebind_line(domain, domain->console_line.port, Line::console, bindings);
  domain->store_port = rebind_line(domain, domain->store_line.port, Line::store, bindings);
  return {};
}

// As the store's journal has it; a store that lost it gets the nodes again, and the guest a new
// connection.
void Engine::reconnect_store(const DomainRef& domain, hv::GuestMapping page) {
  const auto wake = [this, weak = std::weak_ptr(domain)] { loop_->wake(weak.lock(), Line::store); };
  const config::DomainConfig& config = domain->plan.config;
  std::vector<xenstore::NodeSpec> missing;
  auto client = store_->adopt(domain->id, wake);
  if (!client) {
    client = store_->introduce(domain->id, wake);
    missing = domain_nodes({domain->id, *config.uuid, config, domain->store_line.port,
                            domain->store_line.frame, domain->console_line.port,
                            domain->console_line.frame, domain->created});
  } else if (const auto name = store_->read(xenstore::domain_path(domain->id) + "/name");
             !name || *name != config.name) {
    missing = name_nodes(domain->id, *config.uuid, config.name);
  }
  const auto written = missing.empty() ? Result<void>() : store_->write(missing);
  if (!client || !written) {
    spdlog::error("the xenstore of domain {} is incomplete: {}", domain->id.value(),
                  describe(client ? written.error() : client.error()));
  }
  restore_memory_target(*domain, *store_);
  domain->store =
      client ? std::make_unique<xenstore::GuestLink>(std::move(page), std::move(client).value())
             : std::make_unique<xenstore::GuestLink>();
}

// The end that an earlier daemon had bound, or a new one. None if the guest has no such port any
// more, as in the middle of a soft reset, which is begun again.
EventPort Engine::rebind_line(const DomainRef& domain, EventPort guest_port, Line line,
                              std::span<const hv::HostBinding> bindings) {
  const auto bound =
      std::find_if(bindings.begin(), bindings.end(), [&](const hv::HostBinding& binding) {
        return binding.domain == domain->id && binding.remote == guest_port;
      });
  if (bound != bindings.end()) {
    domain->session->add_port(bound->local, {domain, line});
    return bound->local;
  }
  const auto fresh = bind_line(domain, guest_port, line);
  if (!fresh) {
    spdlog::error("domain {} has no event channel on its port {}: {}", domain->id.value(),
                  guest_port.value(), describe(fresh.error()));
  }
  return fresh.value_or(EventPort());
}

}  // namespace xl::toolstack
