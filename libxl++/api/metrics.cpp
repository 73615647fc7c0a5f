// SPDX-License-Identifier: Apache-2.0
// GET /v1/metrics: what the daemon, its hypervisor and its domains do, for Prometheus. One question
// to the hypervisor for each domain, for its counters; the rest comes from lists.
#include "libxl++/api/metrics.hpp"

#include <algorithm>

#include "libxl++/api/handlers.hpp"
#include "libxl++/api/prometheus.hpp"
#include "libxl++/api/utf8.hpp"
#include "libxl++/api/views.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

using Counters = std::vector<hv::NamedCounter>;

struct Row {
  toolstack::DomainSummary summary;
  std::string name, id;  // the labels
  Counters counters;
};

std::vector<Row> collect(toolstack::Toolstack& toolstack) {
  std::vector<Row> rows;
  auto list = toolstack.list();
  if (!list) {
    return rows;  // the hypervisor went while we asked; xl_hypervisor_up says so
  }
  rows.reserve(list->size());
  for (toolstack::DomainSummary& summary : *list) {
    Row row;
    row.name = to_utf8(summary.name);
    row.id = std::to_string(summary.info.id.value());
    if (summary.info.id != DomId(0)) {
      row.counters = toolstack.counters(summary.info.id).value_or(Counters());  // it may have gone
    }
    row.summary = std::move(summary);
    rows.push_back(std::move(row));
  }
  return rows;
}

// A gauge or counter with one sample for each domain.
template <typename Value>
void for_each(Prometheus& out, const std::vector<Row>& rows, Value value) {
  for (const Row& row : rows) {
    value(Prometheus::Labels{{"domid", row.id}, {"name", row.name}}, row.summary.info);
  }
  static_cast<void>(out);
}

void write_states(Prometheus& out, const std::vector<Row>& rows) {
  out.gauge("xl_domain_state", "1 for the states that the domain is in, else 0");
  for (const Row& row : rows) {
    const hv::DomainInfo& info = row.summary.info;
    const bool crashed = info.shutdown == hv::ShutdownReason::crash;
    const std::pair<const char*, bool> states[] = {
        {"running", info.running},      {"blocked", info.blocked},
        {"paused", info.paused},        {"shutdown", info.shutdown.has_value()},
        {"crashed", crashed},           {"dying", info.dying},
        {"booted", row.summary.booted},
    };
    for (const auto& [state, is_in] : states) {
      out.sample({{"domid", row.id}, {"name", row.name}, {"state", state}}, is_in ? 1 : 0);
    }
  }
}

void write_domains(Prometheus& out, const std::vector<Row>& rows) {
  const auto each = [&](auto value) { for_each(out, rows, value); };
  out.gauge("xl_domain_memory_bytes", "Memory that the domain has");
  each([&](auto labels, const auto& info) { out.sample(labels, to_bytes(info.memory).count()); });
  out.gauge("xl_domain_max_memory_bytes", "Memory that the domain may have");
  each([&](auto labels, const auto& info) {
    out.sample(labels, to_bytes(info.max_memory).count());
  });
  out.gauge("xl_domain_overhead_bytes", "What the hypervisor spends on the domain beside that");
  each([&](auto labels, const auto& info) { out.sample(labels, info.overhead_bytes); });
  out.gauge("xl_domain_vcpus_online", "Vcpus that are online");
  each([&](auto labels, const auto& info) { out.sample(labels, info.vcpus_online); });
  out.gauge("xl_domain_vcpus_max", "Vcpus that the domain can have");
  each([&](auto labels, const auto& info) { out.sample(labels, info.max_vcpus); });
  out.counter("xl_domain_cpu_seconds_total", "Time that the domain's vcpus ran");
  each([&](auto labels, const auto& info) { out.seconds(labels, info.cpu_time.count()); });
}

// The counters whose names begin with `group`, the rest of the name as a label.
void write_counters(Prometheus& out, const std::vector<Row>& rows, std::string_view group,
                    std::string_view label) {
  for (const Row& row : rows) {
    for (const hv::NamedCounter& counter : row.counters) {
      if (counter.name.starts_with(group)) {
        const std::string_view rest = std::string_view(counter.name).substr(group.size());
        out.sample({{"domid", row.id}, {"name", row.name}, {label, rest}}, counter.count);
      }
    }
  }
}

void write_activity(Prometheus& out, const std::vector<Row>& rows) {
  out.counter("xl_domain_exits_total", "Times that the guest was left, by cause");
  write_counters(out, rows, "exit.", "cause");
  out.counter("xl_domain_hypercalls_total", "Hypercalls of the guest, by name");
  write_counters(out, rows, "hypercall.", "hypercall");
  out.counter("xl_domain_events_total", "Event channel notifications, sent and received");
  write_counters(out, rows, "event.", "direction");
}

void write_hypervisor(Prometheus& out, toolstack::Toolstack& toolstack) {
  const bool running = toolstack.hypervisor_running();
  const auto info = running ? toolstack.host_info()
                            : Result<hv::HostInfo>(fail(ErrorCode::not_found, "not started"));
  out.gauge("xl_hypervisor_up", "1 while a hypervisor runs and answers");
  out.sample({}, info ? 1 : 0);
  if (!info) {
    return;
  }
  out.gauge("xl_hypervisor_memory_bytes", "The hypervisor's memory, by what it is used for");
  const std::uint64_t total = to_bytes(info->total_memory).count();
  const std::uint64_t free = to_bytes(info->free_memory).count();
  const std::uint64_t own = to_bytes(Pages(info->hypervisor_overhead_pages)).count();
  out.sample({{"use", "free"}}, free);
  out.sample({{"use", "hypervisor"}}, own);
  out.sample({{"use", "domains"}}, total - std::min(total, free + own));
  out.gauge("xl_hypervisor_scrub_pending_bytes", "Free memory that is not scrubbed yet");
  out.sample({}, to_bytes(info->scrub_pending).count());
  out.gauge("xl_hypervisor_cpus", "Physical CPUs that run vcpus");
  out.sample({}, info->cpus);
  if (info->resident_bytes > 0) {
    out.gauge("xl_hypervisor_resident_memory_bytes", "Resident memory of its process on the host");
    out.sample({}, info->resident_bytes);
  }
}

void write_events(Prometheus& out, toolstack::Toolstack& toolstack) {
  out.counter("xl_events_total", "Lifecycle events, by kind; creates and destroys among them");
  for (const auto& [kind, count] : toolstack.event_counts()) {
    out.sample({{"event", event_name(kind)}}, count);
  }
}

void write_requests(Prometheus& out, const Service& service) {
  out.summary("xl_api_request_seconds", "Requests answered, and the time that took");
  for (std::size_t index = 0; index < routes().size(); ++index) {
    const Route& route = routes()[index];
    const RouteAccount& account = service.accounts[index];
    if (const std::uint64_t count = account.count; count > 0) {
      const Prometheus::Labels labels = {{"method", route.method}, {"path", route.pattern}};
      out.part_seconds("_sum", labels, account.nanoseconds);
      out.part("_count", labels, count);
    }
  }
  out.counter("xl_api_streams_total", "Streams that were opened");
  out.sample({{"path", "/v1/events"}}, service.event_streams);
  out.sample({{"path", "/v1/domains/{}/console"}}, service.console_streams);
  out.counter("xl_api_request_errors_total", "Requests answered with an error");
  for (std::size_t index = 0; index < routes().size(); ++index) {
    if (const std::uint64_t errors = service.accounts[index].errors; errors > 0) {
      const Route& route = routes()[index];
      out.sample({{"method", route.method}, {"path", route.pattern}}, errors);
    }
  }
}

}  // namespace

Answer<Reply> get_metrics(Service& service, const Request&) {
  Prometheus out;
  const std::vector<Row> rows = collect(service.toolstack);
  out.gauge("xl_info", "1; the version is a label");
  out.sample({{"version", service.facts.version}}, 1);
  write_states(out, rows);
  write_domains(out, rows);
  write_activity(out, rows);
  write_hypervisor(out, service.toolstack);
  write_xenstore(out, service.toolstack);
  write_events(out, service.toolstack);
  write_requests(out, service);
  write_process(out, service.started_ms);
  Reply reply;
  reply.type = Prometheus::content_type;
  reply.body = out.take();
  return reply;
}

}  // namespace xl::api
