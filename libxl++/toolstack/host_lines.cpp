// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/host_lines.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "libxl++/toolstack/domain_nodes.hpp"

namespace xl::toolstack {

using console::HostConsole;

namespace {

// Another toolstack's domain would be hindered from going.
Result<hv::GuestMapping> map_console(const std::shared_ptr<Domain>& domain, Gfn frame) {
  if (domain == nullptr || domain->is_foreign || frame == Gfn(0)) {
    return hv::GuestMapping();
  }
  return domain->session->hypervisor().map_frames(domain->id, {frame, Pages(1)});
}

}  // namespace

Result<std::unique_ptr<HostLines>> HostLines::open(const HostServices& host, EventLoop& loop) {
  auto store = xenstore::HostStore::connect(host.xenstore_socket);
  if (!store) {
    return Unexpected(
        std::move(store).error().while_doing("looking for the xenstored of this Xen host"));
  }
  XL_TRY_ASSIGN(std::unique_ptr<console::PtyPoll> ptys, console::PtyPoll::create());
  return std::unique_ptr<HostLines>(
      new HostLines(host, std::move(store).value(), std::move(ptys), loop));
}

std::string HostLines::log_path(const Domain& domain) const {
  return host_.console_logs + "/guest-" + domain.plan.config.name + ".log";
}

std::unique_ptr<console::Console> HostLines::make_console(const DomainRef& domain,
                                                          std::string log) {
  const std::weak_ptr weak(domain);
  return std::make_unique<HostConsole>(
      *store_, domain->id, HostConsole::Log{std::move(log), domain->console_log_start},
      HostConsole::Hooks{
          [&loop = loop_, weak] { loop.wake(weak.lock(), Line::console); },
          [weak, frame = domain->console_line.frame] { return map_console(weak.lock(), frame); },
      },
      *ptys_);
}

// xenconsoled looks at the nodes when it hears of the introduction.
Result<void> HostLines::connect(const DomainRef& domain) {
  if (domain->console == nullptr) {
    const std::string log = log_path(*domain);
    domain->console_log_start = HostConsole::log_size(log);
    domain->console = make_console(domain, log);
    const config::DomainConfig& config = domain->plan.config;
    XL_TRY(userdata_.write(domain->id, *config.uuid, libxl_json(config)));
  }
  return store_->introduce(domain->id, domain->store_line.frame, domain->store_line.port);
}

// Nothing was cut: the daemons of the host have gone on.
Result<void> HostLines::reconnect(const DomainRef& domain, const std::string& console_log,
                                  std::span<const hv::HostBinding> bindings) {
  static_cast<void>(bindings);
  // A log keeps the name that the domain had when it was made.
  domain->console = make_console(domain, console_log.empty() ? log_path(*domain) : console_log);
  return {};
}

void HostLines::cut(const DomainRef& domain) {
  if (domain->console != nullptr) {
    domain->console->end();
    loop_.wake(domain, Line::console);
  }
  if (const auto removed = userdata_.remove(domain->id, config::Uuid(domain->handle)); !removed) {
    spdlog::warn("{}", describe(removed.error()));
  }
}

void HostLines::forget(DomId domain) {
  forget_in_store(*store_, domain);
}

Result<void> HostLines::serve(std::vector<UniqueFd> listeners) {
  static_cast<void>(listeners);
  return fail(ErrorCode::not_supported, "this host's own xenstored serves its tools");
}

}  // namespace xl::toolstack
