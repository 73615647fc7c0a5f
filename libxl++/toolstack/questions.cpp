// SPDX-License-Identifier: Apache-2.0
// What changes nothing: finding, listing, consoles, events.
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/suggest.hpp"
#include "libxl++/toolstack/engine.hpp"
#include "libxl++/toolstack/memory_size.hpp"

namespace xl::toolstack {
namespace {

constexpr std::string_view domain_zero_name = "Domain-0";

template <typename Handle>
class HandleSubscription final : public Subscription {
 public:
  explicit HandleSubscription(Handle handle) : handle_(std::move(handle)) {}

 private:
  Handle handle_;
};

template <typename Handle>
std::unique_ptr<Subscription> subscription(Handle handle) {
  return std::make_unique<HandleSubscription<Handle>>(std::move(handle));
}

// This process and its host, as far as the hypervisor does not have them.
struct sysinfo host_now() {
  struct sysinfo host {};
  ::sysinfo(&host);
  return host;
}

std::chrono::system_clock::time_point start_of(const struct sysinfo& host) {
  return std::chrono::system_clock::now() - std::chrono::seconds(host.uptime);
}

DomainSummary domain_zero(Pages given_to_hypervisor) {
  const struct sysinfo host = host_now();
  timespec cpu_time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_time);
  const Pages total = to_pages_up(Bytes(std::uint64_t{host.totalram} * host.mem_unit));
  DomainSummary summary;
  summary.name = domain_zero_name;
  summary.created = start_of(host);
  summary.info.running = true;
  summary.info.memory = total - std::min(total, given_to_hypervisor);
  summary.info.max_memory = total;
  summary.info.cpu_time = Nanoseconds(static_cast<std::uint64_t>(cpu_time.tv_sec) * 1'000'000'000 +
                                      static_cast<std::uint64_t>(cpu_time.tv_nsec));
  summary.info.vcpus_online = static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  summary.info.max_vcpus = static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_CONF));
  return summary;
}

DomainSummary row_of(const hv::DomainInfo& info, const std::shared_ptr<Domain>& domain,
                     std::string name, Pages slack) {
  DomainSummary row;
  row.info = info;
  if (domain != nullptr) {
    row.info.memory = current_memory(info, Bytes(domain->memory_target), slack);
  }
  row.name = std::move(name);
  row.created = domain == nullptr ? std::chrono::system_clock::now() : domain->created;
  row.booted = domain != nullptr && domain->booted;
  return row;
}

std::optional<DomId> parse_domain_id(std::string_view text) {
  std::uint16_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return DomId(id);
}

// Of one or two letters everything is near to everything.
std::string hint_for(std::string_view wanted, const std::map<DomId, std::string>& names) {
  const std::string_view near =
      wanted.size() < 3 ? std::string_view() : nearest(wanted, names, [](const auto& entry) {
        return std::string_view(entry.second);
      });
  return near.empty() ? "`xl list` shows those that there are"
                      : "did you mean '" + std::string(near) + "'?";
}

}  // namespace

Result<DomId> Engine::find(std::string_view name_or_id) {
  if (name_or_id == domain_zero_name) {
    return DomId(0);
  }
  look_around(sessions_->current());
  registry_.await(name_or_id);
  if (const auto id = registry_.find(name_or_id)) {
    return *id;
  }
  if (const auto id = parse_domain_id(name_or_id)) {
    if (*id == DomId(0) || registry_.contains(*id)) {
      return *id;
    }
  }
  return fail(ErrorId::no_such_domain, "there is no domain '" + std::string(name_or_id) + "'",
              hint_for(name_or_id, registry_.names()));
}

// A domain like others where the hypervisor is the host's.
Result<DomainSummary> Engine::summary_of_zero(const SessionRef& session) {
  hv::Hypervisor& hypervisor = session->hypervisor();
  if (!options_.host) {
    XL_TRY_ASSIGN(const hv::HostInfo host, checked(session, hypervisor.host_info()));
    return domain_zero(host.total_memory);
  }
  DomainSummary summary;
  summary.name = domain_zero_name;
  summary.created = start_of(host_now());
  XL_TRY_ASSIGN(summary.info, checked(session, hypervisor.domain_info(DomId(0))));
  return summary;
}

Result<std::vector<DomainSummary>> Engine::list() {
  std::vector<DomainSummary> rows;
  const SessionRef session = sessions_->current();
  if (session == nullptr) {
    rows.push_back(domain_zero(Pages(0)));
    return rows;
  }
  XL_TRY_ASSIGN(const std::vector<hv::DomainInfo> domains,
                checked(session, session->hypervisor().list_domains()));
  if (options_.host) {
    take_in(session, domains);
  }
  const std::map<DomId, std::string> names = registry_.names();
  rows.reserve(domains.size() + 1);
  XL_TRY_ASSIGN(DomainSummary zero, summary_of_zero(session));
  rows.push_back(std::move(zero));
  for (const hv::DomainInfo& info : domains) {
    const auto name = names.find(info.id);
    rows.push_back(row_of(info, registry_.find(info.id),
                          name == names.end() ? std::string() : name->second, slack()));
  }
  return rows;
}

Result<DomainSummary> Engine::summary(DomId id) {
  const SessionRef session = sessions_->current();
  if (session == nullptr) {
    return id == DomId(0)
               ? Result<DomainSummary>(domain_zero(Pages(0)))
               : fail(ErrorId::no_such_domain, "there is no domain " + std::to_string(id.value()),
                      "`xl list` shows those that there are");
  }
  if (id == DomId(0)) {
    return summary_of_zero(session);
  }
  XL_TRY_ASSIGN(const hv::DomainInfo info, checked(session, session->hypervisor().domain_info(id)));
  return row_of(info, registry_.find(id), registry_.name_of(id), slack());
}

Result<config::DomainConfig> Engine::config_of(DomId id) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  const std::lock_guard lock(domain->lifecycle);
  return domain->plan.config;
}

Result<std::vector<hv::NamedCounter>> Engine::counters(std::optional<DomId> domain) {
  XL_TRY_ASSIGN(const SessionRef session, sessions_->get());
  return checked(session, session->hypervisor().counters(domain));
}

Result<hv::HostInfo> Engine::host_info() {
  XL_TRY_ASSIGN(const SessionRef session, sessions_->get());
  return checked(session, session->hypervisor().host_info());
}

Result<hv::Hypervisor::LogText> Engine::read_hypervisor_log(std::uint64_t from) {
  XL_TRY_ASSIGN(const SessionRef session, sessions_->get());
  return checked(session, session->hypervisor().read_log(from));
}

bool Engine::hypervisor_running() const {
  return sessions_->current() != nullptr;
}

Result<std::unique_ptr<Subscription>> Engine::attach_console(DomId id, ConsoleOutput output) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  auto attached = subscription(domain->console->attach(std::move(output)));
  loop_->wake(domain, Line::console);
  return attached;
}

Result<void> Engine::write_console(DomId id, std::span<const std::byte> input) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  XL_TRY(domain->console->write(input));
  loop_->wake(domain, Line::console);
  return {};
}

// What the log file has, which reaches back further; without one, what is in memory.
Result<std::string> Engine::console_log(DomId id) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  std::ifstream file(domain->console->log_path(), std::ios::binary);
  if (!file) {
    return domain->console->text();
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::string> Engine::console_history(DomId id) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  return domain->console->text();
}

std::unique_ptr<Subscription> Engine::subscribe(EventSink sink,
                                                std::optional<std::uint64_t> after) {
  auto entry = std::make_shared<EventList::Entry>(std::move(sink));
  if (!after) {
    events_.add(entry);
    return subscription(EventList::Handle(std::move(entry)));
  }
  // On the event thread, as the others get events there: what it has told them comes from the log,
  // the rest is still to come.
  loop_->post([this, entry, from = *after] {
    for (const LifecycleEvent& event : event_log_.after(from)) {
      if (event.sequence <= last_told_) {
        entry->call(event);
      }
    }
    events_.add(entry);
  });
  return subscription(EventList::Handle(std::move(entry)));
}

std::vector<LifecycleEvent> Engine::events_after(std::uint64_t sequence) const {
  return event_log_.after(sequence);
}

}  // namespace xl::toolstack
