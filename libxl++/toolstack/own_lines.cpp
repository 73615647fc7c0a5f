// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/own_lines.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "libxl++/toolstack/domain_nodes.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::toolstack {
namespace {

using console::RingConsole;

Result<hv::GuestMapping> map_page(const Domain& domain, const GuestLine& line) {
  return domain.session->hypervisor().map_frames(domain.id, {line.frame, Pages(1)});
}

}  // namespace

Result<std::unique_ptr<OwnLines>> OwnLines::open(const std::string& directory, Logs logs,
                                                 Records& records, EventLoop& loop,
                                                 QuotaSink quota_hit) {
  auto store = std::make_shared<xenstore::Server>();
  if (!directory.empty()) {
    XL_TRY_ASSIGN(store, xenstore::Server::open(directory));
  }
  XL_TRY(store->write(domain_zero_nodes()));
  store->tell_limit_hits(std::move(quota_hit));
  return std::unique_ptr<OwnLines>(new OwnLines(std::move(store), std::move(logs), records, loop));
}

OwnLines::~OwnLines() {
  store_->tell_limit_hits({});
}

RingConsole::Files OwnLines::console_files(const Domain& domain, std::string log) const {
  return {records_.console_path(domain.record), std::move(log), logs_.limit};
}

Result<EventPort> OwnLines::bind(const DomainRef& domain, EventPort guest_port, Line line) {
  XL_TRY_ASSIGN(const hv::EventBinding binding,
                domain->session->hypervisor().event_bind(domain->id, guest_port));
  domain->session->add_port(binding.local, {domain, line});
  return binding.local;
}

// The console's and the xenstore's rings: mapped, their event channels bound, their servers ready.
Result<void> OwnLines::connect(const DomainRef& domain) {
  if (domain->console == nullptr) {
    records_.remove_console(domain->record);  // of the domain in whose place this one comes
    XL_TRY_ASSIGN(hv::GuestMapping page, map_page(*domain, domain->console_line));
    const std::string log = logs_.directory.empty()
                                ? std::string()
                                : logs_.directory + "/guest-" + domain->plan.config.name + ".log";
    domain->console = std::make_unique<RingConsole>(std::move(page), console_files(*domain, log));
  }
  XL_TRY_ASSIGN(hv::GuestMapping page, map_page(*domain, domain->store_line));
  XL_TRY(introduce(domain, std::move(page)));
  XL_TRY_ASSIGN(domain->console_port, bind(domain, domain->console_line.port, Line::console));
  XL_TRY_ASSIGN(domain->store_port, bind(domain, domain->store_line.port, Line::store));
  return {};
}

Result<void> OwnLines::introduce(const DomainRef& domain, hv::GuestMapping page) {
  XL_TRY_ASSIGN(std::unique_ptr<xenstore::Client> client,
                store_->introduce(domain->id, [&loop = loop_, weak = std::weak_ptr(domain)] {
                  loop.wake(weak.lock(), Line::store);
                }));
  if (domain->store == nullptr) {
    domain->store = std::make_unique<xenstore::GuestLink>(std::move(page), std::move(client));
  } else {
    domain->store->renew(std::move(page), std::move(client));
  }
  return {};
}

void OwnLines::detach(const DomainRef& domain) {
  for (const EventPort port : {domain->console_port.load(), domain->store_port.load()}) {
    domain->session->remove_port(port);
    (void)domain->session->hypervisor().event_close(port);  // bound to what ends in any case
  }
  domain->store->end();
  store_->release(domain->id);
}

void OwnLines::cut(const DomainRef& domain) {
  for (const EventPort port : {domain->console_port.load(), domain->store_port.load()}) {
    if (port != EventPort()) {
      domain->session->remove_port(port);
    }
  }
  if (domain->console != nullptr) {
    domain->console->end();
    loop_.wake(domain, Line::console);
  }
  if (domain->store != nullptr) {
    store_->release(domain->id);
    domain->store->end();
  }
}

// Both ends are safe to be told twice.
void OwnLines::lose(const DomainRef& domain) {
  domain->console->end();
  store_->release(domain->id);
  domain->store->end();
  forget_in_store(*store_, domain->id);
  loop_.wake(domain, Line::console);
}

void OwnLines::forget(DomId domain) {
  store_->release(domain);
  forget_in_store(*store_, domain);
}

Result<void> OwnLines::serve(std::vector<UniqueFd> listeners) {
  XL_TRY_ASSIGN(sockets_, xenstore::SocketServer::create(store_, std::move(listeners)));
  return {};
}

// --- taken up where an earlier daemon left them ---

Result<void> OwnLines::reconnect(const DomainRef& domain, const std::string& console_log,
                                 std::span<const hv::HostBinding> bindings) {
  const RingConsole::Files files = console_files(*domain, console_log);
  auto console_page = map_page(*domain, domain->console_line);
  auto store_page = map_page(*domain, domain->store_line);
  if (!console_page || !store_page) {
    domain->console =
        std::make_unique<RingConsole>(hv::GuestMapping(), files, RingConsole::Origin::adopted);
    domain->store = std::make_unique<xenstore::GuestLink>();
    return Unexpected(std::move(console_page ? store_page : console_page).error());
  }
  domain->console = std::make_unique<RingConsole>(std::move(console_page).value(), files,
                                                  RingConsole::Origin::adopted);
  reconnect_store(domain, std::move(store_page).value());
  domain->console_port = rebind(domain, domain->console_line.port, Line::console, bindings);
  domain->store_port = rebind(domain, domain->store_line.port, Line::store, bindings);
  loop_.wake(domain, Line::console);
  loop_.wake(domain, Line::store);
  return {};
}

// As the store's journal has it; a store that lost it gets the nodes again, and the guest a new
// connection.
void OwnLines::reconnect_store(const DomainRef& domain, hv::GuestMapping page) {
  const auto wake = [&loop = loop_, weak = std::weak_ptr(domain)] {
    loop.wake(weak.lock(), Line::store);
  };
  const config::DomainConfig& config = domain->plan.config;
  std::vector<xenstore::NodeSpec> missing;
  auto client = store_->adopt(domain->id, wake);
  if (!client) {
    client = store_->introduce(domain->id, wake);
    missing = nodes_of(*domain);
  } else if (const auto name = store_->read(xenstore::domain_path(domain->id) + "/name");
             !name || *name != config.name) {
    missing = name_nodes(domain->id, *config.uuid, config.name);
  }
  const auto written = missing.empty() ? Result<void>() : store_->write(missing);
  if (!client || !written) {
    spdlog::error("the xenstore of domain {} is incomplete: {}", domain->id.value(),
                  describe(client ? written.error() : client.error()));
  }
  domain->store =
      client ? std::make_unique<xenstore::GuestLink>(std::move(page), std::move(client).value())
             : std::make_unique<xenstore::GuestLink>();
}

// The end that an earlier daemon had bound, or a new one. None if the guest has no such port any
// more, as in the middle of a soft reset, which is begun again.
EventPort OwnLines::rebind(const DomainRef& domain, EventPort guest_port, Line line,
                           std::span<const hv::HostBinding> bindings) {
  const auto bound =
      std::find_if(bindings.begin(), bindings.end(), [&](const hv::HostBinding& binding) {
        return binding.domain == domain->id && binding.remote == guest_port;
      });
  if (bound != bindings.end()) {
    domain->session->add_port(bound->local, {domain, line});
    return bound->local;
  }
  const auto fresh = bind(domain, guest_port, line);
  if (!fresh) {
    spdlog::error("domain {} has no event channel on its port {}: {}", domain->id.value(),
                  guest_port.value(), describe(fresh.error()));
  }
  return fresh.value_or(EventPort());
}

}  // namespace xl::toolstack
