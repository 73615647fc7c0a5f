// SPDX-License-Identifier: Apache-2.0
// xl-bench-roundtrip: how long a request to the bundled hypervisor takes (ping), by how long the
// caller looks for the answer before it sleeps, with the hypervisor's CPUs idle and all busy with
// guests that spin. Prints a table, or JSON.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/scope_exit.hpp"
#include "hypervisor-iface/bundled/bundled_hypervisor.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using xl::hv::bundled::BundledHypervisor;

struct Row {
  std::string load;      // of the hypervisor's CPUs: "idle", "busy"
  unsigned spin_us = 0;  // how long a caller looks before it sleeps
  unsigned gap_us = 0;   // pause between two requests
  double p50_us = 0, p99_us = 0, max_us = 0;
};

// A domain for each CPU, of one page of code that jumps to itself.
xl::Result<void> make_busy(xl::hv::Hypervisor& hv, unsigned cpus) {
  for (unsigned i = 0; i < cpus; ++i) {
    xl::hv::DomainOptions options;
    options.max_memory = xl::Pages(512);
    XL_TRY_ASSIGN(const xl::DomId domain, hv.create_domain(options));
    const xl::hv::Extent extent{xl::Gfn(0), xl::Pages(512)};
    XL_TRY(hv.populate_physmap(domain, std::span(&extent, 1)));
    XL_TRY_ASSIGN(const auto mapping, hv.map_frames(domain, extent));
    const std::byte jump_to_itself[] = {std::byte{0xeb}, std::byte{0xfe}};
    XL_TRY(mapping.write(xl::GuestPhys(0x1000), jump_to_itself));
    xl::hv::VcpuContext context;  // 32-bit protected mode, flat
    context.rip = 0x1000;
    context.rflags = 2;
    context.cr0 = 0x11;
    context.cs = {0x08, 0xc9b, 0xffffffff, 0};
    context.ds = context.es = context.fs = context.gs = context.ss = {0x10, 0xc93, 0xffffffff, 0};
    context.tr = {0x18, 0x8b, 0x67, 0};
    context.ldtr = {0, 0x82, 0, 0};
    XL_TRY(hv.set_vcpu_context(domain, xl::VcpuId(0), context));
    XL_TRY(hv.unpause(domain));
  }
  return {};
}

xl::Result<Row> measure(BundledHypervisor& hv, unsigned requests, unsigned gap_us) {
  std::vector<double> times;
  times.reserve(requests);
  for (unsigned i = 0; i < requests; ++i) {
    if (gap_us > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(gap_us));
    }
    const auto start = Clock::now();
    XL_TRY(hv.ping());
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  Row row;
  row.gap_us = gap_us;
  row.p50_us = times[times.size() / 2];
  row.p99_us = times[times.size() * 99 / 100];
  row.max_us = times.back();
  return row;
}

struct Settings {
  std::vector<unsigned> spins = {0, 20, 50, 100, 200};
  unsigned requests = 2000;
  unsigned cpus = 0;
  std::string hypervisor;
  std::string directory;
  bool json = false;
};

// One hypervisor per spin time: first idle, then busy.
xl::Result<void> measure_spin(const Settings& settings, unsigned spin_us, std::vector<Row>& rows) {
  xl::hv::bundled::Options options;
  options.runtime_dir = settings.directory;
  options.hypervisor_image = settings.hypervisor;
  options.memory = xl::mib(256);
  options.cpus = settings.cpus;
  options.spin = std::chrono::microseconds(spin_us);
  XL_TRY_ASSIGN(const auto hv, BundledHypervisor::start(options));
  const xl::ScopeExit end([&] { hv->terminate(); });
  for (const char* load : {"idle", "busy"}) {
    if (std::string_view(load) == "busy") {
      XL_TRY_ASSIGN(const auto info, hv->host_info());
      XL_TRY_DOING(make_busy(*hv, info.cpus), "making the CPUs busy");
    }
    for (const unsigned gap_us : {0U, 5000U}) {
      const unsigned requests = gap_us == 0 ? settings.requests : settings.requests / 10 + 1;
      XL_TRY(measure(*hv, 50, gap_us));  // warm
      XL_TRY_ASSIGN(Row row, measure(*hv, requests, gap_us));
      row.load = load;
      row.spin_us = spin_us;
      rows.push_back(row);
    }
  }
  return {};
}

void print(const Settings& settings, const std::vector<Row>& rows) {
  if (settings.json) {
    nlohmann::json all = nlohmann::json::array();
    for (const Row& row : rows) {
      all.push_back({{"load", row.load},
                     {"spin_us", row.spin_us},
                     {"gap_us", row.gap_us},
                     {"p50_us", row.p50_us},
                     {"p99_us", row.p99_us},
                     {"max_us", row.max_us}});
    }
    std::puts(nlohmann::json({{"request_round_trip", all}}).dump(2).c_str());
    return;
  }
  fmt::print("{:>6} {:>8} {:>8} {:>10} {:>10} {:>10}\n", "load", "spin us", "gap us", "p50 us",
             "p99 us", "max us");
  for (const Row& row : rows) {
    fmt::print("{:>6} {:>8} {:>8} {:>10.1f} {:>10.1f} {:>10.1f}\n", row.load, row.spin_us,
               row.gap_us, row.p50_us, row.p99_us, row.max_us);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Measure the round trip of a request to the bundled hypervisor");
  app.add_option("--spin", settings.spins, "microseconds to look for an answer before sleeping")
      ->delimiter(',');
  app.add_option("--requests", settings.requests, "requests per row")
      ->check(CLI::Range(10, 1'000'000));
  app.add_option("--cpus", settings.cpus, "CPUs of the hypervisor (default: the host's)");
  app.add_option("--hypervisor", settings.hypervisor, "path of hypervisor.elf");
  app.add_flag("--json", settings.json, "print JSON");
  CLI11_PARSE(app, argc, argv);

  std::string pattern = (std::filesystem::temp_directory_path() / "xl-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    std::perror("mkdtemp");
    return 1;
  }
  settings.directory = pattern;
  std::vector<Row> rows;
  int status = 0;
  for (const unsigned spin_us : settings.spins) {
    if (const auto done = measure_spin(settings, spin_us, rows); !done) {
      fmt::print(stderr, "{}\n", xl::describe(done.error()));
      status = 1;
      break;
    }
  }
  print(settings, rows);
  std::error_code ignored;
  std::filesystem::remove_all(settings.directory, ignored);
  return status;
}
