// SPDX-License-Identifier: Apache-2.0
#include "xl/format/top.hpp"

#include <strings.h>

#include <algorithm>
#include <cinttypes>
#include <functional>
#include <iterator>
#include <map>
#include <numeric>

#include "xl/output.hpp"

namespace xl::cli {
namespace {

struct Row {
  const api::DomainView* domain = nullptr;
  double percent = 0;
  std::uint64_t total_kib = 0;  // of the host
};

bool crashed(const api::DomainView& domain) {
  return domain.shutdown_reason == "crash";
}

// In xentop's order, which is also how it sorts by state.
std::string state(const api::DomainView& domain) {
  return {domain.dying ? 'd' : '-',   domain.shutdown_reason ? 's' : '-',
          domain.blocked ? 'b' : '-', crashed(domain) ? 'c' : '-',
          domain.paused ? 'p' : '-',  domain.running ? 'r' : '-'};
}

double share(std::uint64_t kib, const Row& row) {
  return row.total_kib == 0 ? 0
                            : static_cast<double>(kib) / static_cast<double>(row.total_kib) * 100;
}

struct Column {
  const char* title;
  int width;
  std::string (*text)(const Row&);
  bool (*less)(const Row&, const Row&);  // null: never differs
};

bool by_memory(const Row& a, const Row& b) {
  return a.domain->memory_kib > b.domain->memory_kib;
}
bool by_max_memory(const Row& a, const Row& b) {
  return a.domain->max_memory_kib > b.domain->max_memory_kib;
}
// xl++ gives domains no such devices yet.
std::string none(const Row&) {
  return "0";
}

const Column columns[] = {
    {"NAME", 10, [](const Row& row) { return row.domain->name; },
     [](const Row& a, const Row& b) {
       return ::strcasecmp(a.domain->name.c_str(), b.domain->name.c_str()) < 0;
     }},
    {"STATE", 6, [](const Row& row) { return state(*row.domain); },
     [](const Row& a, const Row& b) {
       const std::string left = state(*a.domain), right = state(*b.domain);
       const auto differ = std::mismatch(left.begin(), left.end(), right.begin());
       return differ.first != left.end() && *differ.first != '-';
     }},
    {"CPU(sec)", 10,
     [](const Row& row) { return std::to_string(row.domain->cpu_time_ns / 1'000'000'000); },
     [](const Row& a, const Row& b) { return a.domain->cpu_time_ns > b.domain->cpu_time_ns; }},
    {"CPU(%)", 6, [](const Row& row) { return format("%.1f", row.percent); },
     [](const Row& a, const Row& b) { return a.percent > b.percent; }},
    {"MEM(k)", 10, [](const Row& row) { return std::to_string(row.domain->memory_kib); },
     by_memory},
    {"MEM(%)", 6, [](const Row& row) { return format("%.1f", share(row.domain->memory_kib, row)); },
     by_memory},
    {"MAXMEM(k)", 10, [](const Row& row) { return std::to_string(row.domain->max_memory_kib); },
     by_max_memory},
    {"MAXMEM(%)", 9,
     [](const Row& row) { return format("%.1f", share(row.domain->max_memory_kib, row)); },
     by_max_memory},
    {"VCPUS", 5, [](const Row& row) { return std::to_string(row.domain->vcpus_online); },
     [](const Row& a, const Row& b) { return a.domain->vcpus_online > b.domain->vcpus_online; }},
    {"NETS", 4, none, nullptr},
    {"NETTX(k)", 8, none, nullptr},
    {"NETRX(k)", 8, none, nullptr},
    {"VBDS", 4, none, nullptr},
    {"VBD_OO", 8, none, nullptr},
    {"VBD_RD", 8, none, nullptr},
    {"VBD_WR", 8, none, nullptr},
    {"VBD_RSECT", 10, none, nullptr},
    {"VBD_WSECT", 10, none, nullptr},
    {"SSID", 4, none, nullptr},
};

TopLine join(const TopOptions& options, const std::function<std::string(const Column&)>& cell) {
  TopLine line;
  for (const Column& column : columns) {
    const std::size_t index = static_cast<std::size_t>(&column - columns);
    const std::string text = cell(column);
    line.text += index == 0 ? "" : " ";
    line.bold_from = index == options.sort ? line.text.size() : line.bold_from;
    line.text += format("%*s", column.width, text.c_str());
    line.bold_to = index == options.sort ? line.text.size() : line.bold_to;
  }
  return line;
}

std::vector<Row> sorted_rows(const TopSample& before, const TopSample& now, std::size_t sort) {
  const std::vector<double> percent = cpu_percent(before, now);
  std::vector<Row> rows;
  for (std::size_t index = 0; index < now.domains.size(); ++index) {
    // Domain-0's maximum is the whole host.
    rows.push_back({&now.domains[index], percent[index], now.domains.front().max_memory_kib});
  }
  if (const auto less = columns[sort % std::size(columns)].less) {
    std::stable_sort(rows.begin(), rows.end(), less);
  }
  return rows;
}

// Five to a line.
void add_vcpus(std::vector<TopLine>& lines, const TopSample& now, std::uint16_t domid) {
  std::string text = "VCPUs(sec): ";
  for (const api::VcpuView& vcpu : now.vcpus) {
    if (vcpu.domid != domid || !vcpu.online) {
      continue;
    }
    if (vcpu.vcpu != 0 && vcpu.vcpu % 5 == 0) {
      lines.push_back({text, false, 0, 0});
      text = "        ";
    }
    text += format(" %2u: %10" PRIu64 "s", vcpu.vcpu, vcpu.cpu_time_ns / 1'000'000'000);
  }
  lines.push_back({text, false, 0, 0});
}

}  // namespace

std::size_t top_columns() {
  return std::size(columns);
}

std::vector<double> cpu_percent(const TopSample& before, const TopSample& now) {
  std::map<std::uint16_t, std::uint64_t> earlier;
  for (const api::DomainView& domain : before.domains) {
    earlier[domain.domid] = domain.cpu_time_ns;
  }
  const double passed = static_cast<double>(now.time_ns - before.time_ns);
  std::vector<double> percent;
  for (const api::DomainView& domain : now.domains) {
    const auto old = earlier.find(domain.domid);
    const bool known = old != earlier.end() && old->second <= domain.cpu_time_ns && passed > 0;
    percent.push_back(known ? static_cast<double>(domain.cpu_time_ns - old->second) / passed * 100
                            : 0);
  }
  return percent;
}

std::vector<TopLine> top_table(const TopSample& before, const TopSample& now, TopOptions& options) {
  const std::vector<Row> rows = sorted_rows(before, now, options.sort);
  options.first = std::min(options.first, rows.empty() ? 0 : rows.size() - 1);
  int name_width = 10;
  if (options.full_names) {
    for (const Row& row : rows) {
      name_width = std::max(name_width, static_cast<int>(row.domain->name.size()));
    }
  }
  const auto cell_of = [&](const Row* row, const Column& column) {
    std::string text = row == nullptr ? column.title : column.text(*row);
    if (&column == columns) {
      text = options.full_names ? format("%*s", name_width, text.c_str()) : text.substr(0, 10);
    }
    return text;
  };
  std::vector<TopLine> lines;
  for (std::size_t index = options.first; index < rows.size(); ++index) {
    if (index == options.first || options.repeat_header) {
      lines.push_back(join(options, [&](const Column& c) { return cell_of(nullptr, c); }));
      lines.back().header = true;
    }
    lines.push_back(join(options, [&](const Column& c) { return cell_of(&rows[index], c); }));
    if (options.vcpus) {
      add_vcpus(lines, now, rows[index].domain->domid);
    }
  }
  return lines;
}

std::vector<std::string> top_summary(const TopSample& now, const std::string& clock) {
  unsigned running = 0, blocked = 0, paused = 0, crash = 0, dying = 0, shutdown = 0;
  for (const api::DomainView& domain : now.domains) {
    unsigned& count = domain.running           ? running
                      : domain.blocked         ? blocked
                      : domain.paused          ? paused
                      : crashed(domain)        ? crash
                      : domain.shutdown_reason ? shutdown
                                               : dying;
    ++count;
  }
  const std::uint64_t total = now.domains.empty() ? 0 : now.domains.front().max_memory_kib;
  const std::uint64_t free = std::min(total, now.host.free_memory_kib);
  return {
      format("xl top - %s   %s %s", clock.c_str(), now.host.hypervisor.c_str(),
             now.host.hypervisor_version.c_str()),
      format("%zu domains: %u running, %u blocked, %u paused, %u crashed, %u dying, %u shutdown",
             now.domains.size(), running, blocked, paused, crash, dying, shutdown),
      format("Mem: %" PRIu64 "k total, %" PRIu64 "k used, %" PRIu64 "k free    CPUs: %u @ %" PRIu64
             "MHz",
             total, total - free, free, now.host.cpus, now.host.cpu_khz / 1000)};
}

}  // namespace xl::cli
