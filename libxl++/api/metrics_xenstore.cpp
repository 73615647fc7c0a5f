// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "libxl++/api/metrics.hpp"
#include "libxl++/api/prometheus.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

void write_requests(Prometheus& out, const xenstore::RequestCounts& requests) {
  out.counter("xl_xenstore_requests_total", "Requests of guests and tools, by operation");
  for (std::size_t type = 0; type < requests.by_type.size(); ++type) {
    if (requests.by_type[type] > 0) {
      out.sample({{"operation", xenstore::request_name(type)}}, requests.by_type[type]);
    }
  }
  out.counter("xl_xenstore_errors_total", "Requests that were refused");
  out.sample({}, requests.errors);
  out.counter("xl_xenstore_watch_events_total", "Watch events queued");
  out.sample({}, requests.events);
}

void write_hits(Prometheus& out, const xenstore::Statistics& store) {
  out.counter("xl_xenstore_quota_hits_total", "Requests of a domain that a limit turned down");
  for (const auto& [domain, hits] : store.limit_hits) {
    const std::string id = std::to_string(domain.value());
    const std::pair<const char*, std::uint64_t> limits[] = {
        {"nodes", hits.nodes},
        {"node_size", hits.node_size},
        {"watches", hits.watches},
        {"transactions", hits.transactions},
        {"transaction_nodes", hits.transaction_nodes},
        {"permissions", hits.permissions},
        {"pending_events", hits.pending_events},
    };
    for (const auto& [limit, count] : limits) {
      if (count > 0) {
        out.sample({{"domid", id}, {"limit", limit}}, count);
      }
    }
  }
}

}  // namespace

void write_xenstore(Prometheus& out, toolstack::Toolstack& toolstack) {
  const auto statistics = toolstack.store_statistics();
  if (!statistics) {
    return;
  }
  const xenstore::Statistics& store = *statistics;
  write_requests(out, store.requests);
  write_hits(out, store);
  out.gauge("xl_xenstore_nodes", "Nodes in the xenstore");
  out.sample({}, store.nodes);
  out.gauge("xl_xenstore_watches", "Watches of guests and tools");
  out.sample({}, store.watches);
  out.gauge("xl_xenstore_guests", "Guests that are introduced");
  out.sample({}, store.guests);
  out.gauge("xl_xenstore_journal_bytes", "Size of the file that keeps it for the next xld");
  out.sample({}, store.journal_bytes);
}

}  // namespace xl::api
